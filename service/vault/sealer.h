// Sealer: makes erased keys unrecoverable, for whoever kept every file.
//
// A seal destroys the DEKs of people whom a fence stands for, and re-keys every
// shard of the index that they were ever in. It gives fresh keys to all buckets
// that these lie in, to their pages and to the tree (a new root and epoch),
// wraps everybody else's keys anew, and erases the old root in every slot:
//
//   1 the new root into all slots         crash: the slots hold a newer root,
//                                         which Settle erases; sealed again
//   2 one batch into the keys store       atomic: the seal has been or has not
//   3 the old root erased in all slots    crash: Settle erases it
//
// Where there is a replica, 3 waits until it has 2: what it holds must never
// be what no root opens any more.
//
// What was copied before can be opened only with the old root, which is
// nowhere. Until 3 is done in every configured slot, nobody is told that they
// are sealed: a slot that cannot be written stops all seals.
//
// Threads: one at a time. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_SEALER_H_
#define HIZO_SERVICE_VAULT_SEALER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/key_tree.h"
#include "crypto/root_slot.h"
#include "crypto/secret.h"
#include "service/base/ids.h"
#include "service/vault/committer.h"
#include "service/vault/facts_store.h"
#include "service/vault/row_keys.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"
#include "storage/replica.h"

namespace hizo::vault {

class Sealer {
 public:
  struct Parts {
    const storage::Engine& keys;
    const std::vector<std::unique_ptr<crypto::RootSlot>>& slots;
    StoreKeys& store_keys;
    Committer& committer;
    const storage::Replica* replica;  // of the keys; nullptr: there is none
  };
  // Somebody behind a fence, and every shard that they were ever in.
  struct Person {
    base::TenantId tenant = base::TenantId::kStore;
    base::SubjectId subject;
    std::vector<IndexPointer> pointers;
  };

  explicit Sealer(const Parts& parts) : parts_(parts) {}

  // What a seal is for.
  struct Targets {
    std::vector<Person> persons;  // whose fences stand
    // Whose row of DEKs has lost some: older copies of it are to be useless.
    std::vector<std::pair<base::TenantId, base::SubjectId>> renewed;
    // Shards of the index that somebody left.
    std::vector<std::pair<base::TenantId, IndexPointer>> shards;
    // That are to have fresh keys for no other reason (key_rotation.h).
    std::set<uint16_t> buckets = {};
    // Leaves that end: their rows go with the seal, and older copies of them
    // are useless.
    std::vector<Leaf> ended = {};
  };

  // Destroys the keys of `targets.persons`, and what older copies hold of the
  // rest. OK once nothing can bring them back. On an error nobody's keys are
  // destroyed, or Settle and the fences tell how to go on.
  absl::Status Seal(const Targets& targets);

  // Leaves in every slot the root of now and no other. kFailedPrecondition if a
  // slot does not hold it; errors of slots as they are.
  absl::Status Settle();

 private:
  struct Plan;
  struct Work;
  Plan PlanFor(const Targets& targets, const crypto::KeyTree& tree) const;
  // Fills the batch of the seal. The buckets are held.
  absl::Status Prepare(const Plan& plan, Work& work) const;
  absl::Status RewrapDeks(uint16_t bucket, Work& work) const;
  absl::Status ReplaceFences(uint16_t bucket, const Plan& plan,
                             Work& work) const;
  absl::Status RewrapLeaves(uint16_t bucket, const Plan& plan,
                            Work& work) const;
  absl::Status MoveShard(const std::string& leaf_key, const Plan& plan,
                         const crypto::Key& from, Work& work) const;
  absl::StatusOr<std::string> Rewrapped(const PersonsRow& person,
                                        std::string_view row, Work& work) const;
  absl::Status CheckReplica() const;
  absl::Status PutRoot(const crypto::RootSlot::Root& root) const;
  // Until nobody has the tree of before any more, so that its keys are wiped.
  void AwaitEndOf(const std::weak_ptr<const crypto::KeyTree>& tree) const;

  const Parts parts_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SEALER_H_
