// Purges of a server that serves: sealed bytes of what was deleted or erased
// are in no file of the stores.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/keyspace.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kFull[] = "acme/full";
constexpr char kOperator[] = "acme/operator";

class PurgeTest : public ::testing::Test {
 protected:
  v1::Purge Purge() {
    v1::RunPurgeRequest request;
    *request.mutable_context() = ContextFor("operations");
    EXPECT_THAT(server_.As(kOperator).Ask<v1::RunPurgeResponse>(request),
                IsOk());
    return Await();
  }
  v1::Purge Await() {
    v1::GetStatusRequest request;
    *request.mutable_context() = ContextFor("operations");
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      const auto status =
          server_.As(kOperator).Ask<v1::GetStatusResponse>(request);
      EXPECT_THAT(status, IsOk());
      if (!status.ok() || status->purge().has_end_time() ||
          std::chrono::steady_clock::now() > deadline) {
        return status.ok() ? status->purge() : v1::Purge();
      }
      std::this_thread::yield();
    }
  }
  static void ExpectSound(const v1::Purge& purge) {
    EXPECT_TRUE(purge.has_end_time());
    EXPECT_EQ(purge.files_left(), 0);
    EXPECT_FALSE(purge.read_meanwhile());
    EXPECT_THAT(purge.files_rewritten(), Gt(0));
    EXPECT_EQ(purge.reason(), v1::REASON_UNSPECIFIED);
  }
  // The sealed values of all records.
  std::vector<std::string> Sealed() const {
    const auto rows = server_.data().Scan(
        storage::PrefixRange(std::string(1, base::kSpaceRecord), 1000));
    EXPECT_THAT(rows, IsOk());
    std::vector<std::string> values;
    for (const storage::Row& row : *rows) values.push_back(row.value);
    return values;
  }
  // Whether a file of the stores holds the bytes.
  bool IsInFiles(const std::string& bytes) {
    for (const fs::path& store : {server_.config().storage_data_dir,
                                  server_.config().storage_keys_dir}) {
      for (const auto& file : fs::directory_iterator(store)) {
        if (ReadFile(file.path()).find(bytes) != std::string::npos) return true;
      }
    }
    return false;
  }
  void ExpectInNoFile(const std::vector<std::string>& values) {
    ASSERT_THAT(values, Not(IsEmpty()));
    for (const std::string& value : values) EXPECT_FALSE(IsInFiles(value));
  }

  LiveServer server_;
  const std::string ann_ =
      CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
};

TEST_F(PurgeTest, LeavesWhatWasErasedInNoFile) {
  const auto of_ann = Sealed();
  ASSERT_TRUE(IsInFiles(of_ann.front()));
  ASSERT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(
                  EraseRequest<v1::ExecuteErasureRequest>(ann_)),
              IsOk());
  ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  CreatePerson(server_.As(kFull), "bob@example.com", "Bob Other");
  ASSERT_TRUE(IsInFiles(of_ann.front())) << "they went by themselves";
  ExpectSound(Purge());
  ExpectInNoFile(of_ann);
  EXPECT_TRUE(IsInFiles(Sealed().front()));
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(FindPerson(server_.As(kFull), "bob@example.com"), IsOk());
}

TEST_F(PurgeTest, LeavesWhatWasReplacedInNoFile) {
  const auto before = Sealed();
  ASSERT_THAT(server_.As(kFull).Ask<v1::PutRecordResponse>(PutRequest(
                  ann_, RecordOf("profile", {{"full_name", "Ann Married"}}))),
              IsOk());
  std::vector<std::string> replaced = before;
  const auto after = Sealed();
  std::erase_if(replaced, [&](const std::string& value) {
    return std::ranges::find(after, value) != after.end();
  });
  ExpectSound(Purge());
  ExpectInNoFile(replaced);
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_), IsOk());
}

TEST_F(PurgeTest, IsInTheLogTwice) {
  Purge();
  auto events = server_.EventsFrom(0);
  std::erase_if(events, [](const audit::Event& event) {
    return event.action != policy::Action::kStorePurge;
  });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].actor, "spiffe://hizo.example/acme/operator");
  EXPECT_EQ(events[1].actor, "hizod");
  EXPECT_EQ(events[1].outcome, audit::Outcome::kAllowed);
}

TEST_F(PurgeTest, HappensByItselfWhenItsTimeHasCome) {
  server_.Stop();
  server_.config().purge_hours = 24;
  ASSERT_THAT(server_.Start(), IsOk());
  server_.clock().Advance(std::chrono::hours(24));
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!server_.store().purges().Newest().has_value()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  ExpectSound(Await());
}

}  // namespace
}  // namespace hizo::test
