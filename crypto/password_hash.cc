#include "crypto/password_hash.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

constexpr std::string_view kSchemePrefix = "v1$";
constexpr std::string_view kBcryptAlphabet =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr size_t kBcryptSize = 60;
constexpr size_t kCostOffset = 4;
constexpr size_t kSaltOffset = 7;
constexpr size_t kSaltEnd = 29;
constexpr size_t kSaltBytes = 16;
constexpr size_t kBcryptPasswordMax = 72;
constexpr size_t kSha384Size = 48;

struct WipeCryptData {
  void operator()(crypt_data* data) const {
    sodium_memzero(data, sizeof(*data));
    std::default_delete<crypt_data>()(data);
  }
};
using CryptData = std::unique_ptr<crypt_data, WipeCryptData>;

absl::Status NotAHash() {
  return absl::DataLossError("not a stored password hash");
}

// bcrypt of `phrase`, which ends with NUL; "" if libxcrypt refuses `setting`.
// libxcrypt's work area is 32 KiB: too large for the stacks of a thread pool.
std::string Bcrypt(const Secret& phrase, const std::string& setting) {
  const CryptData data(new crypt_data());
  const char* const hash =
      crypt_rn(phrase.Expose().data(), setting.c_str(), data.get(),
               static_cast<int>(sizeof(crypt_data)));
  if (hash == nullptr || std::strlen(hash) != kBcryptSize) return "";
  return hash;
}

// Scheme 1: base64(HMAC-SHA-384(pepper, password)), NUL.
absl::StatusOr<Secret> PepperedPhrase(const Secret& password,
                                      const Key& pepper) {
  Secret mac(kSha384Size);
  unsigned int size = 0;
  const std::string_view bytes = password.Expose();
  if (HMAC(EVP_sha384(), pepper.data(), static_cast<int>(Key::kSize),
           reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
           mac.ExposeMutable().data(), &size) == nullptr ||
      size != kSha384Size) {
    return absl::InternalError("HMAC-SHA-384 failed");
  }
  Secret phrase(
      sodium_base64_ENCODED_LEN(kSha384Size, sodium_base64_VARIANT_ORIGINAL));
  sodium_bin2base64(reinterpret_cast<char*>(phrase.ExposeMutable().data()),
                    phrase.size(), mac.ExposeMutable().data(), mac.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  return phrase;
}

// Scheme 0: the password as bcrypt's C interface has always seen it, up to the
// first NUL and 72 bytes.
Secret PlainPhrase(const Secret& password) {
  const size_t size = std::min(password.size(), kBcryptPasswordMax);
  Secret phrase(size + 1);
  std::copy_n(password.Expose().begin(), size, phrase.ExposeMutable().begin());
  return phrase;
}

bool InRange(int cost) {
  return cost >= kBcryptCostMin && cost <= kBcryptCostMax;
}

// Unused low bits of the last characters of salt and hash are cleared:
// libxcrypt does so in what it returns, and would never match otherwise.
void Canonicalise(std::string& bcrypt) {
  const auto clear = [&bcrypt](size_t at, size_t unused_bits) {
    const size_t value = kBcryptAlphabet.find(bcrypt[at]);
    bcrypt[at] = kBcryptAlphabet[value >> unused_bits << unused_bits];
  };
  clear(kSaltEnd - 1, 4);
  clear(kBcryptSize - 1, 2);
}

bool IsBcrypt(std::string_view text) {
  return text.size() == kBcryptSize &&
         (text.starts_with("$2a$") || text.starts_with("$2b$") ||
          text.starts_with("$2y$")) &&
         text[kSaltOffset - 1] == '$' &&
         text.find_first_not_of(kBcryptAlphabet, kSaltOffset) ==
             std::string_view::npos;
}

// Two digits: 00 to 99, nothing else gets through from_chars to the end.
std::optional<int> CostOf(std::string_view bcrypt) {
  int number = 0;
  const char* const cost = bcrypt.data() + kCostOffset;
  const auto [stop, error] = std::from_chars(cost, cost + 2, number);
  if (error != std::errc() || stop != cost + 2) return std::nullopt;
  return number;
}

// All of `text` as a decimal number without leading zeros.
std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end ||
      (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

absl::StatusOr<StoredHash> ParseStoredHash(std::string_view stored) {
  StoredHash hash = {.scheme = 0, .pepper_id = 0, .cost = 0, .bcrypt = ""};
  if (stored.starts_with(kSchemePrefix)) {
    stored.remove_prefix(kSchemePrefix.size());
    const size_t end = stored.find('$');
    if (end == std::string_view::npos) return NotAHash();
    const std::optional<uint32_t> pepper_id =
        ParseNumber(stored.substr(0, end));
    if (!pepper_id.has_value()) return NotAHash();
    hash.scheme = 1;
    hash.pepper_id = *pepper_id;
    stored.remove_prefix(end + 1);
  }
  if (!IsBcrypt(stored)) return NotAHash();
  const std::optional<int> cost = CostOf(stored);
  if (!cost.has_value() || !InRange(*cost)) return NotAHash();
  hash.cost = *cost;
  hash.bcrypt = stored;
  Canonicalise(hash.bcrypt);
  return hash;
}

absl::StatusOr<StoredHash> ParseImportedHash(std::string_view text,
                                             int cost_max) {
  const std::optional<int> cost = IsBcrypt(text) ? CostOf(text) : std::nullopt;
  if (!cost.has_value()) {
    return absl::InvalidArgumentError("not a bcrypt hash");
  }
  if (*cost < kBcryptCostMin || *cost > std::min(cost_max, kBcryptCostMax)) {
    return absl::OutOfRangeError("bcrypt cost out of range");
  }
  return ParseStoredHash(text);
}

absl::StatusOr<std::string> HashPassword(const Secret& password,
                                         const Key& pepper, uint32_t pepper_id,
                                         int cost) {
  // libxcrypt takes cost 0 for a default of 5: never let it choose.
  if (!InRange(cost)) {
    return absl::InvalidArgumentError("bcrypt cost out of range");
  }
  const std::string salt = RandomBytes(kSaltBytes);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting = {};
  if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), salt.data(),
                       kSaltBytes, setting.data(),
                       static_cast<int>(setting.size())) == nullptr) {
    return absl::InternalError("bcrypt failed");
  }
  const absl::StatusOr<Secret> phrase = PepperedPhrase(password, pepper);
  if (!phrase.ok()) return phrase.status();
  const std::string bcrypt = Bcrypt(*phrase, setting.data());
  if (bcrypt.empty()) return absl::InternalError("bcrypt failed");
  return absl::StrCat("v1$", pepper_id, "$", bcrypt);
}

absl::StatusOr<bool> VerifyPassword(const Secret& password, const Key& pepper,
                                    const StoredHash& stored) {
  const absl::StatusOr<Secret> phrase = stored.scheme == 0
                                            ? PlainPhrase(password)
                                            : PepperedPhrase(password, pepper);
  if (!phrase.ok()) return phrase.status();
  const std::string bcrypt = Bcrypt(*phrase, stored.bcrypt);
  if (bcrypt.empty()) return absl::InternalError("bcrypt failed");
  // bcrypt stops at NUL: what follows must not be free to choose.
  const bool whole = stored.scheme != 0 ||
                     password.Expose().find('\0') == std::string_view::npos;
  return ConstantTimeEquals(bcrypt, stored.bcrypt) && whole;
}

void SpendVerifyTime(const Secret& password, const Key& pepper, int cost) {
  // Any well-formed hash takes the same time; this is nobody's.
  const int bounded = std::clamp(cost, kBcryptCostMin, kBcryptCostMax);
  const StoredHash nobody = {
      .scheme = 1,
      .pepper_id = 0,
      .cost = bounded,
      .bcrypt = absl::StrCat("$2b$", bounded < 10 ? "0" : "", bounded, "$",
                             std::string(kBcryptSize - kSaltOffset, '.'))};
  VerifyPassword(password, pepper, nobody).IgnoreError();
}

std::chrono::nanoseconds MeasureHashTime(int cost) {
  const auto before = std::chrono::steady_clock::now();
  SpendVerifyTime(Secret::CopyOf("measured"), Key::Random(), cost);
  return std::chrono::steady_clock::now() - before;
}

}  // namespace hizo::crypto
