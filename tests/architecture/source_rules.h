// SourceRules: what the source may look like, checked by reading it.
//
// Each rule looks at one file, given as text, and returns what breaks it as
// sentences for the author; so the rules themselves can be tested with planted
// violations. Comments and literals do not count. The include table is the one
// of ARCHITECTURE.md: who may know whom.
#ifndef HIZO_TESTS_ARCHITECTURE_SOURCE_RULES_H_
#define HIZO_TESTS_ARCHITECTURE_SOURCE_RULES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hizo::architecture {

inline constexpr size_t kLinesMax = 500;

struct SourceFile {
  std::string path;  // from the root: "service/vault/records.cc"
  std::string text;
};
using Violations = std::vector<std::string>;

// What `file` includes that its folder may not, or that only its .cc may.
Violations CheckIncludes(const SourceFile& file);
// More than kLinesMax lines.
Violations CheckLength(const SourceFile& file);
// Calls and types that nobody, or only tests, may use.
Violations CheckForbiddenNames(const SourceFile& file);
// An include guard that is not named after the path.
Violations CheckGuard(const SourceFile& file);
// All of the above.
Violations CheckFile(const SourceFile& file);
// Names that have no place at the root of the repository.
Violations CheckTopLevel(const std::vector<std::string>& names);
// Source files of a folder that its CMakeLists.txt does not name.
Violations CheckBuilt(std::string_view cmake_lists,
                      const std::vector<std::string>& file_names);

}  // namespace hizo::architecture

#endif  // HIZO_TESTS_ARCHITECTURE_SOURCE_RULES_H_
