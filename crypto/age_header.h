// The header of an age v1 file (C2SP age.md): stanzas, and the file key that
// they wrap.
//
// Private to age.cc, which is what others use. Threads: all functions may be
// called concurrently.
#ifndef HIZO_CRYPTO_AGE_HEADER_H_
#define HIZO_CRYPTO_AGE_HEADER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/age_keys.h"
#include "crypto/secret.h"

namespace hizo::crypto {

inline constexpr size_t kAgeHeaderSizeMax = size_t{64} << 10;
inline constexpr size_t kAgeStanzasMax = 100;
inline constexpr size_t kAgeFileKeySize = 16;

struct AgeStanza {
  std::vector<std::string> arguments;  // at least one: the type
  std::string body;
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;
  std::string authenticated;  // what the MAC is over
  std::string mac;            // 32 bytes
};

// Whether `bytes`, the beginning of a file, hold the whole header, and how long
// it then is; 0 if not. Only Parse tells whether it is one.
size_t AgeHeaderSize(std::string_view bytes);
// kInvalidArgument for anything that is no header, to the byte.
absl::StatusOr<AgeHeader> ParseAgeHeader(std::string_view bytes);
// kDataLoss if the header was not made with `file_key`.
absl::Status CheckAgeMac(const AgeHeader& header, const Secret& file_key);

// The header that wraps `file_key` in those stanzas.
std::string MakeAgeHeader(const std::vector<AgeStanza>& stanzas,
                          const Secret& file_key);
AgeStanza WrapForRecipient(const AgeRecipient& recipient,
                           const Secret& file_key);
AgeStanza WrapForPassphrase(const Secret& passphrase, unsigned work_factor,
                            const Secret& file_key);

// The file key; kPermissionDenied if no stanza is for any of `openers`,
// kInvalidArgument if a stanza is malformed or asks for too much work.
absl::StatusOr<Secret> UnwrapAgeFileKey(const AgeHeader& header,
                                        const AgeOpeners& openers);

// HKDF-SHA-256 of 32 bytes.
Key AgeHkdf(std::string_view input, std::string_view salt,
            std::string_view info);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_AGE_HEADER_H_
