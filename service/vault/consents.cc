#include "service/vault/consents.h"

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/record_writer.h"

namespace hizo::vault {

using base::Fail;
using base::Reason;

absl::StatusOr<policy::Decision> Consents::Check(
    Attempt& attempt, const Call& call, const CheckPurposeInput& input) const {
  absl::Status invalid;
  Ask ask;
  ask.subject = input.subject;
  ask.view = input.view;
  if (input.fields.size() > kFieldsPerRecordMax) {
    invalid = Fail(Reason::kTooLarge);
  }
  for (const std::string& name : input.fields) {
    const policy::FieldSpec* field = services_.catalogue.FindField(name);
    if (field == nullptr) {
      invalid = Fail(Reason::kFieldUnknown);
    } else {
      ask.fields.set(field->index);
    }
  }
  policy::Principal principal = call.principal;
  if (!input.role.empty()) {
    const policy::Role* role = services_.access.FindRole(input.role);
    if (role == nullptr) invalid = Fail(Reason::kValueInvalid);
    principal.grants =
        role == nullptr ? std::vector<policy::Grant>() : role->grants;
  }
  const policy::PurposeSpec* purpose =
      services_.catalogue.FindPurpose(input.purpose);
  Call would_be{principal, call.tenant,  input.action, 0,
                true,      std::nullopt, {},           call.now};
  would_be.purpose_known = purpose != nullptr || input.purpose.empty();
  if (purpose != nullptr) would_be.purpose = purpose->number;
  ASSIGN_OR_RETURN(const policy::Decision decision,
                   services_.gate.Foresee(attempt, call, ask, would_be));
  RETURN_IF_ERROR(invalid);
  return decision;
}

}  // namespace hizo::vault
