#include "service/rpc/method_table.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/subject.pb.h"
#include "service/rpc/methods.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::VaultFixture;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kUuid[] = "00112233-4455-6677-8899-aabbccddeeff";
constexpr char kGetSubject[] = "/hizo.v1.SubjectService/GetSubject";

TEST(MethodTableTest, ReadsActionAndShapeFromTheProto) {
  MethodTable table;
  ASSERT_THAT(table.Add("SubjectService.GetSubject", {}), IsOk());
  ASSERT_THAT(table.Add("RecordService.ImportRecords", {}), IsOk());
  ASSERT_THAT(table.Add("RecordService.BatchGetRecords", {}), IsOk());
  const Method* unary = table.Find(kGetSubject);
  const Method* stream = table.Find("/hizo.v1.RecordService/ImportRecords");
  ASSERT_NE(unary, nullptr);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(unary->action, policy::Action::kSubjectGet);
  EXPECT_EQ(unary->shape, Shape::kUnary);
  EXPECT_EQ(unary->path, kGetSubject);
  EXPECT_EQ(stream->action, policy::Action::kRecordImport);
  EXPECT_EQ(stream->shape, Shape::kClientStream);
  const Method* answers = table.Find("/hizo.v1.RecordService/BatchGetRecords");
  ASSERT_NE(answers, nullptr);
  EXPECT_EQ(answers->action, policy::Action::kRecordBatchGet);
  EXPECT_EQ(answers->shape, Shape::kServerStream);
}

TEST(MethodTableTest, RefusesAMethodThatTheProtoDoesNotHave) {
  MethodTable table;
  EXPECT_THAT(table.Add("SubjectService.Nothing", {}),
              HasReason(Reason::kInternal));
  EXPECT_THAT(table.Add("", {}), HasReason(Reason::kInternal));
  EXPECT_THAT(table.methods(), IsEmpty());
}

TEST(MethodTableTest, RefusesAMethodTwice) {
  MethodTable table;
  ASSERT_THAT(table.Add("SubjectService.GetSubject", {}), IsOk());
  EXPECT_THAT(table.Add("SubjectService.GetSubject", {}),
              HasReason(Reason::kInternal));
}

TEST(MethodTableTest, FindsNothingUnderAnyOtherPath) {
  MethodTable table;
  ASSERT_THAT(table.Add("SubjectService.GetSubject", {}), IsOk());
  for (const char* path :
       {"", "/", "hizo.v1.SubjectService/GetSubject",
        "/hizo.v1.SubjectService/GetSubject/",
        "/hizo.v1.SubjectService/getsubject", "/hizo.v1.SubjectService/"}) {
    EXPECT_EQ(table.Find(path), nullptr) << path;
  }
}

TEST(MethodTableTest, IsIncompleteAsLongAsOneMethodIsMissing) {
  MethodTable table;
  EXPECT_THAT(table.CheckComplete(), HasReason(Reason::kInternal));
  ASSERT_THAT(table.Add("SubjectService.GetSubject", {}), IsOk());
  EXPECT_THAT(table.CheckComplete(), HasReason(Reason::kInternal));
}

TEST(MethodsTest, EveryMethodCanBeRun) {
  VaultFixture vault;
  const auto table = MakeMethods(vault.store(), vault.catalogue(),
                                 [] { return v1::GetStatusResponse(); });
  ASSERT_THAT(table, IsOk());
  EXPECT_THAT(table->CheckComplete(), IsOk());
  EXPECT_THAT(table->methods(), Not(IsEmpty()));
  for (const auto& [path, method] : table->methods()) {
    EXPECT_TRUE(method.run) << path;
    // Of items, which are put together, or of pages, which follow each other.
    const auto is_paged = static_cast<bool>(method.follow);
    EXPECT_EQ(method.shape != Shape::kUnary && !is_paged,
              static_cast<bool>(method.summarise))
        << path;
    EXPECT_EQ(method.shape == Shape::kServerStream && !is_paged,
              static_cast<bool>(method.split))
        << path;
    EXPECT_TRUE(!is_paged || method.shape == Shape::kServerStream) << path;
    EXPECT_NE(method.action, policy::Action::kNone) << path;
  }
}

// The request for a page is that for the one before, but for where it begins.
TEST(MethodsTest, PagesFollowEachOtherToTheLast) {
  VaultFixture vault;
  const auto table = MakeMethods(vault.store(), vault.catalogue(),
                                 [] { return v1::GetStatusResponse(); });
  ASSERT_THAT(table, IsOk());
  const auto& follow = table->Find("/hizo.v1.AuditService/ExportAudit")->follow;
  v1::ExportAuditRequest request;
  request.mutable_context()->set_purpose("security_audit");
  v1::ExportAuditResponse answer;
  answer.set_first_sequence(10);
  answer.set_tree_size(13);
  answer.add_entries();
  answer.add_entries();
  const auto next =
      follow(request.SerializeAsString(), answer.SerializeAsString());
  ASSERT_TRUE(next.has_value());
  v1::ExportAuditRequest asked;
  ASSERT_TRUE(asked.ParseFromString(*next));
  EXPECT_EQ(asked.context().purpose(), "security_audit");
  EXPECT_EQ(asked.first_sequence(), 12);
  EXPECT_EQ(asked.tree_size(), 13);
  answer.add_entries();
  EXPECT_FALSE(follow(request.SerializeAsString(), answer.SerializeAsString()));
  EXPECT_FALSE(follow("\xff", answer.SerializeAsString()));
}

TEST(MethodsTest, ExactlyPasswordsRunOnTheirOwnLane) {
  VaultFixture vault;
  const auto table = MakeMethods(vault.store(), vault.catalogue(),
                                 [] { return v1::GetStatusResponse(); });
  ASSERT_THAT(table, IsOk());
  std::map<std::string, Lane> slow;
  for (const auto& [path, method] : table->methods()) {
    if (method.lane == Lane::kPassword) slow.emplace(path, method.lane);
  }
  EXPECT_THAT(slow, UnorderedElementsAre(
                        Key("/hizo.v1.CredentialService/ChangePassword"),
                        Key("/hizo.v1.CredentialService/SetPassword"),
                        Key("/hizo.v1.CredentialService/VerifyPassword")));
}

class SplitTest : public ::testing::Test {
 protected:
  SplitTest()
      : table_(MakeMethods(vault_.store(), vault_.catalogue(),
                           [] { return v1::GetStatusResponse(); })) {}
  const Method& method() const {
    return *table_->Find("/hizo.v1.RecordService/BatchGetRecords");
  }
  absl::StatusOr<Items> Split(const v1::BatchGetRecordsRequest& batch) const {
    return method().split(batch.SerializeAsString());
  }
  static v1::BatchGetRecordsRequest BatchOf(int count) {
    v1::BatchGetRecordsRequest batch;
    batch.mutable_context()->set_purpose("support");
    batch.set_record_class("profile");
    batch.mutable_read_mask()->add_paths("full_name");
    batch.set_view(v1::VIEW_PLAIN);
    for (int i = 0; i < count; ++i) {
      batch.add_records()->set_subject("s" + std::to_string(i));
    }
    return batch;
  }

  VaultFixture vault_;
  const absl::StatusOr<MethodTable> table_;
};

TEST_F(SplitTest, EachItemIsTheSameAskAboutItsOwnRecord) {
  v1::BatchGetRecordsRequest batch = BatchOf(3);
  batch.mutable_records(2)->set_record_id("r");
  const auto items = Split(batch);
  ASSERT_THAT(items, IsOk());
  ASSERT_EQ(items->count, 3U);
  for (const size_t index : {size_t{0}, size_t{2}, size_t{1}, size_t{2}}) {
    v1::GetRecordRequest item;
    ASSERT_TRUE(item.ParseFromString(items->body_of(index)));
    EXPECT_EQ(item.subject(), "s" + std::to_string(index));
    EXPECT_EQ(item.record_id(), index == 2 ? "r" : "");
    EXPECT_EQ(item.context().purpose(), "support");
    EXPECT_EQ(item.record_class(), "profile");
    EXPECT_EQ(item.read_mask().paths(0), "full_name");
    EXPECT_EQ(item.view(), v1::VIEW_PLAIN);
  }
}

TEST_F(SplitTest, RefusesNoneTooManyAndWhatIsNoMessage) {
  EXPECT_THAT(Split(BatchOf(0)), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Split(BatchOf(1000)), IsOk());
  EXPECT_THAT(Split(BatchOf(1001)), HasReason(Reason::kTooLarge));
  EXPECT_THAT(method().split("\xff\xff"), HasReason(Reason::kMalformedRequest));
}

// It would be copied for every item.
TEST_F(SplitTest, RefusesALargeMask) {
  v1::BatchGetRecordsRequest batch = BatchOf(1);
  batch.mutable_read_mask()->add_paths(std::string(17 * 1024, 'x'));
  EXPECT_THAT(Split(batch), HasReason(Reason::kTooLarge));
}

TEST_F(SplitTest, AMessageHoldsAnswersAndRefusalsInOrder) {
  v1::BatchGetItem answer;
  answer.mutable_record()->set_etag("e");
  const auto number = vault_.Field("profile.full_name").number;
  v1::BatchGetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(
      method().summarise({{base::Fail(Reason::kCallerNotEntitled, number), ""},
                          {absl::OkStatus(), answer.SerializeAsString()},
                          {absl::OkStatus(), ""}})));
  ASSERT_EQ(message.items_size(), 3);
  EXPECT_EQ(message.items(0).reason(), v1::REASON_CALLER_NOT_ENTITLED);
  EXPECT_EQ(message.items(0).field(), "profile.full_name");
  EXPECT_FALSE(message.items(0).has_record());
  EXPECT_EQ(message.items(1).record().etag(), "e");
  EXPECT_EQ(message.items(1).reason(), v1::REASON_UNSPECIFIED);
}

class CallOfTest : public ::testing::Test {
 protected:
  CallOfTest()
      : known_(vault_.CallOf(test::kFull, policy::Action::kSubjectGet, 0)) {}
  Incoming IncomingOf(std::string_view body) const {
    return {known_.principal, known_.tenant, known_.action, body, known_.now};
  }
  absl::StatusOr<vault::Call> Make(const std::string& purpose,
                                   const std::string& request) const {
    v1::RequestContext context;
    context.set_purpose(purpose);
    context.set_request_id(request);
    return CallOf(IncomingOf("body"), context, vault_.catalogue());
  }

  VaultFixture vault_;
  const vault::Call known_;
};

TEST_F(CallOfTest, TakesPurposeAndRequestFromTheContext) {
  const auto call = Make("support", kUuid);
  ASSERT_THAT(call, IsOk());
  EXPECT_EQ(call->purpose, test::kSupport);
  EXPECT_TRUE(call->purpose_known);
  EXPECT_EQ(base::ToText(*call->request), kUuid);
  EXPECT_EQ(call->principal.spiffe_id, test::kFull);
  EXPECT_EQ(call->action, policy::Action::kSubjectGet);
  EXPECT_EQ(call->body, "body");
  EXPECT_EQ(call->now, known_.now);
}

TEST_F(CallOfTest, NoPurposeIsToldFromAnUnknownOne) {
  const auto none = Make("", "");
  const auto unknown = Make("curiosity", "");
  ASSERT_THAT(none, IsOk());
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(none->purpose, 0);
  EXPECT_TRUE(none->purpose_known);
  EXPECT_EQ(unknown->purpose, 0);
  EXPECT_FALSE(unknown->purpose_known);
  EXPECT_FALSE(none->request.has_value());
}

TEST_F(CallOfTest, RefusesARequestIdThatIsNoUuid) {
  EXPECT_THAT(Make("support", "1"), HasReason(Reason::kValueInvalid));
}

using UnaryTest = CallOfTest;

TEST_F(UnaryTest, DecodesRunsAndEncodes) {
  const auto run = Unary<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      vault_.catalogue(),
      [](vault::Attempt&, const vault::Call& call,
         const v1::GetSubjectRequest& request)
          -> absl::StatusOr<v1::GetSubjectResponse> {
        EXPECT_EQ(call.purpose, test::kSupport);
        v1::GetSubjectResponse response;
        response.set_subject(request.subject() + " found");
        return response;
      });
  v1::GetSubjectRequest request;
  request.set_subject("who");
  request.mutable_context()->set_purpose("support");
  request.mutable_context()->set_request_id(kUuid);
  const std::string body = request.SerializeAsString();
  const auto attempt = vault_.NewAttempt(known_);
  const auto answer = run(IncomingOf(body), *attempt);
  v1::GetSubjectResponse response;
  ASSERT_THAT(answer, IsOk());
  ASSERT_TRUE(response.ParseFromString(*answer));
  EXPECT_EQ(response.subject(), "who found");
  EXPECT_EQ(attempt->event().purpose, test::kSupport);
  EXPECT_EQ(base::ToText(*attempt->event().request), kUuid);
}

TEST_F(UnaryTest, RefusesBytesThatAreNoMessage) {
  const auto run = Unary<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      vault_.catalogue(),
      [](vault::Attempt&, const vault::Call&, const v1::GetSubjectRequest&)
          -> absl::StatusOr<v1::GetSubjectResponse> {
        ADD_FAILURE() << "the use case ran";
        return v1::GetSubjectResponse();
      });
  const auto attempt = vault_.NewAttempt(known_);
  // A wrong wire type, a cut length, text that is not UTF-8.
  for (const char* body : {"\xff\xff\xff", "\x12\x7fx", "\x12\x02\xc3\x28"}) {
    EXPECT_THAT(run(IncomingOf(body), *attempt),
                HasReason(Reason::kMalformedRequest));
  }
}

TEST_F(UnaryTest, PassesTheUseCasesErrorOn) {
  const auto run = Unary<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      vault_.catalogue(),
      [](vault::Attempt&, const vault::Call&, const v1::GetSubjectRequest&)
          -> absl::StatusOr<v1::GetSubjectResponse> {
        return base::Fail(Reason::kSubjectNotFound);
      });
  const auto attempt = vault_.NewAttempt(known_);
  EXPECT_THAT(run(IncomingOf(""), *attempt),
              HasReason(Reason::kSubjectNotFound));
}

}  // namespace
}  // namespace hizo::rpc
