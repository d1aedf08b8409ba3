#include <utility>

#include "hizo/v1/export.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

std::optional<std::string> ToEtag(const std::string& etag) {
  if (etag.empty()) return std::nullopt;
  return etag;
}

absl::StatusOr<v1::RegisterRecipientResponse> Register(
    const vault::Recipients& recipients, Attempt& attempt, const Call& call,
    const v1::RegisterRecipientRequest& request) {
  const v1::Recipient& asked = request.recipient();
  vault::RecipientInput input;
  input.name = asked.name();
  input.key = asked.key();
  input.kind =
      vault::RecipientKindFromNumber(static_cast<uint32_t>(asked.kind()));
  input.agreement = asked.agreement();
  input.etag = ToEtag(request.etag());
  ASSIGN_OR_RETURN(auto registered, recipients.Register(attempt, call, input));
  v1::RegisterRecipientResponse response;
  response.set_etag(std::move(registered.etag));
  response.set_changed(registered.changed);
  response.set_repeated_request(registered.repeated);
  return response;
}

absl::StatusOr<v1::RemoveRecipientResponse> Remove(
    const vault::Recipients& recipients, Attempt& attempt, const Call& call,
    const v1::RemoveRecipientRequest& request) {
  ASSIGN_OR_RETURN(
      const bool repeated,
      recipients.Remove(attempt, call, request.name(), ToEtag(request.etag())));
  v1::RemoveRecipientResponse response;
  response.set_repeated_request(repeated);
  return response;
}

absl::StatusOr<v1::ListRecipientsResponse> List(
    const vault::Recipients& recipients, Attempt& attempt, const Call& call,
    const v1::ListRecipientsRequest&) {
  ASSIGN_OR_RETURN(const auto all, recipients.List(attempt, call));
  v1::ListRecipientsResponse response;
  for (const vault::Recipient& recipient : all) {
    v1::Recipient& out = *response.add_recipients();
    out.set_name(recipient.name);
    out.set_key(recipient.key.ToText());
    out.set_kind(static_cast<v1::RecipientKind>(recipient.kind));
    out.set_agreement(recipient.agreement);
    *out.mutable_register_time() = FromTimestamp(recipient.registered);
    out.set_etag(recipient.etag);
  }
  return response;
}

template <typename Request, typename Response>
absl::Status AddOne(const Adder& adder, const vault::Recipients& recipients,
                    std::string_view name,
                    absl::StatusOr<Response> (*use)(const vault::Recipients&,
                                                    Attempt&, const Call&,
                                                    const Request&)) {
  return adder.Add<Request, Response>(
      name, Lane::kServe,
      [&recipients, use](Attempt& attempt, const Call& call,
                         const Request& request) {
        return use(recipients, attempt, call, request);
      });
}

}  // namespace

absl::Status AddRecipients(const Adder& adder, const vault::Store& store) {
  const vault::Recipients& recipients = store.recipients();
  RETURN_IF_ERROR(
      AddOne(adder, recipients, "ExportService.RegisterRecipient", &Register));
  RETURN_IF_ERROR(
      AddOne(adder, recipients, "ExportService.RemoveRecipient", &Remove));
  return AddOne(adder, recipients, "ExportService.ListRecipients", &List);
}

}  // namespace hizo::rpc
