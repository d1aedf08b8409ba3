#include "service/vault/miss_limits.h"

#include <algorithm>
#include <chrono>

#include "service/base/reason.h"

namespace hizo::vault {
namespace {

using policy::Action;

constexpr int64_t kMinute = 60'000'000;  // microseconds, a bucket's worth
constexpr int64_t kSecond = 1'000'000;
// Overdrawn by calls that were under way, at most this is to be paid back.
constexpr int64_t kSpentMax = 2 * kMinute;

bool IsCounted(Action action) {
  return action != Action::kCredentialVerify &&
         action != Action::kCredentialChange;
}

size_t KindOf(Action action) {
  switch (action) {
    case Action::kSubjectFind:
      return 0;
    case Action::kSubjectCreate:
    case Action::kRecordImport:
    case Action::kRecordPut:
      return 1;
    default:
      return 2;
  }
}

// What is left to pay back at `now`. A bucket from further on than it can be
// is from before the clock went back, and forgotten.
int64_t Spent(int64_t paid_back_at, int64_t now) {
  const int64_t spent = paid_back_at - now;
  return spent > kSpentMax ? 0 : std::max<int64_t>(spent, 0);
}

}  // namespace

MissLimits::MissLimits(const policy::AccessTable& access, uint32_t per_minute)
    : per_minute_(per_minute),
      buckets_(std::make_unique<Buckets[]>(access.principals().size())) {}

uint32_t MissLimits::PerMinute(const policy::Principal& principal) const {
  return principal.misses_per_minute.value_or(per_minute_);
}

absl::Status MissLimits::Check(const policy::Principal& principal,
                               Action action, base::Timestamp now) const {
  if (PerMinute(principal) == 0 || !IsCounted(action)) return absl::OkStatus();
  const int64_t spent = Spent(
      buckets_[principal.index][KindOf(action)].load(std::memory_order_relaxed),
      base::ToMicros(now));
  if (spent < kMinute) return absl::OkStatus();
  const int64_t wait = spent - kMinute;
  return base::FailUntil(base::Reason::kRateLimited,
                         std::chrono::seconds(wait / kSecond + 1));
}

void MissLimits::Count(const policy::Principal& principal, Action action,
                       base::Timestamp now) {
  const uint32_t per_minute = PerMinute(principal);
  if (per_minute == 0 || !IsCounted(action)) return;
  const int64_t cost = kMinute / per_minute;
  const int64_t micros = base::ToMicros(now);
  std::atomic<int64_t>& bucket = buckets_[principal.index][KindOf(action)];
  int64_t before = bucket.load(std::memory_order_relaxed);
  int64_t after = 0;
  do {
    after = micros + std::min(Spent(before, micros) + cost, kSpentMax);
  } while (
      !bucket.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

}  // namespace hizo::vault
