#include "service/cli/audit_filter.h"

#include <CLI/CLI.hpp>

#include "absl/strings/ascii.h"
#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

// `text` as in the output, such as SUBJECT_FIND, in either case; nothing for
// nothing.
template <typename Enum>
absl::Status ParseName(const std::string& prefix, const std::string& text,
                       const auto& parse, Enum& value) {
  if (text.empty() || parse(prefix + absl::AsciiStrToUpper(text), &value)) {
    return absl::OkStatus();
  }
  return UsageError(
      "--action, --outcome or --reason is not one; see --help and the output");
}

std::string Actions() {
  std::vector<std::string> names;
  for (int i = v1::Action_MIN + 1; i <= v1::Action_MAX; ++i) {
    names.push_back(EnumName(*v1::Action_descriptor(), i));
  }
  return Join(names, ", ");
}

}  // namespace

AuditFilter::AuditFilter(CLI::App& app) {
  app.add_option("--subject", subject_, "UUID of a person");
  app.add_option("--actor", actor_, "SPIFFE id of a caller");
  app.add_option("--role", role_, "Callers who have this role now");
  app.add_option("--class", class_,
                 "Class of which a field was asked for or a record written");
  app.add_option("--field", field_,
                 "Field that was asked for, such as profile.full_name");
  app.add_option("--for-purpose", purpose_, "Purpose that was stated");
  app.add_option("--not-for-purpose", other_than_purpose_,
                 "Any purpose but this one");
  app.add_option("--action", action_, Actions());
  app.add_option("--outcome", outcome_, "ALLOWED, DENIED or FAILED");
  app.add_option("--reason", reason_,
                 "Why not, as in the output: PURPOSE_NOT_ALLOWED, ...");
  app.add_option("--since", since_, "From this time (RFC 3339) or date on");
  app.add_option("--until", until_, "Before this time or date");
}

absl::Status AuditFilter::Fill(v1::QueryAuditRequest& request) const {
  request.set_subject(subject_);
  request.set_actor(actor_);
  request.set_role(role_);
  request.set_record_class(class_);
  request.set_field(field_);
  request.set_asked_purpose(purpose_);
  request.set_other_than_purpose(other_than_purpose_);
  v1::Action action = v1::ACTION_UNSPECIFIED;
  RETURN_IF_ERROR(ParseName("ACTION_", action_, v1::Action_Parse, action));
  request.set_action(action);
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  RETURN_IF_ERROR(ParseName("OUTCOME_", outcome_, v1::Outcome_Parse, outcome));
  request.set_outcome(outcome);
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  RETURN_IF_ERROR(ParseName("REASON_", reason_, v1::Reason_Parse, reason));
  request.set_reason(reason);
  if (!since_.empty()) {
    RETURN_IF_ERROR(ParseTime(since_, *request.mutable_start_time()));
  }
  if (!until_.empty()) {
    RETURN_IF_ERROR(ParseTime(until_, *request.mutable_end_time()));
  }
  return absl::OkStatus();
}

std::vector<std::string> AuditHeader() {
  return {"SEQUENCE", "TIME",    "ACTOR",   "ACTION", "OUTCOME",
          "REASON",   "PURPOSE", "SUBJECT", "FIELDS"};
}

std::vector<std::string> AuditRow(const v1::AuditEvent& event) {
  const std::string reason =
      event.reason() == v1::REASON_UNSPECIFIED
          ? ""
          : EnumName(*v1::Reason_descriptor(), event.reason());
  return {std::to_string(event.sequence()),
          DisplayText(event.time()),
          event.actor(),
          EnumName(*v1::Action_descriptor(), event.action()),
          EnumName(*v1::Outcome_descriptor(), event.outcome()),
          reason,
          event.purpose(),
          event.subject().empty() ? event.subject_reference() : event.subject(),
          Join(event.fields(), ", ")};
}

}  // namespace hizo::cli
