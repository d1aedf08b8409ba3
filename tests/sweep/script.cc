#include "tests/sweep/script.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/subject.pb.h"
#include "service/base/reason.h"
#include "service/base/worker_pool.h"
#include "service/rpc/dispatch.h"
#include "service/rpc/methods.h"
#include "service/vault/miss_limits.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::AnyOf;

// "%id" is the step's request id.
struct Step {
  const char* method;
  const char* caller;
  const char* text;
  const char* creates = "";  // whom
};

#define HIZO_CONTEXT(purpose) \
  "context { purpose: \"" purpose "\" request_id: \"%id\" } "
constexpr char kAnn[] = "@ann";
constexpr char kBob[] = "@bob";
constexpr char kGoer[] = "@goer";
constexpr char kStayer[] = "@stayer";
constexpr char kSayer[] = "@sayer";

constexpr Step kSteps[] = {
    {"SubjectService.CreateSubject", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "ann@example.com" } }
       fields { name: "username" value { text: "ann" } } }
     records { record_class: "profile"
       fields { name: "full_name" value { text: "Ann Other" } } })",
     kAnn},
    {"SubjectService.FindSubject", kFull,
     HIZO_CONTEXT(
         "service") R"(key { field: "account.email" value: "ann@example.com" })"},
    {"RecordService.GetRecord", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann" record_class: "profile"
       read_mask { paths: "full_name" } view: VIEW_PLAIN)"},
    {"CredentialService.SetPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@ann" password: "first password")"},
    {"CredentialService.VerifyPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@ann" password: "first password")"},
    {"RecordService.PutRecord", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann"
       record { record_class: "profile"
         fields { name: "full_name" value { text: "Ann Married" } }
         fields { name: "note" value { text: "one" } } })"},
    {"RecordService.PutRecord", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann"
       record { record_class: "account"
         fields { name: "email" value { text: "married@example.com" } } }
       update_mask { paths: "email" })"},
    {"SubjectService.FindSubject", kFull,
     HIZO_CONTEXT(
         "service") R"(key { field: "account.email" value: "married@example.com" })"},
    {"SubjectService.CreateSubject", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "bob@example.com" } }
       fields { name: "phone" value { text: "03 1234 5678" } } }
     records { record_class: "profile"
       fields { name: "full_name" value { text: "Bob Other" } }
       fields { name: "birth_date" value { text: "1990-02-28" } } })",
     kBob},
    {"SubjectService.GetSubject", kFull,
     HIZO_CONTEXT("service") R"(subject: "@bob")"},
    {"RecordService.PutRecord", kFull,
     HIZO_CONTEXT("billing") R"(subject: "@bob"
       record { record_class: "transaction" event_time { seconds: 1700000000 }
         fields { name: "amount"
           value { money { currency: "JPY" minor_units: 500 } } } })"},
    {"RecordService.PutRecord", kFull,
     HIZO_CONTEXT("billing") R"(subject: "@bob"
       record { record_class: "transaction" event_time { seconds: 1700000001 }
         fields { name: "amount"
           value { money { currency: "JPY" minor_units: 700 } } } })"},
    {"RecordService.ListRecords", kFull,
     HIZO_CONTEXT("billing") R"(subject: "@bob" record_class: "transaction"
       read_mask { paths: "amount" } view: VIEW_PLAIN)"},
    {"RecordService.GetRecord", kMaskedOnly,
     HIZO_CONTEXT("support") R"(subject: "@bob" record_class: "account"
       read_mask { paths: "email" paths: "phone" } view: VIEW_MASKED)"},
    {"RecordService.DeleteFields", kFull,
     HIZO_CONTEXT("service") R"(subject: "@bob" record_class: "profile"
       delete_mask { paths: "birth_date" })"},
    {"RecordService.DeleteFields", kFull,
     HIZO_CONTEXT("service") R"(subject: "@bob" record_class: "account"
       delete_mask { paths: "phone" })"},
    {"RecordService.ImportRecords", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "eve@example.com" } } })"},
    {"SubjectService.FindSubject", kFull,
     HIZO_CONTEXT(
         "service") R"(key { field: "account.email" value: "eve@example.com" })"},
    {"CredentialService.SetPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@bob" password: "bob's password")"},
    {"CredentialService.SetPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@bob" password: "bob's second")"},
    {"CredentialService.VerifyPassword", kFull,
     HIZO_CONTEXT("authentication")
         R"(key { field: "account.email" value: "bob@example.com" }
            password: "bob's second")"},
    {"CredentialService.VerifyPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@bob" password: "bob's password")"},
    {"CredentialService.RotatePepper", kFull, HIZO_CONTEXT("authentication")},
    {"CredentialService.ChangePassword", kFull,
     HIZO_CONTEXT("authentication") R"(subject: "@bob"
       password: "bob's second" new_password: "bob's third")"},
    {"CredentialService.VerifyPassword", kFull,
     HIZO_CONTEXT(
         "authentication") R"(subject: "@ann" password: "first password")"},
    {"CredentialService.ImportPasswordHash", kFull,
     HIZO_CONTEXT("authentication") R"(subject: "@bob" hash:
       "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")"},
    {"CredentialService.GetCredentialState", kFull,
     HIZO_CONTEXT("authentication") R"(subject: "@bob")"},
    {"CredentialService.UnlockCredentials", kFull,
     HIZO_CONTEXT("authentication") R"(subject: "@bob")"},
    {"CredentialService.UnlockCaller", kFull,
     HIZO_CONTEXT("authentication") R"(caller: "spiffe://acme.example/full")"},
    {"CredentialService.RevokeCredentials", kFull,
     HIZO_CONTEXT("authentication") R"(subject: "@bob")"},
    {"RecordService.PutRecord", kFull,
     HIZO_CONTEXT("billing") R"(subject: "@ann"
       record { record_class: "billing"
         fields { name: "card_last4" value { text: "4242" } } })"},
    {"RecordService.GetRecord", kFull,
     HIZO_CONTEXT("billing") R"(subject: "@ann" record_class: "billing"
       read_mask { paths: "card_last4" } view: VIEW_PLAIN)"},
    {"SubjectService.GetSubject", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann")"},
    {"AuditService.QueryAudit", kAuditor,
     HIZO_CONTEXT("security_audit") R"(page_size: 20 oldest_first: true)"},
    {"AuditService.QueryAudit", kAuditor,
     HIZO_CONTEXT("security_audit") R"(subject: "@ann")"},
    {"SubjectService.CreateSubject", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "saying@example.com" } } })",
     kSayer},
    {"ConsentService.RecordConsent", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer" channel: CHANNEL_WEB
       consent_purpose: "marketing"
       evidence: "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2")"},
    {"ConsentService.RecordObjection", kFull,
     HIZO_CONTEXT(
         "service") R"(subject: "@sayer" objected_purpose: "support")"},
    {"ConsentService.DecideObjection", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer" objected_purpose: "support"
       decision: OBJECTION_STATE_UPHELD)"},
    {"RestrictionService.SetRestriction", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer"
       ground: RESTRICTION_GROUND_UNLAWFUL)"},
    {"RestrictionService.LiftRestriction", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer"
       ground: RESTRICTION_GROUND_UNLAWFUL
       notice: "3f1e7b7c-94f4-4b57-9d0a-5a0a2a7c1b11")"},
    {"ConsentService.AcknowledgePolicy", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer"
       kind: ACKNOWLEDGEMENT_KIND_ACCEPTED channel: CHANNEL_LOGIN
       evidence: "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2")"},
    {"PolicyService.ValidatePolicy", kFull,
     HIZO_CONTEXT("service") R"(files { overlay: "4" })"},
    {"PolicyService.ActivatePolicy", kFull,
     HIZO_CONTEXT("service") R"(files { overlay: "4" })"},
    {"PolicyService.ListConflicts", kFull, HIZO_CONTEXT("service")},
    {"ConsentService.ListConsents", kFull,
     HIZO_CONTEXT("service") R"(subject: "@sayer")"},
    {"SubjectService.CreateSubject", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "leaving@example.com" } } })",
     kGoer},
    {"SubjectService.CreateSubject", kFull, HIZO_CONTEXT("service") R"(
     records { record_class: "account"
       fields { name: "email" value { text: "wavering@example.com" } } })",
     kStayer},
    {"ErasureService.ExecuteErasure", kFull,
     HIZO_CONTEXT("service") R"(subject: "@stayer" grace_days: 7)"},
    {"ErasureService.CancelErasure", kFull,
     HIZO_CONTEXT("service") R"(subject: "@stayer")"},
    {"ErasureService.PlanErasure", kFull,
     HIZO_CONTEXT("service") R"(subject: "@goer")"},
    {"ErasureService.ExecuteErasure", kFull,
     HIZO_CONTEXT("service") R"(subject: "@goer")"},
    {"ErasureService.GetErasureReceipt", kFull,
     HIZO_CONTEXT("service") R"(subject: "@goer")"},
    {"ErasureService.VerifyErased", kFull,
     HIZO_CONTEXT("service") R"(subject: "@goer")"},
    {"RestrictionService.PlaceLegalHold", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann" record_class: "billing"
       claim: "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2")"},
    {"RestrictionService.ReleaseLegalHold", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann" record_class: "billing"
       claim: "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2")"},
    {"RetentionService.ListDue", kFull, HIZO_CONTEXT("service")},
    {"ExportService.ExportBundle", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann" recipient:
       "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")"},
    {"ExportService.RegisterRecipient", kFull,
     HIZO_CONTEXT("service") R"(recipient { name: "other-shop"
       kind: RECIPIENT_KIND_COMPANY agreement: "art20/2026-07" key:
       "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" })"},
    {"ExportService.ListRecipients", kFull, HIZO_CONTEXT("service")},
    {"ExportService.TransmitBundle", kFull,
     HIZO_CONTEXT("service") R"(subject: "@ann" recipient: "other-shop"
       authorisation: "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2")"},
    {"ExportService.RegisterRecipient", kFull,
     HIZO_CONTEXT("service") R"(recipient { name: "for-a-while"
       kind: RECIPIENT_KIND_AGENT agreement: "a" key:
       "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p" })"},
    {"ExportService.RemoveRecipient", kFull,
     HIZO_CONTEXT("service") R"(name: "for-a-while")"},
    {"AuditService.GetCheckpoint", kAuditor, HIZO_CONTEXT("security_audit")},
    {"AuditService.GetInclusionProof", kAuditor,
     HIZO_CONTEXT("security_audit") R"(sequence: 0)"},
    {"AuditService.GetConsistencyProof", kAuditor,
     HIZO_CONTEXT("security_audit") R"(older_size: 0)"},
    {"AuditService.ExportAudit", kAuditor,
     HIZO_CONTEXT("security_audit") R"(first_sequence: 0)"},
    {"AuditService.GetAccessHistory", kAuditor,
     HIZO_CONTEXT("security_audit") R"(subject: "@ann")"},
    {"AuditService.GetBreachScope", kAuditor, HIZO_CONTEXT("security_audit")},
};
#undef HIZO_CONTEXT

std::string IdOf(size_t step) {
  std::string number = std::to_string(step);
  return "00000000-0000-4000-8000-" + std::string(12 - number.size(), '0') +
         number;
}

Ledger::Kind KindOf(const Step& step) {
  const std::string method = step.method;
  for (const char* word :
       {"Create", "Put", "Delete", "Import", "SetPassword", "Execute", "Hold",
        "CancelErasure", "RecordConsent", "Objection", "SetRestriction",
        "LiftRestriction", "AcknowledgePolicy"}) {
    if (method.find(word) != method.npos) return Ledger::Kind::kWrite;
  }
  return Ledger::Kind::kRead;
}

struct Answered {
  absl::Status status;
  std::string bytes;
};

class PromisedExchange final : public rpc::Exchange {
 public:
  PromisedExchange(Request request, std::promise<Answered> answer)
      : Exchange(std::move(request)), answer_(std::move(answer)) {}
  void Answer(const absl::Status& status, std::string answer) override {
    answer_.set_value({status, std::move(answer)});
  }

 private:
  std::promise<Answered> answer_;
};

// The vault's calls, as the transport would bring them.
class Caller {
 public:
  explicit Caller(VaultFixture& vault)
      : limits_(vault.Policy().access, 0),
        passwords_({.threads = 1, .queue_max = 4}),
        reruns_({.threads = 1, .queue_max = 4}),
        methods_(rpc::MakeMethods(vault.store(), vault.catalogue(),
                                  [] { return v1::GetStatusResponse(); })
                     .value()),
        dispatch_({vault.catalogue(), vault.Policy().access,
                   vault.store().policies().table(), vault.clock(),
                   vault.store().committer(), limits_, passwords_, reruns_,
                   pacer_}) {}

  Answered Ask(size_t number,
               const std::map<std::string, std::string>& people) {
    const Step& step = kSteps[number];
    std::string path = std::string("/hizo.v1.") + step.method;
    path.replace(path.rfind('.'), 1, "/");
    rpc::Exchange::Request request;
    request.method = methods_.Find(path);
    request.actor = step.caller;
    request.body = BytesOf(number, people);
    // Of a sequence, only its beginning is asked for.
    rpc::Items items;
    if (step.method == std::string("ExportService.ExportBundle") ||
        step.method == std::string("ExportService.TransmitBundle")) {
      items = request.method->split(request.body).value();
      request.sequence = items.sequence.get();
    }
    std::promise<Answered> promise;
    auto future = promise.get_future();
    dispatch_.Serve(std::make_unique<PromisedExchange>(std::move(request),
                                                       std::move(promise)));
    return future.get();
  }

 private:
  static std::string BytesOf(size_t number,
                             const std::map<std::string, std::string>& people) {
    const Step& step = kSteps[number];
    std::string text = step.text;
    const auto replace = [&text](const std::string& word,
                                 const std::string& with) {
      const size_t at = text.find(word);
      if (at != text.npos) text.replace(at, word.size(), with);
    };
    replace("%id", IdOf(number));
    for (const auto& [name, id] : people) replace(name, id);
    for (const char* name : {kAnn, kBob, kGoer, kStayer, kSayer}) {
      replace(name, IdOf(0));
    }
    const auto* method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
            std::string("hizo.v1.") + step.method);
    if (method == nullptr) throw std::logic_error(step.method);
    const std::unique_ptr<google::protobuf::Message> message(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(method->input_type())
            ->New());
    if (!google::protobuf::TextFormat::ParseFromString(text, message.get())) {
      throw std::logic_error(text);
    }
    return message->SerializeAsString();
  }

  vault::MissLimits limits_;
  base::WorkerPool passwords_;
  base::WorkerPool reruns_;
  rpc::Pacer pacer_{std::chrono::nanoseconds(0)};
  const rpc::MethodTable methods_;
  rpc::Dispatch dispatch_;
};

std::string CreatedIn(const std::string& bytes) {
  v1::CreateSubjectResponse created;
  EXPECT_TRUE(created.ParseFromString(bytes));
  return created.subject();
}

}  // namespace

size_t Script::steps() { return std::size(kSteps); }

VaultFixture::Options Script::Options() {
  VaultFixture::Options options;
  options.company = VaultPolicySource();
  return options;
}

void Script::Run(VaultFixture& vault, Progress& progress) {
  Caller caller(vault);
  for (size_t i = 0; i < steps(); ++i) {
    progress.told[i] = Progress::kAsked;
    const Answered answered = caller.Ask(i, people_);
    if (answered.status.ok()) {
      if (*kSteps[i].creates != '\0') {
        people_[kSteps[i].creates] = CreatedIn(answered.bytes);
      }
      progress.told[i] = Progress::kDone;
      continue;
    }
    EXPECT_TRUE(answered.bytes.empty()) << "an error came with an answer";
    // The last two: of a step before, which was not done.
    EXPECT_THAT(base::ReasonOf(answered.status),
                AnyOf(Reason::kAuditUnavailable, Reason::kOutcomeUnknown,
                      Reason::kIntegrityFailure, Reason::kSubjectNotFound,
                      Reason::kRecordNotFound, Reason::kRecipientUnknown))
        << kSteps[i].method << " " << i;
    progress.told[i] = Progress::kRefused;
  }
}

void Script::RunAgain(VaultFixture& vault) {
  Caller caller(vault);
  for (size_t i = 0; i < steps(); ++i) {
    const Answered answered = caller.Ask(i, people_);
    // Somebody may be found no more under an address that a later step changed.
    const bool gone =
        KindOf(kSteps[i]) == Ledger::Kind::kRead &&
        base::ReasonOf(answered.status) == Reason::kSubjectNotFound;
    ASSERT_TRUE(answered.status.ok() || gone)
        << kSteps[i].method << " " << i << " " << answered.status;
    if (*kSteps[i].creates == '\0') continue;
    const std::string id = CreatedIn(answered.bytes);
    const auto known = people_.emplace(kSteps[i].creates, id).first;
    EXPECT_EQ(known->second, id) << "a repeat made another person";
  }
  const auto policies = vault.store().policies().States();
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies[0].version, 4U);
  EXPECT_TRUE(policies[0].activation.has_value());
}

void Script::Enter(const Progress& progress, size_t runs_again,
                   Ledger& ledger) {
  for (size_t i = 0; i < steps(); ++i) {
    const uint8_t told = progress.told[i];
    const std::string id = IdOf(i);
    const Ledger::Kind kind = KindOf(kSteps[i]);
    if (told != Progress::kNotAsked) ledger.Sent(id, kind);
    if (told == Progress::kDone) ledger.Answered(id);
    for (size_t run = 0; run < runs_again; ++run) {
      ledger.Sent(id, kind);
      ledger.Answered(id);
    }
  }
}

}  // namespace hizo::test
