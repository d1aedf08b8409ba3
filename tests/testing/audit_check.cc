#include "tests/testing/audit_check.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "service/base/keyspace.h"

namespace hizo::test {
namespace {

// service/audit/FORMAT.md, "Head", and C2SP signed-note.
constexpr size_t kSizeAt = 1;
constexpr size_t kRootAt = 9;
constexpr size_t kRootSize = 32;
constexpr size_t kCheckpointAt = 49;
constexpr size_t kKeyIdSize = 4;
constexpr size_t kSignatureSize = 64;
constexpr size_t kPublicKeySize = 32;
constexpr std::string_view kSignatureMark = "\n\xE2\x80\x94 ";

absl::Status Wrong(const char* what) { return absl::DataLossError(what); }

std::string Sha256Of(const std::string& bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
         reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

// RFC 6962 2.1, as it is written there.
std::string TreeHash(std::span<const std::string> entries) {
  if (entries.empty()) return Sha256Of("");
  if (entries.size() == 1) return Sha256Of('\0' + entries.front());
  const size_t left = std::bit_floor(entries.size() - 1);
  return Sha256Of('\1' + TreeHash(entries.first(left)) +
                  TreeHash(entries.subspan(left)));
}

std::string FromBase64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<uint8_t*>(bytes.data()),
                      reinterpret_cast<const uint8_t*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return {};
  const auto padding = std::ranges::count(text, '=');
  bytes.resize(static_cast<size_t>(size - padding));
  return bytes;
}

std::string ToBase64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()),
                      reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

bool Ed25519Signed(const std::string& public_key, const std::string& signature,
                   const std::string& text) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_public_key(
          EVP_PKEY_ED25519, nullptr,
          reinterpret_cast<const uint8_t*>(public_key.data()),
          public_key.size()),
      EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return key != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr,
                              key.get()) == 1 &&
         EVP_DigestVerify(
             context.get(), reinterpret_cast<const uint8_t*>(signature.data()),
             signature.size(), reinterpret_cast<const uint8_t*>(text.data()),
             text.size()) == 1;
}

// The text of the note without its signature; nullopt if that is not by `key`.
std::optional<std::string> Signed(const std::string& note,
                                  std::string_view key) {
  const size_t mark = note.rfind(kSignatureMark);
  if (mark == note.npos || !note.ends_with('\n')) return std::nullopt;
  const std::string text = note.substr(0, mark);
  const std::string line = note.substr(mark + kSignatureMark.size());
  const size_t space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  const std::string signature = FromBase64(
      std::string_view(line).substr(space + 1, line.size() - space - 2));
  // name+hash+key, whose base64 may itself have a plus sign.
  const size_t hash = key.find('+') + 1;
  const size_t base64 = key.find('+', hash) + 1;
  if (hash == 0 || base64 == 0) return std::nullopt;
  const std::string public_key = FromBase64(key.substr(base64));
  if (signature.size() != kKeyIdSize + kSignatureSize ||
      public_key.size() != 1 + kPublicKeySize ||
      !Ed25519Signed(public_key.substr(1), signature.substr(kKeyIdSize),
                     text)) {
    return std::nullopt;
  }
  return text;
}

uint64_t NumberAt(std::string_view bytes, size_t at) {
  uint64_t number = 0;
  for (const char byte : bytes.substr(at, sizeof(number))) {
    number = number << 8 | static_cast<uint8_t>(byte);
  }
  return number;
}

// The rows of all entries; fails where a number is missing.
absl::StatusOr<std::vector<std::string>> Entries(const storage::Reader& data) {
  std::vector<std::string> entries;
  storage::ScanRange range = storage::PrefixRange(
      std::string(1, base::kSpaceAuditEntry), storage::kScanLimitMax);
  for (;;) {
    absl::StatusOr<std::vector<storage::Row>> rows = data.Scan(range);
    if (!rows.ok()) return rows.status();
    if (rows->empty()) return entries;
    for (storage::Row& row : *rows) {
      if (NumberAt(row.key, 1) != entries.size()) {
        return Wrong("an entry is missing");
      }
      entries.push_back(std::move(row.value));
    }
    range.from = rows->back().key + '\0';
  }
}

}  // namespace

absl::StatusOr<std::vector<audit::Event>> CheckLog(
    const storage::Reader& data, std::string_view verifier_key) {
  const absl::StatusOr<std::vector<std::string>> entries = Entries(data);
  if (!entries.ok()) return entries.status();
  const auto head = data.Get(std::string(1, base::kSpaceAuditHead));
  if (!head.ok()) return head.status();
  if (!head->has_value()) {
    if (!entries->empty()) return Wrong("the head is missing");
    return std::vector<audit::Event>();
  }
  if ((*head)->size() < kCheckpointAt) return Wrong("the head is cut");
  const uint64_t size = NumberAt(**head, kSizeAt);
  if (size != entries->size()) return Wrong("the head has another size");
  const std::string root = (*head)->substr(kRootAt, kRootSize);
  if (TreeHash(*entries) != root) return Wrong("the head has another root");
  const std::optional<std::string> signed_text =
      Signed((*head)->substr(kCheckpointAt), verifier_key);
  if (!signed_text) return Wrong("the checkpoint is not signed");
  const std::string told =
      "\n" + std::to_string(size) + "\n" + ToBase64(root) + "\n";
  if (!signed_text->ends_with(told)) return Wrong("another head is signed");

  std::vector<audit::Event> events;
  for (const std::string& entry : *entries) {
    absl::StatusOr<audit::Event> event = audit::Decode(entry);
    if (!event.ok()) return event.status();
    events.push_back(*std::move(event));
  }
  return events;
}

}  // namespace hizo::test
