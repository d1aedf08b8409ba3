// Merkle: what an RFC 6962 tree's root and proofs say, for whoever does not
// have the tree.
//
// Threads: value types; functions may be called concurrently.
#ifndef HIZO_CRYPTO_MERKLE_H_
#define HIZO_CRYPTO_MERKLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/digest.h"

namespace hizo::crypto {

// MerklePeaks computes the root of leaves that come one after the other, in a
// few dozen hashes of memory.
class MerklePeaks {
 public:
  void Append(const Digest& leaf);
  uint64_t size() const { return size_; }
  // RFC 6962 MTH; SHA-256 of nothing if there are no leaves.
  Digest Root() const;

 private:
  uint64_t size_ = 0;
  std::vector<Digest> peaks_;  // widest, which is leftmost, first
};

// The root of a tree.
struct MerkleRoot {
  uint64_t size = 0;
  Digest root{};
};

// Whether `proof` (RFC 6962 2.1.1) shows that leaf number `index` of `tree` is
// `leaf`.
bool ProvesInclusion(std::span<const Digest> proof, const MerkleRoot& tree,
                     uint64_t index, const Digest& leaf);
// Whether `proof` (RFC 6962 2.1.2) shows that `newer` continues `older`. A tree
// of no leaves is continued by every one, one of the same size by itself; both
// without a proof.
bool ProvesConsistency(std::span<const Digest> proof, const MerkleRoot& older,
                       const MerkleRoot& newer);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_MERKLE_H_
