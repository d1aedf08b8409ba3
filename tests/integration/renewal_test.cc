// New keys for what was corrected: by the clock, over the network, on a real
// disk.
#include <chrono>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/record.pb.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using ::testing::Contains;
using ::testing::Pair;

constexpr char kFull[] = "acme/full";

class RenewalTest : public ::testing::Test {
 protected:
  void StartWith(size_t renew_minutes) {
    server_.Stop();
    server_.config().renew_minutes = renew_minutes;
    ASSERT_THAT(server_.Start(), IsOk());
    ann_ = CreatePerson(server_.As(kFull), NewUuid() + "@example.com",
                        "Ann Other");
  }
  absl::StatusOr<v1::DeleteFieldsResponse> DeleteName() {
    v1::DeleteFieldsRequest request;
    *request.mutable_context() = ContextFor(kServicePurpose);
    request.set_subject(ann_);
    request.set_record_class("profile");
    request.mutable_delete_mask()->add_paths("full_name");
    return server_.As(kFull).Ask<v1::DeleteFieldsResponse>(request);
  }
  void Rename(const std::string& name) {
    ASSERT_THAT(server_.As(kFull).Ask<v1::PutRecordResponse>(PutRequest(
                    ann_, RecordOf("profile", {{"full_name", name}}))),
                IsOk());
  }
  size_t Marks() { return server_.store().WaitingRenewals().value_or(0); }
  // The server's own thread looks every second.
  void AwaitNoMarks() {
    const auto late =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (Marks() > 0 && std::chrono::steady_clock::now() < late) {
      std::this_thread::yield();
    }
    EXPECT_EQ(Marks(), 0);
  }

  LiveServer server_;
  std::string ann_;
};

TEST_F(RenewalTest, IsDoneWhenItsTimeHasCome) {
  StartWith(60);
  for (const char* name : {"Ann Second", "Ann Third"}) {
    Rename(name);
    server_.clock().Advance(std::chrono::minutes(60));
    AwaitNoMarks();
    EXPECT_THAT(ReadProfile(server_.As(kFull), ann_),
                IsOkAndHolds(Contains(Pair("full_name", name))));
  }
  EXPECT_GE(server_.store().store_keys().epoch(), 3);
}

TEST_F(RenewalTest, IsFinishedByTheNextStart) {
  StartWith(60);
  Rename("Ann Second");
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  server_.clock().Advance(std::chrono::minutes(1));
  AwaitNoMarks();
  EXPECT_THAT(ReadProfile(server_.As(kFull), ann_),
              IsOkAndHolds(Contains(Pair("full_name", "Ann Second"))));
}

TEST_F(RenewalTest, WhoTurnsItOffIsToldThatOlderCopiesStay) {
  for (const size_t minutes : {size_t{60}, size_t{0}}) {
    StartWith(minutes);
    const auto deleted = DeleteName();
    ASSERT_THAT(deleted, IsOk());
    EXPECT_EQ(deleted->not_erased_from_backups(), minutes == 0);
  }
}

}  // namespace
}  // namespace hizo::test
