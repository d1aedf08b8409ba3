// Certificates as they lie in files: whether a set of them can be served with,
// found out before anything uses it.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_CERTIFICATE_H_
#define HIZO_CRYPTO_CERTIFICATE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace hizo::crypto {

// When the first certificate of `chain` (PEM, from the leaf up) runs out, in
// seconds since 1970 UTC: the earliest end of all in the chain.
// kInvalidArgument, with a text that names what is wrong and no value, if one
// cannot be read, is not valid at `now`, or `key` (PEM, not protected by a
// passphrase) is not the leaf's.
absl::StatusOr<int64_t> CheckServerIdentity(std::string_view chain,
                                            std::string_view key, int64_t now);

// How many certificates `bundle` (PEM) has. kInvalidArgument if it has none,
// one cannot be read or may not sign others, or all have run out at `now`.
absl::StatusOr<size_t> CheckAuthorities(std::string_view bundle, int64_t now);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_CERTIFICATE_H_
