// PolicyTable: which company's policy each tenant is decided by, in memory.
//
// A call takes the policy in force once, as a pin, and its Attempt relies on
// what the tenant's row says: whoever decided under a policy that another has
// followed meanwhile is decided anew. There is no lock on that path. A policy
// that was followed stays as long as somebody has it pinned, and then until its
// place is needed: a tenant has a fixed number of places, so memory is bounded;
// while all are taken, nothing new is put in force.
//
// Threads: may be used concurrently. Lifetime: pins and places end before it.
#ifndef HIZO_SERVICE_VAULT_POLICY_TABLE_H_
#define HIZO_SERVICE_VAULT_POLICY_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/mutex.h"
#include "service/policy/access_table.h"
#include "service/policy/company_policy.h"
#include "service/vault/attempt.h"

namespace hizo::vault {

// Who put a policy in force, and when.
struct Activation {
  std::string actor;  // SPIFFE id
  base::Timestamp time;
};
struct PolicyInForce {
  std::unique_ptr<const policy::CompanyPolicy> owned;  // or it is of the files
  const policy::CompanyPolicy* policy = nullptr;
  std::optional<Activation> activation;  // nullopt: it is of the files
};

class PolicyTable {
 public:
  static constexpr size_t kPlaces = 4;  // of a tenant

 private:
  struct Place {
    PolicyInForce held;
    std::atomic<uint32_t> pins{0};
    bool reserved = false;  // guarded by the tenant's mutex
  };
  struct Tenant {
    base::TenantId id = base::TenantId::kStore;
    std::string row_key;
    std::array<Place, kPlaces> places;
    std::atomic<int> current{-1};  // none
    base::Mutex mutex;             // of who puts something in force
  };

 public:
  // Pin keeps a policy alive. There may be none in it.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
    Pin& operator=(Pin&&) = delete;
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (place_ != nullptr) place_->pins.fetch_sub(1);
    }
    const policy::CompanyPolicy* get() const {
      return place_ == nullptr ? nullptr : place_->held.policy;
    }
    const std::optional<Activation>& activation() const;

   private:
    friend class PolicyTable;
    explicit Pin(Place* place) : place_(place) {}
    Place* place_ = nullptr;
  };

  // All tenants are decided by their files at first.
  explicit PolicyTable(const policy::AccessTable& access);
  PolicyTable(const PolicyTable&) = delete;
  PolicyTable& operator=(const PolicyTable&) = delete;

  // The policy in force, on which `attempt` then relies; none for a tenant that
  // has none, or is none.
  Pin InForce(Attempt& attempt, base::TenantId tenant) const;
  // The same, relied on by nobody: to be shown.
  Pin Look(base::TenantId tenant) const;

  // Takes a place for `next`, which comes into force when the effect happens;
  // nullptr while all places are taken, and for who is no tenant.
  std::unique_ptr<Attempt::Effect> Prepare(base::TenantId tenant,
                                           PolicyInForce next);

 private:
  class Activating;
  Tenant* Find(base::TenantId tenant) const;
  static Pin PinCurrent(Tenant& tenant);

  std::vector<std::unique_ptr<Tenant>> tenants_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_POLICY_TABLE_H_
