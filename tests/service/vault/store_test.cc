#include "service/vault/store.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::Overwrite;
using test::StatusIs;
using test::Stored;
using ::testing::ElementsAre;
using ::testing::Pair;

// What each of several openings finds; they must not disturb each other.
class StoreTest : public ::testing::Test {
 protected:
  // As the next start would, with the anchor that is there.
  absl::Status Reopen() { return vault_.Reopen(); }
  // What is in the store, copied to where nobody looks at it.
  static std::unique_ptr<storage::Engine> CopyOf(
      const storage::Engine& engine) {
    auto copy = storage::NewMemoryEngine();
    storage::Batch batch;
    const auto rows =
        engine.Scan({std::string(), std::string(), storage::kScanLimitMax});
    for (const storage::Row& row : *rows) batch.Put(row.key, row.value);
    EXPECT_THAT(copy->Commit(batch), IsOk());
    return copy;
  }
  // Puts everything back as it was when `copy` was made.
  static void Restore(storage::Engine& engine, const storage::Engine& copy) {
    storage::Batch batch;
    for (const auto* each :
         {static_cast<const storage::Engine*>(&engine), &copy}) {
      const auto rows =
          each->Scan({std::string(), std::string(), storage::kScanLimitMax});
      for (const storage::Row& row : *rows) {
        each == &copy ? batch.Put(row.key, row.value) : batch.Delete(row.key);
      }
    }
    EXPECT_THAT(engine.Commit(batch), IsOk());
  }
  std::unique_ptr<storage::Anchor> FreshAnchor() {
    const auto id = StoreKeys::IdOf(vault_.keys());
    return *storage::Anchor::Open(vault_.directory() / "fresh-anchor",
                                  std::string(id->bytes()), true);
  }

  VaultFixture vault_;
};

TEST_F(StoreTest, OpensWithEverythingThatWasThere) {
  const base::SubjectId ann = NewPerson(vault_, "ann@example.com");
  const audit::Head head = vault_.store().log().head();
  ASSERT_THAT(Reopen(), IsOk());
  EXPECT_EQ(vault_.store().log().head().checkpoint, head.checkpoint);
  const auto shown = Get(vault_, ann, "profile", {"full_name"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown), ElementsAre(Pair("full_name", "Ann Other")));
  EXPECT_EQ(vault_.store().store_keys().healthy_slots(), 1);
}

TEST_F(StoreTest, CreatesNothingWhereAStoreIs) {
  EXPECT_THAT(Store::Create(vault_.Parts()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Reopen(), IsOk());
}

TEST_F(StoreTest, CreatesNothingWhereHalfAStoreIs) {
  const auto empty = storage::NewMemoryEngine();
  const Store::Parts without_data{vault_.keys(), *empty, vault_.slots(),
                                  "test"};
  EXPECT_THAT(Store::Create(without_data),
              StatusIs(absl::StatusCode::kAlreadyExists));
  const Store::Parts without_keys{*empty, vault_.data(), vault_.slots(),
                                  "test"};
  EXPECT_THAT(Store::Create(without_keys),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(empty->Get(MetaKey()), IsOkAndHolds(std::nullopt));
}

TEST_F(StoreTest, RefusesAStoreWhoseRootIsInNoSlot) {
  std::filesystem::remove(vault_.directory() / "slot");
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesTheSlotsOfAnotherStore) {
  const VaultFixture other;
  std::filesystem::copy_file(other.directory() / "slot",
                             vault_.directory() / "slot",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesDataAndKeysThatAreNotOfOneStore) {
  VaultFixture other;
  other.Close();
  vault_.Close();
  Restore(vault_.data(), other.data());
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesDataWithoutItsMetaRow) {
  test::Remove(vault_.data(), MetaKey());
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
  Overwrite(vault_.data(), MetaKey(), "damaged");
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesALogOfAnotherName) {
  NewPerson(vault_, "ann@example.com");
  vault_.Close();
  const Store::Parts renamed{vault_.keys(), vault_.data(), vault_.slots(),
                             "other"};
  Store::Options options;
  EXPECT_THAT(Store::Open(renamed, FreshAnchor(), vault_.Policy(),
                          vault_.clock(), options),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StoreTest, RefusesDataPutBackFromAnOlderCopy) {
  NewPerson(vault_, "ann@example.com");
  vault_.Close();
  const auto older = CopyOf(vault_.data());
  ASSERT_THAT(Reopen(), IsOk());
  NewPerson(vault_, "bob@example.com");
  vault_.Close();
  Restore(vault_.data(), *older);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesAnotherHistoryOfTheSameLength) {
  vault_.Close();
  const auto before = CopyOf(vault_.data());
  ASSERT_THAT(Reopen(), IsOk());
  NewPerson(vault_, "ann@example.com");
  // The same store goes on from the same past, to another present.
  Restore(vault_.data(), *before);
  auto rival = vault_.OpenWith(FreshAnchor());
  ASSERT_THAT(rival, IsOk());
  vault_.Close();
  {
    test::Pending pending;
    (*rival)->committer().Submit(
        std::make_unique<Attempt>((*rival)->committer().position(),
                                  audit::Event()),
        pending.Done());
    ASSERT_THAT(pending.Wait().status, IsOk());
  }
  rival->reset();
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(StoreTest, RefusesAnAnchorOfAnotherStore) {
  vault_.Close();
  VaultFixture other;
  other.Close();
  std::filesystem::copy_file(other.anchor_file(), vault_.anchor_file(),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kFailedPrecondition));
  std::filesystem::remove(vault_.anchor_file());
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(StoreTest, OpensALogThatIsAheadOfItsAnchor) {
  NewPerson(vault_, "ann@example.com");
  vault_.Close();
  const auto anchored = std::filesystem::path(vault_.anchor_file()) += ".old";
  std::filesystem::copy_file(vault_.anchor_file(), anchored);
  ASSERT_THAT(Reopen(), IsOk());
  NewPerson(vault_, "bob@example.com");
  vault_.Close();
  std::filesystem::rename(anchored, vault_.anchor_file());
  EXPECT_THAT(Reopen(), IsOk());
}

TEST_F(StoreTest, RefusesALogWithAnEntryMissing) {
  for (int i = 0; i < 3; ++i) {
    NewPerson(vault_, "p" + std::to_string(i) + "@example.com");
  }
  vault_.Close();
  const auto entries = test::RowsOf(vault_.data(), base::kSpaceAuditEntry);
  ASSERT_EQ(entries.size(), 3);
  test::Remove(vault_.data(), entries.back().key);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(StoreTest, KeepsServingPeopleAfterAFullDiskBetweenTheStores) {
  const base::SubjectId ann = NewPerson(vault_, "ann@example.com");
  vault_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Put(vault_, ann, RecordOf("billing", {{"card_last4", "4242"}})),
              HasReason(base::Reason::kAuditUnavailable));
  EXPECT_THAT(Get(vault_, ann, "billing", {"card_last4"}),
              HasReason(base::Reason::kRecordNotFound));
  EXPECT_THAT(Put(vault_, ann, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  EXPECT_THAT(Get(vault_, ann, "billing", {"card_last4"}), IsOk());
}

// The same on disk, and through the engine that is used.
TEST(StoreOnRocksDbTest, KeepsPeopleAcrossRestarts) {
  VaultFixture vault({VaultFixture::Engines::kRocksDb, {}});
  const base::SubjectId ann = NewPerson(vault, "ann@example.com");
  ASSERT_THAT(Put(vault, ann, PaymentOf(5, base::Timestamp())), IsOk());
  ASSERT_THAT(vault.Reopen(), IsOk());
  EXPECT_THAT(Find(vault, "account.email", "ann@example.com"),
              IsOkAndHolds(ElementsAre(ann)));
  const auto shown = Get(vault, ann, "profile", {"full_name"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown), ElementsAre(Pair("full_name", "Ann Other")));
  EXPECT_EQ(vault.Events().size(), 4);
}

TEST(StoreOnRocksDbTest, RepeatsACreateThatDiedBetweenTheStores) {
  VaultFixture vault({VaultFixture::Engines::kRocksDb, {}});
  const auto create = [&] {
    return Create(vault,
                  RecordsOf(RecordOf("account", {{"email", "a@example.com"}})));
  };
  vault.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                          absl::UnknownError("injected"));
  EXPECT_THAT(create(), HasReason(base::Reason::kOutcomeUnknown));
  ASSERT_THAT(vault.Reopen(), IsOk());
  const auto created = create();
  ASSERT_THAT(created, IsOk());
  EXPECT_THAT(Find(vault, "account.email", "a@example.com"),
              IsOkAndHolds(ElementsAre(created->subject)));
}

TEST(StoreOnRocksDbTest, RefusesAMovedRow) {
  VaultFixture vault({VaultFixture::Engines::kRocksDb, {}});
  const base::SubjectId ann = NewPerson(vault, "ann@example.com");
  const base::SubjectId bob = NewPerson(vault, "bob@example.com");
  Overwrite(vault.data(), RecordKey(kAcme, ann, 2, {}),
            Stored(vault.data(), RecordKey(kAcme, bob, 2, {})));
  EXPECT_THAT(Get(vault, ann, "profile", {"full_name"}),
              HasReason(base::Reason::kIntegrityFailure));
}

TEST(StoreOnRocksDbTest, LeavesNoValueInAnyFile) {
  VaultFixture vault({VaultFixture::Engines::kRocksDb, {}});
  const base::SubjectId ann = NewPerson(vault, "ann@example.com");
  ASSERT_THAT(Put(vault, ann,
                  RecordOf("profile", {{"full_name", "Annabella Otherwise"}})),
              IsOk());
  vault.Close();
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(vault.directory())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)),
                            std::istreambuf_iterator<char>());
    ++files;
    for (const char* value :
         {"Annabella", "Ann Other", "ann@", "example.com"}) {
      EXPECT_EQ(bytes.find(value), std::string::npos) << entry.path();
    }
  }
  EXPECT_GT(files, 4);
}

}  // namespace
}  // namespace hizo::vault
