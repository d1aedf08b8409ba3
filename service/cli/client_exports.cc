// The calls of Client about bundles that go out, and whom they may be sent to.
#include "service/cli/client.h"
#include "service/cli/client_stubs.h"

namespace hizo::cli {

absl::Status Client::ExportBundle(const v1::ExportBundleRequest& request,
                                  const TakePiece& take) {
  return stubs_->StreamPieces<v1::ExportBundleResponse>(
      [&](grpc::ClientContext& context) {
        return stubs_->exports.ExportBundle(&context, request);
      },
      take);
}

absl::Status Client::TransmitBundle(const v1::TransmitBundleRequest& request,
                                    const TakeSent& take) {
  return stubs_->StreamPieces<v1::TransmitBundleResponse>(
      [&](grpc::ClientContext& context) {
        return stubs_->exports.TransmitBundle(&context, request);
      },
      take);
}

absl::Status Client::Call(const v1::RegisterRecipientRequest& request,
                          v1::RegisterRecipientResponse& response) {
  return stubs_->Call(stubs_->exports,
                      &v1::ExportService::Stub::RegisterRecipient, request,
                      response);
}

absl::Status Client::Call(const v1::RemoveRecipientRequest& request,
                          v1::RemoveRecipientResponse& response) {
  return stubs_->Call(stubs_->exports,
                      &v1::ExportService::Stub::RemoveRecipient, request,
                      response);
}

absl::Status Client::Call(const v1::ListRecipientsRequest& request,
                          v1::ListRecipientsResponse& response) {
  return stubs_->Call(stubs_->exports, &v1::ExportService::Stub::ListRecipients,
                      request, response);
}

}  // namespace hizo::cli
