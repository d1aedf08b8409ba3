// StoreKeys: the key tree of a store and the leaf keys that belong to nobody in
// particular: tenants' own keys, index shards, peppers, days of requests, the
// audit log's signing key.
//
// A leaf key is stored only sealed under its bucket of the tree and, for a
// tenant's, under the tenant's key too. Tenant keys are held in the locked slab
// from the start; other leaves are read when used.
//
// A leaf is of the suite that its tenant had, or the store, when it was made,
// and everything under it is; what a tenant's suite is now concerns new leaves
// and rows.
//
// A seal replaces the tree (sealer.h): whoever reads takes the tree of the
// moment, and where row and tree are not of one epoch the row has changed, so
// that the committer has the call run once more.
//
// Threads: const methods and Adopt may be called concurrently. Lifetime: the
// engine outlives it.
#ifndef HIZO_SERVICE_VAULT_STORE_KEYS_H_
#define HIZO_SERVICE_VAULT_STORE_KEYS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/key_tree.h"
#include "crypto/root_slot.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/base/mutex.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/row_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

// What kind of leaf. Stored; never renumber.
enum class LeafKind : uint8_t {
  kTenant = 1,
  kAuditSigner = 2,
  kPageToken = 3,
  kPepper = 4,      // detail: u32 pepper id
  kIndexShard = 5,  // detail: u16 kind, u16 route
  kRequestDay = 6,  // detail: u32 day since 1970-01-01
  kAuditMonth = 7,  // detail: u32 month since January 1970
  kPeriod = 8,      // detail: u16 class, u32 period (policy/retention.h)
};

// A tenant that is served, and the suite of what is written for it from now on.
struct TenantSuite {
  base::TenantId tenant = base::TenantId::kStore;
  crypto::Suite suite = crypto::kFirstSuite;
};

struct Leaf {
  base::TenantId tenant = base::TenantId::kStore;
  LeafKind kind = LeafKind::kTenant;
  std::string detail;
};

Leaf IndexShardLeaf(base::TenantId tenant, uint16_t kind, uint16_t route);
// The key of an IndexShardLeaf's row taken apart; nullopt for another key.
std::optional<IndexShard> ParseIndexShardLeafKey(std::string_view row_key);
Leaf PepperLeaf(base::TenantId tenant, uint32_t id);
Leaf PeriodLeaf(base::TenantId tenant, policy::ClassNumber class_number,
                uint32_t period);

// RootOfNow tells which root is the one that the keys store is sealed under.
class RootOfNow {
 public:
  static absl::StatusOr<RootOfNow> Read(const storage::Engine& keys);
  bool Is(const crypto::RootSlot::Root& root) const;
  const std::string& store_id() const { return identity_.store_id; }

 private:
  RootOfNow(crypto::KeyTree::Identity identity, std::string root_check)
      : identity_(std::move(identity)), root_check_(std::move(root_check)) {}
  crypto::KeyTree::Identity identity_;
  std::string root_check_;
};

class StoreKeys {
 public:
  // Makes a new tree with a new root in every slot, and writes both into
  // `keys`, which must be empty (kAlreadyExists). Slots are written first: a
  // crash in between leaves slots of a store that never was.
  static absl::StatusOr<base::StoreId> Create(
      storage::Engine& keys,
      const std::vector<std::unique_ptr<crypto::RootSlot>>& slots,
      crypto::Suite suite);

  // The id of the store in `keys`, read without opening anything; kNotFound
  // where there is none.
  static absl::StatusOr<base::StoreId> IdOf(const storage::Engine& keys);

  // Opens the tree with the root that any of `slots` holds.
  // kFailedPrecondition if none holds this store's root at its epoch, or the
  // store was not made in `suite`.
  static absl::StatusOr<std::unique_ptr<StoreKeys>> Open(
      const storage::Engine& keys,
      const std::vector<std::unique_ptr<crypto::RootSlot>>& slots,
      crypto::Suite suite);

  base::StoreId store_id() const { return store_id_; }
  uint64_t epoch() const { return tree()->identity().epoch; }
  size_t healthy_slots() const { return healthy_slots_; }
  // The tree of now. Not to be held on to: its keys are there as long as
  // anybody has it.
  std::shared_ptr<const crypto::KeyTree> tree() const;

  // For seals. The bucket whose key everything in a row of the keys store
  // hangs on; nullopt for rows that hang on none.
  std::optional<uint16_t> BucketOfRow(std::string_view row_key) const;
  static std::string LeafKey(const Leaf& leaf);
  // Makes leaves that are missing, before anything is served.
  absl::Status Ensure(storage::Engine& keys,
                      const std::vector<Leaf>& leaves) const;
  // The meta row of `tree` under `root`.
  static std::string MetaRow(const crypto::Key& root,
                             const crypto::KeyTree& tree);
  // A tenant's key by `tree`, whether or not the tenant is served.
  absl::StatusOr<crypto::Key> TenantKeyIn(const crypto::KeyTree& tree,
                                          base::TenantId tenant) const;
  // A leaf's key by `tree`, out of its row.
  absl::StatusOr<crypto::Key> UnwrapLeaf(const crypto::KeyTree& tree,
                                         std::string_view row_key,
                                         std::string_view sealed) const;
  absl::StatusOr<std::string> WrapLeaf(const crypto::KeyTree& tree,
                                       std::string_view row_key,
                                       const crypto::Key& key) const;
  // The suite of new leaves of a tenant; nullopt for one that is not served.
  std::optional<crypto::Suite> SuiteOfServed(base::TenantId tenant) const;
  // Puts a resealed tree in force.
  void Adopt(std::shared_ptr<const crypto::KeyTree> tree);

  // Makes what is missing for `tenants` and the store itself: their keys, first
  // peppers, the signing key. Called once at start, before anything is served.
  absl::Status Prepare(storage::Engine& keys,
                       const std::vector<TenantSuite>& tenants);

  // The suite of the store, and that of what is written for a tenant.
  crypto::Suite suite() const { return suite_; }
  crypto::Suite SuiteOf(base::TenantId tenant) const;
  // Present for every tenant that Prepare was told of.
  const crypto::Key& TenantKey(base::TenantId tenant) const;
  const crypto::Key& AuditSigningSeed() const { return *audit_seed_; }
  const crypto::Key& PageTokenKey(base::TenantId tenant) const;

  // A leaf key, relied upon; nullopt if it does not exist.
  absl::StatusOr<std::optional<crypto::Key>> ReadLeaf(Attempt& attempt,
                                                      const Leaf& leaf) const;
  // The same outside of an Attempt: as it is now, with a seal or without.
  absl::StatusOr<std::optional<crypto::Key>> LeafOfNow(const Leaf& leaf) const;
  // Deletes the keys of request days before `day`, as part of the Attempt; how
  // many.
  absl::StatusOr<size_t> DeleteRequestDaysBefore(Attempt& attempt,
                                                 base::TenantId tenant,
                                                 uint32_t day) const;
  // Makes a leaf key as part of the Attempt, in the tenant's suite.
  crypto::Key CreateLeaf(Attempt& attempt, const Leaf& leaf) const;
  // Writes one that was made, wrapped in the tree of now.
  void PutLeaf(const Leaf& leaf, const crypto::Key& key,
               storage::Batch& batch) const;

 private:
  StoreKeys(const storage::Engine& keys,
            std::shared_ptr<const crypto::KeyTree> tree, size_t healthy_slots);
  absl::StatusOr<crypto::Key> Unwrap(const Leaf& leaf,
                                     std::string_view sealed) const;
  // kDataLoss if one of two leaves that are made together is there alone: a
  // lost key must not be taken for one that was never made.
  absl::Status RequirePair(const Leaf& one, const Leaf& other) const;
  absl::Status PrepareTenant(const TenantSuite& of, storage::Batch& made);
  // Says of each leaf in which bucket it lies: for stores that were made before
  // rows did.
  absl::Status ListLeavesByBucket(storage::Engine& keys) const;
  // Reads a leaf key, or makes it in `made`.
  absl::StatusOr<crypto::Key> ReadOrMake(const Leaf& leaf,
                                         storage::Batch& made) const;

  const storage::Engine& keys_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const crypto::KeyTree> tree_ HIZO_GUARDED_BY(mutex_);
  const base::StoreId store_id_;
  const crypto::Suite suite_;
  size_t healthy_slots_;
  struct Tenant {
    crypto::Suite suite = crypto::kFirstSuite;
    crypto::Key key;
    crypto::Key page_token_key;
  };
  std::map<base::TenantId, Tenant> tenants_;
  std::optional<crypto::Key> audit_seed_;
  std::optional<crypto::Key> page_token_key_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_STORE_KEYS_H_
