// Names: the words of the proto's enumerations as people write them, such as
// `in_person` for CHANNEL_IN_PERSON.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_CLI_NAMES_H_
#define HIZO_SERVICE_CLI_NAMES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace google::protobuf {
class EnumDescriptor;
}  // namespace google::protobuf

namespace hizo::cli {

// All of them but the one that stands for none: "web, app".
std::string NamesOf(const google::protobuf::EnumDescriptor& type);
// A usage error for a name that is none; case does not matter.
absl::StatusOr<int> NumberOf(const google::protobuf::EnumDescriptor& type,
                             std::string_view name);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_NAMES_H_
