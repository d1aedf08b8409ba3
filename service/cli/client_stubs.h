// ClientStubs: what the files of Client share: the stubs of all services, and
// how a call is made of one.
//
// Threads: may be used concurrently.
#ifndef HIZO_SERVICE_CLI_CLIENT_STUBS_H_
#define HIZO_SERVICE_CLI_CLIENT_STUBS_H_

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>

#include "absl/status/status.h"
#include "hizo/v1/admin.grpc.pb.h"
#include "hizo/v1/audit.grpc.pb.h"
#include "hizo/v1/consent.grpc.pb.h"
#include "hizo/v1/credential.grpc.pb.h"
#include "hizo/v1/erasure.grpc.pb.h"
#include "hizo/v1/export.grpc.pb.h"
#include "hizo/v1/policy.grpc.pb.h"
#include "hizo/v1/record.grpc.pb.h"
#include "hizo/v1/restriction.grpc.pb.h"
#include "hizo/v1/retention.grpc.pb.h"
#include "hizo/v1/subject.grpc.pb.h"
#include "service/cli/client.h"

namespace hizo::cli {

inline constexpr std::chrono::hours kLongStreamTimeout{1};
inline constexpr int kBundleTimeoutFactor = 100;

// A failure, with the reason that the vault gave.
absl::Status ToStatus(const grpc::Status& status);

struct Client::Stubs {
  Stubs(const auto& channel, std::chrono::milliseconds timeout_of_calls)
      : admin(channel),
        audit(channel),
        consent(channel),
        erasure(channel),
        exports(channel),
        credential(channel),
        policy(channel),
        record(channel),
        restriction(channel),
        retention(channel),
        subject(channel),
        timeout(timeout_of_calls) {}

  template <typename Stub, typename Method, typename Request, typename Response>
  absl::Status Call(Stub& stub, Method method, const Request& request,
                    Response& response) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    return ToStatus((stub.*method)(&context, request, &response));
  }

  // Gives each message of a stream to `take`.
  template <typename Response>
  absl::Status Stream(const auto& open, const auto& take) const {
    grpc::ClientContext context;
    context.set_deadline(
        std::chrono::system_clock::now() +
        std::max<std::chrono::milliseconds>(timeout, kLongStreamTimeout));
    const auto stream = open(context);
    Response message;
    while (stream->Read(&message)) take(message);
    return ToStatus(stream->Finish());
  }

  // The same of a bundle, where `take` may end the call.
  template <typename Response>
  absl::Status StreamPieces(const auto& open, const auto& take) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         timeout * kBundleTimeoutFactor);
    const auto stream = open(context);
    Response piece;
    while (stream->Read(&piece)) {
      const absl::Status taken = take(piece);
      if (taken.ok()) continue;
      context.TryCancel();
      stream->Finish();
      return taken;
    }
    return ToStatus(stream->Finish());
  }

  v1::AdminService::Stub admin;
  v1::AuditService::Stub audit;
  v1::ConsentService::Stub consent;
  v1::ErasureService::Stub erasure;
  v1::ExportService::Stub exports;
  v1::CredentialService::Stub credential;
  v1::PolicyService::Stub policy;
  v1::RecordService::Stub record;
  v1::RestrictionService::Stub restriction;
  v1::RetentionService::Stub retention;
  v1::SubjectService::Stub subject;
  std::chrono::milliseconds timeout;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_CLIENT_STUBS_H_
