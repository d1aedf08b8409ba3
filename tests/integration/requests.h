// Requests: short ways to ask a live server for the usual things.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_REQUESTS_H_
#define HIZO_TESTS_INTEGRATION_REQUESTS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/subject.pb.h"
#include "tests/testing/peer.h"

namespace hizo::test {

inline constexpr char kServicePurpose[] = "service_delivery";
inline constexpr char kBillingPurpose[] = "billing";
inline constexpr char kSupportPurpose[] = "support";
inline constexpr char kSignInPurpose[] = "authentication";
inline constexpr char kAuditPurpose[] = "security_audit";

// A random UUID.
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

// Any request of ErasureService.
template <typename Request>
Request EraseRequest(const std::string& subject) {
  Request request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  request.set_subject(subject);
  return request;
}

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
