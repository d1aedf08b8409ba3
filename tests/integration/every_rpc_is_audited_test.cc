// Every call that reaches the vault leaves exactly one event, whatever becomes
// of it, and no call gives anything out while the event cannot be written.
// Methods come from the descriptors: one without a sample fails here.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/options.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "service/base/reason.h"
#include "tests/integration/methods.h"
#include "tests/integration/requests.h"
#include "tests/integration/samples.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr char kEmail[] = "canary@example.com";
constexpr char kName[] = "Canary Fullname";
constexpr char kPassword[] = "canary password";

class EveryRpcIsAuditedTest : public ::testing::Test {
 protected:
  EveryRpcIsAuditedTest() {
    server_.Stop();
    server_.files().AdoptPolicy("i7relay");
    EXPECT_THAT(server_.Start(), IsOk());
    subject_ = CreatePerson(server_.As(kFull), kEmail, kName);
    const auto set = server_.As(kFull).Ask<v1::SetPasswordResponse>(
        PasswordRequest(subject_, kPassword));
    EXPECT_THAT(set, IsOk());
  }

  // Fresh samples: what they write is not written twice.
  std::map<std::string, Sample> Samples() {
    const auto operations = [](auto request) {
      *request.mutable_context() = ContextFor("operations");
      return request;
    };
    v1::ListRecordsRequest list;
    *list.mutable_context() = ContextFor(kServicePurpose);
    list.set_subject(subject_);
    list.set_record_class("profile");
    list.mutable_read_mask()->add_paths("full_name");
    list.set_view(v1::VIEW_PLAIN);
    auto policy = operations(v1::GetEffectivePolicyRequest());
    v1::CheckPurposeRequest check;
    *check.mutable_context() = ContextFor(kServicePurpose);
    check.set_subject(subject_);
    check.set_checked_action(v1::ACTION_RECORD_GET);
    check.set_checked_purpose(kSupportPurpose);
    check.add_fields("profile.full_name");
    auto status = operations(v1::GetStatusRequest());
    auto backup = operations(v1::CreateBackupRequest());
    auto backups = operations(v1::ListBackupsRequest());
    auto verify = operations(v1::VerifyBackupRequest());
    verify.set_backup(1);
    EXPECT_THAT(
        server_.As("acme/operator").Ask<v1::CreateBackupResponse>(backup),
        IsOk());
    AwaitBackups();
    auto unlock = operations(v1::UnlockCallerRequest());
    unlock.set_caller("spiffe://hizo.example/acme/full");
    auto rotate = operations(v1::RotatePepperRequest());
    const auto new_person = [this] {
      return CreatePerson(server_.As(kFull), NewUuid() + "@example.com", kName);
    };
    const std::string signer = new_person();
    v1::CancelAccountRequest cancel;
    *cancel.mutable_context() = ContextFor(kServicePurpose);
    cancel.set_subject(new_person());
    const std::string goer = new_person();
    const auto gone = new_person();
    EXPECT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(gone)),
                IsOk());
    auto in_grace = EraseRequest<v1::ExecuteErasureRequest>(new_person());
    in_grace.set_grace_days(1);
    EXPECT_THAT(server_.As(kFull).Ask<v1::ExecuteErasureResponse>(in_grace),
                IsOk());
    const auto held = new_person();
    EXPECT_THAT(server_.As(kFull).Ask<v1::PlaceLegalHoldResponse>(
                    HoldRequest<v1::PlaceLegalHoldRequest>(held)),
                IsOk());
    v1::DeleteFieldsRequest deletion;
    *deletion.mutable_context() = ContextFor(kServicePurpose);
    deletion.set_subject(subject_);
    deletion.set_record_class("profile");
    deletion.mutable_delete_mask()->add_paths("company_name");
    const std::string new_email = NewUuid() + "@example.com";
    const v1::NewRecord profile = RecordOf("profile", {{"full_name", kName}});
    const auto audit = [](auto request) {
      return SampleOf("acme/auditor", std::move(request));
    };
    AwaitErasures();
    std::map<std::string, Sample> samples = {
        {"CreateSubject", SampleOf(kFull, CreateRequest(new_email, kName))},
        {"GetSubject", SampleOf(kFull, SubjectRequest(subject_))},
        {"CancelAccount", SampleOf(kFull, cancel)},
        {"FindSubject", SampleOf(kFull, FindRequest(kEmail))},
        {"PutRecord", SampleOf(kFull, PutRequest(subject_, profile))},
        {"GetRecord",
         SampleOf(kFull, GetRequest(subject_, "profile", {"full_name"}))},
        {"BatchGetRecords",
         SampleOf(kFull, BatchRequest({subject_}, "profile", {"full_name"}))},
        {"ListRecords", SampleOf(kFull, list)},
        {"DeleteFields", SampleOf(kFull, deletion)},
        {"ImportRecords",
         SampleOf(kFull, ImportRequest("import." + new_email, kName))},
        {"SetPassword", SampleOf(kFull, PasswordRequest(subject_, kPassword))},
        {"VerifyPassword", SampleOf(kFull, VerifyRequest(subject_, kPassword))},
        {"ChangePassword",
         SampleOf(kFull, ChangeRequest(subject_, kPassword, kPassword))},
        {"ImportPasswordHash", SampleOf(kFull, ImportHashRequest(signer))},
        {"RevokeCredentials",
         SampleOf(kFull,
                  CredentialRequest<v1::RevokeCredentialsRequest>(signer))},
        {"GetCredentialState",
         SampleOf(kFull,
                  CredentialRequest<v1::GetCredentialStateRequest>(subject_))},
        {"UnlockCredentials",
         SampleOf(kFull,
                  CredentialRequest<v1::UnlockCredentialsRequest>(subject_))},
        {"UnlockCaller", SampleOf("acme/operator", unlock)},
        {"RotatePepper", SampleOf("acme/operator", rotate)},
        {"QueryAudit", audit(AuditRequest<v1::QueryAuditRequest>())},
        {"GetCheckpoint", audit(AuditRequest<v1::GetCheckpointRequest>())},
        {"GetInclusionProof",
         audit(AuditRequest<v1::GetInclusionProofRequest>())},
        {"GetConsistencyProof", audit(GrowthRequest())},
        {"ExportAudit", audit(ExportRequest(1))},
        {"GetAccessHistory", audit(HistoryRequest(subject_))},
        {"GetBreachScope", audit(AuditRequest<v1::GetBreachScopeRequest>())},
        {"GetEffectivePolicy", SampleOf("acme/operator", policy)},
        {"CheckPurpose", SampleOf(kFull, check)},
        {"PlanErasure",
         SampleOf(kFull, EraseRequest<v1::PlanErasureRequest>(goer))},
        {"ExecuteErasure",
         SampleOf(kFull, EraseRequest<v1::ExecuteErasureRequest>(goer))},
        {"CancelErasure",
         SampleOf(kFull,
                  EraseRequest<v1::CancelErasureRequest>(in_grace.subject()))},
        {"GetErasureReceipt",
         SampleOf(kFull, EraseRequest<v1::GetErasureReceiptRequest>(gone))},
        {"VerifyErased",
         SampleOf(kFull, EraseRequest<v1::VerifyErasedRequest>(gone))},
        {"PlaceLegalHold",
         SampleOf(kFull, HoldRequest<v1::PlaceLegalHoldRequest>(subject_))},
        {"ReleaseLegalHold",
         SampleOf(kFull, HoldRequest<v1::ReleaseLegalHoldRequest>(held))},
        {"GetStatus", SampleOf("acme/operator", status)},
        {"RotateKeys",
         SampleOf("acme/operator", operations(v1::RotateKeysRequest()))},
        {"RunPurge",
         SampleOf("acme/operator", operations(v1::RunPurgeRequest()))},
        {"ListDue",
         SampleOf("acme/operator", operations(v1::ListDueRequest()))},
        {"RunRetention",
         SampleOf("acme/operator", operations(v1::RunRetentionRequest()))},
        {"MarkLossYear",
         SampleOf("acme/operator", operations(LossYearRequest()))},
        {"CreateBackup", SampleOf("acme/operator", backup)},
        {"ListBackups", SampleOf("acme/operator", backups)},
        {"VerifyBackup", SampleOf("acme/operator", verify)},
    };
    samples.merge(ConsentSamples(server_.As(kFull), kFull, new_person()));
    samples.merge(PolicySamples("i7relay"));
    samples.merge(ExportSamples(server_.As(kFull), kFull, subject_));
    return samples;
  }

  struct Happened {
    Reply reply;
    Reason reason = Reason::kNone;
    std::vector<audit::Event> events;
  };
  Happened Call(const Peer& peer, const MethodDescriptor& method,
                const std::string& body) {
    AwaitBackups();
    const uint64_t before = server_.EventCount();
    Happened happened;
    happened.reply = peer.Call(PathOf(*method.input_type()), {body});
    happened.reason = ReasonOf(method, happened.reply);
    happened.events = server_.EventsFrom(before);
    // Hizo finishes erasures and backups in its own time.
    std::erase_if(happened.events, [](const audit::Event& event) {
      return event.actor == "hizod";
    });
    return happened;
  }
  Happened Call(const std::string& caller, const MethodDescriptor& method,
                const Message& request) {
    return Call(server_.As(caller), method, request.SerializeAsString());
  }

  // A stream tells of each item in its answer.
  template <typename Response>
  static Reason ReasonOfItem(const Reply& reply) {
    Response response;
    EXPECT_THAT(reply.messages, SizeIs(1)) << reply.text;
    if (reply.messages.size() != 1) return Reason::kInternal;
    EXPECT_TRUE(response.ParseFromString(reply.messages.front()));
    EXPECT_EQ(response.items_size(), 1);
    return static_cast<Reason>(response.items(0).reason());
  }
  static Reason ReasonOf(const MethodDescriptor& method, const Reply& reply) {
    if (method.client_streaming()) {
      return method.name() == "ImportBundle"
                 ? ReasonOfItem<v1::ImportBundleResponse>(reply)
                 : ReasonOfItem<v1::ImportRecordsResponse>(reply);
    }
    if (method.name() == "BatchGetRecords" && reply.code == 0) {
      return ReasonOfItem<v1::BatchGetRecordsResponse>(reply);
    }
    return base::ReasonOf(StatusOf(reply));
  }

  static void ExpectOneEvent(const Happened& happened,
                             const MethodDescriptor& method,
                             audit::Outcome outcome, Reason reason) {
    EXPECT_EQ(happened.reason, reason);
    ASSERT_THAT(happened.events, SizeIs(1));
    const audit::Event& event = happened.events.front();
    EXPECT_EQ(static_cast<int>(event.action),
              static_cast<int>(method.options().GetExtension(v1::action)));
    EXPECT_EQ(event.outcome, outcome);
    EXPECT_EQ(event.reason, reason);
  }

  static void ExpectNothingGivenOut(const Happened& happened,
                                    const MethodDescriptor& method) {
    std::string all = happened.reply.text + happened.reply.details;
    for (const std::string& message : happened.reply.messages) all += message;
    for (const char* value : {kEmail, kName, kPassword}) {
      EXPECT_THAT(all, Not(HasSubstr(value)));
    }
    if (!method.client_streaming() && !method.server_streaming()) {
      EXPECT_THAT(happened.reply.messages, IsEmpty());
    }
  }

  static auto InAMinute() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
  }
  void AwaitBackups() const {
    const auto deadline = InAMinute();
    while (server_.store().backups().busy() ||
           server_.store().purges().busy() ||
           server_.store().retentions().busy()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  void AwaitErasures() {
    AwaitBackups();
    const auto deadline = InAMinute();
    while (server_.store().WaitingErasures().value_or(1) > 0 ||
           server_.store().key_rotations().Current()->has_value()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
    ASSERT_THAT(FindPerson(server_.As(kFull), kEmail), IsOk());
  }

  void AwaitEvents(uint64_t count) const {
    const auto deadline = InAMinute();
    while (server_.EventCount() < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  LiveServer server_;
  std::string subject_;
};

TEST_F(EveryRpcIsAuditedTest, EveryMethodHasASample) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    ASSERT_TRUE(samples.contains(method->name())) << method->full_name();
    EXPECT_EQ(samples.at(method->name()).request->GetDescriptor(),
              method->input_type());
  }
  EXPECT_THAT(samples, SizeIs(AllMethods().size()));
}

TEST_F(EveryRpcIsAuditedTest, Allowed) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Sample& sample = samples.at(method->name());
    const Happened happened = Call(sample.caller, *method, *sample.request);
    EXPECT_EQ(happened.reply.code, 0);
    ExpectOneEvent(happened, *method, audit::Outcome::kAllowed, Reason::kNone);
    EXPECT_EQ(happened.events.front().actor,
              "spiffe://hizo.example/" + sample.caller);
    EXPECT_NE(happened.events.front().purpose, 0);
  }
}

TEST_F(EveryRpcIsAuditedTest, DeniedToACallerWithoutARole) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Happened happened =
        Call("acme/powerless", *method, *samples.at(method->name()).request);
    ExpectOneEvent(happened, *method, audit::Outcome::kDenied,
                   Reason::kCallerNotEntitled);
    ExpectNothingGivenOut(happened, *method);
  }
}

// A copy of `request` made for `purpose`.
std::unique_ptr<Message> ForPurpose(const Message& request,
                                    const std::string& purpose) {
  std::unique_ptr<Message> copy(request.New());
  copy->CopyFrom(request);
  const auto* field = copy->GetDescriptor()->FindFieldByName("context");
  copy->GetReflection()
      ->MutableMessage(copy.get(), field)
      ->CopyFrom(ContextFor(purpose));
  return copy;
}

TEST_F(EveryRpcIsAuditedTest, DeniedWithoutAPurpose) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Sample& sample = samples.at(method->name());
    const Happened happened =
        Call(sample.caller, *method, *ForPurpose(*sample.request, ""));
    ExpectOneEvent(happened, *method, audit::Outcome::kDenied,
                   Reason::kPurposeMissing);
    ExpectNothingGivenOut(happened, *method);
  }
}

TEST_F(EveryRpcIsAuditedTest, DeniedForAPurposeThatIsUnknownOrNotGranted) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    for (const char* purpose : {"curiosity", "data_analytics"}) {
      SCOPED_TRACE(method->full_name() + " for " + purpose);
      const Sample& sample = samples.at(method->name());
      const Happened happened =
          Call(sample.caller, *method, *ForPurpose(*sample.request, purpose));
      ExpectOneEvent(happened, *method, audit::Outcome::kDenied,
                     Reason::kPurposeNotAllowed);
      ExpectNothingGivenOut(happened, *method);
    }
  }
}

TEST_F(EveryRpcIsAuditedTest, RefusedToAStranger) {
  const Peer stranger = server_.As("acme/stranger");
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Happened happened =
        Call(stranger, *method,
             samples.at(method->name()).request->SerializeAsString());
    ExpectOneEvent(happened, *method, audit::Outcome::kDenied,
                   Reason::kUnauthenticated);
    ExpectNothingGivenOut(happened, *method);
  }
}

TEST_F(EveryRpcIsAuditedTest, BytesThatAreNoMessage) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Peer peer = server_.As(samples.at(method->name()).caller);
    const Happened happened = Call(peer, *method, "\xff\xff\xff");
    ExpectOneEvent(happened, *method, audit::Outcome::kFailed,
                   Reason::kMalformedRequest);
    ExpectNothingGivenOut(happened, *method);
  }
}

TEST_F(EveryRpcIsAuditedTest, NoMessageAtAll) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const uint64_t before = server_.EventCount();
    const Reply reply = server_.As(samples.at(method->name()).caller)
                            .Call(PathOf(*method->input_type()), {});
    EXPECT_EQ(reply.reason, "MALFORMED_REQUEST");
    EXPECT_THAT(reply.messages, IsEmpty());
    ASSERT_THAT(server_.EventsFrom(before), SizeIs(1));
    EXPECT_EQ(server_.EventsFrom(before)[0].reason, Reason::kMalformedRequest);
  }
}

TEST_F(EveryRpcIsAuditedTest, MessagesOverTheBound) {
  const std::string large(server_.config().max_message_bytes + 1, '\0');
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const uint64_t before = server_.EventCount();
    const Reply reply = server_.As(samples.at(method->name()).caller)
                            .Call(PathOf(*method->input_type()), {large});
    EXPECT_EQ(ReasonOf(*method, reply), Reason::kTooLarge);
    const auto events = server_.EventsFrom(before);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].reason, Reason::kTooLarge);
  }
}

// gRPC itself refuses these, and tells the caller before it tells the server.
TEST_F(EveryRpcIsAuditedTest, MessagesFarOverTheBound) {
  const std::string huge(2 * server_.config().max_message_bytes + 1, '\0');
  const auto samples = Samples();
  uint64_t expected = server_.EventCount();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Reply reply = server_.As(samples.at(method->name()).caller)
                            .Call(PathOf(*method->input_type()), {huge});
    EXPECT_NE(reply.code, 0);
    EXPECT_THAT(reply.messages, IsEmpty());
    AwaitEvents(++expected);
    EXPECT_EQ(server_.EventsFrom(expected - 1).at(0).reason,
              Reason::kMalformedRequest);
  }
  // No second one came late.
  ASSERT_THAT(FindPerson(server_.As(kFull), kEmail), IsOk());
  EXPECT_EQ(server_.EventCount(), expected + 1);
}

TEST_F(EveryRpcIsAuditedTest, MethodsThatDoNotExist) {
  for (const char* path : {"/hizo.v1.SubjectService/DropEverything",
                           "/hizo.v2.SubjectService/GetSubject", "/x/y"}) {
    const uint64_t before = server_.EventCount();
    const Reply reply = server_.As(kFull).Call(path, {"anything"});
    EXPECT_EQ(reply.reason, "METHOD_UNKNOWN") << path;
    ASSERT_THAT(server_.EventsFrom(before), SizeIs(1)) << path;
    EXPECT_EQ(server_.EventsFrom(before)[0].reason, Reason::kMethodUnknown);
  }
}

TEST_F(EveryRpcIsAuditedTest, NothingIsGivenOutIfTheEventCannotBeWritten) {
  const auto samples = Samples();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Sample& sample = samples.at(method->name());
    AwaitErasures();
    server_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                              absl::ResourceExhaustedError("injected"));
    const Happened happened = Call(sample.caller, *method, *sample.request);
    EXPECT_EQ(happened.reason, Reason::kAuditUnavailable);
    ExpectNothingGivenOut(happened, *method);
    EXPECT_THAT(happened.events, IsEmpty());
    // And with room again it works: the fault was what refused it.
    EXPECT_EQ(Call(sample.caller, *method, *sample.request).reason,
              Reason::kNone);
  }
}

TEST_F(EveryRpcIsAuditedTest, NothingIsGivenOutAfterAnUnknownOutcome) {
  const auto samples = Samples();
  server_.data().FailCommit(1, FaultyEngine::When::kAfterApplied,
                            absl::UnknownError("injected"));
  Reason expected = Reason::kOutcomeUnknown;
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const Sample& sample = samples.at(method->name());
    const Reply reply = server_.As(sample.caller)
                            .Call(PathOf(*method->input_type()),
                                  {sample.request->SerializeAsString()});
    EXPECT_EQ(ReasonOf(*method, reply), expected);
    ExpectNothingGivenOut({reply, expected, {}}, *method);
    expected = Reason::kAuditUnavailable;
  }
  EXPECT_FALSE(server_.healthy());
}

}  // namespace
}  // namespace hizo::test
