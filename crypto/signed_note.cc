#include "crypto/signed_note.h"

#include <sodium.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/normalise.h"

namespace hizo::crypto {
namespace {

constexpr size_t kKeyIdSize = 4;
constexpr size_t kHexIdSize = 2 * kKeyIdSize;
constexpr char kAlgorithmEd25519 = '\x01';
constexpr std::string_view kLineStart = "\xe2\x80\x94 ";  // em dash, space
constexpr size_t kSignaturesMax = 100;
constexpr size_t kNoteSizeMax = 1024 * 1024;

absl::Status NotANote() { return absl::InvalidArgumentError("not a note"); }
absl::Status NotAKey() {
  return absl::InvalidArgumentError("not a verifier key");
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string ToHex(std::string_view bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), Bytes(bytes), bytes.size());
  text.pop_back();  // the NUL
  return text;
}

// The first bytes of SHA-256(name || newline || 0x01 || public key).
std::string KeyId(std::string_view name, std::string_view encoded_key) {
  std::string text(name);
  text.push_back('\n');
  text.append(encoded_key);
  return std::string(AsBytes(Sha256(text)).substr(0, kKeyIdSize));
}

bool IsName(std::string_view name) {
  return !name.empty() &&
         name.find_first_of(" +\t\r\n") == std::string_view::npos;
}

struct VerifierKey {
  std::string_view name;
  std::string id;
  std::string public_key;
};

absl::StatusOr<VerifierKey> ParseVerifierKey(std::string_view text) {
  const size_t name_end = text.find('+');
  const size_t id_end = name_end + 1 + kHexIdSize;
  if (name_end == std::string_view::npos || id_end >= text.size() ||
      text[id_end] != '+') {
    return NotAKey();
  }
  const std::string_view name = text.substr(0, name_end);
  const std::optional<std::string> encoded =
      FromBase64(text.substr(id_end + 1), Padding::kEquals);
  if (!IsName(name) || !encoded.has_value() ||
      encoded->size() != 1 + crypto_sign_PUBLICKEYBYTES ||
      encoded->front() != kAlgorithmEd25519) {
    return NotAKey();
  }
  std::string id = KeyId(name, *encoded);
  if (ToHex(id) != text.substr(name_end + 1, kHexIdSize)) return NotAKey();
  return VerifierKey{name, std::move(id), encoded->substr(1)};
}

struct Note {
  std::string_view text;
  std::string_view signatures;
};

absl::StatusOr<Note> SplitNote(std::string_view note) {
  if (note.size() > kNoteSizeMax || !NormaliseText(note).ok()) {
    return NotANote();
  }
  for (const char c : note) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') return NotANote();
  }
  const size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos || note.back() != '\n' ||
      split + 2 == note.size()) {
    return NotANote();
  }
  return Note{note.substr(0, split + 1), note.substr(split + 2)};
}

struct Signature {
  std::string_view name;
  std::string bytes;  // key id, then the signature
};

// `line` is without its newline.
std::optional<Signature> ParseSignature(std::string_view line) {
  if (!line.starts_with(kLineStart)) return std::nullopt;
  line.remove_prefix(kLineStart.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || !IsName(line.substr(0, space))) {
    return std::nullopt;
  }
  std::optional<std::string> bytes =
      FromBase64(line.substr(space + 1), Padding::kEquals);
  if (!bytes.has_value() || bytes->size() <= kKeyIdSize) return std::nullopt;
  return Signature{line.substr(0, space), *std::move(bytes)};
}

// The first signature that claims to be `key`'s, "" if none does. The lines of
// unknown keys count for nothing, but must be lines of a note.
absl::StatusOr<std::string> FindSignature(std::string_view lines,
                                          const VerifierKey& key) {
  std::string found;
  for (size_t count = 0; !lines.empty(); ++count) {
    const size_t end = lines.find('\n');
    const std::optional<Signature> signature =
        ParseSignature(lines.substr(0, end));
    if (!signature.has_value() || count == kSignaturesMax) return NotANote();
    lines.remove_prefix(end + 1);
    if (found.empty() && signature->name == key.name &&
        signature->bytes.starts_with(key.id)) {
      found = signature->bytes.substr(kKeyIdSize);
    }
  }
  return found;
}

[[noreturn]] void Die(const char* why) {
  std::fputs(why, stderr);
  std::abort();
}

}  // namespace

NoteSigner::NoteSigner(std::string name, const Key& seed)
    : name_(std::move(name)), signing_key_(crypto_sign_SECRETKEYBYTES) {
  if (!IsName(name_)) Die("hizo: a name that no note can carry\n");
  std::string encoded(1 + crypto_sign_PUBLICKEYBYTES, kAlgorithmEd25519);
  crypto_sign_seed_keypair(reinterpret_cast<uint8_t*>(encoded.data()) + 1,
                           signing_key_.ExposeMutable().data(), seed.data());
  key_id_ = KeyId(name_, encoded);
  verifier_key_ =
      name_ + "+" + ToHex(key_id_) + "+" + ToBase64(encoded, Padding::kEquals);
}

std::string NoteSigner::Sign(std::string_view text) const {
  if (!text.ends_with('\n')) Die("hizo: a note without a last newline\n");
  std::string signature(key_id_);
  signature.resize(kKeyIdSize + crypto_sign_BYTES);
  crypto_sign_detached(
      reinterpret_cast<uint8_t*>(signature.data()) + kKeyIdSize, nullptr,
      Bytes(text), text.size(), Bytes(signing_key_.Expose()));
  std::string note(text);
  note.append("\n").append(kLineStart).append(name_).append(" ");
  note.append(ToBase64(signature, Padding::kEquals)).append("\n");
  return note;
}

absl::StatusOr<std::string> OpenNote(std::string_view note,
                                     std::string_view verifier_key) {
  const absl::StatusOr<VerifierKey> key = ParseVerifierKey(verifier_key);
  if (!key.ok()) return key.status();
  const absl::StatusOr<Note> parts = SplitNote(note);
  if (!parts.ok()) return parts.status();
  const absl::StatusOr<std::string> signature =
      FindSignature(parts->signatures, *key);
  if (!signature.ok()) return signature.status();
  if (signature->size() != crypto_sign_BYTES ||
      crypto_sign_verify_detached(Bytes(*signature), Bytes(parts->text),
                                  parts->text.size(),
                                  Bytes(key->public_key)) != 0) {
    return absl::DataLossError("a note without a valid signature of the key");
  }
  return std::string(parts->text);
}

}  // namespace hizo::crypto
