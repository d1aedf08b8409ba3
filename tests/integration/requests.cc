#include "tests/integration/requests.h"

#include <stdexcept>
#include <utility>

#include "crypto/age_keys.h"
#include "crypto/random.h"
#include "service/base/ids.h"
#include "service/bundle/reader.h"
#include "tests/testing/vault_files.h"

namespace hizo::test {

std::string NewUuid() {
  std::string text = base::UuidText(crypto::RandomBytes(16));
  text[14] = '4';
  text[19] = '8';
  return text;
}

v1::RequestContext ContextFor(const std::string& purpose) {
  v1::RequestContext context;
  context.set_purpose(purpose);
  return context;
}

v1::NewRecord RecordOf(const std::string& record_class, const Texts& fields) {
  v1::NewRecord record;
  record.set_record_class(record_class);
  for (const auto& [name, text] : fields) {
    v1::Field& field = *record.add_fields();
    field.set_name(name);
    field.mutable_value()->set_text(text);
  }
  return record;
}

v1::NewRecord InvoiceOf(const std::string& number, int64_t yen) {
  v1::NewRecord record =
      RecordOf("transaction",
               {{"invoice_number", number}, {"invoice_date", "2026-05-10"}});
  v1::Field& amount = *record.add_fields();
  amount.set_name("amount");
  amount.mutable_value()->mutable_money()->set_currency("JPY");
  amount.mutable_value()->mutable_money()->set_minor_units(yen);
  record.mutable_event_time()->set_seconds(1'700'000'000);
  return record;
}

Texts TextsOf(const v1::Record& record) {
  Texts texts;
  for (const v1::Field& field : record.fields()) {
    texts[field.name()] = field.value().text();
  }
  return texts;
}

v1::CreateSubjectRequest CreateRequest(const std::string& email,
                                       const std::string& full_name) {
  v1::CreateSubjectRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  *request.add_records() = RecordOf("account", {{"email", email}});
  *request.add_records() = RecordOf("profile", {{"full_name", full_name}});
  return request;
}

v1::ImportRecordsRequest ImportRequest(const std::string& email,
                                       const std::string& full_name) {
  v1::ImportRecordsRequest request;
  *request.mutable_context() = ContextFor("onboarding");
  *request.mutable_records() = CreateRequest(email, full_name).records();
  return request;
}

v1::GetSubjectRequest SubjectRequest(const std::string& subject) {
  v1::GetSubjectRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  return request;
}

v1::FindSubjectRequest FindRequest(const std::string& email) {
  v1::FindSubjectRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.mutable_key()->set_field("account.email");
  request.mutable_key()->set_value(email);
  return request;
}

v1::PutRecordRequest PutRequest(const std::string& subject,
                                v1::NewRecord record) {
  v1::PutRecordRequest request;
  *request.mutable_context() =
      ContextFor(record.record_class() == "transaction" ? kBillingPurpose
                                                        : kServicePurpose);
  request.set_subject(subject);
  *request.mutable_record() = std::move(record);
  return request;
}

v1::GetRecordRequest GetRequest(const std::string& subject,
                                const std::string& record_class,
                                const std::vector<std::string>& fields) {
  v1::GetRecordRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  request.set_record_class(record_class);
  for (const std::string& field : fields) {
    request.mutable_read_mask()->add_paths(field);
  }
  request.set_view(v1::VIEW_PLAIN);
  return request;
}

v1::BatchGetRecordsRequest BatchRequest(
    const std::vector<std::string>& subjects, const std::string& record_class,
    const std::vector<std::string>& fields) {
  v1::BatchGetRecordsRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  for (const std::string& subject : subjects) {
    request.add_records()->set_subject(subject);
  }
  request.set_record_class(record_class);
  for (const std::string& field : fields) {
    request.mutable_read_mask()->add_paths(field);
  }
  request.set_view(v1::VIEW_PLAIN);
  return request;
}

v1::SetPasswordRequest PasswordRequest(const std::string& subject,
                                       const std::string& password) {
  v1::SetPasswordRequest request;
  *request.mutable_context() = ContextFor(kSignInPurpose);
  request.set_subject(subject);
  request.set_password(password);
  return request;
}

v1::VerifyPasswordRequest VerifyRequest(const std::string& subject,
                                        const std::string& password) {
  v1::VerifyPasswordRequest request;
  *request.mutable_context() = ContextFor(kSignInPurpose);
  request.set_subject(subject);
  request.set_password(password);
  return request;
}

v1::ChangePasswordRequest ChangeRequest(const std::string& subject,
                                        const std::string& present,
                                        const std::string& fresh) {
  auto request = CredentialRequest<v1::ChangePasswordRequest>(subject);
  request.set_password(present);
  request.set_new_password(fresh);
  return request;
}

v1::ImportPasswordHashRequest ImportHashRequest(const std::string& subject) {
  auto request = CredentialRequest<v1::ImportPasswordHashRequest>(subject);
  request.set_hash(
      "$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
  return request;
}

v1::GetConsistencyProofRequest GrowthRequest() {
  auto request = AuditRequest<v1::GetConsistencyProofRequest>();
  request.set_older_size(1);
  return request;
}

v1::ExportAuditRequest ExportRequest(int64_t tree_size) {
  auto request = AuditRequest<v1::ExportAuditRequest>();
  request.set_tree_size(tree_size);
  return request;
}

v1::GetAccessHistoryRequest HistoryRequest(const std::string& subject) {
  auto request = AuditRequest<v1::GetAccessHistoryRequest>();
  request.set_subject(subject);
  return request;
}

std::vector<std::unique_ptr<google::protobuf::Message>> AuditQuestions(
    const std::string& subject) {
  std::vector<std::unique_ptr<google::protobuf::Message>> questions;
  const auto add = [&questions](const auto& question) {
    questions.emplace_back(question.New());
    questions.back()->CopyFrom(question);
  };
  add(AuditRequest<v1::GetCheckpointRequest>());
  add(AuditRequest<v1::GetInclusionProofRequest>());
  add(GrowthRequest());
  add(AuditRequest<v1::ExportAuditRequest>());
  add(HistoryRequest(subject));
  add(AuditRequest<v1::GetBreachScopeRequest>());
  return questions;
}

v1::ExportBundleRequest ExportRequest(const std::string& subject) {
  v1::ExportBundleRequest request;
  *request.mutable_context() = ContextFor(kRightsPurpose);
  request.set_subject(subject);
  request.set_recipient(crypto::AgeIdentity::Random().recipient().ToText());
  return request;
}

v1::MarkLossYearRequest LossYearRequest() {
  v1::MarkLossYearRequest request;
  request.set_record_class("transaction");
  request.set_year_ends("2099-03-31");
  return request;
}

v1::RegisterRecipientRequest RegisterRequest(const std::string& name) {
  v1::RegisterRecipientRequest request;
  *request.mutable_context() = ContextFor(kRightsPurpose);
  v1::Recipient& recipient = *request.mutable_recipient();
  recipient.set_name(name);
  recipient.set_key(
      "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p");
  recipient.set_kind(v1::RECIPIENT_KIND_COMPANY);
  recipient.set_agreement("art20/2026-07");
  return request;
}

v1::TransmitBundleRequest TransmitRequest(const std::string& subject,
                                          const std::string& recipient) {
  v1::TransmitBundleRequest request;
  *request.mutable_context() = ContextFor(kRightsPurpose);
  request.set_subject(subject);
  request.set_recipient(recipient);
  request.set_authorisation("0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2");
  return request;
}

v1::ImportBundleRequest PieceRequest(const Peer& peer) {
  v1::CreateSubjectRequest create;
  *create.mutable_context() = ContextFor(kServicePurpose);
  *create.add_records() = RecordOf("profile", {{"full_name", "Ann Other"}});
  const auto created = peer.Ask<v1::CreateSubjectResponse>(create);
  if (!created.ok()) throw std::runtime_error("nobody to hand out");
  crypto::AgeOpeners openers;
  openers.identities.push_back(crypto::AgeIdentity::Random());
  v1::ExportBundleRequest request = ExportRequest(created->subject());
  request.set_recipient(openers.identities.front().recipient().ToText());
  const auto bundle = peer.Ask<v1::ExportBundleResponse>(request);
  if (!bundle.ok()) throw std::runtime_error("no bundle");
  v1::ImportBundleRequest piece;
  *piece.mutable_context() = ContextFor("onboarding");
  bool given = false;
  const auto verified = bundle::ReadBundle(
      [&]() -> absl::StatusOr<std::string> {
        return std::exchange(given, true) ? std::string() : bundle->chunk();
      },
      std::move(openers), bundle->public_key(),
      [&piece](const bundle::Member& member) {
        if (member.name != "profile.json") return absl::OkStatus();
        piece.set_member(member.name);
        piece.set_content(member.content);
        return absl::OkStatus();
      });
  if (!verified.ok()) throw std::runtime_error("a bundle that is not good");
  piece.set_manifest(verified->manifest_json);
  piece.set_signature(verified->signature);
  return piece;
}

std::string CreatePerson(const Peer& peer, const std::string& email,
                         const std::string& full_name) {
  const auto created =
      peer.Ask<v1::CreateSubjectResponse>(CreateRequest(email, full_name));
  if (!created.ok()) throw std::runtime_error(created.status().ToString());
  return created->subject();
}

absl::StatusOr<std::string> FindPerson(const Peer& peer,
                                       const std::string& email) {
  const auto found = peer.Ask<v1::FindSubjectResponse>(FindRequest(email));
  if (!found.ok()) return found.status();
  return found->subject();
}

absl::StatusOr<std::vector<v1::BatchGetItem>> BatchGet(
    const Peer& peer, const v1::BatchGetRecordsRequest& request) {
  const Reply reply = peer.Call(PathOf(*request.GetDescriptor()),
                                {request.SerializeAsString()});
  if (reply.code != 0) return StatusOf(reply);
  std::vector<v1::BatchGetItem> items;
  for (const std::string& bytes : reply.messages) {
    v1::BatchGetRecordsResponse message;
    if (!message.ParseFromString(bytes)) {
      return absl::DataLossError("the answer is no such message");
    }
    items.insert(items.end(), message.items().begin(), message.items().end());
  }
  return items;
}

absl::StatusOr<Texts> ReadProfile(const Peer& peer,
                                  const std::string& subject) {
  const auto read = peer.Ask<v1::GetRecordResponse>(
      GetRequest(subject, "profile", {"full_name", "company_name"}));
  if (!read.ok()) return read.status();
  return TextsOf(read->record());
}

v1::PolicyFiles PolicyFilesOf(const std::string& company) {
  const std::string folder = HIZO_SOURCE_DIR "/deploy/policies/";
  v1::PolicyFiles files;
  files.set_profile(ReadFile(folder + company + ".yaml"));
  files.set_statutory(ReadFile(folder + "statutory_overlay.yaml"));
  files.set_overlay(ReadFile(folder + "operator/" + company + ".yaml"));
  return files;
}

v1::RecordConsentRequest ConsentRequest(const std::string& subject,
                                        const std::string& consent_purpose) {
  v1::RecordConsentRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  request.set_consent_purpose(consent_purpose);
  request.set_channel(v1::CHANNEL_PAPER);
  request.set_evidence("0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2");
  return request;
}

}  // namespace hizo::test
