// One spelling for each value that is searched or compared: Unicode through
// ICU, phone numbers through libphonenumber.
//
// Every function returns kInvalidArgument, with a literal text and never the
// value, for what is not of its kind. Each is idempotent: normalising what it
// returned returns the same.
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_NORMALISE_H_
#define HIZO_CRYPTO_NORMALISE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

// Bump when any function below changes its answer: it is part of index keys.
inline constexpr uint8_t kNormaliserVersion = 1;

// Valid UTF-8 in NFC, without NUL; kInvalidArgument otherwise.
absl::StatusOr<std::string> NormaliseText(std::string_view text);
// Trimmed, NFC, full-width forms folded, local part lower-cased, domain to a
// lower-case A-label without trailing dot (IDNA 2008 through UTS #46,
// non-transitional). Dots and plus tags stay: folding them merges people.
// At most 254 bytes (RFC 5321), local part at most 64.
absl::StatusOr<std::string> NormaliseEmail(std::string_view text);
// E.164. `default_region` is an ISO 3166-1 code for national forms, "" for
// none. Digits of any script and usual punctuation are accepted; a number
// that is not possible in its region is refused.
absl::StatusOr<std::string> NormalisePhone(std::string_view text,
                                           std::string_view default_region);
// PRECIS UsernameCaseMapped (RFC 8265) as far as ICU gives it: full-width
// folded, lower-cased, NFC; letters, digits and . _ - only; 1 to 64 characters.
absl::StatusOr<std::string> NormaliseHandle(std::string_view text);
// A caller's own reference, compared byte for byte after trimming and NFC;
// 1 to 128 bytes, no control characters.
absl::StatusOr<std::string> NormaliseReference(std::string_view text);
// A password: NFC, 1 to 4,096 bytes after it, NUL allowed; kInvalidArgument
// for empty, longer or not UTF-8.
absl::StatusOr<Secret> NormalisePassword(std::string_view text);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_NORMALISE_H_
