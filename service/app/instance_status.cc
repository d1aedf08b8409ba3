// What GetStatus tells of the process.
#include <chrono>

#include "crypto/secret.h"
#include "service/app/instance.h"
#include "service/app/policy_file.h"
#include "service/rpc/convert.h"

namespace hizo::app {
namespace {

v1::ReplicaState StateOf(const storage::Replica& replica) {
  switch (replica.state()) {
    case storage::Replica::State::kBehind:
      return v1::REPLICA_STATE_BEHIND;
    case storage::Replica::State::kCatchingUp:
      return v1::REPLICA_STATE_CATCHING_UP;
    case storage::Replica::State::kInStep:
      break;
  }
  return v1::REPLICA_STATE_IN_STEP;
}

}  // namespace

vault::Store::Policy PolicyOf(const Declared& declared) {
  return {*declared.catalogue, *declared.access, ParsePolicy};
}

void Instance::TellPolicies() const {
  for (const vault::PolicyState& policy : store_->policies().States()) {
    const std::string what = "tenant " + policy.tenant + ": policy " +
                             policy.profile_id + " version " +
                             std::to_string(policy.version) + ", sha256 " +
                             policy.digest;
    if (!policy.activation.has_value()) {
      LogText(Level::kInfo, "policy", what + ", from the configured files");
    } else {
      LogText(
          policy.files_differ ? Level::kWarning : Level::kInfo, "policy",
          what + ", activated by " + policy.activation->actor +
              (policy.files_differ ? "; the configured files say something else"
                                   : ""));
    }
  }
}

v1::GetStatusResponse Instance::ReadStatus() const {
  v1::GetStatusResponse status;
  status.set_version(HIZO_VERSION);
  status.set_store(base::ToText(store_->store_keys().store_id()));
  *status.mutable_start_time() = rpc::FromTimestamp(started_);
  status.set_audit_events(static_cast<int64_t>(store_->log().head().size));
  status.set_anchored_events(
      static_cast<int64_t>(store_->committer().anchored()));
  status.set_healthy_slots(
      static_cast<int32_t>(store_->store_keys().healthy_slots()));
  status.set_slots(static_cast<int32_t>(slots_.size()));
  status.set_key_epoch(static_cast<int64_t>(store_->store_keys().epoch()));
  status.set_memory_locked(crypto::GetSlabStatus().locked);
  status.set_commit_queue(static_cast<int32_t>(store_->committer().queued()));
  const TlsWatch::Status tls = tls_->status();
  *status.mutable_certificate_expire_time() = rpc::FromTimestamp(tls.expires);
  status.set_certificate_reload_failures(static_cast<int64_t>(tls.failures));
  if (const auto backup = store_->backups().Newest()) {
    *status.mutable_backup_time() = rpc::FromTimestamp(*backup);
  }
  const auto rotation = store_->key_rotations().Current();
  if (rotation.ok() && rotation->has_value()) {
    *status.mutable_key_rotation() = rpc::FromKeyRotation(**rotation);
  }
  if (const auto purge = store_->purges().Newest()) {
    *status.mutable_purge() = rpc::FromPurge(*purge);
  }
  if (engines_.replica != nullptr) {
    status.set_replica_state(StateOf(*engines_.replica));
    status.set_replica_rows(static_cast<int64_t>(engines_.replica->compared()));
  }
  const auto waiting = store_->credentials().WaitingCallers(clock_.Now());
  if (waiting.ok()) {
    for (const auto& caller : *waiting) {
      v1::CallerWait& wait = *status.add_waiting_callers();
      wait.set_caller(caller.caller);
      *wait.mutable_until_time() = rpc::FromTimestamp(caller.until);
    }
  }
  for (const vault::PolicyState& policy : store_->policies().States()) {
    v1::TenantPolicy& shown = *status.add_policies();
    shown.set_tenant(policy.tenant);
    shown.set_profile_id(policy.profile_id);
    shown.set_version(static_cast<int64_t>(policy.version));
    shown.set_sha256(policy.digest);
    shown.set_activated(policy.activation.has_value());
    shown.set_files_differ(policy.files_differ);
  }
  status.set_password_milliseconds(static_cast<int32_t>(
      std::chrono::ceil<std::chrono::milliseconds>(hash_time_).count()));
  status.set_password_queue(static_cast<int32_t>(passwords_->queued()));
  return status;
}

}  // namespace hizo::app
