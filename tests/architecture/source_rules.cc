#include "tests/architecture/source_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <string>
#include <utility>

namespace hizo::architecture {
namespace {

// Unit is one row of the include table. An entry that ends with '/' is a folder
// without its sub-folders (of the project) or with them (of others).
struct Unit {
  std::string_view folder;
  std::vector<std::string_view> project;
  std::vector<std::string_view> in_headers;  // and in .cc files
  std::vector<std::string_view> in_sources;  // only there
};

const std::vector<Unit>& IncludeTable() {
  static const std::vector<Unit> kTable = {
      {"crypto/",
       {"crypto/"},
       {"absl/"},
       {"openssl/", "sodium.h", "sodium/", "crypt.h", "unicode/",
        "phonenumbers/", "system"}},
      {"storage/", {"storage/"}, {"absl/"}, {"system"}},
      {"storage/memory/", {"storage/", "storage/memory/"}, {"absl/"}, {}},
      {"storage/rocksdb/",
       {"storage/", "storage/rocksdb/"},
       {"absl/"},
       {"rocksdb/", "system"}},
      {"service/base/", {"service/base/"}, {"absl/"}, {"system"}},
      {"service/policy/", {"service/base/", "service/policy/"}, {"absl/"}, {}},
      {"service/audit/",
       {"service/base/", "service/policy/", "service/audit/",
        "crypto/checkpoint.h", "crypto/digest.h", "crypto/merkle.h",
        "crypto/signed_note.h", "storage/engine.h", "storage/key_bytes.h"},
       {"absl/"},
       {}},
      {"service/bundle/",
       {"service/base/", "service/bundle/", "crypto/"},
       {"absl/"},
       {"archive.h", "archive_entry.h", "nlohmann/"}},
      {"service/vault/",
       {"service/base/", "service/policy/", "service/audit/", "service/bundle/",
        "service/vault/", "crypto/", "storage/"},
       {"absl/"},
       {"nlohmann/"}},
      {"service/rpc/",
       {"service/base/", "service/policy/", "service/audit/", "service/bundle/",
        "service/vault/", "service/rpc/", "crypto/secret.h", "hizo/v1/",
        "google/rpc/", "grpc/health/v1/"},
       {"absl/", "grpc/", "grpcpp/", "google/protobuf/"},
       {"openssl/", "system"}},
      {"service/cli/",
       {"service/base/", "service/bundle/", "service/cli/", "crypto/",
        "hizo/v1/", "google/rpc/"},
       {"absl/"},
       {"CLI/", "google/protobuf/", "grpc/", "grpcpp/", "nlohmann/",
        "yaml-cpp/", "system"}},
      {"service/app/",
       {"crypto/", "storage/", "storage/memory/", "storage/rocksdb/",
        "service/base/", "service/policy/", "service/audit/", "service/bundle/",
        "service/vault/", "service/rpc/", "service/app/", "hizo/v1/"},
       {"absl/"},
       {"CLI/", "grpc/", "grpcpp/", "google/protobuf/", "nlohmann/", "spdlog/",
        "yaml-cpp/", "system"}},
  };
  return kTable;
}

// Adapters that must name their library in a header: that is what they are.
constexpr std::string_view kPrivateHeaders[] = {"service/cli/client_stubs.h",
                                                "storage/rocksdb/open.h",
                                                "storage/rocksdb/read.h"};

constexpr std::string_view kProjectFolders[] = {
    "crypto/", "storage/", "service/",    "tests/",
    "proto/",  "hizo/",    "google/rpc/", "grpc/health/"};
constexpr std::string_view kSystemFolders[] = {"sys/", "linux/", "netinet/",
                                               "arpa/"};

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }

// The row of a file: the longest folder that it lies in.
const Unit* UnitOf(std::string_view path) {
  const Unit* best = nullptr;
  for (const Unit& unit : IncludeTable()) {
    if (path.starts_with(unit.folder) &&
        (best == nullptr || unit.folder.size() > best->folder.size())) {
      best = &unit;
    }
  }
  return best;
}

bool StartsWithAny(std::string_view text, const auto& prefixes) {
  return std::any_of(
      std::begin(prefixes), std::end(prefixes),
      [text](std::string_view prefix) { return text.starts_with(prefix); });
}

// "#include" lines' targets, with their line numbers.
std::vector<std::pair<size_t, std::string>> IncludesOf(
    const std::string& text) {
  std::vector<std::pair<size_t, std::string>> includes;
  std::istringstream in(text);
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t'; });
    if (!line.starts_with("#include")) continue;
    const size_t end = line.find_first_of(">\"", 9);
    if (end == std::string::npos) continue;
    includes.emplace_back(number, line.substr(9, end - 9));
  }
  return includes;
}

bool IsStandard(std::string_view include) {
  return include.find_first_of("./") == std::string_view::npos;
}

// POSIX and C headers: in a known folder, or in none and lower case.
bool IsSystem(std::string_view include) {
  return StartsWithAny(include, kSystemFolders) ||
         (include.find('/') == std::string_view::npos &&
          include != "sodium.h" && include != "crypt.h");
}

bool ProjectAllows(const Unit& unit, std::string_view include) {
  return std::any_of(unit.project.begin(), unit.project.end(),
                     [include](std::string_view entry) {
                       if (!entry.ends_with('/')) return include == entry;
                       return include.starts_with(entry) &&
                              include.find('/', entry.size()) ==
                                  std::string_view::npos;
                     });
}

bool Holds(const std::vector<std::string_view>& entries,
           std::string_view include) {
  return std::any_of(entries.begin(), entries.end(),
                     [include](std::string_view entry) {
                       if (entry == "system") return IsSystem(include);
                       return entry.ends_with('/') ? include.starts_with(entry)
                                                   : include == entry;
                     });
}

bool Allows(const Unit& unit, std::string_view path, std::string_view include) {
  if (IsStandard(include)) return true;
  if (StartsWithAny(include, kProjectFolders)) {
    return ProjectAllows(unit, include);
  }
  if (Holds(unit.in_headers, include)) return true;
  const bool as_source =
      !IsHeader(path) ||
      std::find(std::begin(kPrivateHeaders), std::end(kPrivateHeaders), path) !=
          std::end(kPrivateHeaders);
  return as_source && Holds(unit.in_sources, include);
}

// Where the comment or literal that begins at `at` ends; `at` if none does.
size_t EndOfBlank(std::string_view text, size_t at) {
  const auto after = [text](std::string_view mark, size_t from) {
    const size_t found = text.find(mark, from);
    return found == text.npos ? text.size() : found + mark.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("//")) return std::min(text.find('\n', at), text.size());
  if (rest.starts_with("/*")) return after("*/", at + 2);
  if (rest.starts_with("R\"")) {
    const size_t open = std::min(text.find('(', at), text.size());
    const std::string close =
        ")" + std::string(text.substr(at + 2, open - at - 2)) + "\"";
    return after(close, open);
  }
  // 1'000 holds no character literal.
  const bool character =
      text[at] == '\'' &&
      (at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0);
  if (text[at] != '"' && !character) return at;
  size_t end = at + 1;
  while (end < text.size() && text[end] != text[at]) {
    end += text[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, text.size());
}

// The text with comments and literals blanked; line breaks stay, so that lines
// count.
std::string CodeOf(std::string text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = EndOfBlank(text, at);
    for (size_t i = at; i < end; ++i) {
      if (text[i] != '\n') text[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return text;
}

// ForbiddenName: where it is forbidden, and why.
enum class Scope { kHeaders, kProduction, kEverywhere };
struct ForbiddenName {
  std::string_view name;
  Scope scope;
  std::string_view why;
  std::vector<std::string_view> allowed_in;
};

const std::vector<ForbiddenName>& ForbiddenNames() {
  constexpr std::string_view kPrints = "only the programs print";
  constexpr std::string_view kSleeps = "wait for what you are waiting for";
  static const std::vector<ForbiddenName> kNames = {
      {"DebugString(", Scope::kProduction, "prints people's values", {}},
      {"Utf8Format(", Scope::kProduction, "prints people's values", {}},
      {"printf(", Scope::kProduction, kPrints, {"service/cli/"}},
      {"std::cout",
       Scope::kProduction,
       kPrints,
       {"service/cli/", "service/app/main.cc"}},
      {"std::cerr",
       Scope::kProduction,
       kPrints,
       {"service/cli/", "service/app/main.cc"}},
      {"std::regex", Scope::kProduction, "hostile text can stall it", {}},
      {"absl::Mutex",
       Scope::kProduction,
       "use base::Mutex, which the thread sanitizer can see",
       {}},
      // A tree is its readers' as well as its successor's, until the last of
      // them lets go; then its keys are wiped.
      {"std::shared_ptr",
       Scope::kHeaders,
       "say who owns it",
       {"crypto/key_tree.h", "service/vault/store_keys.h"}},
      {"absl::string_view", Scope::kHeaders, "is not the std one here", {}},
      {"absl::optional", Scope::kHeaders, "is not the std one here", {}},
      {"absl::variant", Scope::kHeaders, "is not the std one here", {}},
      // The client backs off before it asks again.
      {"sleep_for(", Scope::kEverywhere, kSleeps, {"service/cli/"}},
      {"sleep_until(", Scope::kEverywhere, kSleeps, {}},
      {"sleep(", Scope::kEverywhere, kSleeps, {}},
      {"FRIEND_TEST", Scope::kProduction, "test what the header promises", {}},
      {"std::rand(", Scope::kProduction, "use crypto/random.h", {}},
      {"std::mt19937", Scope::kProduction, "use crypto/random.h", {}},
      {"system(", Scope::kProduction, "starts a shell", {}},
      {"popen(", Scope::kProduction, "starts a shell", {}},
  };
  return kNames;
}

bool Concerns(const ForbiddenName& rule, std::string_view path) {
  if (StartsWithAny(path, rule.allowed_in)) return false;
  if (rule.scope == Scope::kEverywhere) return true;
  if (path.starts_with("tests/")) return false;
  return rule.scope == Scope::kProduction || IsHeader(path);
}

// Whether `name` stands at `at` by itself and not as the end of another name:
// `snprintf(` is no `printf(`.
bool StandsAlone(const std::string& text, size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return std::isalnum(static_cast<unsigned char>(before)) == 0 && before != '_';
}

std::string At(const SourceFile& file, size_t line) {
  return file.path + ":" + std::to_string(line) + ": ";
}

size_t LineOf(const std::string& text, size_t at) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(at);
  return 1 + static_cast<size_t>(std::count(text.begin(), end, '\n'));
}

void Append(Violations& all, Violations more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()),
             std::make_move_iterator(more.end()));
}

}  // namespace

Violations CheckIncludes(const SourceFile& file) {
  Violations violations;
  const Unit* unit = UnitOf(file.path);
  if (unit == nullptr) return {file.path + ": is in no unit of the table"};
  for (const auto& [line, include] : IncludesOf(file.text)) {
    if (Allows(*unit, file.path, include)) continue;
    violations.push_back(At(file, line) + std::string(unit->folder) +
                         " may not include " + include +
                         (IsHeader(file.path) ? " in a header" : ""));
  }
  return violations;
}

Violations CheckLength(const SourceFile& file) {
  const auto lines =
      static_cast<size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
  if (lines <= kLinesMax) return {};
  return {file.path + ": has " + std::to_string(lines) + " lines, over " +
          std::to_string(kLinesMax)};
}

Violations CheckForbiddenNames(const SourceFile& file) {
  Violations violations;
  const std::string code = CodeOf(file.text);
  for (const ForbiddenName& rule : ForbiddenNames()) {
    if (!Concerns(rule, file.path)) continue;
    for (size_t at = code.find(rule.name); at != std::string::npos;
         at = code.find(rule.name, at + 1)) {
      // "ShortDebugString(" is as bad as "DebugString(".
      if (rule.name != "DebugString(" && !StandsAlone(code, at)) continue;
      violations.push_back(At(file, LineOf(code, at)) + std::string(rule.name) +
                           " " + std::string(rule.why));
    }
  }
  return violations;
}

Violations CheckGuard(const SourceFile& file) {
  if (!IsHeader(file.path)) return {};
  std::string guard = "HIZO_";
  for (const char c : file.path) {
    const auto u = static_cast<unsigned char>(c);
    guard += std::isalnum(u) != 0 ? static_cast<char>(std::toupper(u)) : '_';
  }
  guard += '_';
  const std::string wanted = "#ifndef " + guard + "\n#define " + guard + "\n";
  if (file.text.find(wanted) != std::string::npos) return {};
  return {file.path + ": its include guard is not " + guard};
}

Violations CheckFile(const SourceFile& file) {
  Violations violations = CheckLength(file);
  Append(violations, CheckGuard(file));
  Append(violations, CheckForbiddenNames(file));
  // A test may join what the product keeps apart.
  if (!file.path.starts_with("tests/")) Append(violations, CheckIncludes(file));
  return violations;
}

Violations CheckTopLevel(const std::vector<std::string>& names) {
  static constexpr auto kAgreed = std::to_array<std::string_view>(
      {"CMakeLists.txt", "CMakePresets.json", "proto", "service", "crypto",
       "storage", "deploy", "tests", "README.md", "ARCHITECTURE.md",
       "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "NOTICE",
       "package.json", "package-lock.json", "buf.yaml",
       // Made by tools and ignored by git.
       "build", "node_modules", "run"});
  Violations violations;
  for (const std::string& name : names) {
    if (name.starts_with('.') ||
        std::find(kAgreed.begin(), kAgreed.end(), name) != kAgreed.end()) {
      continue;
    }
    violations.push_back(name + ": has no place at the root");
  }
  return violations;
}

Violations CheckBuilt(std::string_view cmake_lists,
                      const std::vector<std::string>& file_names) {
  Violations violations;
  for (const std::string& name : file_names) {
    size_t at = cmake_lists.find(name);
    while (at != std::string_view::npos && at > 0 &&
           !std::isspace(static_cast<unsigned char>(cmake_lists[at - 1])) &&
           cmake_lists[at - 1] != '(' && cmake_lists[at - 1] != '/') {
      at = cmake_lists.find(name, at + 1);
    }
    if (at == std::string_view::npos) {
      violations.push_back(name + ": is not in its CMakeLists.txt");
    }
  }
  return violations;
}

}  // namespace hizo::architecture
