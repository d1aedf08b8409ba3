#include "crypto/merkle.h"

#include <bit>

namespace hizo::crypto {

void MerklePeaks::Append(const Digest& leaf) {
  ++size_;
  Digest node = leaf;
  // Counting up carries once for each bit that becomes 0, and each carry joins
  // two perfect subtrees.
  for (uint64_t rest = size_; (rest & 1) == 0; rest >>= 1) {
    node = NodeHash(peaks_.back(), node);
    peaks_.pop_back();
  }
  peaks_.push_back(node);
}

Digest MerklePeaks::Root() const {
  if (peaks_.empty()) return Sha256("");
  Digest root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) {
    root = NodeHash(peaks_[i], root);
  }
  return root;
}

// RFC 9162 2.1.3.2.
bool ProvesInclusion(std::span<const Digest> proof, const MerkleRoot& tree,
                     uint64_t index, const Digest& leaf) {
  if (index >= tree.size) return false;
  uint64_t node = index;
  uint64_t last = tree.size - 1;
  Digest root = leaf;
  for (const Digest& hash : proof) {
    if (last == 0) return false;
    if ((node & 1) == 1 || node == last) {
      root = NodeHash(hash, root);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      root = NodeHash(root, hash);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && root == tree.root;
}

// RFC 9162 2.1.4.2.
bool ProvesConsistency(std::span<const Digest> proof, const MerkleRoot& older,
                       const MerkleRoot& newer) {
  if (older.size > newer.size) return false;
  if (older.size == newer.size) {
    return proof.empty() && older.root == newer.root;
  }
  if (older.size == 0) return proof.empty() && older.root == Sha256("");
  uint64_t node = older.size - 1;
  uint64_t last = newer.size - 1;
  while ((node & 1) == 1) {
    node >>= 1;
    last >>= 1;
  }
  // The first hash of the path is left out if it is the older root.
  const bool implied = std::has_single_bit(older.size);
  if (!implied && proof.empty()) return false;
  Digest old_root = implied ? older.root : proof.front();
  Digest new_root = old_root;
  for (const Digest& hash : implied ? proof : proof.subspan(1)) {
    if (last == 0) return false;
    if ((node & 1) == 1 || node == last) {
      old_root = NodeHash(hash, old_root);
      new_root = NodeHash(hash, new_root);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_root = NodeHash(new_root, hash);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_root == older.root && new_root == newer.root;
}

}  // namespace hizo::crypto
