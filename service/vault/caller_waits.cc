#include "service/vault/caller_waits.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr int64_t kMinute = microseconds(std::chrono::minutes(1)).count();
constexpr int64_t kWaitFirst = microseconds(kCallerWaitFirst).count();
constexpr int64_t kWaitMax = microseconds(kCallerWaitMax).count();
constexpr int64_t kCounts = microseconds(kCallerWaitCounts).count();
constexpr uint32_t kDoublingsMax = 16;
constexpr size_t kTagSize = 16;

uint32_t PerMinute(const policy::Principal& caller, uint32_t otherwise) {
  return caller.misses_per_minute.value_or(otherwise);
}

}  // namespace

// Has the state read anew once the attempt is over: whatever has become of it
// is in the row.
class CallerWaits::Reload final : public Attempt::Held {
 public:
  Reload(const CallerWaits& waits, size_t index)
      : waits_(waits), index_(index) {}
  ~Reload() override {
    const base::MutexLock lock(waits_.mutex_);
    waits_.states_[index_].loaded = false;
  }

 private:
  const CallerWaits& waits_;
  const size_t index_;
};

std::string CallerWaits::KeyOf(const policy::Principal& caller) const {
  const crypto::Digest tag =
      crypto::Prf(services_.store_keys.TenantKey(caller.tenant),
                  "hizo/caller-wait/v1", {caller.spiffe_id});
  return CallerWaitKey(caller.tenant,
                       {reinterpret_cast<const char*>(tag.data()), kTagSize});
}

std::string CallerWaits::Encode(const State& state) {
  ByteWriter out;
  out.Put(static_cast<uint64_t>(state.paid_back_at))
      .Put(static_cast<uint64_t>(state.wait_until))
      .Put(static_cast<uint64_t>(state.last_wait))
      .Put(state.waits);
  return std::move(out).Take();
}

absl::Status CallerWaits::Load(const policy::Principal& caller,
                               State& state) const {
  if (state.loaded) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto row, services_.data.Get(KeyOf(caller)));
  State read;
  read.loaded = true;
  if (row.has_value()) {
    ByteReader in(*row);
    read.paid_back_at = static_cast<int64_t>(in.Get<uint64_t>());
    read.wait_until = static_cast<int64_t>(in.Get<uint64_t>());
    read.last_wait = static_cast<int64_t>(in.Get<uint64_t>());
    read.waits = in.Get<uint32_t>();
    if (!in.done()) return absl::DataLossError("a damaged row of a caller");
  }
  state = read;
  return absl::OkStatus();
}

// A wait that lies further ahead than any is of a clock that was wrong.
int64_t CallerWaits::WaitOf(const State& state, base::Timestamp now) {
  const int64_t wait = state.wait_until - base::ToMicros(now);
  return wait > kWaitMax ? 0 : std::max<int64_t>(wait, 0);
}

void CallerWaits::Note(State& state, int64_t cost, int64_t now) {
  const int64_t ahead = state.paid_back_at - now;
  const int64_t spent =
      ahead > 2 * kMinute ? 0 : std::clamp<int64_t>(ahead, 0, kMinute);
  state.paid_back_at = now + spent + cost;
  // What comes while there is a wait was under way when it began.
  const bool waits =
      state.wait_until > now && state.wait_until <= now + kWaitMax;
  if (spent + cost < kMinute || waits) return;
  const bool again = state.waits > 0 && now - state.last_wait <= kCounts;
  state.waits = again ? std::min(state.waits + 1, kDoublingsMax) : 1;
  state.last_wait = now;
  state.wait_until = now + std::min(kWaitFirst << (state.waits - 1), kWaitMax);
  state.paid_back_at = state.wait_until + kMinute / 2;
}

absl::Status CallerWaits::Check(const policy::Principal& caller,
                                base::Timestamp now) const {
  if (PerMinute(caller, per_minute_) == 0) return absl::OkStatus();
  const base::MutexLock lock(mutex_);
  State& state = states_[caller.index];
  RETURN_IF_ERROR(Load(caller, state));
  const int64_t wait = WaitOf(state, now);
  if (wait == 0) return absl::OkStatus();
  return base::FailUntil(base::Reason::kRateLimited,
                         std::chrono::ceil<seconds>(microseconds(wait)));
}

absl::Status CallerWaits::Count(Attempt& attempt,
                                const policy::Principal& caller,
                                base::Timestamp now) const {
  const uint32_t per_minute = PerMinute(caller, per_minute_);
  if (per_minute == 0) return absl::OkStatus();
  const base::MutexLock lock(mutex_);
  State& state = states_[caller.index];
  RETURN_IF_ERROR(Load(caller, state));
  Note(state, kMinute / per_minute, base::ToMicros(now));
  attempt.data().Put(KeyOf(caller), Encode(state));
  return absl::OkStatus();
}

absl::StatusOr<seconds> CallerWaits::Unlock(Attempt& attempt,
                                            const policy::Principal& caller,
                                            base::Timestamp now) const {
  const base::MutexLock lock(mutex_);
  State& state = states_[caller.index];
  RETURN_IF_ERROR(Load(caller, state));
  attempt.data().Delete(KeyOf(caller));
  const auto left =
      std::chrono::ceil<seconds>(microseconds(WaitOf(state, now)));
  // At once, since the answer leaves before the attempt ends; if the commit
  // fails, what is read anew is the wait.
  state = State();
  state.loaded = true;
  attempt.Hold(std::make_unique<Reload>(*this, caller.index));
  return left;
}

absl::StatusOr<std::vector<CallerWaits::Waiting>> CallerWaits::All(
    base::Timestamp now) const {
  std::vector<Waiting> all;
  const base::MutexLock lock(mutex_);
  for (const auto& [id, caller] : services_.access.principals()) {
    if (PerMinute(caller, per_minute_) == 0) continue;
    State& state = states_[caller.index];
    RETURN_IF_ERROR(Load(caller, state));
    const int64_t wait = WaitOf(state, now);
    if (wait > 0) all.push_back({id, now + microseconds(wait)});
  }
  return all;
}

}  // namespace hizo::vault
