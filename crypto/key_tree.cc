#include "crypto/key_tree.h"

#include <algorithm>
#include <map>

#include "absl/status/status.h"
#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "crypto/digest.h"

namespace hizo::crypto {
namespace {

constexpr size_t kKeysPerPage = 256;
constexpr size_t kPageKeysSize = kKeysPerPage * Key::kSize;
constexpr size_t kEpochSize = 8;
constexpr PageId kTopPage = {.level = 0, .index = 0};

// The terminating NUL of each label is part of it.
constexpr char kPageLabel[] = "hizo/page/v1";
constexpr char kKeyLabel[] = "hizo/key/v1";

PageId BucketPage(size_t index) {
  return {.level = 1, .index = static_cast<uint16_t>(index)};
}

Key KeyAt(const Secret& block, size_t index, Suite suite) {
  return Key::CopyOf(block.Expose().substr(index * Key::kSize, Key::kSize),
                     suite);
}

std::string PageData(const KeyTree::Identity& identity, PageId id,
                     uint64_t epoch) {
  std::string data(kPageLabel, sizeof(kPageLabel));
  data.append(identity.store_id);
  AppendBigEndian(data, id.level);
  AppendBigEndian(data, id.index);
  AppendBigEndian(data, epoch);
  return data;
}

KeyTree::SealedPage SealPage(const Key& parent,
                             const KeyTree::Identity& identity, PageId id,
                             const Secret& keys) {
  std::string bytes = BigEndian(identity.epoch);
  bytes.append(
      Seal(parent, PageData(identity, id, identity.epoch), keys.Expose()));
  return {id, std::move(bytes)};
}

absl::StatusOr<Secret> OpenPage(const Key& parent,
                                const KeyTree::Identity& identity, PageId id,
                                const KeyTree::ReadPage& read_page) {
  const absl::StatusOr<std::string> bytes = read_page(id);
  if (absl::IsNotFound(bytes.status())) {
    return absl::DataLossError("a page of the key tree is missing");
  }
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() != KeyTree::kSealedPageSize) {
    return absl::DataLossError("a page of the key tree is damaged");
  }
  // The top is sealed anew at every seal, the others when a key below dies.
  const auto epoch = LoadBigEndian<uint64_t>(*bytes, 0);
  if (id == kTopPage ? epoch != identity.epoch : epoch > identity.epoch) {
    return absl::DataLossError("a page of the key tree is of another epoch");
  }
  return OpenSecret(parent, PageData(identity, id, epoch),
                    std::string_view(*bytes).substr(kEpochSize));
}

std::shared_ptr<const Secret> Share(Secret secret) {
  return std::make_shared<const Secret>(std::move(secret));
}

// A copy of `block` in which the keys at `places` are fresh ones.
Secret Refreshed(const Secret& block, const std::vector<size_t>& places) {
  Secret fresh = Secret::CopyOf(block.Expose());
  for (const size_t place : places) {
    const Key key = Key::Random();
    std::ranges::copy(
        key.Expose(),
        fresh.ExposeMutable().subspan(place * Key::kSize, Key::kSize).begin());
  }
  return fresh;
}

}  // namespace

std::pair<std::unique_ptr<KeyTree>, std::vector<KeyTree::SealedPage>>
KeyTree::Reseal(const Key& root, const std::set<uint16_t>& buckets) const {
  const StackWipe wipe;
  Identity identity = identity_;
  ++identity.epoch;
  std::map<size_t, std::vector<size_t>> places;  // by page
  for (const uint16_t bucket : buckets) {
    places[bucket / kKeysPerPage].push_back(bucket % kKeysPerPage);
  }
  std::vector<size_t> changed;
  for (const auto& [page, unused] : places) changed.push_back(page);
  std::unique_ptr<KeyTree> tree(new KeyTree(std::move(identity)));
  tree->page_keys_ = Share(Refreshed(*page_keys_, changed));
  tree->bucket_keys_ = bucket_keys_;
  std::vector<SealedPage> pages;
  for (const auto& [page, refreshed] : places) {
    tree->bucket_keys_[page] = Share(Refreshed(*bucket_keys_[page], refreshed));
    pages.push_back(
        SealPage(KeyAt(*tree->page_keys_, page, tree->identity_.suite),
                 tree->identity_, BucketPage(page), *tree->bucket_keys_[page]));
  }
  pages.push_back(SealPage(root.In(tree->identity_.suite), tree->identity_,
                           kTopPage, *tree->page_keys_));
  return {std::move(tree), std::move(pages)};
}

std::pair<std::unique_ptr<KeyTree>, std::vector<KeyTree::SealedPage>>
KeyTree::Create(const Key& root, Identity identity) {
  const StackWipe wipe;
  std::unique_ptr<KeyTree> tree(new KeyTree(std::move(identity)));
  std::vector<SealedPage> pages;
  pages.reserve(kPagesPerLevel + 1);
  tree->page_keys_ = Share(Secret::Random(kPageKeysSize));
  for (size_t i = 0; i < kPagesPerLevel; ++i) {
    tree->bucket_keys_.push_back(Share(Secret::Random(kPageKeysSize)));
    pages.push_back(SealPage(KeyAt(*tree->page_keys_, i, tree->identity_.suite),
                             tree->identity_, BucketPage(i),
                             *tree->bucket_keys_.back()));
  }
  pages.push_back(SealPage(root.In(tree->identity_.suite), tree->identity_,
                           kTopPage, *tree->page_keys_));
  return {std::move(tree), std::move(pages)};
}

absl::StatusOr<std::unique_ptr<KeyTree>> KeyTree::Open(
    const Key& root, Identity identity, const ReadPage& read_page) {
  if (identity.store_id.size() != kStoreIdSize ||
      identity.store_salt.size() != Key::kSize) {
    return absl::DataLossError("the identity of the key tree is damaged");
  }
  const StackWipe wipe;
  absl::StatusOr<Secret> page_keys =
      OpenPage(root.In(identity.suite), identity, kTopPage, read_page);
  if (!page_keys.ok()) return page_keys.status();
  std::unique_ptr<KeyTree> tree(new KeyTree(std::move(identity)));
  tree->page_keys_ = Share(*std::move(page_keys));
  for (size_t i = 0; i < kPagesPerLevel; ++i) {
    absl::StatusOr<Secret> keys =
        OpenPage(KeyAt(*tree->page_keys_, i, tree->identity_.suite),
                 tree->identity_, BucketPage(i), read_page);
    if (!keys.ok()) return keys.status();
    tree->bucket_keys_.push_back(Share(*std::move(keys)));
  }
  return tree;
}

KeyTree::KeyTree(Identity identity)
    : identity_(std::move(identity)),
      salt_(Key::CopyOf(identity_.store_salt, identity_.suite)) {
  bucket_keys_.reserve(kPagesPerLevel);
}

KeyTree::~KeyTree() = default;

uint16_t KeyTree::BucketOf(std::string_view name) const {
  return LoadBigEndian<uint16_t>(AsBytes(Prf(salt_, "hizo/bucket/v1", {name})),
                                 0);
}

KeyTree::NameWrapper KeyTree::ForName(std::string_view name,
                                      const Key* tenant_key,
                                      Suite suite) const {
  const size_t bucket = BucketOf(name);
  const Key bucket_key =
      KeyAt(*bucket_keys_[bucket / kKeysPerPage], bucket % kKeysPerPage, suite);
  std::string name_part(kKeyLabel, sizeof(kKeyLabel));
  name_part.append(identity_.store_id);
  AppendLengthPrefixed(name_part, name);
  return NameWrapper(
      DeriveKey(bucket_key, "hizo/wrap/v1",
                {name, tenant_key == nullptr ? std::string_view()
                                             : tenant_key->Expose()}),
      std::move(name_part));
}

std::string KeyTree::NameWrapper::Wrap(std::string_view detail,
                                       const Key& key) const {
  std::string data = name_part_;
  AppendLengthPrefixed(data, detail);
  return SealKey(wrapping_key_, data, key);
}

absl::StatusOr<Key> KeyTree::NameWrapper::Unwrap(
    std::string_view detail, std::string_view sealed) const {
  std::string data = name_part_;
  AppendLengthPrefixed(data, detail);
  return OpenKey(wrapping_key_, data, sealed);
}

std::string KeyTree::WrapKey(std::string_view name, std::string_view detail,
                             const Key* tenant_key, const Key& key) const {
  std::string wrapped =
      ForName(name, tenant_key, key.suite()).Wrap(detail, key);
  if (key.suite() == kFirstSuite) return wrapped;
  return static_cast<char>(key.suite()) + wrapped;
}

absl::StatusOr<Key> KeyTree::UnwrapKey(std::string_view name,
                                       std::string_view detail,
                                       const Key* tenant_key,
                                       std::string_view sealed) const {
  Suite suite = kFirstSuite;
  if (sealed.size() == 1 + kSealedKeySize) {
    const auto named = SuiteFromNumber(LoadBigEndian<uint8_t>(sealed, 0));
    if (!named.has_value() || *named == kFirstSuite) {
      return absl::DataLossError("a wrapped key of an unknown suite");
    }
    suite = *named;
    sealed.remove_prefix(1);
  }
  return ForName(name, tenant_key, suite).Unwrap(detail, sealed);
}

std::string KeyTree::RootCheck(const Key& root, const Identity& identity) {
  const Digest check = Prf(root.In(identity.suite), "hizo/rootcheck/v1",
                           {identity.store_id, BigEndian(identity.epoch)});
  return std::string(AsBytes(check));
}

}  // namespace hizo::crypto
