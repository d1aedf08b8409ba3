#include "service/vault/store_keys.h"

#include <thread>
#include <utility>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"
#include "storage/key_bytes.h"

namespace hizo::vault {
namespace {

using base::TenantId;
using crypto::Key;
using crypto::KeyTree;
using crypto::RootSlot;

// Stored; never renumber. A tree of the first suite, or of the one named.
constexpr uint8_t kMetaFormat = 1;
constexpr uint8_t kMetaFormatWithSuite = 2;
constexpr size_t kSaltSize = 32;
constexpr size_t kRootCheckSize = 32;

// What the meta row of the keys store says.
struct Meta {
  KeyTree::Identity identity;
  std::string root_check;
};

std::string EncodeMeta(const Meta& meta) {
  ByteWriter out;
  if (meta.identity.suite == crypto::kFirstSuite) {
    out.Put(kMetaFormat);
  } else {
    out.Put(kMetaFormatWithSuite).Put(crypto::NumberOf(meta.identity.suite));
  }
  out.PutRaw(meta.identity.store_id)
      .PutRaw(meta.identity.store_salt)
      .Put(meta.identity.epoch)
      .PutRaw(meta.root_check);
  return std::move(out).Take();
}

absl::StatusOr<Meta> DecodeMeta(std::string_view bytes) {
  ByteReader in(bytes);
  const auto format = in.Get<uint8_t>();
  if (format > kMetaFormatWithSuite) {
    return absl::FailedPreconditionError(
        "the keys store is of a format that this version does not know");
  }
  const auto suite = crypto::SuiteFromNumber(
      format == kMetaFormatWithSuite ? in.Get<uint8_t>()
                                     : crypto::NumberOf(crypto::kFirstSuite));
  Meta meta;
  meta.identity.store_id = in.GetRaw(crypto::kStoreIdSize);
  meta.identity.store_salt = in.GetRaw(kSaltSize);
  meta.identity.epoch = in.Get<uint64_t>();
  meta.root_check = in.GetRaw(kRootCheckSize);
  const uint8_t expected =
      suite == crypto::kFirstSuite ? kMetaFormat : kMetaFormatWithSuite;
  if (!in.done() || format != expected || !suite.has_value()) {
    return absl::DataLossError("the keys store's meta row is damaged");
  }
  meta.identity.suite = *suite;
  return meta;
}

absl::StatusOr<Meta> ReadMeta(const storage::Engine& keys) {
  ASSIGN_OR_RETURN(const auto bytes, keys.Get(MetaKey()));
  if (!bytes.has_value()) {
    return absl::NotFoundError("the keys store is empty");
  }
  return DecodeMeta(*bytes);
}

// Tenant and kind of a leaf's key; nullopt for another key.
std::optional<Leaf> ParseLeafKey(std::string_view row_key) {
  storage::KeyReader reader(row_key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto kind = reader.U8();
  if (space != base::kSpaceLeafKey || !tenant || !kind) return std::nullopt;
  return Leaf{TenantId{*tenant}, static_cast<LeafKind>(*kind), {}};
}

constexpr size_t kLeavesAtOnce = 1000;

constexpr std::string_view kLeafDetail = "leaf";
constexpr std::string_view kLeafByBucketValue("\1", 1);

// Whether the tenant's key is mixed into what wraps the leaf.
bool IsUnderTenant(const Leaf& leaf) {
  return leaf.tenant != TenantId::kStore && leaf.kind != LeafKind::kTenant;
}

constexpr uint32_t kFirstPepper = 1;

// The root that a slot holds for this store and epoch; kNotFound if it has only
// others, else the errors of RootSlot::Read.
absl::StatusOr<Key> MatchingRoot(RootSlot& slot, const RootOfNow& now) {
  ASSIGN_OR_RETURN(std::vector<RootSlot::Root> roots,
                   slot.Read(now.store_id()));
  for (RootSlot::Root& root : roots) {
    if (now.Is(root)) return std::move(root.key);
  }
  return absl::NotFoundError("the root slot holds the root of another time");
}

}  // namespace

absl::StatusOr<RootOfNow> RootOfNow::Read(const storage::Engine& keys) {
  ASSIGN_OR_RETURN(Meta meta, ReadMeta(keys));
  return RootOfNow(std::move(meta.identity), std::move(meta.root_check));
}

bool RootOfNow::Is(const RootSlot::Root& root) const {
  return root.epoch == identity_.epoch &&
         crypto::ConstantTimeEquals(KeyTree::RootCheck(root.key, identity_),
                                    root_check_);
}

Leaf PepperLeaf(TenantId tenant, uint32_t id) {
  ByteWriter detail;
  detail.Put(id);
  return {tenant, LeafKind::kPepper, std::move(detail).Take()};
}

Leaf IndexShardLeaf(TenantId tenant, uint16_t kind, uint16_t route) {
  ByteWriter detail;
  detail.Put(kind).Put(route);
  return {tenant, LeafKind::kIndexShard, std::move(detail).Take()};
}

Leaf PeriodLeaf(TenantId tenant, policy::ClassNumber class_number,
                uint32_t period) {
  ByteWriter detail;
  detail.Put(class_number).Put(period);
  return {tenant, LeafKind::kPeriod, std::move(detail).Take()};
}

std::optional<IndexShard> ParseIndexShardLeafKey(std::string_view row_key) {
  storage::KeyReader reader(row_key);
  const auto space = reader.Space();
  const auto tenant = reader.U32();
  const auto leaf_kind = reader.U8();
  const auto kind = reader.U16();
  const auto route = reader.U16();
  if (space != base::kSpaceLeafKey || !tenant || !leaf_kind || !kind ||
      !route || !reader.done() ||
      static_cast<LeafKind>(*leaf_kind) != LeafKind::kIndexShard) {
    return std::nullopt;
  }
  return IndexShard{TenantId{*tenant}, *kind, *route};
}

absl::StatusOr<base::StoreId> StoreKeys::Create(
    storage::Engine& keys, const std::vector<std::unique_ptr<RootSlot>>& slots,
    crypto::Suite suite) {
  ASSIGN_OR_RETURN(const auto present, keys.Get(MetaKey()));
  if (present.has_value()) {
    return absl::AlreadyExistsError("there is a store here already");
  }
  const Key root = Key::Random();
  Meta meta;
  meta.identity = {crypto::RandomBytes(crypto::kStoreIdSize),
                   crypto::RandomBytes(kSaltSize), 1, suite};
  meta.root_check = KeyTree::RootCheck(root, meta.identity);
  for (const auto& slot : slots) {
    RETURN_IF_ERROR(
        slot->Put(meta.identity.store_id, {meta.identity.epoch, root.Clone()}));
  }
  storage::Batch batch;
  batch.RequireAbsent(MetaKey());
  for (KeyTree::SealedPage& page :
       KeyTree::Create(root, meta.identity).second) {
    batch.Put(PageKey(page.id.level, page.id.index), std::move(page.bytes));
  }
  batch.Put(MetaKey(), EncodeMeta(meta));
  RETURN_IF_ERROR(keys.Commit(batch));
  return *base::StoreId::FromBytes(meta.identity.store_id);
}

absl::StatusOr<base::StoreId> StoreKeys::IdOf(const storage::Engine& keys) {
  ASSIGN_OR_RETURN(const Meta meta, ReadMeta(keys));
  return *base::StoreId::FromBytes(meta.identity.store_id);
}

absl::StatusOr<std::unique_ptr<StoreKeys>> StoreKeys::Open(
    const storage::Engine& keys,
    const std::vector<std::unique_ptr<RootSlot>>& slots, crypto::Suite suite) {
  ASSIGN_OR_RETURN(Meta meta, ReadMeta(keys));
  ASSIGN_OR_RETURN(const RootOfNow now, RootOfNow::Read(keys));
  if (meta.identity.suite != suite) {
    return absl::FailedPreconditionError(
        "the store was made in another cipher suite than store_suite says");
  }
  std::optional<Key> root;
  size_t healthy = 0;
  absl::Status first_trouble;
  for (const auto& slot : slots) {
    absl::StatusOr<Key> found = MatchingRoot(*slot, now);
    if (!found.ok()) {
      first_trouble.Update(found.status());
      continue;
    }
    ++healthy;
    if (!root.has_value()) root = *std::move(found);
  }
  if (!root.has_value()) {
    return absl::FailedPreconditionError(
        "no root slot holds the root of this store at its epoch; the first: " +
        std::string(first_trouble.message()));
  }
  const auto read_page =
      [&keys](crypto::PageId id) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(auto page, keys.Get(PageKey(id.level, id.index)));
    if (!page.has_value()) return absl::DataLossError("a key page is missing");
    return *std::move(page);
  };
  ASSIGN_OR_RETURN(auto tree,
                   KeyTree::Open(*root, std::move(meta.identity), read_page));
  return std::unique_ptr<StoreKeys>(
      new StoreKeys(keys, std::move(tree), healthy));
}

StoreKeys::StoreKeys(const storage::Engine& keys,
                     std::shared_ptr<const KeyTree> tree, size_t healthy_slots)
    : keys_(keys),
      tree_(std::move(tree)),
      store_id_(*base::StoreId::FromBytes(tree_->identity().store_id)),
      suite_(tree_->identity().suite),
      healthy_slots_(healthy_slots) {}

std::shared_ptr<const KeyTree> StoreKeys::tree() const {
  const base::MutexLock lock(mutex_);
  return tree_;
}

void StoreKeys::Adopt(std::shared_ptr<const KeyTree> tree) {
  const base::MutexLock lock(mutex_);
  tree_.swap(tree);
}

std::string StoreKeys::LeafKey(const Leaf& leaf) {
  storage::KeyWriter key(base::kSpaceLeafKey);
  key.U32(static_cast<uint32_t>(leaf.tenant))
      .U8(static_cast<uint8_t>(leaf.kind))
      .Bytes(leaf.detail);
  return std::move(key).Take();
}

std::string StoreKeys::MetaRow(const Key& root, const KeyTree& tree) {
  Meta meta;
  meta.identity = tree.identity();
  meta.root_check = KeyTree::RootCheck(root, meta.identity);
  return EncodeMeta(meta);
}

std::optional<uint16_t> StoreKeys::BucketOfRow(std::string_view row_key) const {
  if (row_key.empty()) return std::nullopt;
  switch (row_key.front()) {
    case base::kSpaceDeks:
    case base::kSpaceFence:
    case base::kSpaceLeafByBucket: {
      storage::KeyReader reader(row_key.substr(1));
      return reader.U16();
    }
    case base::kSpaceLeafKey:
      return tree()->BucketOf(row_key);
    case base::kSpaceIndex: {
      const auto row = ParseIndexKey(row_key);
      if (!row.has_value()) return std::nullopt;
      return tree()->BucketOf(
          LeafKey(IndexShardLeaf(row->tenant, row->kind, row->route)));
    }
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Key> StoreKeys::TenantKeyIn(const KeyTree& tree,
                                           TenantId tenant) const {
  const auto served = tenants_.find(tenant);
  if (served != tenants_.end()) return served->second.key.Clone();
  const std::string row_key = LeafKey({tenant, LeafKind::kTenant, ""});
  ASSIGN_OR_RETURN(const auto sealed, keys_.Get(row_key));
  if (!sealed.has_value()) {
    return absl::DataLossError("the key of a tenant is missing");
  }
  return UnwrapLeaf(tree, row_key, *sealed);
}

absl::StatusOr<Key> StoreKeys::UnwrapLeaf(const KeyTree& tree,
                                          std::string_view row_key,
                                          std::string_view sealed) const {
  const auto leaf = ParseLeafKey(row_key);
  if (!leaf.has_value()) return absl::DataLossError("not the key of a leaf");
  if (IsUnderTenant(*leaf)) {
    ASSIGN_OR_RETURN(const Key tenant_key, TenantKeyIn(tree, leaf->tenant));
    return tree.UnwrapKey(row_key, kLeafDetail, &tenant_key, sealed);
  }
  return tree.UnwrapKey(row_key, kLeafDetail, nullptr, sealed);
}

absl::StatusOr<std::string> StoreKeys::WrapLeaf(const KeyTree& tree,
                                                std::string_view row_key,
                                                const Key& key) const {
  const auto leaf = ParseLeafKey(row_key);
  if (!leaf.has_value()) return absl::DataLossError("not the key of a leaf");
  if (IsUnderTenant(*leaf)) {
    ASSIGN_OR_RETURN(const Key tenant_key,
                     TenantKeyIn(*this->tree(), leaf->tenant));
    return tree.WrapKey(row_key, kLeafDetail, &tenant_key, key);
  }
  return tree.WrapKey(row_key, kLeafDetail, nullptr, key);
}

std::optional<crypto::Suite> StoreKeys::SuiteOfServed(TenantId tenant) const {
  const auto served = tenants_.find(tenant);
  if (served == tenants_.end()) return std::nullopt;
  return served->second.suite;
}

absl::StatusOr<Key> StoreKeys::Unwrap(const Leaf& leaf,
                                      std::string_view sealed) const {
  return UnwrapLeaf(*tree(), LeafKey(leaf), sealed);
}

void StoreKeys::PutLeaf(const Leaf& leaf, const Key& key,
                        storage::Batch& batch) const {
  const auto tree = this->tree();
  const std::string row_key = LeafKey(leaf);
  batch.Put(row_key,
            tree->WrapKey(
                row_key, kLeafDetail,
                IsUnderTenant(leaf) ? &TenantKey(leaf.tenant) : nullptr, key));
  batch.Put(LeafByBucketKey(tree->BucketOf(row_key), row_key),
            std::string(kLeafByBucketValue));
}

absl::StatusOr<Key> StoreKeys::ReadOrMake(const Leaf& leaf,
                                          storage::Batch& made) const {
  ASSIGN_OR_RETURN(const auto sealed, keys_.Get(LeafKey(leaf)));
  if (sealed.has_value()) return Unwrap(leaf, *sealed);
  Key key = Key::Random(SuiteOf(leaf.tenant));
  PutLeaf(leaf, key, made);
  return key;
}

absl::Status StoreKeys::RequirePair(const Leaf& one, const Leaf& other) const {
  ASSIGN_OR_RETURN(const auto first, keys_.Get(LeafKey(one)));
  ASSIGN_OR_RETURN(const auto second, keys_.Get(LeafKey(other)));
  if (first.has_value() == second.has_value()) return absl::OkStatus();
  return absl::DataLossError("a key of the store or of a tenant is missing");
}

absl::Status StoreKeys::Prepare(storage::Engine& keys,
                                const std::vector<TenantSuite>& tenants) {
  storage::Batch made;
  RETURN_IF_ERROR(RequirePair({TenantId::kStore, LeafKind::kAuditSigner, ""},
                              {TenantId::kStore, LeafKind::kPageToken, ""}));
  ASSIGN_OR_RETURN(
      audit_seed_,
      ReadOrMake({TenantId::kStore, LeafKind::kAuditSigner, ""}, made));
  ASSIGN_OR_RETURN(
      page_token_key_,
      ReadOrMake({TenantId::kStore, LeafKind::kPageToken, ""}, made));
  for (const TenantSuite& of : tenants) {
    RETURN_IF_ERROR(PrepareTenant(of, made));
  }
  if (!made.empty()) RETURN_IF_ERROR(keys.Commit(made));
  return ListLeavesByBucket(keys);
}

absl::Status StoreKeys::ListLeavesByBucket(storage::Engine& keys) const {
  ASSIGN_OR_RETURN(const auto listed, keys.Get(LeavesByBucketMark()));
  if (listed.has_value()) return absl::OkStatus();
  const auto tree = this->tree();
  storage::ScanRange range =
      storage::PrefixRange(std::string(1, base::kSpaceLeafKey), kLeavesAtOnce);
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto rows, keys.Scan(range));
    more = rows.size() == kLeavesAtOnce;
    storage::Batch batch;
    for (const storage::Row& row : rows) {
      batch.Put(LeafByBucketKey(tree->BucketOf(row.key), row.key),
                std::string(kLeafByBucketValue));
      range.from = row.key + '\0';
    }
    if (!more) {
      batch.Put(LeavesByBucketMark(), std::string(kLeafByBucketValue));
    }
    RETURN_IF_ERROR(keys.Commit(batch));
  }
  return absl::OkStatus();
}

absl::Status StoreKeys::PrepareTenant(const TenantSuite& of,
                                      storage::Batch& made) {
  const Leaf key{of.tenant, LeafKind::kTenant, ""};
  const Leaf pepper = PepperLeaf(of.tenant, kFirstPepper);
  RETURN_IF_ERROR(RequirePair(key, pepper));
  Tenant& tenant = tenants_[of.tenant];
  tenant.suite = of.suite;
  ASSIGN_OR_RETURN(tenant.key, ReadOrMake(key, made));
  RETURN_IF_ERROR(ReadOrMake(pepper, made).status());
  // Each key is for one suite: the store's page token key is a seed to others.
  tenant.page_token_key = of.suite == suite()
                              ? page_token_key_->Clone()
                              : crypto::DeriveKey(page_token_key_->In(of.suite),
                                                  "hizo/page-token/v1", {});
  return absl::OkStatus();
}

crypto::Suite StoreKeys::SuiteOf(TenantId tenant) const {
  return tenant == TenantId::kStore ? suite() : tenants_.at(tenant).suite;
}

const Key& StoreKeys::TenantKey(TenantId tenant) const {
  return tenants_.at(tenant).key;
}

const Key& StoreKeys::PageTokenKey(TenantId tenant) const {
  return tenants_.at(tenant).page_token_key;
}

absl::StatusOr<std::optional<Key>> StoreKeys::ReadLeaf(Attempt& attempt,
                                                       const Leaf& leaf) const {
  ASSIGN_OR_RETURN(const auto sealed, attempt.Read(keys_, LeafKey(leaf)));
  if (!sealed.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Key key, Unwrap(leaf, *sealed));
  return key;
}

absl::StatusOr<std::optional<Key>> StoreKeys::LeafOfNow(
    const Leaf& leaf) const {
  // A seal writes rows and adopts their tree right after: in between they do
  // not fit each other.
  constexpr int kLooksMax = 1000;
  for (int look = 1;; ++look) {
    ASSIGN_OR_RETURN(const auto sealed, keys_.Get(LeafKey(leaf)));
    if (!sealed.has_value()) return std::nullopt;
    absl::StatusOr<Key> key = Unwrap(leaf, *sealed);
    if (key.ok()) return *std::move(key);
    if (look == kLooksMax) return key.status();
    std::this_thread::yield();
  }
}

absl::Status StoreKeys::Ensure(storage::Engine& keys,
                               const std::vector<Leaf>& leaves) const {
  storage::Batch made;
  for (const Leaf& leaf : leaves) {
    RETURN_IF_ERROR(ReadOrMake(leaf, made).status());
  }
  return made.empty() ? absl::OkStatus() : keys.Commit(made);
}

absl::StatusOr<size_t> StoreKeys::DeleteRequestDaysBefore(Attempt& attempt,
                                                          TenantId tenant,
                                                          uint32_t day) const {
  constexpr size_t kDaysAtOnce = 1000;
  const auto name = [tenant](uint32_t of) {
    ByteWriter detail;
    detail.Put(of);
    return LeafKey({tenant, LeafKind::kRequestDay, std::move(detail).Take()});
  };
  ASSIGN_OR_RETURN(
      const auto rows,
      keys_.Scan({.from = name(0), .until = name(day), .limit = kDaysAtOnce}));
  const auto tree = this->tree();
  for (const storage::Row& row : rows) {
    attempt.keys().Delete(row.key);
    attempt.keys().Delete(LeafByBucketKey(tree->BucketOf(row.key), row.key));
  }
  return rows.size();
}

Key StoreKeys::CreateLeaf(Attempt& attempt, const Leaf& leaf) const {
  Key key = Key::Random(SuiteOf(leaf.tenant));
  PutLeaf(leaf, key, attempt.keys());
  return key;
}

}  // namespace hizo::vault
