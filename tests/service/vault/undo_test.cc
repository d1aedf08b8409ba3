// A batch of keys whose data never became durable is taken back.
#include "service/vault/undo.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "storage/memory/engine.h"
#include "tests/service/vault/people.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using When = test::FaultyEngine::When;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

constexpr char kOld[] = "a@example.com";
constexpr char kNew[] = "b@example.com";

absl::StatusOr<std::vector<base::SubjectId>> Find(VaultFixture& vault,
                                                  const std::string& email) {
  return vault::Find(vault, "account.email", email);
}

// A put that changes the address and whose data fails with `error`.
void FailAddressChange(VaultFixture& vault, base::SubjectId subject,
                       const absl::Status& error) {
  vault.data().FailCommit(1, When::kBeforeApplied, error);
  ASSERT_FALSE(
      Put(vault, subject, RecordOf("account", {{"email", kNew}})).ok());
}

void ExpectOldAddress(VaultFixture& vault, base::SubjectId subject) {
  EXPECT_THAT(Find(vault, kOld), IsOkAndHolds(ElementsAre(subject)));
  EXPECT_THAT(Find(vault, kNew), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Create(vault, RecordsOf(RecordOf("account", {{"email", kOld}}))),
              HasReason(Reason::kAlreadyExists));
}

TEST(UndoTest, TakesBackAnAddressWhoseRecordMetAFullDisk) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  FailAddressChange(vault, subject, absl::ResourceExhaustedError("injected"));
  EXPECT_TRUE(vault.store().committer().healthy());
  ExpectOldAddress(vault, subject);
}

TEST(UndoTest, TakesBackAnAddressWhoseRecordDiedOnTheWay) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  FailAddressChange(vault, subject, absl::UnknownError("injected"));
  EXPECT_FALSE(vault.store().committer().healthy());
  ASSERT_THAT(vault.Reopen(), IsOk());
  ExpectOldAddress(vault, subject);
}

TEST(UndoTest, KeepsAnAddressWhoseRecordArrivedAfterAll) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  vault.data().FailCommit(1, When::kAfterApplied,
                          absl::UnknownError("injected"));
  ASSERT_FALSE(
      Put(vault, subject, RecordOf("account", {{"email", kNew}})).ok());
  ASSERT_THAT(vault.Reopen(), IsOk());
  EXPECT_THAT(Find(vault, kNew), IsOkAndHolds(ElementsAre(subject)));
  EXPECT_THAT(Find(vault, kOld), HasReason(Reason::kSubjectNotFound));
}

TEST(UndoTest, EndsTheStoreWhereTheUndoFailsToo) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  vault.keys().FailCommit(2, When::kBeforeApplied,
                          absl::ResourceExhaustedError("injected"));
  FailAddressChange(vault, subject, absl::ResourceExhaustedError("injected"));
  EXPECT_FALSE(vault.store().committer().healthy());
  ASSERT_THAT(vault.Reopen(), IsOk());
  ExpectOldAddress(vault, subject);
}

TEST(UndoTest, RestoresWhatABatchReplacedAddedAndDeleted) {
  const auto engine = storage::NewMemoryEngine();
  storage::Batch first;
  first.Put("kept", "1");
  first.Put("gone", "2");
  ASSERT_THAT(engine->Commit(first), IsOk());
  storage::Batch second;
  second.Put("kept", "changed");
  second.Delete("gone");
  second.Put("new", "3");
  second.Put("new", "4");
  ASSERT_THAT(AddUndo(*engine, 8, second), IsOk());
  ASSERT_THAT(engine->Commit(second), IsOk());
  ASSERT_THAT(UndoUnfinished(*engine, 7), IsOk());
  EXPECT_THAT(engine->Get("kept"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(engine->Get("gone"), IsOkAndHolds(Optional(Eq("2"))));
  EXPECT_THAT(engine->Get("new"), IsOkAndHolds(Eq(std::nullopt)));
  // Nothing is left to undo again, and no key is left in the row.
  ASSERT_THAT(UndoUnfinished(*engine, 6), IsOk());
  EXPECT_THAT(engine->Get("kept"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_EQ(test::Stored(*engine, std::string(1, base::kSpaceUndo)),
            std::string({1, 0, 0, 0, 0, 0, 0, 0, 6}));
}

// A keys store and a data store that a batch of two was written to.
class MarkTest : public ::testing::Test {
 protected:
  MarkTest() {
    Write(8);
    old_undo_ = test::Stored(*keys_, std::string(1, base::kSpaceUndo));
    Write(9);
  }
  void Write(uint64_t log_size) {
    storage::Batch keys;
    storage::Batch data;
    keys.Put("key", std::to_string(log_size));
    EXPECT_THAT(AddUndo(*keys_, log_size, keys), IsOk());
    AddMark(log_size, data);
    EXPECT_THAT(keys_->Commit(keys), IsOk());
    EXPECT_THAT(data_->Commit(data), IsOk());
  }

  const std::unique_ptr<storage::Engine> keys_ = storage::NewMemoryEngine();
  const std::unique_ptr<storage::Engine> data_ = storage::NewMemoryEngine();
  std::string old_undo_;
};

TEST_F(MarkTest, AcceptsKeysThatAreThere) {
  EXPECT_THAT(CheckMark(*keys_, *data_), IsOk());
}

TEST_F(MarkTest, AcceptsKeysThatWereTakenBack) {
  storage::Batch batch;
  batch.Put("key", "10");
  const auto undo = AddUndo(*keys_, 10, batch);
  ASSERT_THAT(undo, IsOk());
  ASSERT_THAT(keys_->Commit(batch), IsOk());
  EXPECT_THAT(CheckMark(*keys_, *data_), IsOk());
  ASSERT_THAT(keys_->Commit(*undo), IsOk());
  EXPECT_THAT(CheckMark(*keys_, *data_), IsOk());
  EXPECT_EQ(test::Stored(*keys_, "key"), "9");
}

TEST_F(MarkTest, RefusesKeysThatLostTheirEnd) {
  test::Overwrite(*keys_, std::string(1, base::kSpaceUndo), old_undo_);
  EXPECT_THAT(CheckMark(*keys_, *data_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(MarkTest, RefusesKeysThatLostEverything) {
  EXPECT_THAT(CheckMark(*storage::NewMemoryEngine(), *data_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(MarkTest, RefusesADamagedMark) {
  test::Overwrite(*data_, std::string(1, base::kSpaceKeysMark), "");
  EXPECT_THAT(CheckMark(*keys_, *data_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(MarkTest, AcceptsAStoreThatNeverWroteKeys) {
  EXPECT_THAT(
      CheckMark(*storage::NewMemoryEngine(), *storage::NewMemoryEngine()),
      IsOk());
}

TEST(UndoTest, LeavesAFinishedBatchAlone) {
  const auto engine = storage::NewMemoryEngine();
  storage::Batch batch;
  batch.Put("new", "1");
  ASSERT_THAT(AddUndo(*engine, 8, batch), IsOk());
  ASSERT_THAT(engine->Commit(batch), IsOk());
  ASSERT_THAT(UndoUnfinished(*engine, 8), IsOk());
  EXPECT_THAT(engine->Get("new"), IsOkAndHolds(Optional(Eq("1"))));
}

// What a batch replaces must fit into one row.
TEST(UndoTest, RefusesABatchThatReplacesTooMuch) {
  const auto engine = storage::NewMemoryEngine();
  storage::Batch rows;
  for (int i = 0; i < 8; ++i) {
    rows.Put("row" + std::to_string(i), std::string(1 << 20, 'x'));
  }
  ASSERT_THAT(engine->Commit(rows), IsOk());
  storage::Batch batch;
  for (int i = 0; i < 7; ++i) batch.Delete("row" + std::to_string(i));
  storage::Batch fits = batch;
  EXPECT_THAT(AddUndo(*engine, 8, fits), IsOk());
  EXPECT_THAT(engine->Commit(fits), IsOk());
  ASSERT_THAT(UndoUnfinished(*engine, 7), IsOk());
  batch.Delete("row7");
  EXPECT_THAT(AddUndo(*engine, 8, batch),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(UndoTest, ABatchThatReplacesTooMuchEndsNothing) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  const Call call = FullCall(vault, Action::kRecordPut);
  auto attempt = vault.NewAttempt(call);
  for (int i = 0; i < 9; ++i) {
    const std::string key = "row" + std::to_string(i);
    test::Overwrite(vault.keys(), key, std::string(1 << 20, 'x'));
    attempt->keys().Delete(key);
  }
  attempt->Conclude(absl::OkStatus());
  EXPECT_THAT(vault.Commit(std::move(attempt)).status,
              HasReason(Reason::kAuditUnavailable));
  EXPECT_TRUE(vault.store().committer().healthy());
  EXPECT_THAT(vault.keys().Get("row0"),
              IsOkAndHolds(Optional(Eq(std::string(1 << 20, 'x')))));
  ExpectOldAddress(vault, subject);
}

TEST(UndoTest, RefusesARowCutShort) {
  const auto engine = storage::NewMemoryEngine();
  storage::Batch batch;
  batch.Put("new", "1");
  ASSERT_THAT(AddUndo(*engine, 8, batch), IsOk());
  ASSERT_THAT(engine->Commit(batch), IsOk());
  const std::string key(1, base::kSpaceUndo);
  const std::string row = test::Stored(*engine, key);
  test::Overwrite(*engine, key, row.substr(0, row.size() - 1));
  EXPECT_THAT(UndoUnfinished(*engine, 7),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(engine->Get("new"), IsOkAndHolds(Optional(Eq("1"))));
}

TEST(UndoTest, RefusesARowWithAKeyThatNoRowCanHave) {
  for (const size_t size : {size_t{0}, storage::kKeySizeMax + 1}) {
    const auto engine = storage::NewMemoryEngine();
    storage::Batch batch;
    batch.Put("new", "1");
    batch.Put(std::string(size, 'k'), "2");
    ASSERT_THAT(AddUndo(*engine, 8, batch), IsOk());
    const std::string key(1, base::kSpaceUndo);
    test::Overwrite(*engine, key, *batch.writes().back().value);
    EXPECT_THAT(UndoUnfinished(*engine, 7),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(SetPasswordTest, ALateRepeatDoesNotBringAnOldPasswordBack) {
  VaultFixture vault;
  const base::SubjectId subject = NewPerson(vault, kOld);
  const auto set = [&](const std::string& password, uint8_t request) {
    Call call =
        vault.CallOf(kFull, Action::kCredentialSet, test::kAuthentication);
    call.request = RequestOf(request);
    return vault.Run(call, [&](Attempt& attempt) {
      return vault.store().credentials().Set(attempt, call, subject,
                                             base::Pii(password));
    });
  };
  ASSERT_THAT(set("leaked", 1), IsOk());
  ASSERT_THAT(set("fresh", 2), IsOk());
  ASSERT_THAT(set("leaked", 1), IsOk());
  const Call call =
      vault.CallOf(kFull, Action::kCredentialVerify, test::kAuthentication);
  const auto verified = vault.Run(call, [&](Attempt& attempt) {
    Who who;
    who.subject = subject;
    return vault.store().credentials().Verify(attempt, call, who,
                                              base::Pii("leaked"));
  });
  EXPECT_THAT(verified, IsOkAndHolds(Eq(std::nullopt)));
}

}  // namespace
}  // namespace hizo::vault
