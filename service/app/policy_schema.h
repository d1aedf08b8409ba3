// What may stand in the files of a company's policy: every key that they know.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_POLICY_SCHEMA_H_
#define HIZO_SERVICE_APP_POLICY_SCHEMA_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "service/app/yaml_reader.h"

namespace hizo::app {

enum class PolicyFileKind : uint8_t { kProfile, kStatutory, kOperator };

// kInvalidArgument with file and line for the first key that no such file has,
// and for a group of a profile that is missing.
absl::Status CheckPolicyKeys(PolicyFileKind kind, const YamlValue& root);

// Whether a policy may name this field, or class. Not every catalogue has them.
bool IsPolicyField(std::string_view name);
bool IsPolicyClass(std::string_view name);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_POLICY_SCHEMA_H_
