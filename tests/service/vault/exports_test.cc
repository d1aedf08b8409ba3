// Bundles of people as the vault makes them: exactly what the catalogue marks,
// as of one moment, decided upon and recorded chunk by chunk.
#include "service/vault/exports.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/age.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/bundle/documents.h"
#include "service/bundle/reader.h"
#include "service/vault/export_report.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr size_t kChunksMax = 10'000;

// A bundle, opened.
struct Opened {
  bundle::Manifest manifest;
  std::map<std::string, std::string> members;
  size_t chunks = 0;
};

class ExportsTest : public ::testing::Test {
 protected:
  ExportsTest() { subject_ = NewPerson(vault_, "ann@example.com"); }

  ExportInput Input(
      bundle::Selection selection = bundle::Selection::kPortability) const {
    return {subject_, selection, bundle::Language::kEnglish,
            identity_.recipient().ToText()};
  }
  std::unique_ptr<BundleExport> Begin(ExportInput input) {
    auto made = vault_.store().exports().Begin(std::move(input));
    return made.ok() ? *std::move(made) : nullptr;
  }
  absl::StatusOr<ExportChunk> Next(BundleExport& made, size_t index,
                                   const Call& call) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return made.Next(attempt, call, index);
    });
  }
  absl::StatusOr<ExportChunk> Next(BundleExport& made, size_t index) {
    return Next(made, index, FullCall(vault_, Action::kExportBundle));
  }
  // The rest of the file, from chunk `index` on.
  absl::StatusOr<std::string> Rest(BundleExport& made, size_t index,
                                   size_t* chunks = nullptr) {
    std::string file;
    for (; index < kChunksMax; ++index) {
      auto chunk = Next(made, index);
      if (!chunk.ok()) return chunk.status();
      file += chunk->bytes;
      if (chunks != nullptr) ++*chunks;
      if (chunk->last) return file;
    }
    return absl::InternalError("a bundle without an end");
  }
  absl::StatusOr<Opened> Open(const std::string& file) {
    crypto::AgeOpeners openers;
    openers.identities.push_back(
        *crypto::AgeIdentity::Parse(identity_.ExposeText()));
    Opened opened;
    bool given = false;
    const auto verified = bundle::ReadBundle(
        [&]() -> absl::StatusOr<std::string> {
          if (given) return std::string();
          given = true;
          return file;
        },
        std::move(openers), vault_.store().exports().public_key(),
        [&](const bundle::Member& member) {
          opened.members[member.name] = member.content;
          return absl::OkStatus();
        });
    if (!verified.ok()) return verified.status();
    opened.manifest = verified->manifest;
    return opened;
  }
  absl::StatusOr<Opened> Export(
      bundle::Selection selection = bundle::Selection::kPortability) {
    const auto made = Begin(Input(selection));
    size_t chunks = 0;
    const auto file = Rest(*made, 0, &chunks);
    if (!file.ok()) return file.status();
    auto opened = Open(*file);
    if (opened.ok()) opened->chunks = chunks;
    return opened;
  }
  void PutPayments(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(
          Put(vault_, subject_, PaymentOf(100 + i, vault_.clock().Now())),
          IsOk());
      vault_.clock().Advance(std::chrono::milliseconds(2));
    }
  }

  VaultFixture vault_;
  const crypto::AgeIdentity identity_ = crypto::AgeIdentity::Random();
  base::SubjectId subject_;
};

TEST_F(ExportsTest, HandsOutWhatThePersonProvided) {
  PutPayments(3);
  const auto opened = Export();
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->chunks, 1U);  // an ordinary person is one attempt
  EXPECT_EQ(opened->manifest.about.subject, base::ToText(subject_));
  EXPECT_EQ(opened->manifest.about.tenant, "acme");
  EXPECT_THAT(opened->members.at("profile.json"),
              AllOf(HasSubstr(R"("email":"ann@example.com")"),
                    HasSubstr(R"("full_name":"Ann Other")")));
  EXPECT_THAT(opened->members.at("contact.vcf"), HasSubstr("FN:Ann Other"));
  EXPECT_THAT(opened->members.at("index.html"), HasSubstr("Ann Other"));
  const auto payments = bundle::ReadPart(
      opened->members.at("transaction-0001.ndjson"), base::ToText(subject_));
  ASSERT_THAT(payments, IsOk());
  EXPECT_EQ(payments->size(), 3U);
  EXPECT_EQ(opened->manifest.records.at("transaction"), 3U);
}

TEST_F(ExportsTest, HandsOutExactlyTheFieldsThatTheCatalogueMarks) {
  const auto portable =
      ExportedFields(vault_.catalogue(), bundle::Selection::kPortability);
  const auto access =
      ExportedFields(vault_.catalogue(), bundle::Selection::kAccess);
  for (const policy::FieldSpec& field : vault_.catalogue().fields()) {
    EXPECT_EQ(portable.test(field.index),
              field.export_kind == policy::Export::kPortable)
        << field.full_name;
    EXPECT_EQ(access.test(field.index),
              field.export_kind != policy::Export::kNever)
        << field.full_name;
  }
  ASSERT_THAT(
      Put(vault_, subject_, RecordOf("billing", {{"card_last4", "4242"}})),
      IsOk());
  const auto opened = Export();
  ASSERT_THAT(opened, IsOk());
  for (const auto& [name, content] : opened->members) {
    EXPECT_THAT(content, Not(HasSubstr("4242"))) << name;
  }
  EXPECT_THAT(
      opened->manifest.withheld,
      Contains(AllOf(
          ::testing::Field(&bundle::Withheld::field, "billing.card_last4"),
          ::testing::Field(&bundle::Withheld::why, "on_request"),
          ::testing::Field(&bundle::Withheld::count, 1U))));
  const auto all = Export(bundle::Selection::kAccess);
  ASSERT_THAT(all, IsOk());
  EXPECT_THAT(all->members.at("profile.json"), HasSubstr("4242"));
}

TEST_F(ExportsTest, DescribesAPasswordAndNeverShowsIt) {
  const Call call =
      vault_.CallOf(kFull, Action::kCredentialSet, test::kAuthentication);
  ASSERT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().Set(
                               attempt, call, subject_,
                               base::Pii("a good password"));
                         }),
              IsOk());
  for (const auto selection :
       {bundle::Selection::kPortability, bundle::Selection::kAccess}) {
    const auto opened = Export(selection);
    ASSERT_THAT(opened, IsOk());
    for (const auto& [name, content] : opened->members) {
      EXPECT_THAT(content, Not(HasSubstr("$2b$"))) << name;
      EXPECT_THAT(content, Not(HasSubstr("good password"))) << name;
    }
    EXPECT_THAT(opened->manifest.withheld,
                Contains(::testing::Field(&bundle::Withheld::field,
                                          "credential.password_hash")));
  }
}

TEST_F(ExportsTest, AReportTellsPurposesRetentionAndWhoWasGivenSomething) {
  ASSERT_THAT(Get(vault_, subject_, "profile", {"full_name"}), IsOk());
  const auto opened = Export(bundle::Selection::kAccess);
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened->members.at("access-report.json"),
              AllOf(HasSubstr(R"("recipients": [)"), HasSubstr(kFull),
                    HasSubstr(R"("service": "A purpose.")"),
                    HasSubstr("the person is erased")));
  EXPECT_THAT(opened->members.at("access-history-0001.ndjson"),
              AllOf(HasSubstr(R"("action":"record.get")"),
                    HasSubstr(R"("fields":["profile.full_name"])")));
  const auto portable = Export();
  EXPECT_EQ(portable->members.count("access-report.json"), 0U);
}

// Many entries, of other people too: the proof is of this person's newest.
TEST_F(ExportsTest, ProvesThatTheHistoryStandsInTheLog) {
  PutPayments(3);
  const auto other = NewPerson(vault_, "bob@example.com");
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(Get(vault_, other, "profile", {"full_name"}), IsOk());
  }
  const std::vector<audit::Event> events = vault_.Events();
  const auto opened = Export();
  ASSERT_THAT(opened, IsOk());
  const bundle::About& about = opened->manifest.about;
  EXPECT_THAT(bundle::CheckAudit(about), IsOk());
  ASSERT_TRUE(about.proof.has_value());
  const auto proved = audit::Decode(about.proof->entry);
  ASSERT_THAT(proved, IsOk());
  EXPECT_EQ(proved->action, Action::kRecordPut);
  const audit::Event& last = events.at(about.proof->sequence);
  EXPECT_EQ(proved->subject, last.subject);
  EXPECT_EQ(proved->request, last.request);
  for (size_t i = about.proof->sequence + 1; i < events.size(); ++i) {
    EXPECT_NE(events[i].subject, last.subject) << i;
  }
  EXPECT_THAT(opened->members.at("access-history-0001.ndjson"),
              HasSubstr("{\"sequence\":" +
                        std::to_string(about.proof->sequence) + ","));
}

// The lines are written without a document; a parser reads them as one.
TEST_F(ExportsTest, ALineOfHistoryIsJson) {
  audit::Found found{.sequence = 7, .event = {}};
  found.event.actor = "spiffe://example/\"shop\"\n";
  found.event.action = Action::kRecordGet;
  found.event.outcome = audit::Outcome::kDenied;
  found.event.time = base::FromMicros(1'700'000'000'000'000);
  const auto* name = vault_.catalogue().FindField("profile.full_name");
  ASSERT_NE(name, nullptr);
  found.event.fields = {name->number, 65'000};
  std::string line;
  AppendHistoryLine(vault_.catalogue(), found, line);
  EXPECT_EQ(line,
            R"({"sequence":7,"time":"2023-11-14T22:13:20Z",)"
            R"("actor":"spiffe://example/\"shop\"\n","action":"record.get",)"
            R"("outcome":"denied","purpose":"",)"
            R"("fields":["profile.full_name"],"values_shown":false})"
            "\n");
}

TEST_F(ExportsTest, RecordsEveryChunkBeforeItIsReleased) {
  PutPayments(2);
  const size_t before = vault_.Events().size();
  ASSERT_THAT(Export(), IsOk());
  const std::vector<audit::Event> events = vault_.Events();
  ASSERT_EQ(events.size(), before + 1);
  EXPECT_EQ(events.back().action, Action::kExportBundle);
  EXPECT_EQ(events.back().outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(events.back().records, 4U);  // account, profile, two payments
  EXPECT_EQ(events.back().view, policy::View::kPlain);
  EXPECT_FALSE(events.back().fields.empty());
}

TEST_F(ExportsTest, IsRefusedToWhoMayNot) {
  const auto made = Begin(Input());
  EXPECT_THAT(
      Next(*made, 0,
           vault_.CallOf(test::kClerk, Action::kExportBundle, kService)),
      HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(
      Next(*made, 0,
           vault_.CallOf(test::kOtherFull, Action::kExportBundle, kService)),
      HasReason(Reason::kSubjectNotFound));
  // Another purpose than one that all of the fields serve.
  EXPECT_THAT(Next(*made, 0,
                   vault_.CallOf(kFull, Action::kExportBundle, test::kBilling)),
              HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(ExportsTest, NeedsARecipient) {
  for (const std::string& recipient :
       {std::string(), std::string("age1"), std::string("-")}) {
    ExportInput input = Input();
    input.recipient = recipient;
    EXPECT_THAT(vault_.store().exports().Begin(std::move(input)),
                HasReason(Reason::kValueInvalid));
  }
}

// Enough for several chunks.
class LongExportTest : public ExportsTest {
 protected:
  static constexpr int kMany = 300;
  LongExportTest() {
    for (int i = 0; i < kMany; ++i) PutLong(i);
  }
  void PutLong(int number) {
    NewRecord record = PaymentOf(number, vault_.clock().Now());
    record.fields.push_back({"item", TextOf("item " + std::to_string(number) +
                                            " " + std::string(3000, 'x'))});
    ASSERT_THAT(Put(vault_, subject_, std::move(record)), IsOk());
    vault_.clock().Advance(std::chrono::milliseconds(2));
  }
};

TEST_F(LongExportTest, IsMadeInChunksEachOnRecord) {
  const size_t before = vault_.Events().size();
  const auto opened = Export();
  ASSERT_THAT(opened, IsOk());
  EXPECT_GT(opened->chunks, 2U);
  EXPECT_EQ(vault_.Events().size(), before + opened->chunks);
  size_t records = 0;
  for (size_t i = before; i < vault_.Events().size(); ++i) {
    records += vault_.Events()[i].records;
  }
  EXPECT_EQ(records, static_cast<size_t>(kMany) + 2);
  EXPECT_EQ(opened->manifest.records.at("transaction"),
            static_cast<uint64_t>(kMany));
  // In the order of their creation, each once.
  std::vector<std::string> ids;
  for (const auto& [name, content] : opened->members) {
    if (!name.starts_with("transaction-") || !name.ends_with(".ndjson")) {
      continue;
    }
    const auto part = bundle::ReadPart(content, base::ToText(subject_));
    ASSERT_THAT(part, IsOk());
    for (const bundle::Record& record : *part) ids.push_back(record.id);
  }
  EXPECT_EQ(ids.size(), static_cast<size_t>(kMany));
  EXPECT_TRUE(std::ranges::is_sorted(ids));
}

TEST_F(LongExportTest, IsOfTheMomentWhenItBegan) {
  const auto made = Begin(Input());
  const auto first = Next(*made, 0);
  ASSERT_THAT(first, IsOk());
  ASSERT_FALSE(first->last);
  PutLong(kMany);
  const auto rest = Rest(*made, 1);
  ASSERT_THAT(rest, IsOk());
  const auto opened = Open(first->bytes + *rest);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->manifest.records.at("transaction"),
            static_cast<uint64_t>(kMany));
}

TEST_F(LongExportTest, AnErasureEndsIt) {
  const auto made = Begin(Input());
  const auto first = Next(*made, 0);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(Erase(vault_, subject_), IsOk());
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kSubjectNotFound));
  // What came until then is no bundle.
  EXPECT_FALSE(Open(first->bytes).ok());
}

TEST_F(LongExportTest, AChunkCanBeMadeAgain) {
  const auto made = Begin(Input());
  ASSERT_THAT(Next(*made, 0), IsOk());
  const auto first = Next(*made, 0);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(Next(*made, 1), IsOk());
  ASSERT_THAT(Next(*made, 1), IsOk());
  const auto second = Next(*made, 1);
  ASSERT_THAT(second, IsOk());
  const auto rest = Rest(*made, 2);
  ASSERT_THAT(rest, IsOk());
  EXPECT_THAT(Open(first->bytes + second->bytes + *rest), IsOk());
}

// More in one member than a message of gRPC's default size holds.
TEST_F(LongExportTest, NoChunkIsLargerThanAMessage) {
  NewRecord profile = RecordOf("profile", {{"full_name", "Ann Other"}});
  profile.fields.push_back(
      {"settings", Json{base::Pii("\"" + std::string(4000, 'x') + "\"")}});
  ASSERT_THAT(Put(vault_, subject_, std::move(profile)), IsOk());
  const auto made = Begin(Input());
  std::string file;
  for (size_t index = 0;; ++index) {
    const auto chunk = Next(*made, index);
    ASSERT_THAT(chunk, IsOk());
    EXPECT_LE(chunk->bytes.size(), kExportChunkMax);
    EXPECT_EQ(chunk->signature.empty(), !chunk->last);
    file += chunk->bytes;
    if (chunk->last) break;
  }
  EXPECT_THAT(Open(file), IsOk());
}

TEST_F(LongExportTest, ChunksComeInOrder) {
  const auto made = Begin(Input());
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kInternal));
  const auto other = Begin(Input());
  ASSERT_THAT(Next(*other, 0), IsOk());
  EXPECT_THAT(Next(*other, 2), HasReason(Reason::kInternal));
}

TEST_F(LongExportTest, GivesNothingThatCouldNotBeRecorded) {
  const auto made = Begin(Input());
  ASSERT_THAT(Next(*made, 0), IsOk());
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::UnavailableError("no disk"));
  EXPECT_FALSE(Next(*made, 1).ok());
}

}  // namespace
}  // namespace hizo::vault
