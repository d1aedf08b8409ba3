// Blind index: finding a person by a value that the store cannot read.
//
// A value is routed by 16 bits to a shard, and within the shard stands under a
// 128-bit tag. The tag and the sealed row are under the shard's own random
// key, a leaf of the key tree, so that re-keying the shard makes every older
// copy of its rows useless. A tag is a hint: the row must open and its
// normalised value be equal before it counts as a hit.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_BLIND_INDEX_H_
#define HIZO_CRYPTO_BLIND_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

inline constexpr size_t kIndexTagSize = 16;

// Which shard: first 16 bits of Prf(route_key, kind, normalised).
uint16_t IndexRoute(const Key& route_key, uint16_t kind,
                    std::string_view normalised);
// Which row of the shard: kIndexTagSize bytes.
std::string IndexTag(const Key& shard_key, uint16_t kind,
                     std::string_view normalised);
// The row's value: `subject` (16 bytes) and `normalised`, sealed with
// `row_key` (the storage key) as associated data.
std::string SealIndexEntry(const Key& shard_key, std::string_view row_key,
                           std::string_view subject,
                           std::string_view normalised);
// The subject (16 bytes) if the row is about `normalised`; nullopt if its tag
// collided with another value's; kDataLoss if the row does not open.
absl::StatusOr<std::optional<std::string>> OpenIndexEntry(
    const Key& shard_key, std::string_view row_key, std::string_view sealed,
    std::string_view normalised);

// An entry as it stands in its shard under another key.
struct MovedEntry {
  std::string subject;  // 16 bytes
  std::string row_key;
  std::string sealed;
};
// Moves an entry from `from` to `to`; its tag follows the first `tag_at` bytes
// of its row key, which stay, as does what follows the tag. kDataLoss if the
// row does not open.
absl::StatusOr<MovedEntry> MoveIndexEntry(const Key& from, const Key& to,
                                          uint16_t kind, size_t tag_at,
                                          std::string_view row_key,
                                          std::string_view sealed);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_BLIND_INDEX_H_
