// The key tree: one root, 256 page keys, 65,536 bucket keys.
//
// Every long-lived secret of a store (a person's DEK of a class, a tenant key,
// an index shard key, a pepper, a signing key) is stored only sealed under a
// wrapping key that is derived from its bucket's key and its tenant's key. The
// bucket keys are stored only in pages sealed under page keys, those only in
// the top page sealed under the root, and the root only in root slots. So
// whoever refreshes the path from a bucket to the root and destroys the old
// root has made every older copy of what lay in that bucket useless, wherever
// it was copied to. (Reardon et al., CCS 2013.) Reseal makes the fresh path;
// putting it in force, slots and rows included, is the owner's.
//
// Opening a tree unwraps all page and bucket keys into the locked slab (2 MiB).
// A tree never changes: a reseal makes another one, which shares with it the
// pages that stay, so that readers go on with the tree that they have.
// Threads: const methods may be called concurrently.
#ifndef HIZO_CRYPTO_KEY_TREE_H_
#define HIZO_CRYPTO_KEY_TREE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "crypto/suite.h"

namespace hizo::crypto {

inline constexpr size_t kStoreIdSize = 16;
inline constexpr size_t kPagesPerLevel = 256;
inline constexpr size_t kBuckets = 65536;

// A page of the tree: level 0 is the top (index 0 only), level 1 the pages.
struct PageId {
  uint8_t level;
  uint16_t index;
  auto operator<=>(const PageId&) const = default;
};

class KeyTree {
 public:
  // What identifies a tree; stored in the clear beside its pages.
  struct Identity {
    std::string store_id;    // kStoreIdSize random bytes
    std::string store_salt;  // 32 random bytes, spreads names over buckets
    uint64_t epoch = 0;
    Suite suite = kFirstSuite;  // of root, pages and bucket keys
  };
  struct SealedPage {
    PageId id;
    std::string bytes;  // kSealedPageSize
  };
  static constexpr size_t kSealedPageSize = 8 + 24 + 256 * 32 + 16;

  // Makes a tree of fresh random keys under `root`, and the sealed pages to
  // store (257 of them, the top last).
  static std::pair<std::unique_ptr<KeyTree>, std::vector<SealedPage>> Create(
      const Key& root, Identity identity);

  // Opens the tree that `read_page` finds pages of. kDataLoss if a page is
  // missing (`read_page` says kNotFound), of an epoch that cannot be or does
  // not open under `root`; other errors of `read_page` as they are.
  using ReadPage = std::function<absl::StatusOr<std::string>(PageId)>;
  static absl::StatusOr<std::unique_ptr<KeyTree>> Open(
      const Key& root, Identity identity, const ReadPage& read_page);

  // The tree of the next epoch under `root`, a new one: `buckets` have fresh
  // random keys, and so have the pages that they lie in. With it the sealed
  // pages that replace older ones, the top last. This tree stays as it is.
  std::pair<std::unique_ptr<KeyTree>, std::vector<SealedPage>> Reseal(
      const Key& root, const std::set<uint16_t>& buckets) const;

  KeyTree(const KeyTree&) = delete;
  KeyTree& operator=(const KeyTree&) = delete;
  ~KeyTree();

  const Identity& identity() const { return identity_; }

  // The bucket of a name: first 16 bits of a keyed hash, so that nobody who
  // does not know the store can aim at one.
  uint16_t BucketOf(std::string_view name) const;

  // WrapKey seals `key` for storage under `name`, which both choose the bucket
  // and are authenticated with `detail`. `tenant_key` is mixed into the
  // wrapping key where given. The wrap is in the suite of `key` and says so:
  // kSealedKeySize bytes in suite 1, behind the suite's number in others.
  std::string WrapKey(std::string_view name, std::string_view detail,
                      const Key* tenant_key, const Key& key) const;
  // UnwrapKey: kDataLoss unless all is as it was given to WrapKey. The key is
  // of the suite that it was wrapped in.
  absl::StatusOr<Key> UnwrapKey(std::string_view name, std::string_view detail,
                                const Key* tenant_key,
                                std::string_view sealed) const;
  // A wrapper for several keys of one name in one suite, which is for the owner
  // to remember: derives the wrapping key once. kSealedKeySize bytes a key.
  class NameWrapper {
   public:
    std::string Wrap(std::string_view detail, const Key& key) const;
    absl::StatusOr<Key> Unwrap(std::string_view detail,
                               std::string_view sealed) const;

   private:
    friend class KeyTree;
    NameWrapper(Key wrapping_key, std::string name_part)
        : wrapping_key_(std::move(wrapping_key)),
          name_part_(std::move(name_part)) {}
    Key wrapping_key_;
    std::string name_part_;
  };
  NameWrapper ForName(std::string_view name, const Key* tenant_key,
                      Suite suite) const;

  // What lets a start find out whether `root` is the root of this tree without
  // touching a page: Prf(root, label, store id, epoch) in the suite of the
  // tree.
  static std::string RootCheck(const Key& root, const Identity& identity);

 private:
  explicit KeyTree(Identity identity);
  Identity identity_;
  Key salt_;
  std::shared_ptr<const Secret> page_keys_;                 // 256 keys
  std::vector<std::shared_ptr<const Secret>> bucket_keys_;  // 256 times 256
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_KEY_TREE_H_
