#include "crypto/slot_passphrases.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "crypto/big_endian.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

// A slot that says more would keep a start busy for hours.
constexpr uint32_t kPassesMax = 64;
constexpr uint32_t kKibibytesMax = 4 * 1024 * 1024;
constexpr size_t kBytesPerKibibyte = 1024;
constexpr size_t kSaltAt = 2 * sizeof(uint32_t);
constexpr size_t kKeyAt = kSaltAt + SlotPassphrases::kSaltSize;
constexpr size_t kDerivedMax = 16;

std::string CostAndSalt(const SlotPassphrases::Cost& cost,
                        std::string_view salt) {
  std::string text;
  AppendBigEndian(text, cost.passes);
  AppendBigEndian(text, cost.kibibytes);
  return text.append(salt);
}

absl::StatusOr<Key> Derive(const Secret& passphrase,
                           std::string_view cost_and_salt) {
  const auto passes = LoadBigEndian<uint32_t>(cost_and_salt, 0);
  const auto kibibytes =
      LoadBigEndian<uint32_t>(cost_and_salt, sizeof(uint32_t));
  if (passes == 0 || passes > kPassesMax || kibibytes < 8 ||
      kibibytes > kKibibytesMax) {
    return absl::DataLossError("the root slot has a cost that nobody has");
  }
  Key key;
  const std::string_view salt = cost_and_salt.substr(kSaltAt);
  if (crypto_pwhash(key.mutable_data(), Key::kSize, passphrase.Expose().data(),
                    passphrase.size(),
                    reinterpret_cast<const uint8_t*>(salt.data()), passes,
                    kibibytes * kBytesPerKibibyte,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError(
        "there is not enough memory to derive the key of a root slot");
  }
  return key;
}

absl::Status Wrong(const char* what) {
  return absl::InvalidArgumentError(what);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SlotPassphrases>> SlotPassphrases::FromLines(
    const Secret& lines) {
  return FromLines(lines, Cost());
}

absl::StatusOr<std::unique_ptr<SlotPassphrases>> SlotPassphrases::FromLines(
    const Secret& lines, Cost cost) {
  std::vector<Secret> passphrases;
  std::string_view rest = lines.Expose();
  while (!rest.empty()) {
    const size_t size = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (line.size() < kSizeMin) return Wrong("a passphrase is under 12 bytes");
    if (line.size() > kSizeMax)
      return Wrong("a passphrase is over 1,024 bytes");
    passphrases.push_back(Secret::CopyOf(line));
  }
  if (passphrases.empty()) return Wrong("there is no passphrase");
  if (passphrases.size() > kCountMax) return Wrong("more than 4 passphrases");
  return std::unique_ptr<SlotPassphrases>(
      new SlotPassphrases(std::move(passphrases), cost));
}

absl::StatusOr<const Key*> SlotPassphrases::KeyOf(
    size_t passphrase, std::string_view cost_and_salt) {
  const auto found = std::ranges::find_if(derived_, [&](const auto& derived) {
    return derived->passphrase == passphrase &&
           derived->cost_and_salt == cost_and_salt;
  });
  if (found != derived_.end()) return &(*found)->key;
  absl::StatusOr<Key> key = Derive(passphrases_[passphrase], cost_and_salt);
  if (!key.ok()) return key.status();
  if (derived_.size() == kDerivedMax) derived_.erase(derived_.begin());
  derived_.push_back(std::make_unique<Derived>(
      Derived{passphrase, std::string(cost_and_salt), *std::move(key)}));
  return &derived_.back()->key;
}

absl::StatusOr<std::string> SlotPassphrases::Seal(std::string_view head,
                                                  const Key& root) {
  // One salt for whatever this process seals; that of a slot which it opened,
  // if it could have been its own.
  const auto ours = std::ranges::find_if(derived_, [&](const auto& derived) {
    return derived->passphrase == 0 &&
           derived->cost_and_salt.starts_with(CostAndSalt(cost_, ""));
  });
  std::string sealed = ours != derived_.end()
                           ? (*ours)->cost_and_salt
                           : CostAndSalt(cost_, RandomBytes(kSaltSize));
  const absl::StatusOr<const Key*> key = KeyOf(0, sealed);
  if (!key.ok()) return key.status();
  return sealed += SealKey(**key, head, root);
}

absl::StatusOr<Key> SlotPassphrases::Open(std::string_view head,
                                          std::string_view sealed) {
  if (sealed.size() != kSealedSize) {
    return absl::DataLossError("the root slot is damaged");
  }
  for (size_t i = 0; i < passphrases_.size(); ++i) {
    const absl::StatusOr<const Key*> key = KeyOf(i, sealed.substr(0, kKeyAt));
    if (!key.ok()) return key.status();
    absl::StatusOr<Key> root = OpenKey(**key, head, sealed.substr(kKeyAt));
    if (root.ok()) return root;
  }
  return absl::PermissionDeniedError(
      "the root slot is sealed with another passphrase");
}

}  // namespace hizo::crypto
