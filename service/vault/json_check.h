// Whether text is one JSON document (RFC 8259, UTF-8). Wraps the JSON library
// for the vault. Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_JSON_CHECK_H_
#define HIZO_SERVICE_VAULT_JSON_CHECK_H_

#include <string_view>

namespace hizo::vault {

bool IsJsonDocument(std::string_view text);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_JSON_CHECK_H_
