#include "service/vault/audits.h"

#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/page_token.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

uint64_t Micros(const std::optional<base::Timestamp>& time) {
  return time.has_value() ? static_cast<uint64_t>(base::ToMicros(*time)) : 0;
}

// Everything that a page depends on but its size and place.
std::string QueryBytes(const QueryAuditInput& input) {
  const audit::Filter& filter = input.filter;
  ByteWriter out;
  out.PutText(input.subject.has_value() ? input.subject->bytes() : "")
      .PutText(filter.actor.value_or(""))
      .Put(static_cast<uint8_t>(filter.action.value_or(policy::Action::kNone)))
      .Put(static_cast<uint8_t>(filter.outcome.has_value()
                                    ? static_cast<uint8_t>(*filter.outcome)
                                    : 0))
      .Put(Micros(filter.start))
      .Put(Micros(filter.end))
      .Put(static_cast<uint8_t>(input.order));
  return std::move(out).Take();
}

// A page goes on at `next` in the log as it was `size` entries long, so that
// what is logged meanwhile does not shift it.
std::string EncodePosition(uint64_t size, uint64_t next) {
  ByteWriter out;
  out.Put(size).Put(next);
  return std::move(out).Take();
}

}  // namespace

std::optional<base::SubjectId> Audits::WayBack(
    base::TenantId tenant, base::AuditReference reference) const {
  const auto sealed = services_.keys.Get(WayBackKey(reference));
  if (!sealed.ok() || !sealed->has_value()) return std::nullopt;
  const auto subject =
      services_.store_keys.OpenWayBack(tenant, reference, **sealed);
  if (!subject.ok()) return std::nullopt;
  return *subject;
}

absl::StatusOr<AuditPage> Audits::Query(Attempt& attempt, const Call& call,
                                        const QueryAuditInput& input) const {
  audit::Filter filter = input.filter;
  filter.tenant = call.tenant.id;
  if (input.subject.has_value()) {
    Ask ask;
    ask.subject = input.subject;
    ASSIGN_OR_RETURN(const AccessGrant grant,
                     services_.gate.Admit(attempt, call, ask));
    filter.subject = grant.facts().audit_reference;
  } else {
    RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  }
  ASSIGN_OR_RETURN(AuditPage page, Read(call, input, std::move(filter)));
  attempt.event().records = static_cast<uint32_t>(page.events.size());
  return page;
}

absl::StatusOr<AuditPage> Audits::Read(const Call& call,
                                       const QueryAuditInput& input,
                                       audit::Filter filter) const {
  ASSIGN_OR_RETURN(const size_t limit, PageSize(input.page_size));
  const crypto::Key& token_key =
      services_.store_keys.PageTokenKey(call.tenant.id);
  const std::string query = QueryBytes(input);
  uint64_t size = services_.log.head().size;
  std::optional<uint64_t> from;
  if (!input.page_token.empty()) {
    ASSIGN_OR_RETURN(const std::string position,
                     OpenPageToken(token_key, call, query, input.page_token));
    ByteReader in(position);
    size = in.Get<uint64_t>();
    from = in.Get<uint64_t>();
    if (!in.done()) return Fail(Reason::kPageTokenInvalid);
  }
  ASSIGN_OR_RETURN(audit::Page found, audit::Query(services_.data, size, filter,
                                                   input.order, from, limit));
  AuditPage page;
  for (audit::Found& event : found.events) {
    std::optional<base::SubjectId> subject;
    if (event.event.subject.has_value()) {
      subject = WayBack(call.tenant.id, *event.event.subject);
    }
    page.events.push_back({std::move(event), subject});
  }
  if (found.next.has_value()) {
    page.next_page_token = SealPageToken(token_key, call, query,
                                         EncodePosition(size, *found.next));
  }
  return page;
}

absl::StatusOr<Checkpoint> Audits::GetCheckpoint(Attempt& attempt,
                                                 const Call& call) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  return Checkpoint{services_.log.head().checkpoint,
                    services_.log.verifier_key()};
}

}  // namespace hizo::vault
