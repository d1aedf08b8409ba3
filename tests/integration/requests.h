// Requests: short ways to ask a live server for the usual things.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_REQUESTS_H_
#define HIZO_TESTS_INTEGRATION_REQUESTS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "hizo/v1/retention.pb.h"
#include "hizo/v1/subject.pb.h"
#include "tests/testing/peer.h"

namespace hizo::test {

inline constexpr char kServicePurpose[] = "service_delivery";
inline constexpr char kBillingPurpose[] = "billing";
inline constexpr char kSupportPurpose[] = "support";
inline constexpr char kSignInPurpose[] = "authentication";
inline constexpr char kAuditPurpose[] = "security_audit";
inline constexpr char kRightsPurpose[] = "rights_response";

// A random UUID (RFC 9562, version 4). Without its version, the digits of one
// in some thousands would be refused as a card number in an address.
std::string NewUuid();

v1::RequestContext ContextFor(const std::string& purpose);

// Fields of text by name.
using Texts = std::map<std::string, std::string>;
v1::NewRecord RecordOf(const std::string& record_class, const Texts& fields);
// A transaction, an invoice of `yen`.
v1::NewRecord InvoiceOf(const std::string& number, int64_t yen);
Texts TextsOf(const v1::Record& record);

v1::CreateSubjectRequest CreateRequest(const std::string& email,
                                       const std::string& full_name);
v1::ImportRecordsRequest ImportRequest(const std::string& email,
                                       const std::string& full_name);
v1::GetSubjectRequest SubjectRequest(const std::string& subject);
v1::FindSubjectRequest FindRequest(const std::string& email);
// Replaces the record.
v1::PutRecordRequest PutRequest(const std::string& subject,
                                v1::NewRecord record);
// Plain, for service.
v1::GetRecordRequest GetRequest(const std::string& subject,
                                const std::string& record_class,
                                const std::vector<std::string>& fields);
// The same of several people.
v1::BatchGetRecordsRequest BatchRequest(
    const std::vector<std::string>& subjects, const std::string& record_class,
    const std::vector<std::string>& fields);
v1::SetPasswordRequest PasswordRequest(const std::string& subject,
                                       const std::string& password);
v1::VerifyPasswordRequest VerifyRequest(const std::string& subject,
                                        const std::string& password);

// A request of CredentialService that names a person and no password.
template <typename Request>
Request CredentialRequest(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kSignInPurpose);
  request.set_subject(subject);
  return request;
}
v1::ChangePasswordRequest ChangeRequest(const std::string& subject,
                                        const std::string& present,
                                        const std::string& fresh);
// With a hash as another system might keep it, of no password in particular.
v1::ImportPasswordHashRequest ImportHashRequest(const std::string& subject);

// Any request of AuditService.
template <typename Request>
Request AuditRequest() {
  Request request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  return request;
}
// Of the shortest log there is.
v1::GetConsistencyProofRequest GrowthRequest();
// Of the first entries.
v1::ExportAuditRequest ExportRequest(int64_t tree_size);
v1::GetAccessHistoryRequest HistoryRequest(const std::string& subject);
// One of each kind but QueryAudit, of a person who is there.
std::vector<std::unique_ptr<google::protobuf::Message>> AuditQuestions(
    const std::string& subject);

// Any request of ErasureService.
template <typename Request>
Request EraseRequest(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  return request;
}

// A year that ends long after now.
v1::MarkLossYearRequest LossYearRequest();

// Any request of RestrictionService about a legal hold: of the account, for one
// and the same claim.
template <typename Request>
Request HoldRequest(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  request.set_record_class("account");
  request.set_claim("0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2");
  return request;
}

// The files of the policy that is shipped for `company`.
v1::PolicyFiles PolicyFilesOf(const std::string& company);

// On paper, proved by something or other; for service.
v1::RecordConsentRequest ConsentRequest(const std::string& subject,
                                        const std::string& consent_purpose);
// Any request of RestrictionService about a restriction: because the person
// says that something is wrong.
template <typename Request>
Request RestrictionRequest(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  request.set_ground(v1::RESTRICTION_GROUND_ACCURACY_CONTESTED);
  return request;
}

// Asks about, or for, the policy that is shipped for `company`, with another
// operator's overlay unless `overlay` is empty.
template <typename Request>
Request PolicyRequest(const std::string& company,
                      const std::string& overlay = {}) {
  Request request;
  *request.mutable_context() = ContextFor("operations");
  *request.mutable_files() = PolicyFilesOf(company);
  if (!overlay.empty()) request.mutable_files()->set_overlay(overlay);
  return request;
}

// For a recipient who threw the key away.
v1::ExportBundleRequest ExportRequest(const std::string& subject);

// A company whose key nobody has kept, under this name; what is sent to it.
v1::RegisterRecipientRequest RegisterRequest(const std::string& name);
v1::TransmitBundleRequest TransmitRequest(const std::string& subject,
                                          const std::string& recipient);

// The profile of somebody without an account, as a vault hands it out, to be
// taken in again. `peer` may export and create.
v1::ImportBundleRequest PieceRequest(const Peer& peer);

// A new person's id; throws if it cannot be.
std::string CreatePerson(const Peer& peer, const std::string& email,
                         const std::string& full_name);
// The id of the person with this address.
absl::StatusOr<std::string> FindPerson(const Peer& peer,
                                       const std::string& email);
// What came of each ask, in order; an error if the call as a whole failed.
absl::StatusOr<std::vector<v1::BatchGetItem>> BatchGet(
    const Peer& peer, const v1::BatchGetRecordsRequest& request);
// The texts of the profile, plainly.
absl::StatusOr<Texts> ReadProfile(const Peer& peer, const std::string& subject);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_REQUESTS_H_
