#include <utility>

#include "hizo/v1/audit.pb.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Reason;
using vault::Attempt;
using vault::Call;
using Form = audit::ExportedEntry::Form;

// A position or a size; kValueInvalid if it is negative.
absl::StatusOr<uint64_t> ToCount(int64_t number) {
  if (number < 0) return Fail(Reason::kValueInvalid);
  return static_cast<uint64_t>(number);
}

absl::StatusOr<std::optional<base::Timestamp>> ToTime(
    bool is_given, const google::protobuf::Timestamp& time) {
  if (!is_given) return std::optional<base::Timestamp>();
  ASSIGN_OR_RETURN(const base::Timestamp converted, ToTimestamp(time));
  return std::optional(converted);
}

template <typename Response>
void SetCheckpoint(const std::optional<vault::Checkpoint>& checkpoint,
                   Response& response) {
  if (!checkpoint.has_value()) return;
  response.set_checkpoint(checkpoint->note);
  response.set_verifier_key(checkpoint->verifier_key);
}

template <typename Response>
void SetProof(const vault::LogProof& proof, Response& response) {
  for (const crypto::Digest& hash : proof.hashes) {
    response.add_hashes(std::string(crypto::AsBytes(hash)));
  }
  SetCheckpoint(proof.checkpoint, response);
}

absl::StatusOr<v1::QueryAuditResponse> Query(
    const vault::Audits& audits, const policy::Catalogue& catalogue,
    Attempt& attempt, const Call& call, const v1::QueryAuditRequest& request) {
  ASSIGN_OR_RETURN(const auto input, ToAuditQuery(request));
  ASSIGN_OR_RETURN(const auto page, audits.Query(attempt, call, input));
  v1::QueryAuditResponse response;
  for (const vault::ShownEvent& event : page.events) {
    *response.add_events() = FromEvent(event, catalogue);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<v1::GetCheckpointResponse> GetCheckpoint(
    const vault::Audits& audits, Attempt& attempt, const Call& call) {
  ASSIGN_OR_RETURN(const auto checkpoint, audits.GetCheckpoint(attempt, call));
  v1::GetCheckpointResponse response;
  response.set_checkpoint(checkpoint.note);
  response.set_verifier_key(checkpoint.verifier_key);
  return response;
}

absl::StatusOr<v1::GetInclusionProofResponse> ProveInclusion(
    const vault::Audits& audits, Attempt& attempt, const Call& call,
    const v1::GetInclusionProofRequest& request) {
  ASSIGN_OR_RETURN(const uint64_t sequence, ToCount(request.sequence()));
  ASSIGN_OR_RETURN(const uint64_t size, ToCount(request.tree_size()));
  ASSIGN_OR_RETURN(const auto proof,
                   audits.ProveInclusion(attempt, call, sequence, size));
  v1::GetInclusionProofResponse response;
  response.set_sequence(request.sequence());
  response.set_tree_size(static_cast<int64_t>(proof.tree_size));
  response.set_entry(proof.entry);
  SetProof(proof, response);
  return response;
}

absl::StatusOr<v1::GetConsistencyProofResponse> ProveConsistency(
    const vault::Audits& audits, Attempt& attempt, const Call& call,
    const v1::GetConsistencyProofRequest& request) {
  ASSIGN_OR_RETURN(const uint64_t older, ToCount(request.older_size()));
  ASSIGN_OR_RETURN(const uint64_t newer, ToCount(request.newer_size()));
  ASSIGN_OR_RETURN(const auto proof,
                   audits.ProveConsistency(attempt, call, older, newer));
  v1::GetConsistencyProofResponse response;
  response.set_older_size(request.older_size());
  response.set_newer_size(static_cast<int64_t>(proof.tree_size));
  SetProof(proof, response);
  return response;
}

absl::StatusOr<v1::ExportAuditResponse> Export(
    const vault::Audits& audits, Attempt& attempt, const Call& call,
    const v1::ExportAuditRequest& request) {
  ASSIGN_OR_RETURN(const uint64_t first, ToCount(request.first_sequence()));
  ASSIGN_OR_RETURN(const uint64_t size, ToCount(request.tree_size()));
  ASSIGN_OR_RETURN(auto page, audits.Export(attempt, call, {first, size}));
  v1::ExportAuditResponse response;
  response.set_first_sequence(request.first_sequence());
  response.set_tree_size(static_cast<int64_t>(page.size));
  for (audit::ExportedEntry& entry : page.entries.entries) {
    v1::ExportedEntry& out = *response.add_entries();
    if (entry.form == Form::kEntry) out.set_entry(std::move(entry.bytes));
    if (entry.form == Form::kLeaf) out.set_leaf_hash(std::move(entry.bytes));
  }
  std::string& hashes = *response.mutable_leaf_hashes();
  for (const crypto::Digest& hash : page.entries.hashes) {
    hashes.append(crypto::AsBytes(hash));
  }
  SetCheckpoint(page.checkpoint, response);
  return response;
}

bool NextExport(v1::ExportAuditRequest& request,
                const v1::ExportAuditResponse& response) {
  request.set_first_sequence(response.first_sequence() +
                             response.entries_size());
  request.set_tree_size(response.tree_size());
  return request.first_sequence() < request.tree_size();
}

v1::AccessHistoryEntry FromHistory(const vault::HistoryEntry& entry) {
  v1::AccessHistoryEntry out;
  *out.mutable_time() = FromTimestamp(entry.time);
  out.set_what(entry.what);
  out.set_who(entry.who);
  out.set_staff(entry.staff);
  out.set_about(entry.about);
  if (entry.purpose != nullptr) {
    out.set_purpose(entry.purpose->name);
    out.set_purpose_text(entry.purpose->text);
  }
  for (const policy::FieldSpec* field : entry.fields) {
    out.add_fields(field->full_name);
  }
  out.set_view(static_cast<v1::View>(entry.view));
  out.set_outcome(static_cast<v1::Outcome>(entry.outcome));
  out.set_refusal(entry.refusal);
  out.set_recipient(entry.recipient);
  return out;
}

absl::StatusOr<v1::GetAccessHistoryResponse> GetHistory(
    const vault::AccessHistories& histories, Attempt& attempt, const Call& call,
    const v1::GetAccessHistoryRequest& request) {
  vault::AccessHistoryInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.start,
                   ToTime(request.has_start_time(), request.start_time()));
  ASSIGN_OR_RETURN(input.end,
                   ToTime(request.has_end_time(), request.end_time()));
  input.order = request.oldest_first() ? audit::Order::kOldestFirst
                                       : audit::Order::kNewestFirst;
  input.page_size = request.page_size();
  input.page_token = request.page_token();
  ASSIGN_OR_RETURN(const auto page, histories.Read(attempt, call, input));
  v1::GetAccessHistoryResponse response;
  for (const vault::HistoryEntry& entry : page.entries) {
    *response.add_entries() = FromHistory(entry);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

v1::ExposedCalls FromCounts(const audit::Counts& counts) {
  v1::ExposedCalls out;
  out.set_revealed(static_cast<int64_t>(counts.revealed));
  out.set_masked(static_cast<int64_t>(counts.masked));
  out.set_denied(static_cast<int64_t>(counts.denied));
  out.set_other(static_cast<int64_t>(counts.other));
  return out;
}

v1::ExposedSubject FromExposed(const vault::ExposedSubject& exposed,
                               const policy::Catalogue& catalogue) {
  const audit::Exposure& exposure = exposed.exposure;
  v1::ExposedSubject out;
  out.set_subject(base::ToText(exposed.subject));
  out.set_subject_reference(FromReference(exposure.subject));
  *out.mutable_calls() = FromCounts(exposure.calls);
  for (const auto& [number, counts] : exposure.fields) {
    const policy::FieldSpec* field = catalogue.FieldByNumber(number);
    if (field == nullptr) continue;
    v1::ExposedField& shown = *out.add_fields();
    shown.set_field(field->full_name);
    *shown.mutable_calls() = FromCounts(counts);
  }
  *out.mutable_first_time() = FromTimestamp(exposure.first_time);
  *out.mutable_last_time() = FromTimestamp(exposure.last_time);
  out.set_first_sequence(static_cast<int64_t>(exposure.entries.begin));
  out.set_last_sequence(static_cast<int64_t>(exposure.entries.end) - 1);
  out.set_notify(exposed.notify());
  return out;
}

absl::StatusOr<v1::GetBreachScopeResponse> GetScope(
    const vault::BreachScopes& breaches, const policy::Catalogue& catalogue,
    Attempt& attempt, const Call& call,
    const v1::GetBreachScopeRequest& request) {
  vault::BreachScopeInput input;
  input.actor = request.actor();
  input.record_class = request.record_class();
  ASSIGN_OR_RETURN(input.start,
                   ToTime(request.has_start_time(), request.start_time()));
  ASSIGN_OR_RETURN(input.end,
                   ToTime(request.has_end_time(), request.end_time()));
  input.page_token = request.page_token();
  ASSIGN_OR_RETURN(const auto page, breaches.Read(attempt, call, input));
  v1::GetBreachScopeResponse response;
  for (const vault::ExposedSubject& subject : page.subjects) {
    *response.add_subjects() = FromExposed(subject, catalogue);
  }
  response.set_erased_exposed(static_cast<int64_t>(page.erased_exposed));
  response.set_erased_not_exposed(
      static_cast<int64_t>(page.erased_not_exposed));
  response.set_first_sequence(static_cast<int64_t>(page.entries.begin));
  response.set_end_sequence(static_cast<int64_t>(page.entries.end));
  response.set_tree_size(static_cast<int64_t>(page.tree_size));
  SetCheckpoint(page.checkpoint, response);
  response.set_next_page_token(page.next_page_token);
  return response;
}

bool NextScope(v1::GetBreachScopeRequest& request,
               const v1::GetBreachScopeResponse& response) {
  request.set_page_token(response.next_page_token());
  return !request.page_token().empty();
}

absl::Status AddQueries(const Adder& adder, const vault::Audits& audits) {
  RETURN_IF_ERROR((adder.Add<v1::QueryAuditRequest, v1::QueryAuditResponse>(
      "AuditService.QueryAudit", Lane::kServe,
      [&audits, &catalogue = adder.catalogue](
          Attempt& attempt, const Call& call, const auto& request) {
        return Query(audits, catalogue, attempt, call, request);
      })));
  return adder.Add<v1::GetCheckpointRequest, v1::GetCheckpointResponse>(
      "AuditService.GetCheckpoint", Lane::kServe,
      [&audits](Attempt& attempt, const Call& call, const auto&) {
        return GetCheckpoint(audits, attempt, call);
      });
}

absl::Status AddProofs(const Adder& adder, const vault::Audits& audits) {
  RETURN_IF_ERROR(
      (adder.Add<v1::GetInclusionProofRequest, v1::GetInclusionProofResponse>(
          "AuditService.GetInclusionProof", Lane::kServe,
          [&audits](Attempt& attempt, const Call& call, const auto& request) {
            return ProveInclusion(audits, attempt, call, request);
          })));
  RETURN_IF_ERROR((adder.Add<v1::GetConsistencyProofRequest,
                             v1::GetConsistencyProofResponse>(
      "AuditService.GetConsistencyProof", Lane::kServe,
      [&audits](Attempt& attempt, const Call& call, const auto& request) {
        return ProveConsistency(audits, attempt, call, request);
      })));
  return adder.AddPages<v1::ExportAuditRequest, v1::ExportAuditResponse>(
      "AuditService.ExportAudit",
      [&audits](Attempt& attempt, const Call& call, const auto& request) {
        return Export(audits, attempt, call, request);
      },
      &NextExport);
}

}  // namespace

absl::Status AddAudits(const Adder& adder, const vault::Store& store) {
  RETURN_IF_ERROR(AddQueries(adder, store.audits()));
  RETURN_IF_ERROR(AddProofs(adder, store.audits()));
  RETURN_IF_ERROR(
      (adder.Add<v1::GetAccessHistoryRequest, v1::GetAccessHistoryResponse>(
          "AuditService.GetAccessHistory", Lane::kServe,
          [&histories = store.histories()](Attempt& attempt, const Call& call,
                                           const auto& request) {
            return GetHistory(histories, attempt, call, request);
          })));
  return adder.AddPages<v1::GetBreachScopeRequest, v1::GetBreachScopeResponse>(
      "AuditService.GetBreachScope",
      [&breaches = store.breaches(), &catalogue = adder.catalogue](
          Attempt& attempt, const Call& call, const auto& request) {
        return GetScope(breaches, catalogue, attempt, call, request);
      },
      &NextScope);
}

}  // namespace hizo::rpc
