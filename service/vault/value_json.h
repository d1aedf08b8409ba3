// Values in the spelling that bundles have them in (service/bundle/FORMAT.md).
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_VALUE_JSON_H_
#define HIZO_SERVICE_VAULT_VALUE_JSON_H_

#include <optional>
#include <string_view>

#include "service/base/pii.h"
#include "service/vault/value.h"

namespace hizo::vault {

// One line.
base::Pii ValueToJson(const Value& value);
// nullopt for what ValueToJson does not write. Whether the value is one of its
// field's is for CheckValue to say.
std::optional<Value> ValueFromJson(std::string_view json);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_VALUE_JSON_H_
