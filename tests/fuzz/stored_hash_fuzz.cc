// Hostile text as a stored password hash.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/password_hash.h"
#include "tests/fuzz/require.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

std::string Spelled(const StoredHash& hash) {
  if (hash.scheme == 0) return hash.bcrypt;
  return "v1$" + std::to_string(hash.pepper_id) + "$" + hash.bcrypt;
}

void ReadAsStoredHash(std::string_view text) {
  const absl::StatusOr<StoredHash> hash = ParseStoredHash(text);
  if (!hash.ok()) {
    Require(absl::IsDataLoss(hash.status()), "no hash is data loss");
    return;
  }
  Require(hash->scheme == 0 || hash->scheme == 1, "there are two schemes");
  Require(hash->cost >= kBcryptCostMin && hash->cost <= kBcryptCostMax,
          "costs are bounded");
  Require(hash->bcrypt.size() == 60, "bcrypt has 60 characters");
  // Only unused bits of two characters may have been another spelling.
  const std::string spelled = Spelled(*hash);
  Require(spelled.size() == text.size(), "nothing is dropped");
  const absl::StatusOr<StoredHash> again = ParseStoredHash(spelled);
  Require(again.ok() && Spelled(*again) == spelled, "parsing is stable");
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::crypto::ReadAsStoredHash({reinterpret_cast<const char*>(data), size});
  return 0;
}
