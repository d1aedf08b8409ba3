#include "service/vault/policy_table.h"

#include <utility>

#include "service/vault/row_keys.h"

namespace hizo::vault {

// Until it happens, its place is nobody else's.
class PolicyTable::Activating final : public Attempt::Effect {
 public:
  Activating(Tenant& tenant, int place) : tenant_(tenant), place_(place) {}
  Activating(const Activating&) = delete;
  Activating& operator=(const Activating&) = delete;
  ~Activating() override {
    const base::MutexLock lock(tenant_.mutex);
    tenant_.places[static_cast<size_t>(place_)].reserved = false;
  }
  void Happen() override { tenant_.current.store(place_); }

 private:
  Tenant& tenant_;
  const int place_;
};

const std::optional<Activation>& PolicyTable::Pin::activation() const {
  static const std::optional<Activation> kNone;
  return place_ == nullptr ? kNone : place_->held.activation;
}

PolicyTable::PolicyTable(const policy::AccessTable& access) {
  for (const policy::TenantSpec& spec : access.tenants()) {
    auto tenant = std::make_unique<Tenant>();
    tenant->id = spec.id;
    tenant->row_key = PolicyKey(spec.id);
    if (spec.policy_of_files != nullptr) {
      tenant->places[0].held.policy = spec.policy_of_files;
      tenant->current.store(0);
    }
    tenants_.push_back(std::move(tenant));
  }
}

PolicyTable::Tenant* PolicyTable::Find(base::TenantId tenant) const {
  for (const auto& of : tenants_) {
    if (of->id == tenant) return of.get();
  }
  return nullptr;
}

// Whoever gives a place to another policy has seen that nobody has it pinned,
// and does it only while it is not the current one. So a place that is current
// after it was pinned was current, and pinned, all the time between, or has
// been made current anew, whole.
PolicyTable::Pin PolicyTable::PinCurrent(Tenant& tenant) {
  for (;;) {
    const int current = tenant.current.load();
    if (current < 0) return Pin();
    Place& place = tenant.places[static_cast<size_t>(current)];
    place.pins.fetch_add(1);
    Pin pin(&place);
    if (tenant.current.load() == current) return pin;
  }
}

PolicyTable::Pin PolicyTable::InForce(Attempt& attempt,
                                      base::TenantId tenant) const {
  Tenant* const of = Find(tenant);
  if (of == nullptr) return Pin();
  attempt.ReliesOn(of->row_key);
  return PinCurrent(*of);
}

PolicyTable::Pin PolicyTable::Look(base::TenantId tenant) const {
  Tenant* const of = Find(tenant);
  return of == nullptr ? Pin() : PinCurrent(*of);
}

std::unique_ptr<Attempt::Effect> PolicyTable::Prepare(base::TenantId tenant,
                                                      PolicyInForce next) {
  Tenant* const of = Find(tenant);
  if (of == nullptr) return nullptr;
  const base::MutexLock lock(of->mutex);
  for (size_t i = 0; i < of->places.size(); ++i) {
    Place& place = of->places[i];
    const auto number = static_cast<int>(i);
    if (place.reserved || of->current.load() == number ||
        place.pins.load() != 0) {
      continue;
    }
    place.reserved = true;
    place.held = std::move(next);
    return std::make_unique<Activating>(*of, number);
  }
  return nullptr;
}

}  // namespace hizo::vault
