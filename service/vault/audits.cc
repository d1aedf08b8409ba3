#include "service/vault/audits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/audit/prune.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/audit_keys.h"
#include "service/vault/byte_codec.h"
#include "service/vault/log_pages.h"
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
      .PutText(input.role)
      .PutText(input.record_class)
      .PutText(input.field)
      .PutText(input.purpose)
      .PutText(input.other_than_purpose)
      .PutText(filter.actor.value_or(""))
      .Put(static_cast<uint8_t>(filter.action.value_or(policy::Action::kNone)))
      .Put(static_cast<uint8_t>(filter.outcome.has_value()
                                    ? static_cast<uint8_t>(*filter.outcome)
                                    : 0))
      .Put(static_cast<uint8_t>(filter.reason.value_or(base::Reason::kNone)))
      .Put(filter.first.value_or(0))
      .Put(Micros(filter.start))
      .Put(Micros(filter.end))
      .Put(static_cast<uint8_t>(input.order));
  return std::move(out).Take();
}

std::vector<std::string> CallersWith(const policy::AccessTable& access,
                                     base::TenantId tenant,
                                     const std::string& role) {
  std::vector<std::string> callers;
  for (const auto& [id, principal] : access.principals()) {
    const bool has =
        std::ranges::find(principal.roles, role) != principal.roles.end();
    if (has && principal.tenant == tenant) callers.push_back(id);
  }
  return callers;
}

absl::Status FindPurpose(const policy::Catalogue& catalogue,
                         const std::string& name,
                         std::optional<policy::PurposeNumber>& number) {
  if (name.empty()) return absl::OkStatus();
  const policy::PurposeSpec* purpose = catalogue.FindPurpose(name);
  if (purpose == nullptr) return Fail(Reason::kValueInvalid);
  number = purpose->number;
  return absl::OkStatus();
}

}  // namespace

std::optional<base::SubjectId> WayBack(const Services& services,
                                       base::TenantId tenant,
                                       base::AuditReference reference) {
  const auto sealed = services.keys.Get(WayBackKey(reference));
  if (!sealed.ok() || !sealed->has_value()) return std::nullopt;
  const auto subject =
      OpenWayBack(services.store_keys, tenant, reference, **sealed);
  if (!subject.ok()) return std::nullopt;
  return *subject;
}

absl::StatusOr<audit::FieldsOfClass> FieldsOfClass(
    const policy::Catalogue& catalogue, std::string_view record_class) {
  const policy::ClassSpec* spec = catalogue.FindClass(record_class);
  if (spec == nullptr) return Fail(Reason::kFieldUnknown);
  audit::FieldsOfClass of{spec->number, {}};
  for (const policy::FieldSpec* field : spec->fields) {
    of.fields.push_back(field->number);
  }
  std::ranges::sort(of.fields);
  return of;
}

absl::StatusOr<audit::Filter> Audits::FilterOf(
    const Call& call, const QueryAuditInput& input) const {
  audit::Filter filter = input.filter;
  filter.tenant = call.tenant.id;
  if (!input.role.empty()) {
    if (services_.access.FindRole(input.role) == nullptr) {
      return Fail(Reason::kValueInvalid);
    }
    filter.actors = CallersWith(services_.access, call.tenant.id, input.role);
  }
  if (!input.record_class.empty()) {
    ASSIGN_OR_RETURN(filter.of_class,
                     FieldsOfClass(services_.catalogue, input.record_class));
  }
  if (!input.field.empty()) {
    const auto* field = services_.catalogue.FindField(input.field);
    if (field == nullptr) return Fail(Reason::kFieldUnknown);
    filter.field = field->number;
  }
  RETURN_IF_ERROR(
      FindPurpose(services_.catalogue, input.purpose, filter.purpose));
  RETURN_IF_ERROR(FindPurpose(services_.catalogue, input.other_than_purpose,
                              filter.other_than_purpose));
  return filter;
}

absl::StatusOr<AuditPage> Audits::Query(Attempt& attempt, const Call& call,
                                        const QueryAuditInput& input) const {
  std::optional<base::AuditReference> person;
  if (input.subject.has_value()) {
    Ask ask;
    ask.subject = input.subject;
    ASSIGN_OR_RETURN(const AccessGrant grant,
                     services_.gate.Admit(attempt, call, ask));
    person = grant.facts().audit_reference;
  } else {
    RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  }
  ASSIGN_OR_RETURN(audit::Filter filter, FilterOf(call, input));
  filter.subject = person;
  ASSIGN_OR_RETURN(AuditPage page, Read(call, input, std::move(filter)));
  attempt.event().records = static_cast<uint32_t>(page.events.size());
  return page;
}

absl::StatusOr<AuditPage> Audits::Read(const Call& call,
                                       const QueryAuditInput& input,
                                       audit::Filter filter) const {
  const std::string query = QueryBytes(input);
  ASSIGN_OR_RETURN(
      LogPage found,
      ReadLogPage(services_, call, filter,
                  {query, input.order, input.page_size, input.page_token}));
  AuditPage page;
  for (audit::Found& event : found.events) {
    std::optional<base::SubjectId> subject;
    if (event.event.subject.has_value()) {
      subject = WayBack(services_, call.tenant.id, *event.event.subject);
    }
    page.events.push_back({std::move(event), subject});
  }
  page.next_page_token = std::move(found.next_page_token);
  return page;
}

absl::StatusOr<Checkpoint> Audits::GetCheckpoint(Attempt& attempt,
                                                 const Call& call) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  return Checkpoint{services_.log.head().checkpoint,
                    services_.log.verifier_key()};
}

LogProof Audits::ProofOf(const audit::Head& head, uint64_t size) const {
  LogProof proof;
  proof.tree_size = size == 0 ? head.size : size;
  if (proof.tree_size == head.size && head.size > 0) {
    proof.checkpoint = {head.checkpoint, services_.log.verifier_key()};
  }
  return proof;
}

absl::StatusOr<LogProof> Audits::ProveInclusion(Attempt& attempt,
                                                const Call& call,
                                                uint64_t sequence,
                                                uint64_t tree_size) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  const audit::Head head = services_.log.head();
  LogProof proof = ProofOf(head, tree_size);
  if (proof.tree_size > head.size) return Fail(Reason::kValueInvalid);
  if (sequence >= proof.tree_size) return Fail(Reason::kRecordNotFound);
  ASSIGN_OR_RETURN(const auto entry,
                   services_.data.Get(audit::EntryKey(sequence)));
  if (!entry.has_value()) {
    ASSIGN_OR_RETURN(const uint64_t pruned, audit::PrunedIn(services_.data));
    return Fail(sequence < pruned ? Reason::kRecordNotFound
                                  : Reason::kIntegrityFailure);
  }
  ASSIGN_OR_RETURN(const audit::Event event, audit::Decode(*entry));
  if (event.tenant != call.tenant.id) return Fail(Reason::kRecordNotFound);
  ASSIGN_OR_RETURN(proof.hashes,
                   audit::InclusionProof(services_.data, services_.log.edge(),
                                         proof.tree_size, sequence));
  proof.entry = *entry;
  return proof;
}

absl::StatusOr<LogProof> Audits::ProveConsistency(Attempt& attempt,
                                                  const Call& call,
                                                  uint64_t older,
                                                  uint64_t newer) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  const audit::Head head = services_.log.head();
  LogProof proof = ProofOf(head, newer);
  if (proof.tree_size > head.size || older > proof.tree_size) {
    return Fail(Reason::kValueInvalid);
  }
  ASSIGN_OR_RETURN(proof.hashes,
                   audit::ConsistencyProof(services_.data, services_.log.edge(),
                                           proof.tree_size, older));
  return proof;
}

absl::StatusOr<ExportedAudit> Audits::Export(
    Attempt& attempt, const Call& call, const ExportAuditInput& input) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  const audit::Head head = services_.log.head();
  LogProof of = ProofOf(head, input.size);
  if (of.tree_size > head.size || input.first > of.tree_size) {
    return Fail(Reason::kValueInvalid);
  }
  ExportedAudit page{input.first, of.tree_size, {}, std::move(of.checkpoint)};
  uint64_t at = input.first;
  for (size_t bytes = 0; at < page.size && bytes < kExportBytes;) {
    const uint64_t tile_end = (at / audit::kTileWidth + 1) * audit::kTileWidth;
    const audit::Span span{at, std::min(tile_end, page.size)};
    ASSIGN_OR_RETURN(
        audit::ExportedTile tile,
        audit::ExportTile(services_.data, head.size, span, call.tenant.id));
    for (audit::ExportedEntry& entry : tile.entries) {
      bytes += entry.bytes.size() + sizeof(crypto::Digest);
      page.entries.entries.push_back(std::move(entry));
    }
    std::ranges::copy(tile.hashes, std::back_inserter(page.entries.hashes));
    at = span.end;
  }
  attempt.event().records = static_cast<uint32_t>(at - input.first);
  return page;
}

}  // namespace hizo::vault
