#include "service/vault/breach_scope.h"

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

constexpr size_t kPeoplePerPage = 1000;

uint64_t Micros(const std::optional<base::Timestamp>& time) {
  return time.has_value() ? static_cast<uint64_t>(base::ToMicros(*time)) : 0;
}

std::string QueryBytes(const BreachScopeInput& input) {
  ByteWriter out;
  out.PutText(input.actor)
      .PutText(input.record_class)
      .Put(static_cast<uint8_t>((input.start.has_value() ? 1 : 0) |
                                (input.end.has_value() ? 2 : 0)))
      .Put(Micros(input.start))
      .Put(Micros(input.end));
  return std::move(out).Take();
}

// Where a page goes on, in a log that does not grow meanwhile.
struct Position {
  uint64_t size = 0;
  audit::Span span;
  base::AuditReference from;
};

std::string Encode(const Position& position) {
  ByteWriter out;
  out.Put(position.size)
      .Put(position.span.begin)
      .Put(position.span.end)
      .PutRaw(position.from.bytes());
  return std::move(out).Take();
}

absl::StatusOr<Position> Decode(std::string_view bytes) {
  ByteReader in(bytes);
  Position position;
  position.size = in.Get<uint64_t>();
  position.span.begin = in.Get<uint64_t>();
  position.span.end = in.Get<uint64_t>();
  const auto from = base::AuditReference::FromBytes(in.GetRest());
  if (!in.ok() || !from.has_value()) return Fail(Reason::kPageTokenInvalid);
  position.from = *from;
  return position;
}

}  // namespace

absl::StatusOr<std::optional<base::SubjectId>> BreachScopes::Named(
    base::TenantId tenant, base::AuditReference reference) const {
  const auto subject = WayBack(services_, tenant, reference);
  if (!subject.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto facts,
                   services_.data.Get(FactsKey(tenant, *subject)));
  return facts.has_value() ? subject : std::nullopt;
}

absl::StatusOr<BreachScopePage> BreachScopes::Read(
    Attempt& attempt, const Call& call, const BreachScopeInput& input) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  audit::Filter filter;
  filter.tenant = call.tenant.id;
  filter.start = input.start;
  filter.end = input.end;
  if (!input.actor.empty()) filter.actor = input.actor;
  if (!input.record_class.empty()) {
    ASSIGN_OR_RETURN(filter.of_class,
                     FieldsOfClass(services_.catalogue, input.record_class));
  }
  const crypto::Key& token_key =
      services_.store_keys.PageTokenKey(call.tenant.id);
  const std::string query = QueryBytes(input);
  Position at;
  BreachScopePage page;
  if (input.page_token.empty()) {
    const audit::Head head = services_.log.head();
    at.size = head.size;
    ASSIGN_OR_RETURN(at.span, audit::SpanOf(services_.data, head.size, filter));
    page.checkpoint = {head.checkpoint, services_.log.verifier_key()};
  } else {
    ASSIGN_OR_RETURN(const std::string position,
                     OpenPageToken(token_key, call, query, input.page_token));
    ASSIGN_OR_RETURN(at, Decode(position));
  }
  page.entries = at.span;
  page.tree_size = at.size;
  ASSIGN_OR_RETURN(
      audit::ScopePage found,
      audit::Scope(services_.data, at.span, filter, at.from, kPeoplePerPage));
  for (audit::Exposure& exposure : found.subjects) {
    ASSIGN_OR_RETURN(const auto subject,
                     Named(call.tenant.id, exposure.subject));
    if (subject.has_value()) {
      page.subjects.push_back({*subject, std::move(exposure)});
    } else if (exposure.calls.revealed + exposure.calls.masked > 0) {
      ++page.erased_exposed;
    } else {
      ++page.erased_not_exposed;
    }
  }
  if (found.next.has_value()) {
    at.from = *found.next;
    page.next_page_token = SealPageToken(token_key, call, query, Encode(at));
  }
  attempt.event().records = static_cast<uint32_t>(page.subjects.size());
  return page;
}

}  // namespace hizo::vault
