// KeyRotations: fresh keys for the whole tree, while the vault serves.
//
// A rotation goes over the buckets of the key tree in their order and seals
// some at a time (sealer.h): a new root, new pages, new keys of those buckets,
// and everything that lies in them wrapped anew. How far it is stands in a row,
// so that a crash loses nothing of it. On demand it also marks every class of
// everybody and every shard of the index as worn, so that renewals.h gives them
// new DEKs and writes their rows anew.
//
// Threads: const methods may be called concurrently. Lifetime: what it is given
// outlives it.
#ifndef HIZO_SERVICE_VAULT_KEY_ROTATION_H_
#define HIZO_SERVICE_VAULT_KEY_ROTATION_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"
#include "storage/engine.h"

namespace hizo::vault {

inline constexpr uint32_t kBucketCount = 65'536;

struct KeyRotation {
  base::Timestamp begun;
  uint32_t done = 0;       // buckets, of kBucketCount
  bool data_keys = false;  // the keys of values as well
};

std::string EncodeRotation(const KeyRotation& rotation);
// kDataLoss for what EncodeRotation does not make.
absl::StatusOr<KeyRotation> DecodeRotation(std::string_view bytes);

class KeyRotations {
 public:
  explicit KeyRotations(const Services& services) : services_(services) {}

  // Begins one, as part of the Attempt; if one is under way, that one, which
  // takes in the keys of values if they are asked for now: then it begins anew.
  absl::StatusOr<KeyRotation> Begin(Attempt& attempt, const Call& call,
                                    bool data_keys) const;
  // How far it is; nullopt if none is under way.
  absl::StatusOr<std::optional<KeyRotation>> Current() const;

  // The next buckets of a rotation: as many as one seal takes.
  absl::StatusOr<std::set<uint16_t>> NextBuckets(
      const KeyRotation& rotation) const;
  // Notes that those have fresh keys, as part of the Attempt, which is Hizo's
  // own; the last ones end the rotation. Nothing if another one stands there
  // by now.
  absl::Status PutDone(Attempt& attempt, const KeyRotation& rotation,
                       const std::set<uint16_t>& buckets) const;

 private:
  bool IsServed(base::TenantId tenant) const;
  absl::Status MarkAll(Attempt& attempt,
                       const std::set<uint16_t>& buckets) const;
  absl::Status MarkPeople(Attempt& attempt, uint16_t bucket) const;
  absl::Status MarkShards(Attempt& attempt, uint16_t bucket) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_KEY_ROTATION_H_
