#include "service/vault/store_keys.h"

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

std::string LeafName(const Leaf& leaf) {
  storage::KeyWriter key(base::kSpaceLeafKey);
  key.U32(static_cast<uint32_t>(leaf.tenant))
      .U8(static_cast<uint8_t>(leaf.kind))
      .Bytes(leaf.detail);
  return std::move(key).Take();
}

constexpr std::string_view kLeafDetail = "leaf";

std::string PepperDetail(uint32_t id) {
  ByteWriter out;
  out.Put(id);
  return std::move(out).Take();
}

// The root that a slot holds for this store and epoch, if it does.
std::optional<Key> MatchingRoot(RootSlot& slot, const Meta& meta) {
  absl::StatusOr<std::vector<RootSlot::Root>> roots =
      slot.Read(meta.identity.store_id);
  if (!roots.ok()) return std::nullopt;
  for (RootSlot::Root& root : *roots) {
    if (root.epoch == meta.identity.epoch &&
        crypto::ConstantTimeEquals(KeyTree::RootCheck(root.key, meta.identity),
                                   meta.root_check)) {
      return std::move(root.key);
    }
  }
  return std::nullopt;
}

}  // namespace

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
  if (meta.identity.suite != suite) {
    return absl::FailedPreconditionError(
        "the store was made in another cipher suite than store_suite says");
  }
  std::optional<Key> root;
  size_t healthy = 0;
  for (const auto& slot : slots) {
    std::optional<Key> found = MatchingRoot(*slot, meta);
    if (!found.has_value()) continue;
    ++healthy;
    if (!root.has_value()) root = std::move(found);
  }
  if (!root.has_value()) {
    return absl::FailedPreconditionError(
        "no root slot holds the root of this store at its epoch");
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

StoreKeys::StoreKeys(const storage::Engine& keys, std::unique_ptr<KeyTree> tree,
                     size_t healthy_slots)
    : keys_(keys), tree_(std::move(tree)), healthy_slots_(healthy_slots) {}

base::StoreId StoreKeys::store_id() const {
  return *base::StoreId::FromBytes(tree_->identity().store_id);
}

const Key* StoreKeys::MixedIn(const Leaf& leaf) const {
  if (leaf.tenant == TenantId::kStore || leaf.kind == LeafKind::kTenant) {
    return nullptr;
  }
  return &TenantKey(leaf.tenant);
}

absl::StatusOr<Key> StoreKeys::Unwrap(const Leaf& leaf,
                                      std::string_view sealed) const {
  return tree_->UnwrapKey(LeafName(leaf), kLeafDetail, MixedIn(leaf), sealed);
}

std::string StoreKeys::Wrap(const Leaf& leaf, const Key& key) const {
  return tree_->WrapKey(LeafName(leaf), kLeafDetail, MixedIn(leaf), key);
}

absl::StatusOr<Key> StoreKeys::ReadOrMake(const Leaf& leaf,
                                          storage::Batch& made) const {
  ASSIGN_OR_RETURN(const auto sealed, keys_.Get(LeafName(leaf)));
  if (sealed.has_value()) return Unwrap(leaf, *sealed);
  Key key = Key::Random(SuiteOf(leaf.tenant));
  made.Put(LeafName(leaf), Wrap(leaf, key));
  return key;
}

absl::Status StoreKeys::RequirePair(const Leaf& one, const Leaf& other) const {
  ASSIGN_OR_RETURN(const auto first, keys_.Get(LeafName(one)));
  ASSIGN_OR_RETURN(const auto second, keys_.Get(LeafName(other)));
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
  return made.empty() ? absl::OkStatus() : keys.Commit(made);
}

absl::Status StoreKeys::PrepareTenant(const TenantSuite& of,
                                      storage::Batch& made) {
  const Leaf key{of.tenant, LeafKind::kTenant, ""};
  const Leaf pepper{of.tenant, LeafKind::kPepper, PepperDetail(kCurrentPepper)};
  RETURN_IF_ERROR(RequirePair(key, pepper));
  Tenant& tenant = tenants_[of.tenant];
  tenant.suite = of.suite;
  ASSIGN_OR_RETURN(tenant.key, ReadOrMake(key, made));
  ASSIGN_OR_RETURN(tenant.pepper, ReadOrMake(pepper, made));
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

const Key* StoreKeys::Pepper(TenantId tenant, uint32_t id) const {
  return id == kCurrentPepper ? &tenants_.at(tenant).pepper : nullptr;
}

const Key& StoreKeys::PageTokenKey(TenantId tenant) const {
  return tenants_.at(tenant).page_token_key;
}

absl::StatusOr<std::optional<Key>> StoreKeys::ReadLeaf(Attempt& attempt,
                                                       const Leaf& leaf) const {
  ASSIGN_OR_RETURN(const auto sealed, attempt.Read(keys_, LeafName(leaf)));
  if (!sealed.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Key key, Unwrap(leaf, *sealed));
  return key;
}

Key StoreKeys::WayBackSealingKey(TenantId tenant) const {
  return crypto::DeriveKey(TenantKey(tenant), "hizo/wayback/v1", {});
}

std::string StoreKeys::SealWayBack(TenantId tenant,
                                   base::AuditReference reference,
                                   base::SubjectId subject) const {
  return crypto::Seal(WayBackSealingKey(tenant), WayBackKey(reference),
                      subject.bytes());
}

absl::StatusOr<base::SubjectId> StoreKeys::OpenWayBack(
    TenantId tenant, base::AuditReference reference,
    std::string_view sealed) const {
  ASSIGN_OR_RETURN(
      const std::string subject,
      crypto::Open(WayBackSealingKey(tenant), WayBackKey(reference), sealed));
  const auto id = base::SubjectId::FromBytes(subject);
  if (!id.has_value()) return absl::DataLossError("no subject id");
  return *id;
}

absl::StatusOr<size_t> StoreKeys::DeleteRequestDaysBefore(Attempt& attempt,
                                                          TenantId tenant,
                                                          uint32_t day) const {
  constexpr size_t kDaysAtOnce = 1000;
  const auto name = [tenant](uint32_t of) {
    ByteWriter detail;
    detail.Put(of);
    return LeafName({tenant, LeafKind::kRequestDay, std::move(detail).Take()});
  };
  ASSIGN_OR_RETURN(
      const auto rows,
      keys_.Scan({.from = name(0), .until = name(day), .limit = kDaysAtOnce}));
  for (const storage::Row& row : rows) attempt.keys().Delete(row.key);
  return rows.size();
}

Key StoreKeys::CreateLeaf(Attempt& attempt, const Leaf& leaf) const {
  Key key = Key::Random(SuiteOf(leaf.tenant));
  attempt.keys().Put(LeafName(leaf), Wrap(leaf, key));
  return key;
}

}  // namespace hizo::vault
