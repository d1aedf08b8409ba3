#include "service/rpc/grpc_status.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/base/reason.h"

namespace hizo::rpc {

grpc::Status ToGrpcStatus(const absl::Status& status,
                          const policy::Catalogue& catalogue) {
  if (status.ok()) return grpc::Status::OK;
  const base::Reason reason = base::ReasonOf(status);
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(base::NameOf(reason)));
  info.set_domain("hizo");
  const policy::FieldSpec* field =
      catalogue.FieldByNumber(base::FieldOf(status));
  if (field != nullptr) {
    (*info.mutable_metadata())["field"] = field->full_name;
  }
  // gRPC's codes and absl's are the same numbers.
  const auto code = static_cast<int>(base::CodeOf(reason));
  const std::string text(base::TextOf(reason));
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(text);
  details.add_details()->PackFrom(info);
  const std::chrono::seconds retry_after = base::RetryAfterOf(status);
  if (retry_after.count() > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(retry_after.count());
    details.add_details()->PackFrom(retry);
  }
  return {static_cast<grpc::StatusCode>(code), text,
          details.SerializeAsString()};
}

}  // namespace hizo::rpc
