#include "service/vault/sealer.h"

#include <optional>
#include <thread>
#include <tuple>

#include "crypto/blind_index.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/deks_row.h"
#include "service/vault/each_row.h"
#include "service/vault/fence.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::SubjectId;
using base::TenantId;
using crypto::Key;
using crypto::KeyTree;
using crypto::RootSlot;

}  // namespace

// What a seal is about.
struct Sealer::Plan {
  std::set<std::pair<TenantId, SubjectId>> persons;
  std::map<std::string, std::pair<TenantId, IndexPointer>> shards;  // by leaf
  std::set<std::string> ended;                                      // leaves
  std::set<uint16_t> buckets;
};

// What it is made of.
struct Sealer::Work {
  std::shared_ptr<const KeyTree> from;
  std::shared_ptr<const KeyTree> to;
  storage::Batch batch;
  std::map<TenantId, Key> tenant_keys;
  std::set<std::string> moved;  // leaves of shards
};

Sealer::Plan Sealer::PlanFor(const Targets& targets,
                             const KeyTree& tree) const {
  Plan plan;
  const auto add_person = [&](TenantId tenant, SubjectId subject) {
    plan.buckets.insert(tree.BucketOf(DeksName(tenant, subject)));
  };
  const auto add_shard = [&](TenantId tenant, const IndexPointer& pointer) {
    const std::string leaf =
        StoreKeys::LeafKey(IndexShardLeaf(tenant, pointer.kind, pointer.route));
    plan.buckets.insert(tree.BucketOf(leaf));
    plan.shards.try_emplace(leaf, tenant, pointer);
  };
  for (const Person& person : targets.persons) {
    plan.persons.emplace(person.tenant, person.subject);
    add_person(person.tenant, person.subject);
    for (const IndexPointer& pointer : person.pointers) {
      add_shard(person.tenant, pointer);
    }
  }
  for (const auto& [tenant, subject] : targets.renewed) {
    add_person(tenant, subject);
  }
  for (const auto& [tenant, pointer] : targets.shards) {
    add_shard(tenant, pointer);
  }
  plan.buckets.insert(targets.buckets.begin(), targets.buckets.end());
  for (const Leaf& leaf : targets.ended) {
    const std::string leaf_key = StoreKeys::LeafKey(leaf);
    plan.buckets.insert(tree.BucketOf(leaf_key));
    plan.ended.insert(leaf_key);
  }
  return plan;
}

absl::Status Sealer::CheckReplica() const {
  return parts_.replica == nullptr ? absl::OkStatus()
                                   : parts_.replica->CheckInStep();
}

absl::Status Sealer::Settle() {
  ASSIGN_OR_RETURN(const RootOfNow now, RootOfNow::Read(parts_.keys));
  for (const auto& slot : parts_.slots) {
    ASSIGN_OR_RETURN(const auto roots, slot->Read(now.store_id()));
    bool holds = false;
    for (const RootSlot::Root& root : roots) holds |= now.Is(root);
    if (!holds) {
      return absl::FailedPreconditionError(
          "a root slot does not hold the root of this store");
    }
    for (const RootSlot::Root& root : roots) {
      if (now.Is(root)) continue;
      RETURN_IF_ERROR(CheckReplica());
      RETURN_IF_ERROR(slot->Erase(now.store_id(), root.epoch));
    }
  }
  return absl::OkStatus();
}

absl::Status Sealer::PutRoot(const RootSlot::Root& root) const {
  const std::string store_id(parts_.store_keys.store_id().bytes());
  for (const auto& slot : parts_.slots) {
    RETURN_IF_ERROR(slot->Put(store_id, root));
  }
  return absl::OkStatus();
}

void Sealer::AwaitEndOf(const std::weak_ptr<const KeyTree>& tree) const {
  // Whoever has it is in the middle of deriving one key.
  while (!tree.expired()) std::this_thread::yield();
}

absl::Status Sealer::Seal(const Targets& targets) {
  RETURN_IF_ERROR(CheckReplica());
  RETURN_IF_ERROR(Settle());
  Work work;
  work.from = parts_.store_keys.tree();
  const Plan plan = PlanFor(targets, *work.from);
  const Key root = Key::Random();
  {
    auto [tree, pages] = work.from->Reseal(root, plan.buckets);
    for (KeyTree::SealedPage& page : pages) {
      work.batch.Put(PageKey(page.id.level, page.id.index),
                     std::move(page.bytes));
    }
    work.to = std::move(tree);
  }
  work.batch.Put(MetaKey(), StoreKeys::MetaRow(root, *work.to));
  absl::Status status = PutRoot({work.to->identity().epoch, root.Clone()});
  if (status.ok()) {
    auto held = std::make_unique<BucketSet>();
    for (const uint16_t bucket : plan.buckets) held->set(bucket);
    parts_.committer.Hold(*held);
    status = Prepare(plan, work);
    if (status.ok()) {
      status = parts_.committer.WriteSeal(std::move(work.batch), [&] {
        parts_.store_keys.Adopt(std::move(work.to));
      });
    } else {
      parts_.committer.Release();
    }
  }
  const std::weak_ptr<const KeyTree> before = work.from;
  work.from.reset();
  // Whether the batch is there, a store that is opened anew finds out.
  if (!parts_.committer.healthy()) return status;
  if (!status.ok()) {
    Settle().IgnoreError();  // the next seal begins with it
    return status;
  }
  RETURN_IF_ERROR(Settle());
  AwaitEndOf(before);
  return absl::OkStatus();
}

absl::Status Sealer::Prepare(const Plan& plan, Work& work) const {
  for (const uint16_t bucket : plan.buckets) {
    RETURN_IF_ERROR(RewrapDeks(bucket, work));
    RETURN_IF_ERROR(ReplaceFences(bucket, plan, work));
    RETURN_IF_ERROR(RewrapLeaves(bucket, plan, work));
  }
  for (const auto& [leaf_key, shard] : plan.shards) {
    if (work.moved.contains(leaf_key)) continue;
    ASSIGN_OR_RETURN(const auto leaf, parts_.keys.Get(leaf_key));
    if (leaf.has_value()) {
      return absl::DataLossError("a leaf is not listed in its bucket");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Sealer::Rewrapped(const PersonsRow& person,
                                              std::string_view row,
                                              Work& work) const {
  auto key = work.tenant_keys.find(person.tenant);
  if (key == work.tenant_keys.end()) {
    ASSIGN_OR_RETURN(Key found,
                     parts_.store_keys.TenantKeyIn(*work.from, person.tenant));
    key = work.tenant_keys.emplace(person.tenant, std::move(found)).first;
  }
  ASSIGN_OR_RETURN(DeksRow deks, DecodeDeksRow(row));
  const std::string name = DeksName(person.tenant, person.subject);
  RETURN_IF_ERROR(vault::RewrapDeks(
      work.from->ForName(name, &key->second, deks.suite),
      work.to->ForName(name, &key->second, deks.suite), deks));
  return EncodeDeksRow(deks);
}

absl::Status Sealer::RewrapDeks(uint16_t bucket, Work& work) const {
  return ForEachRow(parts_.keys, BucketPrefix(base::kSpaceDeks, bucket),
                    [&](const storage::Row& row) -> absl::Status {
                      const auto person = ParsePersonsRow(row.key);
                      if (!person.has_value()) {
                        return absl::DataLossError("a row of keys is damaged");
                      }
                      ASSIGN_OR_RETURN(std::string rewrapped,
                                       Rewrapped(*person, row.value, work));
                      work.batch.Put(row.key, std::move(rewrapped));
                      return absl::OkStatus();
                    });
}

absl::Status Sealer::ReplaceFences(uint16_t bucket, const Plan& plan,
                                   Work& work) const {
  return ForEachRow(
      parts_.keys, BucketPrefix(base::kSpaceFence, bucket),
      [&](const storage::Row& row) -> absl::Status {
        const auto person = ParsePersonsRow(row.key);
        if (!person.has_value()) {
          return absl::DataLossError("a fence is damaged");
        }
        ASSIGN_OR_RETURN(Fence fence, DecodeFence(row.value));
        if (fence.stage == FenceStage::kSealed) return absl::OkStatus();
        if (plan.persons.contains({person->tenant, person->subject})) {
          fence = {FenceStage::kSealed, {}, work.to->identity().epoch};
        } else {
          ASSIGN_OR_RETURN(fence.deks, Rewrapped(*person, fence.deks, work));
        }
        work.batch.Put(row.key, EncodeFence(fence));
        return absl::OkStatus();
      });
}

absl::Status Sealer::RewrapLeaves(uint16_t bucket, const Plan& plan,
                                  Work& work) const {
  return ForEachRow(
      parts_.keys, BucketPrefix(base::kSpaceLeafByBucket, bucket),
      [&](const storage::Row& row) -> absl::Status {
        const std::string leaf_key = row.key.substr(kBucketPrefixSize);
        ASSIGN_OR_RETURN(const auto sealed, parts_.keys.Get(leaf_key));
        if (!sealed.has_value()) return absl::OkStatus();
        if (plan.ended.contains(leaf_key)) {
          work.batch.Delete(leaf_key);
          work.batch.Delete(row.key);
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(const Key key, parts_.store_keys.UnwrapLeaf(
                                            *work.from, leaf_key, *sealed));
        if (plan.shards.contains(leaf_key)) {
          return MoveShard(leaf_key, plan, key, work);
        }
        ASSIGN_OR_RETURN(std::string wrapped,
                         parts_.store_keys.WrapLeaf(*work.to, leaf_key, key));
        work.batch.Put(leaf_key, std::move(wrapped));
        return absl::OkStatus();
      });
}

absl::Status Sealer::MoveShard(const std::string& leaf_key, const Plan& plan,
                               const Key& from, Work& work) const {
  const auto& [tenant, pointer] = plan.shards.at(leaf_key);
  const Key to = Key::Random(
      parts_.store_keys.SuiteOfServed(tenant).value_or(from.suite()));
  ASSIGN_OR_RETURN(std::string wrapped,
                   parts_.store_keys.WrapLeaf(*work.to, leaf_key, to));
  work.batch.Put(leaf_key, std::move(wrapped));
  work.moved.insert(leaf_key);
  const std::string prefix =
      IndexShardPrefix(pointer.kind, tenant, pointer.route);
  const uint16_t kind = pointer.kind;
  const TenantId of = tenant;
  return ForEachRow(
      parts_.keys, prefix,
      [&, kind, of](const storage::Row& row) -> absl::Status {
        ASSIGN_OR_RETURN(auto moved,
                         crypto::MoveIndexEntry(from, to, kind, prefix.size(),
                                                row.key, row.value));
        work.batch.Delete(row.key);
        const auto subject = SubjectId::FromBytes(moved.subject);
        if (plan.persons.contains({of, *subject})) return absl::OkStatus();
        work.batch.Put(std::move(moved.row_key), std::move(moved.sealed));
        return absl::OkStatus();
      });
}

}  // namespace hizo::vault
