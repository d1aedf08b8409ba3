// MissLimits: how often a caller may be told that somebody is not there, is
// there already, or has another password, before it has to wait.
//
// Who asks for people one after the other to learn who is there gets such
// answers most of the time; who works with people it knows hardly ever does. So
// misses count and nothing else: no read of a person, no successful create. A
// caller has a minute's worth at once and gets them back evenly; finding,
// adding people and everything else are counted apart. Wrong passwords are
// counted elsewhere (caller_waits.h): they do not stop the shop. A miss counts
// when it is known, so calls under way can overdraw, which costs at most
// another minute.
//
// Memory is fixed: callers are configured. Threads: all methods may be called
// concurrently. Lifetime: of the table that it is made for.
#ifndef HIZO_SERVICE_VAULT_MISS_LIMITS_H_
#define HIZO_SERVICE_VAULT_MISS_LIMITS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "service/base/clock.h"
#include "service/policy/access_table.h"
#include "service/policy/action.h"

namespace hizo::vault {

class MissLimits {
 public:
  // `per_minute` is for callers whose roles say nothing; 0 is no limit.
  MissLimits(const policy::AccessTable& access, uint32_t per_minute);

  // kRateLimited, with the time after which to come back, if the caller has to
  // wait before it asks anything of this kind.
  absl::Status Check(const policy::Principal& principal, policy::Action action,
                     base::Timestamp now) const;
  void Count(const policy::Principal& principal, policy::Action action,
             base::Timestamp now);

 private:
  static constexpr size_t kKinds = 3;
  // When the caller's last miss would have been paid back, in microseconds
  // (generic cell rate algorithm). Spent is what lies after now.
  using Buckets = std::array<std::atomic<int64_t>, kKinds>;
  uint32_t PerMinute(const policy::Principal& principal) const;

  const uint32_t per_minute_;
  const std::unique_ptr<Buckets[]> buckets_;  // by Principal::index
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_MISS_LIMITS_H_
