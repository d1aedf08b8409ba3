#include "tests/integration/stored_keys.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "crypto/key_tree.h"
#include "crypto/root_slot.h"
#include "service/base/keyspace.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"
#include "storage/key_bytes.h"
#include "tests/testing/live_server.h"

namespace hizo::test {
namespace {

using crypto::Key;
using crypto::KeyTree;

constexpr size_t kEpochSize = 8;
constexpr uint8_t kTenantLeaf = 1;

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

// Reads what FORMAT.md of crypto and of the vault says, and nothing that the
// product keeps to itself.
class Reader {
 public:
  explicit Reader(const app::Config& config) : stores_(OpenStores(config)) {
    const std::string row = Row(vault::MetaKey());
    vault::ByteReader meta(row);
    meta.Get<uint8_t>();
    identity_.store_id = meta.GetRaw(crypto::kStoreIdSize);
    identity_.store_salt = meta.GetRaw(Key::kSize);
    identity_.epoch = meta.Get<uint64_t>();
    crypto::FileRootSlot slot(config.slots.front());
    auto roots = Require(slot.Read(identity_.store_id));
    const Key& root = roots.back().key;
    Add("root", root);
    ReadPages(root);
    tree_ = Require(KeyTree::Open(root, identity_, [this](crypto::PageId id) {
      return Row(vault::PageKey(id.level, id.index));
    }));
    ReadLeaves();
    ReadDeks();
  }

  std::map<std::string, std::string> Take() && { return std::move(keys_); }

 private:
  std::string Row(const std::string& key) const {
    return Require(stores_.keys->Get(key)).value();
  }
  std::vector<storage::Row> Rows(char space) const {
    return Require(stores_.keys->Scan(
        storage::PrefixRange(std::string(1, space), storage::kScanLimitMax)));
  }
  void Add(const std::string& name, std::string_view key) { keys_[name] = key; }
  void Add(const std::string& name, const Key& key) { Add(name, key.Expose()); }

  crypto::Secret OpenPage(const Key& parent, crypto::PageId id) const {
    const std::string bytes = Row(vault::PageKey(id.level, id.index));
    std::string data("hizo/page/v1", sizeof("hizo/page/v1"));
    data.append(identity_.store_id);
    crypto::AppendBigEndian(data, id.level);
    crypto::AppendBigEndian(data, id.index);
    data.append(bytes, 0, kEpochSize);
    return Require(crypto::OpenSecret(
        parent, data, std::string_view(bytes).substr(kEpochSize)));
  }
  void ReadPages(const Key& root) {
    const crypto::Secret top = OpenPage(root, {0, 0});
    for (uint16_t page = 0; page < crypto::kPagesPerLevel; ++page) {
      const Key key =
          Key::CopyOf(top.Expose().substr(page * Key::kSize, Key::kSize));
      Add("page " + std::to_string(page), key);
      const crypto::Secret buckets = OpenPage(key, {1, page});
      for (size_t i = 0; i * Key::kSize < buckets.size(); ++i) {
        Add("bucket " + std::to_string(page * crypto::kPagesPerLevel + i),
            buckets.Expose().substr(i * Key::kSize, Key::kSize));
      }
    }
  }

  // A tenant's own key comes before its others.
  void ReadLeaves() {
    for (const storage::Row& row : Rows(base::kSpaceLeafKey)) {
      storage::KeyReader key(row.key);
      key.Space();
      const uint32_t tenant = key.U32().value();
      const bool of_tenant = key.U8().value() == kTenantLeaf;
      const auto found = tenant_keys_.find(tenant);
      const Key* const mixed_in =
          of_tenant || found == tenant_keys_.end() ? nullptr : &found->second;
      Key leaf =
          Require(tree_->UnwrapKey(row.key, "leaf", mixed_in, row.value));
      Add("leaf " + absl::BytesToHexString(row.key), leaf);
      if (of_tenant) tenant_keys_.insert_or_assign(tenant, std::move(leaf));
    }
  }

  void ReadDeks() {
    for (const storage::Row& row : Rows(base::kSpaceDeks)) {
      storage::KeyReader key(row.key);
      key.Space();
      key.U16();
      const uint32_t tenant = key.U32().value();
      const auto subject =
          base::SubjectId::FromBytes(key.Bytes(base::SubjectId::kSize).value());
      const std::string name =
          vault::DeksName(base::TenantId{tenant}, subject.value());
      vault::ByteReader value(row.value);
      value.Get<uint8_t>();
      const auto count = value.Get<uint8_t>();
      for (int i = 0; i < count; ++i) {
        constexpr size_t kDetailSize = 7;
        const std::string detail(value.GetRaw(kDetailSize));
        Add("DEK " + absl::BytesToHexString(row.key + detail),
            Require(tree_->UnwrapKey(name, detail, &tenant_keys_.at(tenant),
                                     value.GetRaw(crypto::kSealedKeySize))));
      }
    }
  }

  StoppedStores stores_;
  KeyTree::Identity identity_;
  std::unique_ptr<KeyTree> tree_;
  std::map<uint32_t, Key> tenant_keys_;
  std::map<std::string, std::string> keys_;
};

}  // namespace

std::map<std::string, std::string> StoredKeys(const app::Config& config) {
  return Reader(config).Take();
}

Needles NeedlesOf(const std::map<std::string, std::string>& keys) {
  Needles needles;
  for (const auto& [name, key] : keys) {
    for (size_t at = 0; at < key.size(); at += Needles::kSizeMin) {
      needles.Add(name, key.substr(at, Needles::kSizeMin));
    }
  }
  return needles;
}

}  // namespace hizo::test
