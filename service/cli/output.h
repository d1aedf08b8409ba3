// What `hizo` prints: tables for people, JSON for programs.
//
// Values come from people whom nobody checked, so nothing of them reaches the
// terminal as a command: control characters and the marks that turn the
// direction of writing around are shown as \u{..}. Threads: all functions may
// be called concurrently; a Table as any value type.
#ifndef HIZO_SERVICE_CLI_OUTPUT_H_
#define HIZO_SERVICE_CLI_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace google::protobuf {
class EnumDescriptor;
class Message;
class Timestamp;
}  // namespace google::protobuf
namespace hizo::v1 {
class Value;
}  // namespace hizo::v1

namespace hizo::cli {

// Columns that `text` takes in a terminal: two for wide characters such as
// kanji, none for combining marks. `text` is printable UTF-8.
size_t DisplayWidth(std::string_view text);

// `text` with everything escaped that is not a printable character, malformed
// UTF-8 byte by byte.
std::string Printable(std::string_view text);

// Table aligns rows of cells under a header; without a header (all empty) it is
// a list of names and values.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  // `row` has as many cells as the header.
  void Add(std::vector<std::string> row);
  // Lines that end with a line break; cells are made printable.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A message of the API as one line of JSON: names of the API; enum values
// without their prefix; times as RFC 3339; values as an import takes them; the
// fields of a record as an object, with the names of masked ones beside it.
std::string JsonText(const google::protobuf::Message& message);
// One line of JSON with these members, in their order.
using JsonMember =
    std::pair<std::string_view, std::variant<int64_t, std::string>>;
std::string JsonText(std::initializer_list<JsonMember> members);
// The same, with those of `message` after them.
std::string JsonText(std::initializer_list<JsonMember> members,
                     const google::protobuf::Message& message);

// The name of an enum value of the API without its prefix, such as ALLOWED; the
// number where this program does not know it.
std::string EnumName(const google::protobuf::EnumDescriptor& type, int number);

// A value as people read it.
std::string DisplayText(const v1::Value& value);
// RFC 3339 in UTC.
std::string DisplayText(const google::protobuf::Timestamp& time);

// `names` with `separator` between them.
template <typename Names>
std::string Join(const Names& names, std::string_view separator) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_OUTPUT_H_
