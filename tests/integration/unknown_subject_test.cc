// A person of another tenant is answered like nobody: byte for byte, at the
// same cost.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using google::protobuf::Message;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using ::testing::IsEmpty;

constexpr char kEmail[] = "other@example.com";
constexpr int kRounds = 2000;
// How far the medians of the two may be apart. One read of a row more or less
// would be a few microseconds of a call's hundreds, within the noise; a sealed
// row that is opened for one of the two, or a second commit, is not.
constexpr double kRatioMax = 1.25;

class UnknownSubjectTest : public ::testing::Test {
 protected:
  UnknownSubjectTest()
      : full_(server_.As("acme/full")),
        other_(CreatePerson(server_.As("globex/full"), kEmail, "Other Ann")) {
    const auto set =
        server_.As("globex/full")
            .Ask<v1::SetPasswordResponse>(PasswordRequest(other_, "secret"));
    EXPECT_THAT(set, IsOk());
    // Both tenants have people and have been asked for some.
    CreatePerson(full_, "own@example.com", "Own Ann");
  }

  // Every way to ask about a person, by name of the call.
  static std::map<std::string, std::shared_ptr<Message>> QuestionsAbout(
      const std::string& subject) {
    v1::ListRecordsRequest list;
    *list.mutable_context() = ContextFor(kServicePurpose);
    list.set_subject(subject);
    list.set_record_class("profile");
    list.mutable_read_mask()->add_paths("full_name");
    const auto keep = [](auto request) -> std::shared_ptr<Message> {
      return std::make_shared<decltype(request)>(std::move(request));
    };
    v1::CancelAccountRequest cancel;
    *cancel.mutable_context() = ContextFor(kServicePurpose);
    cancel.set_subject(subject);
    v1::DeleteFieldsRequest deletion;
    *deletion.mutable_context() = ContextFor(kServicePurpose);
    deletion.set_subject(subject);
    deletion.set_record_class("profile");
    deletion.mutable_delete_mask()->add_paths("company_name");
    const v1::NewRecord profile = RecordOf("profile", {{"full_name", "New"}});
    return {{"describe", keep(SubjectRequest(subject))},
            {"read", keep(GetRequest(subject, "profile", {"full_name"}))},
            {"list", keep(list)},
            {"batch", keep(BatchRequest({subject}, "profile", {"full_name"}))},
            {"cancel", keep(cancel)},
            {"delete", keep(deletion)},
            {"write", keep(PutRequest(subject, profile))},
            {"set password", keep(PasswordRequest(subject, "new"))},
            {"verify password", keep(VerifyRequest(subject, "secret"))}};
  }

  struct Cost {
    size_t keys_reads = 0;
    size_t data_reads = 0;
    size_t keys_commits = 0;
    size_t data_commits = 0;
    bool operator==(const Cost&) const = default;
  };
  Cost CostSoFar() const {
    return {server_.keys().reads(), server_.data().reads(),
            server_.keys().commits(), server_.data().commits()};
  }
  std::pair<Reply, Cost> Ask(const Message& request) const {
    const Cost before = CostSoFar();
    Reply reply = full_.Call(PathOf(*request.GetDescriptor()),
                             {request.SerializeAsString()});
    const Cost after = CostSoFar();
    return {std::move(reply),
            {after.keys_reads - before.keys_reads,
             after.data_reads - before.data_reads,
             after.keys_commits - before.keys_commits,
             after.data_commits - before.data_commits}};
  }

  // The least of two asks: each second erasures are looked for, which is no
  // part of a call.
  Cost CostOf(const Message& request) const {
    const Cost one = Ask(request).second;
    const Cost other = Ask(request).second;
    return {std::min(one.keys_reads, other.keys_reads),
            std::min(one.data_reads, other.data_reads),
            std::min(one.keys_commits, other.keys_commits),
            std::min(one.data_commits, other.data_commits)};
  }

  nanoseconds TimeToRead(const std::string& subject) const {
    const v1::GetRecordRequest request =
        GetRequest(subject, "profile", {"full_name"});
    const std::string body = request.SerializeAsString();
    const auto begin = steady_clock::now();
    const Reply reply = full_.Call(PathOf(*request.GetDescriptor()), {body});
    const nanoseconds took = steady_clock::now() - begin;
    EXPECT_EQ(reply.reason, base::NameOf(Reason::kSubjectNotFound));
    return took;
  }

  LiveServer server_;
  const Peer full_;
  const std::string other_;
};

TEST_F(UnknownSubjectTest, IsAnsweredAsOneOfAnotherTenantIsToTheByte) {
  const auto absent = QuestionsAbout(NewUuid());
  for (const auto& [what, request] : QuestionsAbout(other_)) {
    SCOPED_TRACE(what);
    const Reply to_other = Ask(*request).first;
    const Reply to_absent = Ask(*absent.at(what)).first;
    EXPECT_EQ(to_other.code, to_absent.code);
    EXPECT_EQ(to_other.reason, to_absent.reason);
    EXPECT_EQ(to_other.text, to_absent.text);
    EXPECT_EQ(to_other.details, to_absent.details);
    EXPECT_EQ(to_other.messages, to_absent.messages);
    if (what != "verify password" && what != "batch") {
      EXPECT_EQ(to_other.reason, base::NameOf(Reason::kSubjectNotFound));
      EXPECT_THAT(to_other.messages, IsEmpty());
    }
  }
}

TEST_F(UnknownSubjectTest, CostsWhatOneOfAnotherTenantDoes) {
  const auto absent = QuestionsAbout(NewUuid());
  for (const auto& [what, request] : QuestionsAbout(other_)) {
    EXPECT_EQ(CostOf(*request), CostOf(*absent.at(what))) << what;
  }
}

TEST_F(UnknownSubjectTest, TakesTheTimeThatOneOfAnotherTenantDoes) {
  std::vector<nanoseconds> other;
  std::vector<nanoseconds> absent;
  for (int i = 0; i < kRounds; ++i) {
    other.push_back(TimeToRead(other_));
    absent.push_back(TimeToRead(NewUuid()));
  }
  const auto median = [](std::vector<nanoseconds>& times) {
    const auto middle = times.begin() + kRounds / 2;
    std::ranges::nth_element(times, middle);
    return static_cast<double>(middle->count());
  };
  const double ratio = median(other) / median(absent);
  EXPECT_LT(ratio, kRatioMax);
  EXPECT_GT(ratio, 1 / kRatioMax);
}

// The test above can see a difference: somebody who is there takes other
// steps.
TEST_F(UnknownSubjectTest, DiffersInCostFromOneWhoIsThere) {
  const std::string own = CreatePerson(full_, "b@example.com", "Bob Other");
  const auto request = GetRequest(own, "profile", {"full_name"});
  const auto unknown = GetRequest(other_, "profile", {"full_name"});
  EXPECT_NE(CostOf(request), CostOf(unknown));
}

}  // namespace
}  // namespace hizo::test
