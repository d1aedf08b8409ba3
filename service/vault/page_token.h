// Pages: how far a listing goes at a time, and where it goes on, which is
// sealed for one caller and one query.
//
// A token grants nothing: the next page is decided upon anew. It is AEAD-sealed
// so that what it says of the store cannot be read or made up.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_PAGE_TOKEN_H_
#define HIZO_SERVICE_VAULT_PAGE_TOKEN_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/vault/call.h"

namespace hizo::vault {

inline constexpr std::chrono::hours kPageTokenLife{1};

struct PageBounds {
  size_t standard = 50;
  size_t max = 500;
};
// The size of a page that a caller asked for: 0 is the standard one, too many
// are cut; kValueInvalid for a negative one.
absl::StatusOr<size_t> PageSize(int32_t asked, const PageBounds& bounds = {});

// `query` is everything that the listing depends on but the token and the page
// size; `position` is where it goes on. Base64url text.
std::string SealPageToken(const crypto::Key& key, const Call& call,
                          std::string_view query, std::string_view position);
// The position; kPageTokenInvalid for a token that was not made for this
// caller, action and query within the last kPageTokenLife.
absl::StatusOr<std::string> OpenPageToken(const crypto::Key& key,
                                          const Call& call,
                                          std::string_view query,
                                          std::string_view token);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_PAGE_TOKEN_H_
