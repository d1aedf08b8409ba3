// A thousand values go through every call there is, as what works and as what
// is refused. None of them lies open anywhere afterwards: in no file, no log,
// no error, no audit entry, and within seconds not in the memory of the
// process either.
#include <google/protobuf/descriptor.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/policy.pb.h"
#include "tests/integration/canaries.h"
#include "tests/integration/canary_records.h"
#include "tests/integration/requests.h"
#include "tests/integration/samples.h"
#include "tests/integration/stored_keys.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/process_memory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using std::chrono::steady_clock;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr size_t kCanariesMin = 1000;
constexpr int kPeople = 40;
constexpr int kPeopleForKeys = 5;
constexpr std::chrono::seconds kMemoryPatience{5};
constexpr char kFull[] = "acme/full";

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* file : {v1::GetSubjectRequest::descriptor()->file(),
                           v1::GetRecordRequest::descriptor()->file(),
                           v1::SetPasswordRequest::descriptor()->file(),
                           v1::QueryAuditRequest::descriptor()->file(),
                           v1::CheckPurposeRequest::descriptor()->file(),
                           v1::GetEffectivePolicyRequest::descriptor()->file(),
                           v1::GetStatusRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

class CanaryHuntTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ProcessMemory::IsAllowed()) {
      GTEST_SKIP() << "only root may look into the memory of a process";
    }
  }
  void Start(const HizodProcess::Options& options) {
    files_.AdoptPolicy("i7relay");
    HizodProcess::Init(files_);
    hizod_.emplace(files_, options);
    ASSERT_TRUE(hizod_->WaitUntilReady());
  }
  void Stop() {
    peers_.clear();
    EXPECT_EQ(hizod_->Stop(), 0);
  }

  // Each caller keeps its connection, as services do.
  const Peer& As(const std::string& caller) {
    const auto found = peers_.find(caller);
    if (found != peers_.end()) return found->second;
    return peers_.emplace(caller, hizod_->As(caller)).first->second;
  }

  // Sends `body`. No error shows a canary; what worked is remembered.
  Reply Send(const std::string& caller, const std::string& path,
             const std::string& body) {
    Reply reply = As(caller).Call(path, {body});
    EXPECT_THAT(canaries_.needles().FindIn(reply.text), IsEmpty());
    EXPECT_THAT(canaries_.needles().FindIn(reply.details), IsEmpty());
    if (reply.code == 0) worked_.insert(path);
    return reply;
  }
  Reply Send(const std::string& caller, const Message& request) {
    return Send(caller, PathOf(*request.GetDescriptor()),
                request.SerializeAsString());
  }
  // Sends what must work; the answer, its last message if there are several.
  template <typename Response>
  Response Ask(const std::string& caller, const Message& request) {
    const Reply reply = Send(caller, request);
    EXPECT_EQ(reply.code, 0) << reply.text;
    Response response;
    EXPECT_GE(reply.messages.size(), 1U);
    for (const std::string& message : reply.messages) {
      EXPECT_TRUE(response.ParseFromString(message));
    }
    return response;
  }

  Person NewPerson() {
    return {canaries_.Email(), canaries_.Word(), canaries_.Word() + "!7", ""};
  }
  Person CreateSubject() {
    Person person = NewPerson();
    v1::CreateSubjectRequest request;
    *request.mutable_context() = ContextFor(kServicePurpose);
    request.mutable_context()->set_request_id(NewUuid());
    *request.add_records() = AccountOf(person, canaries_);
    *request.add_records() = ProfileOf(canaries_);
    person.subject = Ask<v1::CreateSubjectResponse>(kFull, request).subject();
    return person;
  }

  void WriteRecords(const Person& person) {
    v1::NewRecord profile = ProfileOf(canaries_);
    Ask<v1::PutRecordResponse>(kFull, PutRequest(person.subject, profile));
    v1::PutRecordRequest billing =
        PutRequest(person.subject, BillingOf(canaries_));
    *billing.mutable_context() = ContextFor(kBillingPurpose);
    Ask<v1::PutRecordResponse>(kFull, billing);
    v1::NewRecord invoice = InvoiceOf(canaries_.Word(), canaries_.Number());
    SetText(invoice, "invoice_name", canaries_.Word());
    Ask<v1::PutRecordResponse>(kFull, PutRequest(person.subject, invoice));
    ReadRecords(person, profile);
  }
  void ReadRecords(const Person& person, const v1::NewRecord& profile) {
    const std::vector<std::string> fields = NamesOf(profile);
    const auto read = Ask<v1::GetRecordResponse>(
        kFull, GetRequest(person.subject, "profile", fields));
    EXPECT_EQ(read.record().fields_size(), profile.fields_size());
    v1::GetRecordRequest masked = GetRequest(person.subject, "profile", fields);
    *masked.mutable_context() = ContextFor(kSupportPurpose);
    masked.set_view(v1::VIEW_MASKED);
    Ask<v1::GetRecordResponse>("acme/masked", masked);
    v1::ListRecordsRequest list;
    *list.mutable_context() = ContextFor(kBillingPurpose);
    list.set_subject(person.subject);
    list.set_record_class("transaction");
    for (const char* field : {"invoice_number", "amount", "invoice_name"}) {
      list.mutable_read_mask()->add_paths(field);
    }
    list.set_view(v1::VIEW_PLAIN);
    const auto listed = Ask<v1::ListRecordsResponse>(kFull, list);
    EXPECT_EQ(listed.records_size(), 1);
    Ask<v1::BatchGetRecordsResponse>(
        kFull, BatchRequest({person.subject}, "profile", fields));
    Ask<v1::ExportBundleResponse>(kFull, ExportRequest(person.subject));
  }

  void Use(const Person& person) {
    WriteRecords(person);
    Find(person);
    UsePassword(person);
  }
  void UsePassword(const Person& person) {
    Ask<v1::SetPasswordResponse>(
        kFull, PasswordRequest(person.subject, person.password));
    EXPECT_TRUE(Ask<v1::VerifyPasswordResponse>(
                    kFull, VerifyRequest(person.subject, person.password))
                    .verified());
    EXPECT_FALSE(Ask<v1::VerifyPasswordResponse>(
                     kFull, VerifyRequest(person.subject, canaries_.Word()))
                     .verified());
    const std::string fresh = canaries_.Word();
    EXPECT_TRUE(
        Ask<v1::ChangePasswordResponse>(
            kFull, ChangeRequest(person.subject, person.password, fresh))
            .changed());
    UseCredentials(person);
  }
  void UseCredentials(const Person& person) {
    const auto of = [&]<typename Request>(Request) {
      return CredentialRequest<Request>(person.subject);
    };
    Ask<v1::UnlockCredentialsResponse>(kFull,
                                       of(v1::UnlockCredentialsRequest()));
    auto import = of(v1::ImportPasswordHashRequest());
    import.set_hash(canaries_.Hash());
    Ask<v1::ImportPasswordHashResponse>(kFull, import);
    EXPECT_FALSE(Ask<v1::VerifyPasswordResponse>(
                     kFull, VerifyRequest(person.subject, person.password))
                     .verified());
    EXPECT_TRUE(Ask<v1::GetCredentialStateResponse>(
                    kFull, of(v1::GetCredentialStateRequest()))
                    .state()
                    .has_password());
    // Every other one keeps the hash.
    keeps_ = !keeps_;
    if (!keeps_) {
      Ask<v1::RevokeCredentialsResponse>(kFull,
                                         of(v1::RevokeCredentialsRequest()));
    }
  }

  void Find(const Person& person) {
    v1::FindSubjectRequest find = FindRequest(person.email);
    EXPECT_EQ(Ask<v1::FindSubjectResponse>(kFull, find).subject(),
              person.subject);
    find.mutable_key()->set_field("account.caller_reference");
    find.mutable_key()->set_value(person.reference);
    Ask<v1::FindSubjectResponse>(kFull, find);
    find.mutable_key()->set_value(canaries_.Word());
    EXPECT_THAT(Send(kFull, find), HasReason(base::Reason::kSubjectNotFound));
    Ask<v1::GetSubjectResponse>(kFull, SubjectRequest(person.subject));
    v1::CheckPurposeRequest check;
    *check.mutable_context() = ContextFor(kServicePurpose);
    check.set_subject(person.subject);
    check.set_checked_action(v1::ACTION_RECORD_GET);
    check.set_checked_purpose(kSupportPurpose);
    check.add_fields("profile.full_name");
    Ask<v1::CheckPurposeResponse>(kFull, check);
  }

  void Leave(const Person& person) {
    v1::DeleteFieldsRequest deletion;
    *deletion.mutable_context() = ContextFor(kServicePurpose);
    deletion.set_subject(person.subject);
    deletion.set_record_class("profile");
    deletion.mutable_delete_mask()->add_paths("company_name");
    Ask<v1::DeleteFieldsResponse>(kFull, deletion);
    v1::CancelAccountRequest cancel;
    *cancel.mutable_context() = ContextFor(kServicePurpose);
    cancel.set_subject(person.subject);
    Ask<v1::CancelAccountResponse>(kFull, cancel);
  }

  void Import() {
    std::vector<std::string> messages;
    for (int i = 0; i < kPeople; ++i) {
      v1::ImportRecordsRequest request;
      *request.mutable_context() = ContextFor("onboarding");
      *request.add_records() = AccountOf(NewPerson(), canaries_);
      *request.add_records() = ProfileOf(canaries_);
      messages.push_back(request.SerializeAsString());
    }
    const std::string path = PathOf(*v1::ImportRecordsRequest::descriptor());
    const Reply reply = As(kFull).Call(path, messages);
    EXPECT_EQ(reply.code, 0) << reply.text;
    v1::ImportRecordsResponse response;
    EXPECT_TRUE(response.ParseFromString(reply.messages.at(0)));
    for (const v1::ImportStatus& item : response.items()) {
      EXPECT_EQ(item.reason(), 0);
    }
    worked_.insert(path);
  }

  template <typename Response, typename Request>
  Response Operate(Request request) {
    *request.mutable_context() = ContextFor("operations");
    return Ask<Response>("acme/operator", request);
  }

  void AskForOthers() {
    AskTheLog();
    auto samples = ConsentSamples(As(kFull), kFull, CreateSubject().subject);
    samples.merge(PolicySamples("i7relay"));
    for (const auto& [method, sample] : samples) {
      EXPECT_EQ(Send(sample.caller, *sample.request).code, 0) << method;
    }
    Operate<v1::GetStatusResponse>(v1::GetStatusRequest());
    Operate<v1::CreateBackupResponse>(v1::CreateBackupRequest());
    v1::VerifyBackupRequest verify;
    while (verify.backup() == 0) {
      const v1::ListBackupsRequest list;
      verify.set_backup(Operate<v1::ListBackupsResponse>(list).job().backup());
    }
    Operate<v1::VerifyBackupResponse>(verify);
    v1::UnlockCallerRequest unlock;
    unlock.set_caller("spiffe://hizo.example/acme/full");
    Operate<v1::UnlockCallerResponse>(unlock);
    Operate<v1::RotatePepperResponse>(v1::RotatePepperRequest());
  }

  // Nothing that is told of the log shows a canary.
  void AskTheLog() {
    const std::string subject = CreateSubject().subject;
    for (const auto& question : AuditQuestions(subject)) {
      for (const auto& message : Send("acme/auditor", *question).messages) {
        EXPECT_THAT(canaries_.needles().FindIn(message), IsEmpty());
      }
    }
  }
  void ReadAudit() {
    auto query = AuditRequest<v1::QueryAuditRequest>();
    size_t events = 0;
    do {
      const auto page = Ask<v1::QueryAuditResponse>("acme/auditor", query);
      EXPECT_THAT(canaries_.needles().FindIn(page.SerializeAsString()),
                  IsEmpty());
      events += static_cast<size_t>(page.events_size());
      query.set_page_token(page.next_page_token());
    } while (!query.page_token().empty());
    EXPECT_GT(events, 100U);
  }

  // To every method, by everybody, what nobody should send.
  void Misuse() {
    struct Way {
      const char* caller;
      const char* purpose;
    };
    for (const MethodDescriptor* method : AllMethods()) {
      for (const Way& way : {Way{kFull, kServicePurpose},
                             {kFull, kSignInPurpose},
                             {kFull, ""},
                             {"acme/masked", kSupportPurpose},
                             {"acme/auditor", kAuditPurpose},
                             {"acme/operator", "operations"},
                             {"acme/stranger", kServicePurpose}}) {
        SendNonsense(way.caller, *method, way.purpose);
      }
    }
    Send(kFull, "/hizo.v1." + canaries_.Word() + "/" + canaries_.Word(), "");
    SendMetadata();
  }
  // As headers, which the vault does not read but gRPC does.
  void SendMetadata() {
    Peer::Options options = files_.PeerOptions(kFull, hizod_->address());
    options.metadata = {{"x-canary", canaries_.Word()},
                        {"authorization", "Bearer " + canaries_.Word()},
                        {"x-canary-bin", canaries_.Bytes()}};
    const Reply reply = Peer(options).Call(
        PathOf(*v1::FindSubjectRequest::descriptor()),
        {FindRequest(canaries_.Email()).SerializeAsString()});
    EXPECT_THAT(reply, HasReason(base::Reason::kSubjectNotFound));
    EXPECT_THAT(canaries_.needles().FindIn(reply.text), IsEmpty());
  }
  void SendNonsense(const std::string& caller, const MethodDescriptor& method,
                    const std::string& purpose) {
    const std::unique_ptr<Message> request(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(method.input_type())
            ->New());
    canaries_.Fill(*request);
    v1::RequestContext context = ContextFor(purpose);
    if (purpose.empty()) canaries_.Fill(context);
    request->GetReflection()
        ->MutableMessage(request.get(),
                         method.input_type()->FindFieldByName("context"))
        ->CopyFrom(context);
    const std::string path = PathOf(*method.input_type());
    const std::string body = request->SerializeAsString();
    Send(caller, path, body);
    Send(caller, path, "\xff" + body);  // no message any more
    Send(caller, path, body.substr(0, body.size() - 1));
  }

  void UseEverything() {
    for (int i = 0; i < kPeople; ++i) {
      const Person person = CreateSubject();
      Use(person);
      Leave(person);
    }
    Import();
    AskForOthers();
    Misuse();
    ReadAudit();
  }

  ProcessMemory::Found LookIntoMemory() {
    return ProcessMemory(hizod_->process().id())
        .Find(canaries_.needles(), ProcessMemory::Locked::kToo);
  }
  // Looks until nothing is there any more, or for five seconds.
  ProcessMemory::Found AwaitCleanMemory() {
    const auto deadline = steady_clock::now() + kMemoryPatience;
    for (;;) {
      ProcessMemory::Found found = LookIntoMemory();
      if (found.needles.empty() || steady_clock::now() > deadline) return found;
    }
  }

  // The files of the store and beside it that show a canary.
  std::vector<std::string> LookIntoFiles() {
    std::vector<std::string> showing;
    for (const auto& entry :
         fs::recursive_directory_iterator(files_.directory())) {
      const Needles& needles = canaries_.needles();
      if (!needles.FindIn(entry.path().string()).empty() ||
          (entry.is_regular_file() &&
           !needles.FindIn(ReadFile(entry.path())).empty())) {
        showing.push_back(entry.path().filename().string());
      }
    }
    return showing;
  }

  VaultFiles files_;
  Canaries canaries_;
  std::optional<HizodProcess> hizod_;
  std::map<std::string, Peer> peers_;
  std::set<std::string> worked_;
  bool keeps_ = false;
};

TEST_F(CanaryHuntTest, NothingIsLeftAnywhere) {
  Start({});
  UseEverything();
  for (const MethodDescriptor* method : AllMethods()) {
    EXPECT_TRUE(worked_.contains(PathOf(*method->input_type())))
        << method->full_name() << " was not used well";
  }
  EXPECT_GE(canaries_.count(), kCanariesMin);
  // An open connection has buffers in use that nothing overwrites.
  peers_.clear();
  const auto found = AwaitCleanMemory();
  EXPECT_THAT(found.needles, IsEmpty());
  EXPECT_GT(found.bytes, 10'000'000U);
  EXPECT_THAT(LookIntoFiles(), IsEmpty());
  Stop();
  EXPECT_THAT(LookIntoFiles(), IsEmpty());
  EXPECT_THAT(canaries_.needles().FindIn(hizod_->process().output()),
              IsEmpty());
}

// Keys are where they are locked and left out of core dumps, and nowhere else.
TEST_F(CanaryHuntTest, KeysAreNowhereButInLockedMemory) {
  Start({});
  for (int i = 0; i < kPeopleForKeys; ++i) Use(CreateSubject());
  Stop();
  const Needles keys = NeedlesOf(StoredKeys(files_.LoadConfig()));
  hizod_.emplace(files_);
  ASSERT_TRUE(hizod_->WaitUntilReady());
  for (int i = 0; i < kPeopleForKeys; ++i) Use(CreateSubject());
  const ProcessMemory memory(hizod_->process().id());
  const auto all = memory.Find(keys, ProcessMemory::Locked::kToo);
  EXPECT_GT(all.needles.size(), size_t{65536}) << "these are not its keys";
  const auto deadline = steady_clock::now() + kMemoryPatience;
  auto open = memory.Find(keys, ProcessMemory::Locked::kLeftOut);
  while (!open.needles.empty() && steady_clock::now() < deadline) {
    open = memory.Find(keys, ProcessMemory::Locked::kLeftOut);
  }
  EXPECT_THAT(open.needles, IsEmpty());
}

// A pepper is in memory, locked or not, while a password is hashed only.
TEST_F(CanaryHuntTest, PeppersAreNowhereOnceNoPasswordIsHashed) {
  Start({});
  UsePassword(CreateSubject());
  Stop();
  const std::string leaf = "leaf 4c";  // then tenant and kind
  std::map<std::string, std::string> peppers;
  for (const auto& [name, key] : StoredKeys(files_.LoadConfig())) {
    if (name.starts_with(leaf) && name.substr(leaf.size() + 8, 2) == "04") {
      peppers.emplace(name, key);
    }
  }
  ASSERT_THAT(peppers, Not(IsEmpty()));
  hizod_.emplace(files_);
  ASSERT_TRUE(hizod_->WaitUntilReady());
  for (int i = 0; i < kPeopleForKeys; ++i) UsePassword(CreateSubject());
  const Needles needles = NeedlesOf(peppers);
  const ProcessMemory memory(hizod_->process().id());
  const auto deadline = steady_clock::now() + kMemoryPatience;
  auto found = memory.Find(needles, ProcessMemory::Locked::kToo);
  while (!found.needles.empty() && steady_clock::now() < deadline) {
    found = memory.Find(needles, ProcessMemory::Locked::kToo);
  }
  EXPECT_THAT(found.needles, IsEmpty());
}

// The hunt finds what there is to be found.

TEST_F(CanaryHuntTest, SeesWhatAProcessThatDoesNotWipeLeavesBehind) {
  HizodProcess::Options options;
  options.program = "hizod_unwiped";
  Start(options);
  for (int i = 0; i < 5; ++i) WriteRecords(CreateSubject());
  peers_.clear();
  const auto found = AwaitCleanMemory();
  EXPECT_THAT(found.needles, Not(IsEmpty()));
}

TEST_F(CanaryHuntTest, SeesWhatIsInMemoryAndInFiles) {
  HizodProcess::Options options;
  options.environment = {{"PLANTED", canaries_.Word()}};
  Start(options);
  EXPECT_THAT(LookIntoMemory().needles, ::testing::SizeIs(1));
  EXPECT_THAT(LookIntoFiles(), IsEmpty());
  files_.Write("planted", "..." + canaries_.Word());
  EXPECT_THAT(LookIntoFiles(), ::testing::ElementsAre("planted"));
}

}  // namespace
}  // namespace hizo::test
