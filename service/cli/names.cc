#include "service/cli/names.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

std::string NameOf(const google::protobuf::EnumDescriptor& type, int number) {
  return absl::AsciiStrToLower(EnumName(type, number));
}

}  // namespace

std::string NamesOf(const google::protobuf::EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const int number = type.value(i)->number();
    if (number != 0) names.push_back(NameOf(type, number));
  }
  return Join(names, ", ");
}

absl::StatusOr<int> NumberOf(const google::protobuf::EnumDescriptor& type,
                             std::string_view name) {
  const std::string wanted = absl::AsciiStrToLower(std::string(name));
  for (int i = 0; i < type.value_count(); ++i) {
    const int number = type.value(i)->number();
    if (number != 0 && NameOf(type, number) == wanted) {
      return number;
    }
  }
  return UsageError("wanted one of " + NamesOf(type));
}

}  // namespace hizo::cli
