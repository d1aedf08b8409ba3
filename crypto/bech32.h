// Bech32 (BIP 173), as age writes its keys: without the limit of 90 characters.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_BECH32_H_
#define HIZO_CRYPTO_BECH32_H_

#include <optional>
#include <string>
#include <string_view>

namespace hizo::crypto {

// `prefix` is lower-case letters and hyphens; the result is lower-case.
std::string ToBech32(std::string_view prefix, std::string_view bytes);
// The bytes behind `prefix`; nullopt for another prefix, mixed case, a wrong
// checksum, stray bits or characters. At most 1,000 characters are read.
std::optional<std::string> FromBech32(std::string_view prefix,
                                      std::string_view text);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_BECH32_H_
