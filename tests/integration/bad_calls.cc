#include "tests/integration/bad_calls.h"

#include <google/protobuf/message.h>

#include <stdexcept>
#include <utility>

#include "tests/integration/requests.h"

namespace hizo::test {
namespace {

using base::Reason;
using google::protobuf::Message;

constexpr char kFull[] = "acme/full";
constexpr char kMasked[] = "acme/masked";
constexpr char kAnnsEmail[] = "ann@example.com";
constexpr char kValue[] = "canary-4f1d";  // in whatever is written
constexpr size_t kValueBytesMax = 64 * 1024;
constexpr size_t kMessageBytesMax = size_t{1} << 20;
constexpr int kMaskPathsMax = 128;
constexpr std::chrono::hours kTokenLife{1};
// Past every deadline: the tests' clock began in 2023.
constexpr std::chrono::hours kTenYears{24 * 3652};

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

// Collects rows; each is for acme/full unless it says otherwise.
class Rows {
 public:
  BadCall& Add(std::string name, const Message& request, Reason reason,
               std::string field = "") {
    BadCall row;
    row.name = std::move(name);
    row.caller = kFull;
    row.path = PathOf(*request.GetDescriptor());
    row.body = request.SerializeAsString();
    row.reason = reason;
    row.field = std::move(field);
    row.value = kValue;
    rows_.push_back(std::move(row));
    return rows_.back();
  }
  std::vector<BadCall> Take() && { return std::move(rows_); }

 private:
  std::vector<BadCall> rows_;
};

v1::NewRecord ProfileOf(const Texts& fields) {
  Texts all = fields;
  all.emplace("full_name", "Ann Other");
  return RecordOf("profile", all);
}

// A put of Ann's that gives `field` this value.
v1::PutRecordRequest PutOf(const Scene& scene, const std::string& record_class,
                           const std::string& field, v1::Value value) {
  v1::NewRecord record =
      record_class == "profile" ? ProfileOf({}) : RecordOf(record_class, {});
  if (field == "full_name") record.clear_fields();
  v1::Field& added = *record.add_fields();
  added.set_name(field);
  *added.mutable_value() = std::move(value);
  return PutRequest(scene.ann, record);
}

v1::Value TextValue(const std::string& text) {
  v1::Value value;
  value.set_text(text);
  return value;
}
v1::Value JsonValue(const std::string& json) {
  v1::Value value;
  value.set_json(json);
  return value;
}
v1::Value AddressValue(const std::string& line) {
  v1::Value value;
  value.mutable_address()->set_country("JP");
  value.mutable_address()->add_lines(line);
  return value;
}

// A page of a person's invoices, asked for with a token.
v1::ListRecordsRequest PageOf(const std::string& subject,
                              const std::string& token) {
  v1::ListRecordsRequest request;
  *request.mutable_context() = ContextFor(kBillingPurpose);
  request.set_subject(subject);
  request.set_record_class("transaction");
  request.mutable_read_mask()->add_paths("invoice_number");
  request.set_page_size(1);
  request.set_page_token(token);
  return request;
}

v1::QueryAuditRequest LogPage(const std::string& token) {
  v1::QueryAuditRequest request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  request.set_page_token(token);
  return request;
}

void AddPurposes(const Scene& scene, Rows& rows) {
  v1::GetRecordRequest request =
      GetRequest(scene.ann, "profile", {"full_name"});
  request.mutable_context()->clear_purpose();
  rows.Add("no purpose", request, Reason::kPurposeMissing);
  request.clear_context();
  rows.Add("no context", request, Reason::kPurposeMissing);
  request.mutable_context()->set_purpose(kValue);
  rows.Add("unknown purpose", request, Reason::kPurposeNotAllowed);
}

void AddNames(const Scene& scene, Rows& rows) {
  const std::string& ann = scene.ann;
  rows.Add("unknown class, read", GetRequest(ann, kValue, {"full_name"}),
           Reason::kFieldUnknown);
  rows.Add("unknown class, written",
           PutRequest(ann, RecordOf(kValue, {{"a", kValue}})),
           Reason::kFieldUnknown);
  rows.Add("internal class", GetRequest(ann, "credential", {"password_hash"}),
           Reason::kFieldUnknown);
  rows.Add("unknown field, read", GetRequest(ann, "profile", {kValue}),
           Reason::kFieldUnknown);
  rows.Add("unknown field, written",
           PutRequest(ann, ProfileOf({{"shoe_size", kValue}})),
           Reason::kFieldUnknown);
  rows.Add("every field", GetRequest(ann, "profile", {"*"}),
           Reason::kFieldUnknown);
  v1::FindSubjectRequest find = FindRequest(kValue);
  find.mutable_key()->set_field("profile.full_name");
  rows.Add("field that is not searched", find, Reason::kFieldUnknown);
  rows.Add("unknown tenant", GetRequest(ann, "profile", {"full_name"}),
           Reason::kUnauthenticated)
      .caller = "initech/full";
  rows.Add("field of another class, read",
           GetRequest(ann, "profile", {"email"}), Reason::kFieldUnknown);
  rows.Add("field of another class, written",
           PutRequest(ann, ProfileOf({{"email", kAnnsEmail}})),
           Reason::kFieldUnknown);
}

void AddTypes(const Scene& scene, Rows& rows) {
  v1::Value number;
  number.set_integer(4711);
  rows.Add("wrong type, a number for a text",
           PutOf(scene, "profile", "company_name", number),
           Reason::kValueInvalid, "profile.company_name");
  rows.Add("wrong type, a text for a boolean",
           PutOf(scene, "account", "age_attestation", TextValue(kValue)),
           Reason::kValueInvalid, "account.age_attestation");
  rows.Add("wrong type, no value",
           PutOf(scene, "profile", "company_name", v1::Value()),
           Reason::kValueInvalid);
  rows.Add("wrong type, a choice that is none",
           PutOf(scene, "account", "declared_use", TextValue(kValue)),
           Reason::kValueInvalid, "account.declared_use");
  rows.Add("wrong type, no document",
           PutOf(scene, "account", "registration_info",
                 JsonValue("{\"" + std::string(kValue) + "\":")),
           Reason::kValueInvalid, "account.registration_info");
}

void AddSizes(const Scene& scene, Rows& rows) {
  const std::string quoted = "\"" + std::string(kValueBytesMax, 'x') + "\"";
  rows.Add("over-long value, 64 KiB",
           PutOf(scene, "account", "registration_info", JsonValue(quoted)),
           Reason::kTooLarge, "account.registration_info");
  rows.Add("over-long value, a name",
           PutOf(scene, "profile", "full_name",
                 TextValue(kValue + std::string(512, 'x'))),
           Reason::kTooLarge, "profile.full_name");
  rows.Add("over-long message, 1 MiB",
           PutOf(scene, "account", "registration_info",
                 JsonValue(kValue + std::string(kMessageBytesMax, 'x'))),
           Reason::kTooLarge);
  v1::GetRecordRequest read = GetRequest(scene.ann, "profile", {});
  v1::PutRecordRequest put = PutRequest(scene.ann, ProfileOf({}));
  for (int i = 0; i <= kMaskPathsMax; ++i) {
    read.mutable_read_mask()->add_paths("full_name");
    put.mutable_update_mask()->add_paths("full_name");
  }
  rows.Add("over-long mask, read", read, Reason::kTooLarge);
  rows.Add("over-long mask, written", put, Reason::kTooLarge);
  for (int i = 0; i < 10'000; ++i) read.mutable_read_mask()->add_paths(kValue);
  rows.Add("over-long mask, 10,000 paths", read, Reason::kTooLarge);
  rows.Add("no mask", GetRequest(scene.ann, "profile", {}),
           Reason::kValueInvalid);
  // Above 500 a page has 500: there is no over-long one.
  v1::ListRecordsRequest page = PageOf(scene.ann, "");
  page.set_page_size(-1);
  rows.Add("page of less than none", page, Reason::kValueInvalid);
}

void AddContents(const Scene& scene, Rows& rows) {
  rows.Add("invalid UTF-8, a text",
           PutOf(scene, "profile", "full_name",
                 TextValue(std::string(kValue) + "\xc3\x28")),
           Reason::kMalformedRequest);
  rows.Add("invalid UTF-8, a document",
           PutOf(scene, "account", "registration_info",
                 JsonValue("\"" + std::string(kValue) + "\xff\"")),
           Reason::kMalformedRequest);
  const std::string card = "4242 4242 4242 4242";
  const Reason forbidden = Reason::kFieldForbidden;
  rows.Add("card number in a text",
           PutOf(scene, "profile", "company_name", TextValue("pay " + card)),
           forbidden, "profile.company_name")
      .value = card;
  rows.Add("card number in a document",
           PutOf(scene, "account", "account_contact",
                 JsonValue("{\"note\":\"" + card + "\"}")),
           forbidden, "account.account_contact")
      .value = card;
  rows.Add("card number in an address",
           PutOf(scene, "profile", "postal_address", AddressValue(card)),
           forbidden, "profile.postal_address")
      .value = card;
  rows.Add("card code in a text",
           PutOf(scene, "profile", "company_name", TextValue("cvv: 737")),
           forbidden, "profile.company_name")
      .value = "737";
  rows.Add("malformed e-mail",
           PutOf(scene, "account", "email", TextValue("ann@canary-4f1d@x")),
           Reason::kValueInvalid, "account.email");
  rows.Add("malformed e-mail, looked for", FindRequest("@canary-4f1d"),
           Reason::kValueInvalid, "account.email");
  rows.Add(
      "malformed phone",
      PutOf(scene, "profile", "phone_number", TextValue("+81 canary-4f1d")),
      Reason::kValueInvalid, "profile.phone_number");
}

void AddConflicts(const Scene& scene, Rows& rows) {
  rows.Add("duplicate e-mail where unique, a new person",
           CreateRequest(kAnnsEmail, "Twin"), Reason::kAlreadyExists,
           "account.email")
      .value = kAnnsEmail;
  rows.Add("duplicate e-mail where unique, another spelling",
           PutRequest(scene.bob,
                      RecordOf("account", {{"email", "ANN@Example.com"}})),
           Reason::kAlreadyExists, "account.email")
      .value = "ANN";
  v1::PutRecordRequest put = PutRequest(scene.ann, ProfileOf({}));
  put.set_etag(scene.stale_etag);
  rows.Add("stale etag", put, Reason::kEtagMismatch).value = scene.stale_etag;
  put.set_etag(kValue);
  rows.Add("etag that is none", put, Reason::kEtagMismatch);
  v1::PutRecordRequest first =
      PutRequest(scene.bob, RecordOf("billing", {{"card_last4", "4242"}}));
  *first.mutable_context() = ContextFor(kBillingPurpose);
  first.set_etag(scene.stale_etag);
  rows.Add("etag of what is not there", first, Reason::kEtagMismatch);
  v1::CreateSubjectRequest again = CreateRequest("x@example.com", kValue);
  again.mutable_context()->set_request_id(scene.request_id);
  rows.Add("request id reused with another body", again,
           Reason::kRequestIdReused);
  again.mutable_context()->set_request_id(kValue);
  rows.Add("request id that is no UUID", again, Reason::kValueInvalid);
}

void AddTokens(const Scene& scene, Rows& rows) {
  const Reason invalid = Reason::kPageTokenInvalid;
  const auto page = [&](const std::string& token) {
    return PageOf(scene.ann, token);
  };
  rows.Add("forged page token", page(kValue), invalid);
  rows.Add("forged page token, all zeros", page(std::string(80, 'A')), invalid);
  rows.Add("forged page token, over-long", page(std::string(2000, 'A')),
           invalid);
  rows.Add("forged page token of the log", LogPage(kValue), invalid).caller =
      "acme/auditor";
  rows.Add("foreign page token", page(scene.other_token), invalid);
  rows.Add("foreign page token, of another list", LogPage(scene.page_token),
           invalid)
      .caller = "acme/auditor";
  for (const size_t at :
       {size_t{0}, scene.page_token.size() / 2, scene.page_token.size() - 3}) {
    std::string altered = scene.page_token;
    altered[at] = altered[at] == 'Q' ? 'g' : 'Q';
    rows.Add("altered page token, at " + std::to_string(at), page(altered),
             invalid);
  }
  v1::ListRecordsRequest other_query = page(scene.page_token);
  other_query.mutable_read_mask()->add_paths("amount");
  rows.Add("page token, altered query", other_query, invalid);
  rows.Add("page token, another person", PageOf(scene.bob, scene.page_token),
           invalid);
  rows.Add("page token that has run out", page(scene.page_token), invalid)
      .later = kTokenLife + std::chrono::seconds(1);
}

void AddPeople(const Scene& scene, Rows& rows) {
  const Reason unknown = Reason::kSubjectNotFound;
  const std::string absent = NewUuid();
  for (const auto& [name, subject] :
       {std::pair{"unknown subject", absent},
        std::pair{"subject of another tenant", scene.other}}) {
    const std::string who(name);
    rows.Add(who + ", described", SubjectRequest(subject), unknown);
    rows.Add(who + ", read", GetRequest(subject, "profile", {"full_name"}),
             unknown);
    rows.Add(who + ", written", PutRequest(subject, ProfileOf({})), unknown);
    rows.Add(who + ", a password set", PasswordRequest(subject, kValue),
             unknown);
  }
  rows.Add("unknown subject, looked for", FindRequest("canary-4f1d@x.example"),
           unknown);
  rows.Add("subject that is no UUID", SubjectRequest(kValue),
           Reason::kValueInvalid);
}

void AddCallers(const Scene& scene, Rows& rows) {
  const v1::GetRecordRequest plain =
      GetRequest(scene.ann, "profile", {"full_name"});
  const Reason denied = Reason::kCallerNotEntitled;
  rows.Add("caller without a certificate's name", plain,
           Reason::kUnauthenticated)
      .caller = "acme/stranger";
  rows.Add("caller without role", plain, denied).caller = "acme/powerless";
  rows.Add("caller with another role", plain, denied).caller = "acme/auditor";
  v1::GetRecordRequest for_support = plain;
  *for_support.mutable_context() = ContextFor(kSupportPurpose);
  rows.Add("caller without grant of the plain value", for_support, denied)
      .caller = kMasked;
  rows.Add("caller without grant for the purpose", plain,
           Reason::kPurposeNotAllowed)
      .caller = kMasked;
  rows.Add("caller without grant of the log", LogPage(""), denied);
  rows.Add("deadline already passed", plain, Reason::kDeadlineExceeded).later =
      kTenYears;
}

}  // namespace

Scene::Scene(LiveServer& server) {
  const Peer full = server.As(kFull);
  ann = CreatePerson(full, kAnnsEmail, "Ann Other");
  bob = CreatePerson(full, "bob@example.com", "Bob Other");
  other = CreatePerson(server.As("globex/full"), kAnnsEmail, "Other Ann");
  stale_etag =
      Require(full.Ask<v1::PutRecordResponse>(PutRequest(ann, ProfileOf({}))))
          .record()
          .etag();
  Require(full.Ask<v1::PutRecordResponse>(PutRequest(ann, ProfileOf({}))));
  for (int i = 0; i < 5; ++i) {
    Require(full.Ask<v1::PutRecordResponse>(
        PutRequest(ann, InvoiceOf("INV-" + std::to_string(i), 1000))));
  }
  const auto token_for = [&](const Peer& peer) {
    return Require(peer.Ask<v1::ListRecordsResponse>(PageOf(ann, "")))
        .next_page_token();
  };
  page_token = token_for(full);
  other_token = token_for(server.As("acme/second"));
  request_id = NewUuid();
  v1::CreateSubjectRequest create = CreateRequest("cy@example.com", "Cy Other");
  create.mutable_context()->set_request_id(request_id);
  Require(full.Ask<v1::CreateSubjectResponse>(create));
}

std::vector<BadCall> BadCalls(const Scene& scene) {
  Rows rows;
  AddPurposes(scene, rows);
  AddNames(scene, rows);
  AddTypes(scene, rows);
  AddSizes(scene, rows);
  AddContents(scene, rows);
  AddConflicts(scene, rows);
  AddTokens(scene, rows);
  AddPeople(scene, rows);
  AddCallers(scene, rows);
  return std::move(rows).Take();
}

}  // namespace hizo::test
