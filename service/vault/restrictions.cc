#include "service/vault/restrictions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/consents.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

// What a repeat of the request is answered with: a time or a count.
std::string Encode(uint64_t number) {
  ByteWriter out;
  out.Put(number);
  return std::move(out).Take();
}

absl::StatusOr<uint64_t> Decode(std::string_view bytes) {
  ByteReader in(bytes);
  const auto number = in.Get<uint64_t>();
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return number;
}

}  // namespace

absl::StatusOr<base::Timestamp> Restrictions::Set(
    Attempt& attempt, const Call& call, base::SubjectId subject,
    RestrictionGround ground) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   AdmitToStatements(services_.gate, attempt, call, subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const uint64_t since, Decode(*repeated));
    return base::FromMicros(static_cast<int64_t>(since));
  }
  if (call.company == nullptr) return Fail(Reason::kNotInPolicy);
  Facts facts = grant.facts();
  std::vector<Restriction>& all = facts.said.restrictions;
  const auto at =
      std::ranges::lower_bound(all, ground, {}, &Restriction::ground);
  base::Timestamp since = call.now;
  if (at != all.end() && at->ground == ground) {
    since = at->since;
  } else {
    all.insert(at, {ground, since});
    RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  }
  RETURN_IF_ERROR(services_.requests.Remember(
      attempt, call, Encode(static_cast<uint64_t>(base::ToMicros(since)))));
  return since;
}

absl::StatusOr<size_t> Restrictions::Lift(Attempt& attempt, const Call& call,
                                          base::SubjectId subject,
                                          RestrictionGround ground,
                                          base::EvidenceId notice) const {
  ASSIGN_OR_RETURN(AccessGrant grant,
                   AdmitToStatements(services_.gate, attempt, call, subject));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return Decode(*repeated);
  if (notice.is_nil()) return Fail(Reason::kEvidenceMissing);
  Facts facts = grant.facts();
  std::vector<Restriction>& all = facts.said.restrictions;
  const auto lifted = std::erase_if(
      all, [ground](const Restriction& of) { return of.ground == ground; });
  if (lifted == 0) return Fail(Reason::kRecordNotFound);
  const size_t left = all.size();
  RETURN_IF_ERROR(services_.facts.Save(attempt, grant, std::move(facts)));
  RETURN_IF_ERROR(services_.requests.Remember(attempt, call, Encode(left)));
  return left;
}

}  // namespace hizo::vault
