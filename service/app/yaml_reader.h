// Reading configuration files: YAML, strictly.
//
// Of YAML only maps, lists and scalars are taken: aliases, anchors, tags, a
// second document, a key that stands twice and nesting beyond kYamlDepthMax are
// refused, and so is a file over kYamlSizeMax, so that no file can cost more
// than its own size. What a scalar is, is decided by who reads it and not by
// how it looks: `NO` is a text where a text is wanted.
// Errors are kInvalidArgument (kNotFound for a missing file) and say
// `file:line: what`. They may quote the file: an operator wrote it, and nothing
// in it comes from a person.
//
// Threads: value types.
#ifndef HIZO_SERVICE_APP_YAML_READER_H_
#define HIZO_SERVICE_APP_YAML_READER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hizo::app {

inline constexpr size_t kYamlSizeMax = 1024 * 1024;
inline constexpr size_t kYamlDepthMax = 16;

// YamlValue is one value of a file and where it stands.
struct YamlValue {
  enum class Kind : uint8_t { kEmpty, kScalar, kList, kMap };
  Kind kind = Kind::kEmpty;
  std::string where;   // "file:line", or the flag that it was given by
  std::string key;     // of an item of a map
  std::string text;    // of a scalar
  bool plain = false;  // a scalar without quotes
  std::vector<YamlValue> items;  // of a list or a map, in the file's order

  // An error about this value.
  absl::Status Error(const std::string& what) const;

  // Each takes the value into `out`, or tells what was wanted instead.
  absl::Status Read(std::string& out) const;  // not empty
  absl::Status Read(bool& out) const;         // true or false, without quotes
  absl::Status Read(std::vector<std::string>& out) const;
  template <std::unsigned_integral T>
  requires(sizeof(T) <= sizeof(uint32_t)) absl::Status Read(T& out)
  const {
    uint64_t number = 0;
    absl::Status status = ReadNumber(0, std::numeric_limits<T>::max(), number);
    if (status.ok()) out = static_cast<T>(number);
    return status;
  }
  absl::Status ReadNumber(uint64_t min, uint64_t max, uint64_t& out) const;
};

// The one document of `file`, which is a map, and the file's SHA-256 in hex.
struct YamlFile {
  YamlValue root;
  std::string digest;
};
absl::StatusOr<YamlFile> ReadYamlFile(const std::filesystem::path& file);
// The same of the text of a file that errors call `name`.
absl::StatusOr<YamlFile> ReadYamlText(const std::string& text,
                                      const std::string& name);
absl::StatusOr<YamlValue> ReadYaml(const std::filesystem::path& file);
// The same of `text`; errors call it `name`.
absl::StatusOr<YamlValue> ParseYaml(const std::string& text,
                                    const std::string& name);

// Names of the values of an enum, as configuration writes them.
template <typename Enum>
using EnumNames = std::span<const std::pair<std::string_view, Enum>>;

// YamlMap takes a map apart. The first thing that is wrong is kept and told by
// Finish, which also refuses keys that nobody asked for; until then `out` is
// left as it was. Refers to the value, which must outlive it.
class YamlMap {
 public:
  explicit YamlMap(const YamlValue& value);

  template <typename T>
  YamlMap& Required(std::string_view key, T& out) {
    if (const YamlValue* value = Need(key)) Note(value->Read(out));
    return *this;
  }
  template <typename T>
  YamlMap& Optional(std::string_view key, T& out) {
    if (const YamlValue* value = Find(key)) Note(value->Read(out));
    return *this;
  }
  template <typename Enum>
  YamlMap& RequiredName(std::string_view key, EnumNames<Enum> names,
                        Enum& out) {
    return TakeName(Need(key), names, out);
  }
  template <typename Enum>
  YamlMap& OptionalName(std::string_view key, EnumNames<Enum> names,
                        Enum& out) {
    return TakeName(Find(key), names, out);
  }
  // The items of a list or of a map; none, and an error noted, if the key has
  // no such value.
  std::span<const YamlValue> List(std::string_view key);
  std::span<const YamlValue> Map(std::string_view key);
  // A map; nullptr if the key is not there, or, with an error noted, no map.
  const YamlValue* OptionalMap(std::string_view key);

  absl::Status Finish();

 private:
  const YamlValue* Find(std::string_view key);
  const YamlValue* Need(std::string_view key);
  std::span<const YamlValue> ItemsOf(std::string_view key,
                                     YamlValue::Kind kind);
  template <typename Enum>
  YamlMap& TakeName(const YamlValue* value, EnumNames<Enum> names, Enum& out) {
    if (value == nullptr) return *this;
    std::vector<std::string_view> allowed;
    for (const auto& [name, of] : names) allowed.push_back(name);
    if (size_t i = IndexIn(*value, allowed); i < names.size()) {
      out = names[i].second;
    }
    return *this;
  }
  // Which of `names` the value is; their number, and an error noted, if none.
  size_t IndexIn(const YamlValue& value,
                 std::span<const std::string_view> names);
  void Note(absl::Status status);

  const YamlValue& value_;
  std::set<std::string, std::less<>> asked_;
  absl::Status status_;
};

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_YAML_READER_H_
