#include "crypto/age_header.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "crypto/base64.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr std::string_view kStanzaStart = "-> ";
constexpr std::string_view kMacStart = "---";
constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kScrypt = "scrypt";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptSalt = "age-encryption.org/v1/scrypt";
constexpr size_t kColumns = 64;
constexpr size_t kSaltSize = 16;
constexpr size_t kWrappedSize =
    kAgeFileKeySize + crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr std::array<uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>
    kZeroNonce{};

absl::Status NotAHeader() {
  return absl::InvalidArgumentError("not an age header");
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* MutableBytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}

// Takes the line at the front of `rest`, without its newline; nullopt if there
// is no whole one.
std::optional<std::string_view> TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// The words of a stanza's first line: printing characters, one space between.
std::optional<std::vector<std::string>> ParseArguments(std::string_view line) {
  std::vector<std::string> arguments(1);
  for (const char c : line) {
    if (c == ' ') {
      arguments.emplace_back();
    } else if (c > ' ' && c <= '~') {
      arguments.back().push_back(c);
    } else {
      return std::nullopt;
    }
  }
  const bool gap = std::ranges::any_of(
      arguments, [](const std::string& word) { return word.empty(); });
  if (gap) return std::nullopt;
  return arguments;
}

absl::StatusOr<AgeStanza> TakeStanza(std::string_view& rest) {
  std::string_view first = *TakeLine(rest);
  first.remove_prefix(kStanzaStart.size());
  auto arguments = ParseArguments(first);
  if (!arguments.has_value()) return NotAHeader();
  std::string encoded;
  for (;;) {
    const auto line = TakeLine(rest);
    if (!line.has_value() || line->size() > kColumns) return NotAHeader();
    encoded.append(*line);
    if (line->size() < kColumns) break;
  }
  auto body = FromBase64(encoded, Padding::kNone);
  if (!body.has_value()) return NotAHeader();
  return AgeStanza{*std::move(arguments), *std::move(body)};
}

void AppendStanza(const AgeStanza& stanza, std::string& out) {
  out.append("->");
  for (const std::string& argument : stanza.arguments) {
    out.append(" ").append(argument);
  }
  out.append("\n");
  std::string body = ToBase64(stanza.body, Padding::kNone);
  for (size_t at = 0; at <= body.size(); at += kColumns) {
    out.append(body, at, kColumns).append("\n");
  }
}

std::string MacOf(const Secret& file_key, std::string_view authenticated) {
  const Key key = AgeHkdf(file_key.Expose(), "", "header");
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256(MutableBytes(mac), Bytes(authenticated),
                         authenticated.size(), key.data());
  return mac;
}

std::string Wrap(const Key& key, const Secret& file_key) {
  std::string body(kWrappedSize, '\0');
  crypto_aead_chacha20poly1305_ietf_encrypt(
      MutableBytes(body), nullptr, Bytes(file_key.Expose()), file_key.size(),
      nullptr, 0, nullptr, kZeroNonce.data(), key.data());
  return body;
}

std::optional<Secret> Unwrap(const Key& key, std::string_view body) {
  Secret file_key(kAgeFileKeySize);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          file_key.ExposeMutable().data(), nullptr, nullptr, Bytes(body),
          body.size(), nullptr, 0, kZeroNonce.data(), key.data()) != 0) {
    return std::nullopt;
  }
  return file_key;
}

// nullopt if the points make no secret.
std::optional<Key> X25519Key(const Key& scalar, std::string_view their_point,
                             std::string_view share,
                             std::string_view recipient) {
  Secret shared(crypto_scalarmult_BYTES);
  if (crypto_scalarmult(shared.ExposeMutable().data(), scalar.data(),
                        Bytes(their_point)) != 0) {
    return std::nullopt;
  }
  std::string salt(share);
  salt.append(recipient);
  return AgeHkdf(shared.Expose(), salt, kX25519Info);
}

std::optional<Key> ScryptKey(const Secret& passphrase, std::string_view salt,
                             unsigned work_factor) {
  std::string whole_salt(kScryptSalt);
  whole_salt.append(salt);
  Key key;
  constexpr uint32_t kR = 8;
  constexpr uint32_t kP = 1;
  if (crypto_pwhash_scryptsalsa208sha256_ll(
          Bytes(passphrase.Expose()), passphrase.size(), Bytes(whole_salt),
          whole_salt.size(), uint64_t{1} << work_factor, kR, kP,
          key.mutable_data(), Key::kSize) != 0) {
    return std::nullopt;
  }
  return key;
}

// 1 to 63, in the only spelling.
std::optional<unsigned> ParseWorkFactor(std::string_view text) {
  if (text.empty() || text.size() > 2 || text.front() == '0') {
    return std::nullopt;
  }
  unsigned number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (number > 63) return std::nullopt;
  return number;
}

// nullopt if it is not for the identity.
absl::StatusOr<std::optional<Secret>> UnwrapX25519(
    const AgeStanza& stanza, const std::vector<AgeIdentity>& identities) {
  if (stanza.arguments.size() != 2 || stanza.body.size() != kWrappedSize) {
    return NotAHeader();
  }
  const auto share = FromBase64(stanza.arguments[1], Padding::kNone);
  if (!share.has_value() || share->size() != crypto_scalarmult_BYTES) {
    return NotAHeader();
  }
  for (const AgeIdentity& identity : identities) {
    const auto key = X25519Key(identity.scalar(), *share, *share,
                               identity.recipient().point());
    if (!key.has_value()) return NotAHeader();
    auto file_key = Unwrap(*key, stanza.body);
    if (file_key.has_value()) return file_key;
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Secret>> UnwrapScrypt(const AgeStanza& stanza,
                                                   const AgeOpeners& openers) {
  if (stanza.arguments.size() != 3 || stanza.body.size() != kWrappedSize) {
    return NotAHeader();
  }
  const auto salt = FromBase64(stanza.arguments[1], Padding::kNone);
  const auto work_factor = ParseWorkFactor(stanza.arguments[2]);
  if (!salt.has_value() || salt->size() != kSaltSize ||
      !work_factor.has_value() || *work_factor > openers.work_factor_max) {
    return NotAHeader();
  }
  if (!openers.passphrase.has_value()) return std::nullopt;
  const auto key = ScryptKey(*openers.passphrase, *salt, *work_factor);
  if (!key.has_value()) {
    return absl::ResourceExhaustedError("no memory for a passphrase");
  }
  return Unwrap(*key, stanza.body);
}

}  // namespace

size_t AgeHeaderSize(std::string_view bytes) {
  // The first line that begins like a MAC's ends it, whatever came before.
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) return 0;
    if (bytes.substr(at).starts_with(kMacStart)) return end + 1;
    at = end + 1;
  }
  return 0;
}

absl::StatusOr<AgeHeader> ParseAgeHeader(std::string_view bytes) {
  std::string_view rest = bytes;
  if (!rest.starts_with(kVersionLine)) return NotAHeader();
  rest.remove_prefix(kVersionLine.size());
  AgeHeader header;
  while (rest.starts_with(kStanzaStart) &&
         rest.find('\n') != std::string_view::npos) {
    auto stanza = TakeStanza(rest);
    if (!stanza.ok()) return stanza.status();
    if (header.stanzas.size() == kAgeStanzasMax) return NotAHeader();
    header.stanzas.push_back(*std::move(stanza));
  }
  const size_t start = bytes.size() - rest.size();
  const auto line = TakeLine(rest);
  if (header.stanzas.empty() || !line.has_value() || !rest.empty() ||
      !line->starts_with("--- ")) {
    return NotAHeader();
  }
  auto mac = FromBase64(line->substr(kMacStart.size() + 1), Padding::kNone);
  if (!mac.has_value() || mac->size() != crypto_auth_hmacsha256_BYTES) {
    return NotAHeader();
  }
  header.authenticated = bytes.substr(0, start + kMacStart.size());
  header.mac = *std::move(mac);
  return header;
}

absl::Status CheckAgeMac(const AgeHeader& header, const Secret& file_key) {
  if (!ConstantTimeEquals(MacOf(file_key, header.authenticated), header.mac)) {
    return absl::DataLossError("an age header that was changed");
  }
  return absl::OkStatus();
}

std::string MakeAgeHeader(const std::vector<AgeStanza>& stanzas,
                          const Secret& file_key) {
  std::string header(kVersionLine);
  for (const AgeStanza& stanza : stanzas) AppendStanza(stanza, header);
  header.append(kMacStart);
  const std::string mac = MacOf(file_key, header);
  header.append(" ").append(ToBase64(mac, Padding::kNone)).append("\n");
  return header;
}

AgeStanza WrapForRecipient(const AgeRecipient& recipient,
                           const Secret& file_key) {
  const AgeIdentity ephemeral = AgeIdentity::Random();
  const std::string share = ephemeral.recipient().point();
  // A recipient whose point makes no secret was refused when it was parsed.
  const Key key = *X25519Key(ephemeral.scalar(), recipient.point(), share,
                             recipient.point());
  return {{std::string(kX25519), ToBase64(share, Padding::kNone)},
          Wrap(key, file_key)};
}

AgeStanza WrapForPassphrase(const Secret& passphrase, unsigned work_factor,
                            const Secret& file_key) {
  const std::string salt = RandomBytes(kSaltSize);
  const std::optional<Key> key = ScryptKey(passphrase, salt, work_factor);
  // Without memory there is no key: a body that nothing opens is not written.
  if (!key.has_value()) return {};
  return {{std::string(kScrypt), ToBase64(salt, Padding::kNone),
           std::to_string(work_factor)},
          Wrap(*key, file_key)};
}

absl::StatusOr<Secret> UnwrapAgeFileKey(const AgeHeader& header,
                                        const AgeOpeners& openers) {
  std::optional<Secret> found;
  for (const AgeStanza& stanza : header.stanzas) {
    const bool scrypt = stanza.arguments.front() == kScrypt;
    if (scrypt && header.stanzas.size() != 1) return NotAHeader();
    if (!scrypt && stanza.arguments.front() != kX25519) continue;
    auto file_key = scrypt ? UnwrapScrypt(stanza, openers)
                           : UnwrapX25519(stanza, openers.identities);
    if (!file_key.ok()) return file_key.status();
    if (!found.has_value()) found = *std::move(file_key);
  }
  if (!found.has_value()) {
    return absl::PermissionDeniedError("an age file for somebody else");
  }
  return *std::move(found);
}

Key AgeHkdf(std::string_view input, std::string_view salt,
            std::string_view info) {
  Key extracted;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, Bytes(salt), salt.size());
  crypto_auth_hmacsha256_update(&state, Bytes(input), input.size());
  crypto_auth_hmacsha256_final(&state, extracted.mutable_data());
  Key key;
  const uint8_t one = 1;
  crypto_auth_hmacsha256_init(&state, extracted.data(), Key::kSize);
  crypto_auth_hmacsha256_update(&state, Bytes(info), info.size());
  crypto_auth_hmacsha256_update(&state, &one, 1);
  crypto_auth_hmacsha256_final(&state, key.mutable_data());
  sodium_memzero(&state, sizeof state);
  return key;
}

}  // namespace hizo::crypto
