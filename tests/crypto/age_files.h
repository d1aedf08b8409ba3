// Reads whole age files, for tests.
#ifndef HIZO_TESTS_CRYPTO_AGE_FILES_H_
#define HIZO_TESTS_CRYPTO_AGE_FILES_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "crypto/age.h"

namespace hizo::crypto {

// The plaintext of `file`, handed over in pieces of `piece` bytes. What was
// given out before an error is left in `given`.
inline absl::StatusOr<std::string> ReadAge(AgeOpeners openers,
                                           std::string_view file,
                                           size_t piece = 1000,
                                           std::string* given = nullptr) {
  AgeReader reader(std::move(openers));
  std::string out;
  absl::Status status;
  for (size_t at = 0; at < file.size() && status.ok(); at += piece) {
    status = reader.Read(file.substr(at, piece), out);
  }
  if (status.ok()) status = reader.Finish(out);
  if (given != nullptr) *given = out;
  if (!status.ok()) return status;
  return out;
}

}  // namespace hizo::crypto

#endif  // HIZO_TESTS_CRYPTO_AGE_FILES_H_
