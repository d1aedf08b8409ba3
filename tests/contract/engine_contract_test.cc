// What storage/engine.h promises, asked of every engine.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/engine.h"
#include "storage/memory/engine.h"
#include "storage/rocksdb/engine.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr size_t kLimit = 100;

struct EngineUnderTest {
  std::string name;
  // Opens the engine whose files, if it has any, are in the directory.
  std::function<absl::StatusOr<std::unique_ptr<Engine>>(
      const std::filesystem::path&)>
      open;
  // Whether the engine is opened anew before reads, so that they come from
  // what it keeps on disk and not from what it remembers.
  bool reopen = false;
};

void PrintTo(const EngineUnderTest& engine, std::ostream* out) {
  *out << engine.name;
}

absl::StatusOr<std::unique_ptr<Engine>> OpenMemory(
    const std::filesystem::path&) {
  return NewMemoryEngine();
}

absl::StatusOr<std::unique_ptr<Engine>> OpenOnDisk(
    const std::filesystem::path& directory) {
  return OpenRocksDb({.directory = directory / "store",
                      .create = true,
                      .block_cache_bytes = 1 << 20,
                      .write_buffer_bytes = 1 << 20,
                      .log = nullptr});
}

auto HasKey(std::string key) { return Field(&Row::key, Eq(std::move(key))); }

class EngineContractTest : public ::testing::TestWithParam<EngineUnderTest> {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    engine_.reset();
    auto engine = GetParam().open(scratch_.path());
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
  }

  // Between the writes and the reads of a test.
  void Settle() {
    if (GetParam().reopen) Open();
  }

  void Put(std::string key, std::string value) {
    Batch batch;
    batch.Put(std::move(key), std::move(value));
    ASSERT_THAT(engine_->Commit(batch), IsOk());
  }

  void PutAll(const std::vector<std::string>& keys) {
    Batch batch;
    for (const std::string& key : keys) batch.Put(key, "value of " + key);
    ASSERT_THAT(engine_->Commit(batch), IsOk());
    Settle();
  }

  test::ScratchDirectory scratch_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(
    Engines, EngineContractTest,
    ::testing::Values(EngineUnderTest{"Memory", OpenMemory, false},
                      EngineUnderTest{"RocksDb", OpenOnDisk, false},
                      EngineUnderTest{"RocksDbReopened", OpenOnDisk, true}),
    [](const auto& engine) { return engine.param.name; });

// --- Get and Commit

TEST_P(EngineContractTest, AnswersAMissingKeyWithNothingAndNoError) {
  Put("key", "value");
  Settle();
  EXPECT_THAT(engine_->Get("ke"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Get("key2"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Get(""), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(EngineContractTest, KeepsAnyBytesInKeysAndValues) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  Put(all, all + all);
  Put(std::string(1, '\0'), "zero");
  Settle();
  EXPECT_THAT(engine_->Get(all), IsOkAndHolds(Optional(Eq(all + all))));
  EXPECT_THAT(engine_->Get(std::string(1, '\0')),
              IsOkAndHolds(Optional(Eq("zero"))));
  EXPECT_THAT(engine_->Get(std::string(2, '\0')),
              IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(EngineContractTest, TellsAnEmptyValueFromAMissingOne) {
  Put("empty", "");
  Settle();
  EXPECT_THAT(engine_->Get("empty"), IsOkAndHolds(Optional(Eq(""))));
}

TEST_P(EngineContractTest, ReplacesAndDeletes) {
  Put("replaced", "old");
  Put("deleted", "old");
  Batch batch;
  batch.Put("replaced", "new");
  batch.Delete("deleted");
  batch.Delete("never there");
  ASSERT_THAT(engine_->Commit(batch), IsOk());
  Settle();
  EXPECT_THAT(engine_->Get("replaced"), IsOkAndHolds(Optional(Eq("new"))));
  EXPECT_THAT(engine_->Get("deleted"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(EngineContractTest, AppliesTheWritesToOneKeyInTheirOrder) {
  Batch batch;
  batch.Put("put last", "1");
  batch.Delete("put last");
  batch.Put("put last", "2");
  batch.Put("deleted last", "1");
  batch.Delete("deleted last");
  ASSERT_THAT(engine_->Commit(batch), IsOk());
  Settle();
  EXPECT_THAT(engine_->Get("put last"), IsOkAndHolds(Optional(Eq("2"))));
  EXPECT_THAT(engine_->Get("deleted last"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(EngineContractTest, AcceptsAnEmptyBatch) {
  EXPECT_THAT(engine_->Commit(Batch()), IsOk());
  EXPECT_THAT(engine_->Health(), IsOk());
}

TEST_P(EngineContractTest, AcceptsKeysAndValuesAsLongAsTheBounds) {
  const std::string key(kKeySizeMax, 'k');
  const std::string value(kValueSizeMax, 'v');
  Put(key, value);
  Settle();
  const auto found = engine_->Get(key);
  ASSERT_THAT(found, IsOk());
  EXPECT_TRUE(*found == value);  // not printed: 8 MiB
}

TEST_P(EngineContractTest, RefusesWhatIsOverTheBoundsAndChangesNothing) {
  const std::string long_key(kKeySizeMax + 1, 'k');
  const std::string long_value(kValueSizeMax + 1, 'v');
  const std::vector<std::function<void(Batch&)>> faults = {
      [&](Batch& batch) { batch.Put("", "value"); },
      [&](Batch& batch) { batch.Put(long_key, "value"); },
      [&](Batch& batch) { batch.Put("key", long_value); },
      [&](Batch& batch) { batch.Delete(""); },
      [&](Batch& batch) { batch.Delete(long_key); },
      [&](Batch& batch) { batch.RequireAbsent(""); },
      [&](Batch& batch) { batch.RequireAbsent(long_key); },
      [&](Batch& batch) { batch.RequireValue(long_key, "value"); },
      [&](Batch& batch) { batch.RequireValue("key", long_value); }};
  for (const auto& add_fault : faults) {
    Batch batch;
    batch.Put("good", "value");
    add_fault(batch);
    EXPECT_THAT(engine_->Commit(batch), StatusIs(kInvalid));
  }
  Settle();
  EXPECT_THAT(engine_->Get("good"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Health(), IsOk());
}

// --- Preconditions

TEST_P(EngineContractTest, CommitsWhereThePreconditionsHold) {
  Put("key", "old");
  Settle();
  Batch batch;
  batch.RequireAbsent("new");
  batch.RequireValue("key", "old");
  batch.Put("new", "1");
  batch.Put("key", "2");
  ASSERT_THAT(engine_->Commit(batch), IsOk());
  Settle();
  EXPECT_THAT(engine_->Get("new"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(engine_->Get("key"), IsOkAndHolds(Optional(Eq("2"))));
}

TEST_P(EngineContractTest, ChangesNothingWhereAPreconditionFails) {
  Put("key", "value");
  Put("empty", "");
  Settle();
  const std::vector<std::function<void(Batch&)>> faults = {
      [](Batch& batch) { batch.RequireAbsent("key"); },
      [](Batch& batch) { batch.RequireAbsent("empty"); },
      [](Batch& batch) { batch.RequireValue("key", "other"); },
      [](Batch& batch) { batch.RequireValue("key", ""); },
      [](Batch& batch) { batch.RequireValue("key", "value and more"); },
      [](Batch& batch) { batch.RequireValue("missing", ""); }};
  for (const auto& add_fault : faults) {
    Batch batch;
    batch.RequireValue("key", "value");  // one that holds
    add_fault(batch);
    batch.Put("key", "changed");
    batch.Put("added", "changed");
    EXPECT_THAT(engine_->Commit(batch), StatusIs(absl::StatusCode::kAborted));
  }
  Settle();
  EXPECT_THAT(engine_->Get("key"), IsOkAndHolds(Optional(Eq("value"))));
  EXPECT_THAT(engine_->Get("added"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(engine_->Health(), IsOk());
}

TEST_P(EngineContractTest, ChecksPreconditionsAgainstTheStateBeforeTheBatch) {
  Batch batch;
  batch.Put("key", "value");
  batch.RequireAbsent("key");
  EXPECT_THAT(engine_->Commit(batch), IsOk());
  Batch circular;
  circular.Put("other", "value");
  circular.RequireValue("other", "value");
  EXPECT_THAT(engine_->Commit(circular), StatusIs(absl::StatusCode::kAborted));
}

TEST_P(EngineContractTest, ChecksABatchOfPreconditionsAlone) {
  Put("key", "value");
  Batch holds;
  holds.RequireValue("key", "value");
  EXPECT_THAT(engine_->Commit(holds), IsOk());
  Batch fails;
  fails.RequireAbsent("key");
  EXPECT_THAT(engine_->Commit(fails), StatusIs(absl::StatusCode::kAborted));
}

// --- Scan

TEST_P(EngineContractTest, OrdersRowsByUnsignedBytes) {
  const std::string zero("a\0", 2);
  PutAll({"b", "\xFF", "a\x7F", "a\x80", "a\xFF", zero, "a", "\x01"});
  EXPECT_THAT(
      engine_->Scan({.from = "", .until = "", .limit = kLimit}),
      IsOkAndHolds(ElementsAre(HasKey("\x01"), HasKey("a"), HasKey(zero),
                               HasKey("a\x7F"), HasKey("a\x80"),
                               HasKey("a\xFF"), HasKey("b"), HasKey("\xFF"))));
}

TEST_P(EngineContractTest, ScansFromTheFirstKeyUntilBeforeTheLast) {
  PutAll({"a", "b", "c", "d"});
  EXPECT_THAT(engine_->Scan({.from = "b", .until = "d", .limit = kLimit}),
              IsOkAndHolds(ElementsAre(HasKey("b"), HasKey("c"))));
  EXPECT_THAT(engine_->Scan({.from = "aa", .until = "cc", .limit = kLimit}),
              IsOkAndHolds(ElementsAre(HasKey("b"), HasKey("c"))));
  EXPECT_THAT(engine_->Scan({.from = "c", .until = "", .limit = kLimit}),
              IsOkAndHolds(ElementsAre(HasKey("c"), HasKey("d"))));
}

TEST_P(EngineContractTest, ScansValuesWithTheirKeys) {
  PutAll({"a"});
  EXPECT_THAT(engine_->Scan({.from = "a", .until = "", .limit = 1}),
              IsOkAndHolds(ElementsAre(::testing::AllOf(
                  HasKey("a"), Field(&Row::value, "value of a")))));
}

TEST_P(EngineContractTest, ScansFromTheHighEndWhereReversed) {
  PutAll({"a", "b", "c", "d"});
  EXPECT_THAT(
      engine_->Scan(
          {.from = "b", .until = "d", .limit = kLimit, .reverse = true}),
      IsOkAndHolds(ElementsAre(HasKey("c"), HasKey("b"))));
  EXPECT_THAT(
      engine_->Scan({.from = "", .until = "", .limit = 2, .reverse = true}),
      IsOkAndHolds(ElementsAre(HasKey("d"), HasKey("c"))));
  EXPECT_THAT(
      engine_->Scan({.from = "b", .until = "cc", .limit = 1, .reverse = true}),
      IsOkAndHolds(ElementsAre(HasKey("c"))));
}

TEST_P(EngineContractTest, StopsAScanAtItsLimit) {
  PutAll({"a", "b", "c"});
  EXPECT_THAT(engine_->Scan({.from = "", .until = "", .limit = 2}),
              IsOkAndHolds(ElementsAre(HasKey("a"), HasKey("b"))));
}

TEST_P(EngineContractTest, EndsAScanWithTheRowThatFillsItsBytes) {
  PutAll({"a", "b", "c"});  // values of ten bytes
  EXPECT_THAT(engine_->Scan({"", "", kLimit, false, 11}),
              IsOkAndHolds(ElementsAre(HasKey("a"), HasKey("b"))));
  // One row there always is.
  EXPECT_THAT(engine_->Scan({"", "", kLimit, true, 1}),
              IsOkAndHolds(ElementsAre(HasKey("c"))));
}

TEST_P(EngineContractTest, FindsNothingInAnEmptyRange) {
  PutAll({"a", "b", "c"});
  for (const bool reverse : {false, true}) {
    EXPECT_THAT(engine_->Scan({"b", "b", kLimit, reverse}),
                IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(engine_->Scan({"c", "a", kLimit, reverse}),
                IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(engine_->Scan({"d", "", kLimit, reverse}),
                IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(engine_->Scan({"", "a", kLimit, reverse}),
                IsOkAndHolds(IsEmpty()));
  }
}

TEST_P(EngineContractTest, LeavesDeletedRowsOutOfScans) {
  PutAll({"a", "b", "c"});
  Batch batch;
  batch.Delete("b");
  ASSERT_THAT(engine_->Commit(batch), IsOk());
  Settle();
  EXPECT_THAT(engine_->Scan({.from = "", .until = "", .limit = 2}),
              IsOkAndHolds(ElementsAre(HasKey("a"), HasKey("c"))));
}

TEST_P(EngineContractTest, RefusesAScanWhoseLimitIsOutOfBounds) {
  PutAll({"a"});
  const auto snapshot = engine_->NewSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  for (const size_t limit : {size_t{0}, kScanLimitMax + 1}) {
    EXPECT_THAT(engine_->Scan({"", "", limit}), StatusIs(kInvalid));
    EXPECT_THAT((*snapshot)->Scan({"", "", limit}), StatusIs(kInvalid));
    // Also where the range is empty.
    EXPECT_THAT(engine_->Scan({"b", "a", limit}), StatusIs(kInvalid));
  }
  EXPECT_THAT(engine_->Scan({"", "", kScanLimitMax}), IsOkAndHolds(SizeIs(1)));
}

TEST_P(EngineContractTest, ScansByPrefix) {
  PutAll({"p", "p\x01", "p\xFF", "p\xFF\xFF", "q", "o\xFF"});
  EXPECT_THAT(engine_->Scan(PrefixRange("p", kLimit)),
              IsOkAndHolds(ElementsAre(HasKey("p"), HasKey("p\x01"),
                                       HasKey("p\xFF"), HasKey("p\xFF\xFF"))));
  EXPECT_THAT(engine_->Scan(PrefixRange("p\xFF", kLimit)),
              IsOkAndHolds(ElementsAre(HasKey("p\xFF"), HasKey("p\xFF\xFF"))));
}

// --- Snapshots

TEST_P(EngineContractTest, SnapshotsSeeNothingThatIsCommittedLater) {
  PutAll({"a", "b"});
  const auto snapshot = engine_->NewSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  Batch batch;
  batch.Put("a", "changed");
  batch.Delete("b");
  batch.Put("c", "added");
  ASSERT_THAT(engine_->Commit(batch), IsOk());

  EXPECT_THAT((*snapshot)->Get("a"), IsOkAndHolds(Optional(Eq("value of a"))));
  EXPECT_THAT((*snapshot)->Get("b"), IsOkAndHolds(Optional(Eq("value of b"))));
  EXPECT_THAT((*snapshot)->Get("c"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT((*snapshot)->Scan({"", "", kLimit}),
              IsOkAndHolds(ElementsAre(HasKey("a"), HasKey("b"))));
  EXPECT_THAT(engine_->Scan({"", "", kLimit}),
              IsOkAndHolds(ElementsAre(HasKey("a"), HasKey("c"))));
}

TEST_P(EngineContractTest, SnapshotsDoNotDisturbEachOther) {
  Put("key", "1");
  auto first = engine_->NewSnapshot();
  Put("key", "2");
  const auto second = engine_->NewSnapshot();
  Put("key", "3");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT((*first)->Get("key"), IsOkAndHolds(Optional(Eq("1"))));
  first->reset();
  EXPECT_THAT((*second)->Get("key"), IsOkAndHolds(Optional(Eq("2"))));
  EXPECT_THAT(engine_->Get("key"), IsOkAndHolds(Optional(Eq("3"))));
}

// --- Threads

constexpr int kThreads = 4;

void InParallel(const std::function<void(int)>& work) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(work, thread);
  }
}

TEST_P(EngineContractTest, ReadersNeverSeeAPartOfACommit) {
  constexpr int kCommits = 200;
  Batch begin;
  for (const char* key : {"a", "m", "z"}) begin.Put(key, "begin");
  ASSERT_THAT(engine_->Commit(begin), IsOk());
  std::atomic<int> writing = kThreads - 1;
  std::atomic<int> parts = 0;
  InParallel([&](int thread) {
    if (thread > 0) {
      for (int i = 0; i < kCommits; ++i) {
        const std::string value = std::to_string(thread * kCommits + i);
        Batch batch;
        for (const char* key : {"z", "a", "m"}) batch.Put(key, value);
        EXPECT_THAT(engine_->Commit(batch), IsOk());
      }
      --writing;
      return;
    }
    while (writing > 0) {
      const auto rows = engine_->Scan({"", "", kLimit});
      if (!rows.ok() || rows->size() != 3 ||
          (*rows)[0].value != (*rows)[1].value ||
          (*rows)[0].value != (*rows)[2].value) {
        ++parts;
      }
    }
  });
  EXPECT_EQ(parts, 0);
}

TEST_P(EngineContractTest, ReadersSeeWhatWasCommittedBeforeTheyBegan) {
  std::atomic<int> missed = 0;
  InParallel([&](int thread) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(thread) + "/" + std::to_string(i);
      Batch batch;
      batch.Put(key, key);
      EXPECT_THAT(engine_->Commit(batch), IsOk());
      const auto value = engine_->Get(key);
      if (!value.ok() || *value != key) ++missed;
    }
  });
  EXPECT_EQ(missed, 0);
}

TEST_P(EngineContractTest, LosesNoUpdateThatAPreconditionGuards) {
  constexpr int kSteps = 50;
  Put("counter", "0");
  InParallel([&](int thread) {
    for (int done = 0; done < kSteps;) {
      const auto value = engine_->Get("counter");
      ASSERT_THAT(value, IsOk());
      Batch batch;
      batch.RequireValue("counter", **value);
      batch.Put("counter", std::to_string(std::stoi(**value) + 1));
      const absl::Status status = engine_->Commit(batch);
      if (status.ok()) ++done;
      ASSERT_TRUE(status.ok() || absl::IsAborted(status)) << status;
      // Commits without preconditions go on beside them.
      Batch other;
      other.Put("other" + std::to_string(thread), "value");
      ASSERT_THAT(engine_->Commit(other), IsOk());
    }
  });
  Settle();
  EXPECT_THAT(engine_->Get("counter"),
              IsOkAndHolds(Optional(Eq(std::to_string(kThreads * kSteps)))));
}

TEST_P(EngineContractTest, LetsOneOfManyCreateAKey) {
  for (int round = 0; round < 20; ++round) {
    const std::string key = std::to_string(round);
    std::atomic<int> created = 0;
    InParallel([&](int) {
      Batch batch;
      batch.RequireAbsent(key);
      batch.Put(key, "value");
      if (engine_->Commit(batch).ok()) ++created;
    });
    EXPECT_EQ(created, 1);
  }
}

}  // namespace
}  // namespace hizo::storage
