#include "service/vault/policies.h"

#include <algorithm>

#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/policy_row.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::CompanyPolicy;
using policy::PolicyTexts;

// What a repeat is answered with.
std::string EncodeAnswer(const ActivatedPolicy& activated) {
  ByteWriter out;
  out.Put(activated.version)
      .PutText(activated.digest)
      .Put(static_cast<uint8_t>(activated.changed ? 1 : 0));
  return std::move(out).Take();
}

absl::StatusOr<ActivatedPolicy> DecodeAnswer(std::string_view bytes) {
  ByteReader in(bytes);
  ActivatedPolicy activated;
  activated.version = in.Get<uint32_t>();
  activated.digest = in.GetText();
  activated.changed = in.Get<uint8_t>() == 1;
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return activated;
}

std::vector<std::string> TooLarge(const PolicyTexts& texts) {
  std::vector<std::string> problems;
  const auto check = [&](const char* name, const std::string& text) {
    if (text.size() > policy::kPolicyTextSizeMax) {
      problems.push_back(std::string(name) + ": larger than 256 KiB");
    }
  };
  check("profile", texts.profile);
  check("statutory", texts.statutory);
  check("operator", texts.overlay);
  return problems;
}

void Refuse(Reason reason, const absl::Status& status, PolicyVerdict& verdict) {
  verdict.refusal = reason;
  verdict.problems.emplace_back(status.message());
}

}  // namespace

Policies::Draft Policies::Read(const Call& call,
                               const PolicyTexts& texts) const {
  Draft draft;
  PolicyVerdict& verdict = draft.verdict;
  verdict.problems = TooLarge(texts);
  if (!verdict.problems.empty()) {
    verdict.refusal = Reason::kTooLarge;
    return draft;
  }
  const auto source =
      parser_ == nullptr
          ? absl::UnimplementedError("profile: nothing reads policies here")
          : parser_(texts);
  if (!source.ok()) {
    Refuse(Reason::kPolicyInvalid, source.status(), verdict);
    return draft;
  }
  verdict.profile_id = source->profile_id;
  verdict.version = source->version;
  verdict.digest = source->digest;
  verdict.conflicts = CompanyPolicy::ConflictsOf(*source, services_.catalogue);
  auto company = CompanyPolicy::Create(*source, services_.catalogue);
  if (!company.ok()) {
    Refuse(Reason::kPolicyInvalid, company.status(), verdict);
    return draft;
  }
  draft.company = *std::move(company);
  verdict.changes =
      policy::ChangesBetween(services_.catalogue, call.company, *draft.company);
  if (call.company == nullptr) return draft;
  const absl::Status follows = policy::MayFollow(*call.company, *draft.company);
  if (!follows.ok()) Refuse(Reason::kPolicyConflict, follows, verdict);
  return draft;
}

absl::StatusOr<PolicyVerdict> Policies::Validate(
    Attempt& attempt, const Call& call, const PolicyTexts& texts) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  return Read(call, texts).verdict;
}

absl::StatusOr<ActivatedPolicy> Policies::Activate(
    Attempt& attempt, const Call& call, const PolicyTexts& texts) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeAnswer(*repeated);
  Draft draft = Read(call, texts);
  if (draft.verdict.refusal != Reason::kNone) {
    return Fail(draft.verdict.refusal);
  }
  const CompanyPolicy& next = *draft.company;
  // Who looks for what decided finds what was put in force, by the same name.
  attempt.event().policy_version = next.version();
  attempt.event().policy_digest = next.digest_prefix();
  ActivatedPolicy activated{next.version(), next.digest(), false};
  const std::string key = PolicyKey(call.tenant.id);
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, key));
  // What is of the files only would change with them, so it is kept too.
  activated.changed = !row.has_value() || call.company == nullptr ||
                      call.company->digest() != next.digest();
  if (activated.changed) {
    const Activation activation{call.principal.spiffe_id, call.now};
    attempt.data().Put(key, SealPolicyRow(services_.store_keys, call.tenant.id,
                                          {texts, next.digest(), activation}));
    PolicyInForce in_force;
    in_force.policy = draft.company.get();
    in_force.owned = std::move(draft.company);
    in_force.activation = activation;
    auto effect = table_->Prepare(call.tenant.id, std::move(in_force));
    if (effect == nullptr) return Fail(Reason::kOverloaded);
    attempt.WhenDurable(std::move(effect));
  }
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeAnswer(activated)));
  return activated;
}

absl::StatusOr<std::vector<policy::Conflict>> Policies::Conflicts(
    Attempt& attempt, const Call& call) const {
  RETURN_IF_ERROR(services_.gate.AdmitStore(attempt, call));
  if (call.company == nullptr) return Fail(Reason::kNotInPolicy);
  return call.company->conflicts();
}

absl::StatusOr<PolicyInForce> Policies::Open(base::TenantId tenant,
                                             std::string_view row) const {
  ASSIGN_OR_RETURN(StoredPolicy stored,
                   OpenPolicyRow(services_.store_keys, tenant, row));
  if (parser_ == nullptr) {
    return absl::FailedPreconditionError("nothing reads policies here");
  }
  ASSIGN_OR_RETURN(const policy::PolicySource source, parser_(stored.texts));
  if (source.digest != stored.digest) return Fail(Reason::kIntegrityFailure);
  PolicyInForce in_force;
  ASSIGN_OR_RETURN(in_force.owned,
                   CompanyPolicy::Create(source, services_.catalogue));
  in_force.policy = in_force.owned.get();
  in_force.activation = std::move(stored.activation);
  return in_force;
}

absl::Status Policies::Load() {
  for (const policy::TenantSpec& tenant : services_.access.tenants()) {
    ASSIGN_OR_RETURN(const auto row, services_.data.Get(PolicyKey(tenant.id)));
    if (!row.has_value()) continue;
    auto in_force = Open(tenant.id, *row);
    if (in_force.status().code() == absl::StatusCode::kDataLoss) {
      return in_force.status();
    }
    if (!in_force.ok()) {
      return absl::FailedPreconditionError(
          "the policy that was activated for tenant `" + tenant.name +
          "` does not fit any more: " +
          std::string(in_force.status().message()));
    }
    const auto effect = table_->Prepare(tenant.id, *std::move(in_force));
    if (effect == nullptr) return Fail(Reason::kInternal);
    effect->Happen();
  }
  return absl::OkStatus();
}

std::vector<PolicyState> Policies::States() const {
  std::vector<PolicyState> states;
  for (const policy::TenantSpec& tenant : services_.access.tenants()) {
    const PolicyTable::Pin pin = table_->Look(tenant.id);
    if (pin.get() == nullptr) continue;
    PolicyState state;
    state.tenant = tenant.name;
    state.profile_id = pin.get()->profile_id();
    state.version = pin.get()->version();
    state.digest = pin.get()->digest();
    state.activation = pin.activation();
    state.files_differ = tenant.policy_of_files != nullptr &&
                         tenant.policy_of_files->digest() != state.digest;
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace hizo::vault
