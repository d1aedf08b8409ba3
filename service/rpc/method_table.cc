#include "service/rpc/method_table.h"

#include <array>
#include <optional>

#include "hizo/v1/admin.pb.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/options.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "hizo/v1/subject.pb.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Reason;

std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

std::optional<Shape> ShapeOf(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming() && method.server_streaming()) {
    return std::nullopt;
  }
  if (method.client_streaming()) return Shape::kClientStream;
  if (method.server_streaming()) return Shape::kServerStream;
  return Shape::kUnary;
}

std::vector<const google::protobuf::FileDescriptor*> ServiceFiles() {
  return {v1::CreateSubjectRequest::descriptor()->file(),
          v1::PutRecordRequest::descriptor()->file(),
          v1::SetPasswordRequest::descriptor()->file(),
          v1::QueryAuditRequest::descriptor()->file(),
          v1::CheckPurposeRequest::descriptor()->file(),
          v1::PlanErasureRequest::descriptor()->file(),
          v1::PlaceLegalHoldRequest::descriptor()->file(),
          v1::ExportBundleRequest::descriptor()->file(),
          v1::GetEffectivePolicyRequest::descriptor()->file(),
          v1::GetStatusRequest::descriptor()->file()};
}

}  // namespace

absl::Status MethodTable::Add(std::string_view name, Method method) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
          "hizo.v1." + std::string(name));
  if (descriptor == nullptr) return Fail(Reason::kInternal);
  const auto action = policy::ActionFromNumber(
      static_cast<uint32_t>(descriptor->options().GetExtension(v1::action)));
  const auto shape = ShapeOf(*descriptor);
  if (!action.has_value() || *action == policy::Action::kNone ||
      !shape.has_value()) {
    return Fail(Reason::kInternal);
  }
  method.action = *action;
  method.path = PathOf(*descriptor);
  method.shape = *shape;
  std::string path = method.path;
  const bool added =
      methods_.emplace(std::move(path), std::move(method)).second;
  return added ? absl::OkStatus() : Fail(Reason::kInternal);
}

absl::Status MethodTable::CheckComplete() const {
  for (const auto* file : ServiceFiles()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        if (Find(PathOf(*file->service(i)->method(j))) == nullptr) {
          return Fail(Reason::kInternal);
        }
      }
    }
  }
  return absl::OkStatus();
}

const Method* MethodTable::Find(const std::string& path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : &found->second;
}

absl::StatusOr<vault::Call> CallOf(const Incoming& incoming,
                                   const v1::RequestContext& context,
                                   const policy::Catalogue& catalogue) {
  vault::Call call{incoming.principal,
                   incoming.tenant,
                   incoming.action,
                   0,
                   true,
                   std::nullopt,
                   incoming.body,
                   incoming.now,
                   incoming.company};
  if (!context.purpose().empty()) {
    const policy::PurposeSpec* purpose =
        catalogue.FindPurpose(context.purpose());
    call.purpose_known = purpose != nullptr;
    if (purpose != nullptr) call.purpose = purpose->number;
  }
  if (!context.request_id().empty()) {
    call.request = base::ParseId<base::RequestId>(context.request_id());
    if (!call.request.has_value()) return Fail(Reason::kValueInvalid);
  }
  return call;
}

}  // namespace hizo::rpc
