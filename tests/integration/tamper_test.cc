// Somebody edits the stores while nobody looks. Ciphertext that lies elsewhere
// than where it was sealed is an integrity error, never another person's
// plaintext.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "crypto/record_cipher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::AnyOf;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr base::TenantId kAcmeId{1};
constexpr base::TenantId kGlobexId{2};
constexpr policy::ClassNumber kAccount = 1;
constexpr policy::ClassNumber kProfile = 2;
constexpr policy::FieldNumber kFullName = 201;
constexpr policy::FieldNumber kCompanyName = 202;
constexpr size_t kVersionAt = 16;  // of a row, crypto/FORMAT.md
constexpr size_t kVersionSize = 8;
constexpr size_t kTableAt = 66;
constexpr size_t kTableEntrySize = 14;

using Row = storage::Row;

std::vector<Row> RowsOf(const storage::Reader& reader, char space) {
  const auto rows = reader.Scan(
      storage::PrefixRange(std::string(1, space), storage::kScanLimitMax));
  EXPECT_THAT(rows, IsOk());
  return rows.value();
}

std::string ValueAt(const storage::Reader& reader, const std::string& key) {
  return reader.Get(key).value().value();
}

void Put(storage::Engine& engine, const std::string& key, std::string value) {
  storage::Batch batch;
  batch.Put(key, std::move(value));
  EXPECT_THAT(engine.Commit(batch), IsOk());
}

void Swap(storage::Engine& engine, const std::string& a, const std::string& b) {
  const std::string of_a = ValueAt(engine, a);
  Put(engine, a, ValueAt(engine, b));
  Put(engine, b, of_a);
}

base::SubjectId IdOf(const std::string& subject) {
  return base::ParseId<base::SubjectId>(subject).value();
}

std::string ProfileKey(const std::string& subject,
                       base::TenantId tenant = kAcmeId) {
  return vault::RecordKey(tenant, IdOf(subject), kProfile, base::RecordId());
}

// The key in the keys store under which the person's own keys lie.
std::string DeksKeyOf(const storage::Reader& keys, const std::string& subject) {
  const base::SubjectId id = IdOf(subject);
  for (const Row& row : RowsOf(keys, base::kSpaceDeks)) {
    if (row.key.ends_with(id.bytes())) return row.key;
  }
  ADD_FAILURE() << "no keys of this person";
  return {};
}

// The bytes in which a field is sealed, within its row.
std::string_view SealedIn(const crypto::SealedRow& row,
                          policy::FieldNumber field) {
  const auto* found = row.Find(field);
  EXPECT_NE(found, nullptr);
  return std::string_view(row.bytes()).substr(found->offset, found->size);
}

// `row` with the sealed field `to` overwritten by those bytes.
std::string WithField(const std::string& row, policy::FieldNumber to,
                      std::string_view sealed) {
  const crypto::SealedRow parsed = crypto::SealedRow::Parse(row).value();
  const auto* found = parsed.Find(to);
  EXPECT_EQ(found->size, sealed.size());
  std::string changed = row;
  return changed.replace(found->offset, found->size, sealed);
}

// A well-formed row that lacks the last field of `row`.
std::string WithoutLastField(const std::string& row) {
  const auto fields = crypto::SealedRow::Parse(row).value().fields();
  const size_t sealed = kTableAt + kTableEntrySize * fields.size();
  std::string cut = row.substr(0, kTableAt);
  cut.back() = static_cast<char>(fields.size() - 1);
  cut += row.substr(kTableAt, kTableEntrySize * (fields.size() - 1));
  return cut + row.substr(sealed, fields.back().offset - sealed);
}

class TamperTest : public ::testing::Test {
 protected:
  TamperTest() {
    const Peer full = server_.As("acme/full");
    ann_ = CreatePerson(full, "ann@example.com", "Ann Other");
    bob_ = CreatePerson(full, "bob@example.com", "Bob Other");
    for (const std::string& subject : {ann_, bob_}) {
      EXPECT_THAT(full.Ask<v1::PutRecordResponse>(PutRequest(
                      subject, RecordOf("profile", {{"full_name", "The Name"},
                                                    {"company_name", "Co."}}))),
                  IsOk());
    }
  }

  // Edits the stores of the stopped server and starts it again.
  void Edit(const std::function<void(StoppedStores&)>& edit) {
    server_.Stop();
    {
      StoppedStores stores = OpenStores(server_.config());
      edit(stores);
    }
    ASSERT_THAT(server_.Start(), IsOk());
  }
  void EditProfile(const std::function<std::string(std::string)>& edit) {
    Edit([&](StoppedStores& stores) {
      const std::string key = ProfileKey(ann_);
      Put(*stores.data, key, edit(ValueAt(*stores.data, key)));
    });
  }
  absl::StatusOr<Texts> Read(const std::string& subject) {
    return ReadProfile(server_.As("acme/full"), subject);
  }
  // Reading Ann's profile is an integrity error that gives nothing out and is
  // on record.
  void ExpectDamaged() {
    const Reply reply = server_.As("acme/full")
                            .Call(PathOf(*v1::GetRecordRequest::descriptor()),
                                  {GetRequest(ann_, "profile", {"full_name"})
                                       .SerializeAsString()});
    EXPECT_THAT(reply, HasReason(Reason::kIntegrityFailure));
    EXPECT_EQ(reply.code, static_cast<int>(absl::StatusCode::kDataLoss));
    EXPECT_THAT(reply.messages, IsEmpty());
    EXPECT_EQ(server_.EventsFrom(server_.EventCount() - 1).at(0).reason,
              Reason::kIntegrityFailure);
  }

  LiveServer server_;
  std::string ann_;
  std::string bob_;
};

TEST_F(TamperTest, AnUntouchedStoreIsWhole) {
  Edit([](StoppedStores&) {});
  EXPECT_THAT(Read(ann_), IsOk());
  EXPECT_THAT(Read(bob_), IsOk());
}

TEST_F(TamperTest, AFieldMovedToAnotherField) {
  EditProfile([](const std::string& row) {
    const auto parsed = crypto::SealedRow::Parse(row).value();
    return WithField(row, kFullName, SealedIn(parsed, kCompanyName));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, TwoFieldsOfARowSwapped) {
  EditProfile([](const std::string& row) {
    const auto parsed = crypto::SealedRow::Parse(row).value();
    return WithField(WithField(row, kFullName, SealedIn(parsed, kCompanyName)),
                     kCompanyName, SealedIn(parsed, kFullName));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, AFieldOfAnEarlierVersion) {
  server_.Stop();
  const std::string old =
      ValueAt(*OpenStores(server_.config()).data, ProfileKey(ann_));
  ASSERT_THAT(server_.Start(), IsOk());
  ASSERT_THAT(server_.As("acme/full")
                  .Ask<v1::PutRecordResponse>(PutRequest(
                      ann_, RecordOf("profile", {{"full_name", "New Name"},
                                                 {"company_name", "Co."}}))),
              IsOk());
  EditProfile([&old](const std::string& row) {
    const auto parsed = crypto::SealedRow::Parse(old).value();
    return WithField(row, kFullName, SealedIn(parsed, kFullName));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, ARowThatSaysItIsOfAnotherVersion) {
  EditProfile([](std::string row) {
    row.at(kVersionAt + kVersionSize - 1) =
        static_cast<char>(row[kVersionAt + kVersionSize - 1] + 1);
    return row;
  });
  ExpectDamaged();
}

TEST_F(TamperTest, AFieldDroppedFromItsRow) {
  EditProfile(WithoutLastField);
  ExpectDamaged();
}

TEST_F(TamperTest, ARowCutShort) {
  EditProfile(
      [](const std::string& row) { return row.substr(0, row.size() - 1); });
  ExpectDamaged();
}

TEST_F(TamperTest, OneBitOfARow) {
  EditProfile([](std::string row) {
    row.back() = static_cast<char>(row.back() ^ 1);
    return row;
  });
  ExpectDamaged();
}

TEST_F(TamperTest, ARecordMovedToAnotherPerson) {
  Edit([this](StoppedStores& stores) {
    Swap(*stores.data, ProfileKey(ann_), ProfileKey(bob_));
  });
  ExpectDamaged();
  EXPECT_THAT(Read(bob_), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, EverythingOfAPersonMovedToAnotherPerson) {
  Edit([this](StoppedStores& stores) {
    for (const policy::ClassNumber number : {kAccount, kProfile}) {
      Swap(*stores.data,
           vault::RecordKey(kAcmeId, IdOf(ann_), number, base::RecordId()),
           vault::RecordKey(kAcmeId, IdOf(bob_), number, base::RecordId()));
    }
    Swap(*stores.data, vault::FactsKey(kAcmeId, IdOf(ann_)),
         vault::FactsKey(kAcmeId, IdOf(bob_)));
    Swap(*stores.keys, DeksKeyOf(*stores.keys, ann_),
         DeksKeyOf(*stores.keys, bob_));
  });
  ExpectDamaged();
  EXPECT_THAT(Read(bob_), HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, KeysOfAnotherPerson) {
  Edit([this](StoppedStores& stores) {
    Swap(*stores.keys, DeksKeyOf(*stores.keys, ann_),
         DeksKeyOf(*stores.keys, bob_));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, FactsOfAnotherPerson) {
  Edit([this](StoppedStores& stores) {
    Swap(*stores.data, vault::FactsKey(kAcmeId, IdOf(ann_)),
         vault::FactsKey(kAcmeId, IdOf(bob_)));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, ARecordMovedToAnotherTenant) {
  const Peer globex = server_.As("globex/full");
  const std::string gil = CreatePerson(globex, "gil@example.com", "Gil Other");
  Edit([&](StoppedStores& stores) {
    Put(*stores.data, ProfileKey(gil, kGlobexId),
        ValueAt(*stores.data, ProfileKey(ann_)));
  });
  EXPECT_THAT(ReadProfile(server_.As("globex/full"), gil),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, EverythingOfAPersonMovedToAnotherTenant) {
  const Peer globex = server_.As("globex/full");
  const std::string gil = CreatePerson(globex, "gil@example.com", "Gil Other");
  Edit([&](StoppedStores& stores) {
    Put(*stores.data, ProfileKey(gil, kGlobexId),
        ValueAt(*stores.data, ProfileKey(ann_)));
    Put(*stores.data, vault::FactsKey(kGlobexId, IdOf(gil)),
        ValueAt(*stores.data, vault::FactsKey(kAcmeId, IdOf(ann_))));
    Put(*stores.keys, DeksKeyOf(*stores.keys, gil),
        ValueAt(*stores.keys, DeksKeyOf(*stores.keys, ann_)));
  });
  EXPECT_THAT(ReadProfile(server_.As("globex/full"), gil),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, ARecordMovedToAnotherRecordOfItsSeries) {
  const Peer full = server_.As("acme/full");
  for (const int yen : {100, 900}) {
    ASSERT_THAT(
        full.Ask<v1::PutRecordResponse>(PutRequest(ann_, InvoiceOf("I", yen))),
        IsOk());
  }
  Edit([this](StoppedStores& stores) {
    const auto rows = stores.data->Scan(
        storage::PrefixRange(vault::RecordPrefix(kAcmeId, IdOf(ann_), 4), 10));
    ASSERT_THAT(rows, IsOkAndHolds(SizeIs(2)));
    Swap(*stores.data, (*rows)[0].key, (*rows)[1].key);
  });
  v1::ListRecordsRequest list;
  *list.mutable_context() = ContextFor(kBillingPurpose);
  list.set_subject(ann_);
  list.set_record_class("transaction");
  list.mutable_read_mask()->add_paths("amount");
  EXPECT_THAT(server_.As("acme/full").Ask<v1::ListRecordsResponse>(list),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, ARecordMovedToAnotherClass) {
  Edit([this](StoppedStores& stores) {
    Put(*stores.data, ProfileKey(ann_),
        ValueAt(*stores.data, vault::RecordKey(kAcmeId, IdOf(ann_), kAccount,
                                               base::RecordId())));
  });
  ExpectDamaged();
}

TEST_F(TamperTest, IndexEntriesSwapped) {
  Edit([](StoppedStores& stores) {
    const auto rows = RowsOf(*stores.keys, base::kSpaceIndex);
    ASSERT_THAT(rows, SizeIs(2));
    Swap(*stores.keys, rows[0].key, rows[1].key);
  });
  for (const char* email : {"ann@example.com", "bob@example.com"}) {
    EXPECT_THAT(FindPerson(server_.As("acme/full"), email),
                HasReason(Reason::kIntegrityFailure));
  }
}

TEST_F(TamperTest, AnswersToRepeatsSwapped) {
  std::vector<v1::CreateSubjectRequest> requests;
  for (const char* email : {"x@example.com", "y@example.com"}) {
    requests.push_back(CreateRequest(email, "Repeated"));
    requests.back().mutable_context()->set_request_id(NewUuid());
    ASSERT_THAT(
        server_.As("acme/full").Ask<v1::CreateSubjectResponse>(requests.back()),
        IsOk());
  }
  Edit([](StoppedStores& stores) {
    const auto rows = RowsOf(*stores.data, base::kSpaceRequest);
    ASSERT_THAT(rows, SizeIs(2));
    Swap(*stores.data, rows[0].key, rows[1].key);
  });
  EXPECT_THAT(
      server_.As("acme/full").Ask<v1::CreateSubjectResponse>(requests[0]),
      HasReason(Reason::kIntegrityFailure));
}

TEST_F(TamperTest, AWayBackMovedNamesNobody) {
  Edit([](StoppedStores& stores) {
    const auto rows = RowsOf(*stores.keys, base::kSpaceWayBack);
    ASSERT_THAT(rows, SizeIs(2));
    Swap(*stores.keys, rows[0].key, rows[1].key);
  });
  v1::QueryAuditRequest request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  const auto page =
      server_.As("acme/auditor").Ask<v1::QueryAuditResponse>(request);
  ASSERT_THAT(page, IsOk());
  EXPECT_GT(page->events_size(), 0);
  for (const v1::AuditEvent& event : page->events()) {
    EXPECT_NE(event.subject_reference(), "");
    EXPECT_EQ(event.subject(), "");
  }
}

// What lies on the disk, to be put back.
class Backup {
 public:
  explicit Backup(const app::Config& config)
      : paths_{config.storage_data_dir, config.storage_keys_dir,
               config.anchor} {
    for (const auto& path : paths_) {
      std::filesystem::copy(path, CopyOf(path));
    }
  }
  void Restore() const {
    for (const auto& path : paths_) {
      std::filesystem::remove_all(path);
      std::filesystem::copy(CopyOf(path), path);
    }
  }

 private:
  static std::filesystem::path CopyOf(const std::filesystem::path& path) {
    return path.string() + ".copy";
  }
  const std::vector<std::filesystem::path> paths_;
};

// One bit of a row, in the middle of its value.
void Damage(storage::Engine& engine, const Row& row) {
  std::string value = row.value;
  ASSERT_FALSE(value.empty());
  value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 4);
  Put(engine, row.key, std::move(value));
}

class DamageTest : public TamperTest,
                   public ::testing::WithParamInterface<char> {};

TEST_P(DamageTest, MakesNoWrongAnswer) {
  server_.Stop();
  const Backup backup(server_.config());
  for (const bool first : {true, false}) {
    {
      const StoppedStores stores = OpenStores(server_.config());
      auto rows = RowsOf(*stores.keys, GetParam());
      storage::Engine& engine = rows.empty() ? *stores.data : *stores.keys;
      rows = RowsOf(engine, GetParam());
      ASSERT_THAT(rows, Not(IsEmpty()));
      Damage(engine, first ? rows.front() : rows.back());
    }
    if (server_.Start().ok()) {
      EXPECT_THAT(Read(ann_), AnyOf(HasReason(Reason::kIntegrityFailure),
                                    IsOkAndHolds(UnorderedElementsAre(
                                        Pair("full_name", "The Name"),
                                        Pair("company_name", "Co.")))));
      EXPECT_THAT(
          FindPerson(server_.As("acme/full"), "ann@example.com"),
          AnyOf(HasReason(Reason::kIntegrityFailure), IsOkAndHolds(ann_)));
    }
    server_.Stop();
    backup.Restore();
  }
  // What was put back is whole: it was the damage.
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(Read(ann_), IsOk());
}

// service/base/keyspace.h
INSTANTIATE_TEST_SUITE_P(EveryKindOfRow, DamageTest,
                         ::testing::Values('M', 'P', 'K', 'L', 'X', 'B', 'F',
                                           'R', 'A', 'H'),
                         [](const auto& test) {
                           return std::string(1, test.param);
                         });

}  // namespace
}  // namespace hizo::test
