// Client: the vault as `hizo` sees it, over mutual TLS.
//
// Every call waits for its answer at most as long as the configuration says;
// where nobody answers, it is tried again for a moment. A refusal comes back as
// a Failure of kRefused with the vault's reason and field, a missing answer as
// kUnreachable. Threads: all methods may be called concurrently.
#ifndef HIZO_SERVICE_CLI_CLIENT_H_
#define HIZO_SERVICE_CLI_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/cli/config.h"

namespace hizo::v1 {
class BatchGetRecordsRequest;
class BatchGetRecordsResponse;
class CancelAccountRequest;
class CancelAccountResponse;
class CheckPurposeRequest;
class CheckPurposeResponse;
class PlanErasureRequest;
class PlanErasureResponse;
class ExecuteErasureRequest;
class ExecuteErasureResponse;
class GetErasureReceiptRequest;
class GetErasureReceiptResponse;
class VerifyErasedRequest;
class VerifyErasedResponse;
class CreateSubjectRequest;
class CreateSubjectResponse;
class DeleteFieldsRequest;
class DeleteFieldsResponse;
class FindSubjectRequest;
class FindSubjectResponse;
class GetCheckpointRequest;
class GetCheckpointResponse;
class GetEffectivePolicyRequest;
class GetEffectivePolicyResponse;
class GetRecordRequest;
class GetRecordResponse;
class GetStatusRequest;
class GetStatusResponse;
class GetSubjectRequest;
class GetSubjectResponse;
class ImportRecordsRequest;
class ImportRecordsResponse;
class ListRecordsRequest;
class ListRecordsResponse;
class PutRecordRequest;
class PutRecordResponse;
class QueryAuditRequest;
class QueryAuditResponse;
class SetPasswordRequest;
class SetPasswordResponse;
class VerifyPasswordRequest;
class VerifyPasswordResponse;
}  // namespace hizo::v1

namespace hizo::cli {

class Client {
 public:
  // Reads the certificates; a usage error if one cannot be read. Does not
  // connect yet.
  static absl::StatusOr<std::unique_ptr<Client>> Open(const Config& config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Fills `response` or fails.
  absl::Status Call(const v1::CreateSubjectRequest& request,
                    v1::CreateSubjectResponse& response);
  absl::Status Call(const v1::GetSubjectRequest& request,
                    v1::GetSubjectResponse& response);
  absl::Status Call(const v1::CancelAccountRequest& request,
                    v1::CancelAccountResponse& response);
  absl::Status Call(const v1::FindSubjectRequest& request,
                    v1::FindSubjectResponse& response);
  absl::Status Call(const v1::PutRecordRequest& request,
                    v1::PutRecordResponse& response);
  absl::Status Call(const v1::GetRecordRequest& request,
                    v1::GetRecordResponse& response);
  absl::Status Call(const v1::ListRecordsRequest& request,
                    v1::ListRecordsResponse& response);
  absl::Status Call(const v1::DeleteFieldsRequest& request,
                    v1::DeleteFieldsResponse& response);
  absl::Status Call(const v1::SetPasswordRequest& request,
                    v1::SetPasswordResponse& response);
  absl::Status Call(const v1::VerifyPasswordRequest& request,
                    v1::VerifyPasswordResponse& response);
  absl::Status Call(const v1::QueryAuditRequest& request,
                    v1::QueryAuditResponse& response);
  absl::Status Call(const v1::GetCheckpointRequest& request,
                    v1::GetCheckpointResponse& response);
  absl::Status Call(const v1::GetEffectivePolicyRequest& request,
                    v1::GetEffectivePolicyResponse& response);
  absl::Status Call(const v1::CheckPurposeRequest& request,
                    v1::CheckPurposeResponse& response);
  absl::Status Call(const v1::PlanErasureRequest& request,
                    v1::PlanErasureResponse& response);
  absl::Status Call(const v1::ExecuteErasureRequest& request,
                    v1::ExecuteErasureResponse& response);
  absl::Status Call(const v1::GetErasureReceiptRequest& request,
                    v1::GetErasureReceiptResponse& response);
  absl::Status Call(const v1::VerifyErasedRequest& request,
                    v1::VerifyErasedResponse& response);
  absl::Status Call(const v1::GetStatusRequest& request,
                    v1::GetStatusResponse& response);

  // Gives each message of the answer to `take` as it comes.
  using TakeBatch = std::function<void(const v1::BatchGetRecordsResponse&)>;
  absl::Status BatchGet(const v1::BatchGetRecordsRequest& request,
                        const TakeBatch& take);

  // Sends all of `people` in one stream, which may take ten times as long as
  // another call. On success `response` has one item for each of them.
  absl::Status Import(const std::vector<v1::ImportRecordsRequest>& people,
                      v1::ImportRecordsResponse& response);

 private:
  struct Stubs;
  explicit Client(std::unique_ptr<Stubs> stubs);

  std::unique_ptr<Stubs> stubs_;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_CLIENT_H_
