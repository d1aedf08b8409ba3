// Requests: makes a repeated write with the same request id have one effect
// and one answer, for at least 24 hours.
//
// What is kept of a request is the ids and etags it answered with, sealed, and
// a MAC of its bytes, both under a key of the day, which is one leaf of the
// key tree: when the day's key goes, so does the last trace. No value is kept.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_REQUESTS_H_
#define HIZO_SERVICE_VAULT_REQUESTS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

class Requests {
 public:
  Requests(const storage::Engine& data, const StoreKeys& store_keys)
      : data_(data), store_keys_(store_keys) {}

  // What was remembered for this caller, action and request id, yesterday or
  // since (UTC); nullopt if nothing was or the call has no request id.
  // kRequestIdReused if it was remembered for other bytes.
  absl::StatusOr<std::optional<std::string>> Recall(Attempt& attempt,
                                                    const Call& call) const;
  // Remembers `answer` (ids and etags, never a value) as part of the Attempt.
  // Nothing if the call has no request id.
  absl::Status Remember(Attempt& attempt, const Call& call,
                        const std::string& answer) const;
  // Forgets, as part of the Attempt, up to kForgottenMax requests of `tenant`
  // of days before yesterday and, once none are left, the days' keys. The
  // number forgotten; 0 when there is nothing left to do.
  absl::StatusOr<size_t> Forget(Attempt& attempt, base::TenantId tenant,
                                base::Timestamp now) const;
  static constexpr size_t kForgottenMax = 1000;

 private:
  const storage::Engine& data_;
  const StoreKeys& store_keys_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_REQUESTS_H_
