#include "storage/replica.h"

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/memory/engine.h"
#include "tests/testing/borrowed_engine.h"
#include "tests/testing/faulty_engine.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::BorrowedEngine;
using test::FaultyEngine;

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using State = Replica::State;
using When = FaultyEngine::When;

constexpr char kId[] = "0123456789abcdef";

std::vector<std::pair<std::string, std::string>> RowsOf(const Reader& reader) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto rows = reader.Scan({.from = "", .until = "", .limit = 10'000});
  EXPECT_THAT(rows, IsOk());
  for (const Row& row : *rows) all.emplace_back(row.key, row.value);
  return all;
}

class ReplicaTest : public ::testing::Test {
 protected:
  static absl::Status Put(Engine& engine, const std::string& key,
                          const std::string& value) {
    Batch batch;
    batch.Put(key, value);
    return engine.Commit(batch);
  }
  absl::Status CatchUp() { return replica_.CatchUp(kId, stop_); }

  // What the replica has is what both stores have.
  void ExpectSame() {
    const auto keys = NewMemoryEngine();
    const auto data = NewMemoryEngine();
    ASSERT_THAT(Replica::CopyTo(place_, kId, *keys, *data), IsOk());
    EXPECT_EQ(RowsOf(*keys), RowsOf(keys_));
    EXPECT_EQ(RowsOf(*data), RowsOf(data_));
  }

  FaultyEngine keys_{NewMemoryEngine()};
  FaultyEngine data_{NewMemoryEngine()};
  FaultyEngine place_{NewMemoryEngine()};
  absl::Status opens_;
  int opened_ = 0;
  std::atomic<bool> stop_ = false;
  Replica::Options options_{.batch_bytes = 4096, .waiting_bytes = 16384};
  Replica replica_{keys_, data_,
                   [this]() -> absl::StatusOr<std::unique_ptr<Engine>> {
                     if (!opens_.ok()) return opens_;
                     ++opened_;
                     if (!place_.Health().ok()) place_.Restart();
                     return std::make_unique<BorrowedEngine>(place_);
                   },
                   options_};
};

TEST_F(ReplicaTest, HasWhatIsCommittedBeforeTheCommitReturns) {
  ASSERT_THAT(CatchUp(), IsOk());
  EXPECT_EQ(replica_.state(), State::kInStep);
  EXPECT_THAT(replica_.CheckInStep(), IsOk());
  ASSERT_THAT(Put(replica_.keys(), "a", "1"), IsOk());
  ASSERT_THAT(Put(replica_.data(), "a", "2"), IsOk());
  ExpectSame();
  Batch batch;
  batch.Delete("a");
  batch.Put("b", "3");
  ASSERT_THAT(replica_.data().Commit(batch), IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, IsReadFromTheStores) {
  ASSERT_THAT(Put(keys_, "a", "keys"), IsOk());
  ASSERT_THAT(Put(data_, "a", "data"), IsOk());
  EXPECT_THAT(replica_.keys().Get("a"), IsOkAndHolds(Optional(Eq("keys"))));
  EXPECT_THAT(replica_.data().Get("a"), IsOkAndHolds(Optional(Eq("data"))));
  data_.SetOnlyReserveLeft(true);
  EXPECT_TRUE(replica_.data().OnlyReserveLeft());
  EXPECT_FALSE(replica_.keys().OnlyReserveLeft());
}

TEST_F(ReplicaTest, IsBehindUntilItWasCaughtUp) {
  EXPECT_EQ(replica_.state(), State::kBehind);
  EXPECT_THAT(replica_.CheckInStep(), StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(Put(replica_.data(), "a", "1"), IsOk());
  EXPECT_THAT(RowsOf(place_), IsEmpty());
  ASSERT_THAT(CatchUp(), IsOk());
  ExpectSame();
  EXPECT_EQ(replica_.compared(), 1);
}

TEST_F(ReplicaTest, GetsWhatItMissesAndLosesWhatIsNoMore) {
  ASSERT_THAT(CatchUp(), IsOk());
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(Put(replica_.data(), "r" + std::to_string(i), "old"), IsOk());
  }
  // Written while nobody looked: by an act on stores that are not served.
  for (int i = 0; i < 50; i += 2) {
    Batch batch;
    batch.Delete("r" + std::to_string(i));
    batch.Put("r" + std::to_string(i + 1), "new");
    batch.Put("s" + std::to_string(i), "new");
    ASSERT_THAT(data_.Commit(batch), IsOk());
  }
  Replica another(keys_, data_,
                  [this] { return std::make_unique<BorrowedEngine>(place_); });
  ASSERT_THAT(another.CatchUp(kId, stop_), IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, DoesNotHoldUpTheStoresWhereItFails) {
  ASSERT_THAT(CatchUp(), IsOk());
  for (const absl::Status& status : {absl::UnknownError("injected"),
                                     absl::ResourceExhaustedError("injected"),
                                     absl::UnavailableError("injected")}) {
    place_.FailCommit(1, When::kBeforeApplied, status);
    EXPECT_THAT(Put(replica_.data(), "a", status.ToString()), IsOk());
    EXPECT_EQ(replica_.state(), State::kBehind) << status;
    EXPECT_THAT(Put(replica_.keys(), "b", status.ToString()), IsOk());
    ASSERT_THAT(CatchUp(), IsOk()) << status;
    ExpectSame();
  }
}

TEST_F(ReplicaTest, IsOpenedAnewOnceItsEngineHasFailed) {
  ASSERT_THAT(CatchUp(), IsOk());
  EXPECT_EQ(opened_, 1);
  place_.FailCommit(1, When::kAfterApplied, absl::UnknownError("injected"));
  ASSERT_THAT(Put(replica_.data(), "a", "1"), IsOk());
  opens_ = absl::NotFoundError("no disk");
  EXPECT_THAT(CatchUp(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(replica_.state(), State::kBehind);
  opens_ = absl::OkStatus();
  ASSERT_THAT(CatchUp(), IsOk());
  EXPECT_EQ(opened_, 2);
  ExpectSame();
}

TEST_F(ReplicaTest, WhatTheStoreRefusesItDoesNotGet) {
  ASSERT_THAT(CatchUp(), IsOk());
  data_.FailCommit(1, When::kBeforeApplied,
                   absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Put(replica_.data(), "a", "1"), Not(IsOk()));
  Batch batch;
  batch.RequireValue("a", "other");
  batch.Put("a", "2");
  EXPECT_THAT(replica_.data().Commit(batch),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(replica_.state(), State::kInStep);
  ExpectSame();
}

// The process ends then, and who opens the store next finds out.
TEST_F(ReplicaTest, IsBehindWhereNobodyKnowsWhatTheStoreHas) {
  ASSERT_THAT(CatchUp(), IsOk());
  data_.FailCommit(1, When::kAfterApplied, absl::UnknownError("injected"));
  EXPECT_THAT(Put(replica_.data(), "a", "1"), Not(IsOk()));
  EXPECT_EQ(replica_.state(), State::kBehind);
  data_.Restart();
  ASSERT_THAT(CatchUp(), IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, LeavesThatOfAnotherStoreAndWhatIsNoneAlone) {
  ASSERT_THAT(Put(place_, "x", "somebody's"), IsOk());
  EXPECT_THAT(CatchUp(), StatusIs(absl::StatusCode::kFailedPrecondition));
  Batch batch;
  batch.Delete("x");
  batch.Put("i", "another's");
  ASSERT_THAT(place_.Commit(batch), IsOk());
  EXPECT_THAT(CatchUp(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(RowsOf(place_).size(), 1);
  const auto keys = NewMemoryEngine();
  const auto data = NewMemoryEngine();
  EXPECT_THAT(Replica::CopyTo(place_, kId, *keys, *data),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(RowsOf(*data), IsEmpty());
}

TEST_F(ReplicaTest, RefusesKeysThatWouldBeTooLongForIt) {
  EXPECT_THAT(Put(replica_.data(), std::string(kKeySizeMax, 'k'), "1"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(CatchUp(), IsOk());
  EXPECT_THAT(Put(replica_.data(), std::string(kKeySizeMax - 1, 'k'), "1"),
              IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, GoesFromOneMomentToAnotherWhereLittleIsMissing) {
  ASSERT_THAT(CatchUp(), IsOk());
  ASSERT_THAT(Put(data_, "a", "1"), IsOk());
  ASSERT_THAT(Put(keys_, "b", "2"), IsOk());
  Replica another(keys_, data_,
                  [this] { return std::make_unique<BorrowedEngine>(place_); });
  const size_t before = place_.commits();
  ASSERT_THAT(another.CatchUp(kId, stop_), IsOk());
  EXPECT_EQ(place_.commits() - before, 1);
}

// Wherever it is left in the middle of much, it says so, and the next one ends
// it; in between nothing is made of it.
TEST_F(ReplicaTest, SaysOfItselfThatItIsNotWhole) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_THAT(Put(data_, "r" + std::to_string(i), std::string(1000, 'v')),
                IsOk());
  }
  size_t steps = 0;
  for (size_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    place_.FailCommit(n, When::kBeforeApplied, absl::UnknownError("injected"));
    if (CatchUp().ok()) break;
    ++steps;
    EXPECT_EQ(replica_.state(), State::kBehind);
    const auto keys = NewMemoryEngine();
    const auto data = NewMemoryEngine();
    place_.Restart();
    EXPECT_THAT(Replica::CopyTo(place_, kId, *keys, *data),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(RowsOf(*data), IsEmpty());
    // So that the next one has as much to do.
    Batch batch;
    for (int i = 0; i < 40; ++i) batch.Delete("d" + ("r" + std::to_string(i)));
    ASSERT_THAT(place_.Commit(batch), IsOk());
  }
  EXPECT_GE(steps, 8);
  place_.Restart();
  ExpectSame();
}

TEST_F(ReplicaTest, StopsWhenToldTo) {
  ASSERT_THAT(Put(data_, "a", "1"), IsOk());
  stop_ = true;
  EXPECT_THAT(CatchUp(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(replica_.state(), State::kBehind);
  stop_ = false;
  ASSERT_THAT(CatchUp(), IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, AFailingReadEndsACatchUpAndLosesNothing) {
  ASSERT_THAT(Put(data_, "a", "1"), IsOk());
  ASSERT_THAT(Put(keys_, "b", "2"), IsOk());
  size_t steps = 0;
  for (FaultyEngine* engine : {&keys_, &data_, &place_}) {
    for (size_t n = 1;; ++n) {
      engine->FailRead(n, absl::DataLossError("injected"));
      Replica another(keys_, data_, [this] {
        return std::make_unique<BorrowedEngine>(place_);
      });
      const absl::Status status = another.CatchUp(kId, stop_);
      if (status.ok()) break;
      ++steps;
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
    }
    engine->Restart();
  }
  EXPECT_GE(steps, 6);
  ExpectSame();
}

// Whatever is committed while it is compared is there afterwards.
TEST_F(ReplicaTest, CommitsGoOnWhileItIsCaughtUp) {
  for (int i = 0; i < 2000; ++i) {
    ASSERT_THAT(Put(data_, "r" + std::to_string(i), "first"), IsOk());
  }
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    std::mt19937 random(11);
    for (int i = 0; !done || i < 500; ++i) {
      Engine& engine = i % 3 == 0 ? replica_.keys() : replica_.data();
      Batch batch;
      batch.Put("r" + std::to_string(random() % 2500), std::to_string(i));
      batch.Delete("r" + std::to_string(random() % 2500));
      ASSERT_THAT(engine.Commit(batch), IsOk());
    }
  });
  absl::Status status;
  do {
    status = CatchUp();  // it may fall behind once more: little may wait here
  } while (!status.ok());
  done = true;
  writer.join();
  EXPECT_EQ(replica_.state(), State::kInStep);
  ExpectSame();
}

TEST_F(ReplicaTest, FallsBehindRatherThanLetTooMuchWait) {
  const Replica::Options little{.batch_bytes = 4096, .waiting_bytes = 100};
  Replica another(
      keys_, data_, [this] { return std::make_unique<BorrowedEngine>(place_); },
      little);
  place_.BeforeCommit([&] {
    ASSERT_THAT(Put(another.data(), "a", std::string(200, 'v')), IsOk());
  });
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(Put(data_, "r" + std::to_string(i), std::string(1000, 'v')),
                IsOk());
  }
  EXPECT_THAT(another.CatchUp(kId, stop_),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(another.CatchUp(kId, stop_), IsOk());
  ExpectSame();
}

TEST_F(ReplicaTest, APurgeIsOfItsFilesToo) {
  keys_.SetPurge(PurgeReport{.files_rewritten = 1, .bytes = 10});
  data_.SetPurge(PurgeReport{.files_rewritten = 2, .bytes = 20});
  place_.SetPurge(PurgeReport{.files_rewritten = 4, .files_left = 1});
  EXPECT_THAT(replica_.keys().Purge(stop_),
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(CatchUp(), IsOk());
  const auto keys = replica_.keys().Purge(stop_);
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ(keys->files_rewritten, 5);
  EXPECT_EQ(keys->bytes, 10);
  EXPECT_FALSE(keys->sound());
  const auto data = replica_.data().Purge(stop_);
  ASSERT_THAT(data, IsOk());
  EXPECT_EQ(data->files_rewritten, 2);
  EXPECT_TRUE(data->sound());
}

TEST_F(ReplicaTest, CopiesMoreThanOneBatch) {
  for (int i = 0; i < 9; ++i) {
    ASSERT_THAT(Put(keys_, "r" + std::to_string(i), std::string(1 << 20, 'v')),
                IsOk());
  }
  ASSERT_THAT(CatchUp(), IsOk());
  ExpectSame();
}

}  // namespace
}  // namespace hizo::storage
