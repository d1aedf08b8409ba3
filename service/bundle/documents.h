// The documents of a bundle that hold records: profile.json, and of each series
// a part as NDJSON and as CSV; written, and read strictly (FORMAT.md).
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_DOCUMENTS_H_
#define HIZO_SERVICE_BUNDLE_DOCUMENTS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/bundle/person.h"

namespace hizo::bundle {

inline constexpr char kProfileName[] = "profile.json";
inline constexpr char kSchemaName[] = "profile.schema.json";
inline constexpr char kProfileSchemaId[] =
    "https://hizo.example/schema/profile-1.json";
// Of a line of a part.
inline constexpr char kRecordSchemaId[] =
    "https://hizo.example/schema/profile-1.json#/$defs/record";
// A part of a series ends with the record that brings it to this size.
inline constexpr size_t kPartSize = size_t{384} << 10;

// The records of the classes that are no series, at most one of each.
std::string ProfileJson(const About& about, std::span<const Record> records);
// The published JSON Schema (2020-12) of the above and of a line of a part.
std::string_view ProfileSchema();

// `transaction-0001.ndjson`; `kind` is its ending.
std::string PartName(std::string_view record_class, size_t number,
                     std::string_view kind);
// Appends one line.
void AppendRecordLine(const About& about, const Record& record,
                      std::string& out);
// The first line, and one of `record`, of a table with a column for each of
// `fields`, for money and addresses several. What a spreadsheet would take for
// a formula stands behind an apostrophe.
struct Column {
  std::string name;
  enum class Shape { kPlain, kMoney, kAddress } shape = Shape::kPlain;
};
// A cell as it stands in the table.
std::string CsvCell(std::string_view text);
std::string CsvHead(std::span<const Column> columns);
void AppendCsvLine(std::span<const Column> columns, const Record& record,
                   std::string& out);

// Whose records a member holds, as it says itself; a Refusal for one that says
// nothing.
absl::StatusOr<std::string> SubjectOf(std::string_view content);
// The records of a member; a Refusal for anything that the above does not
// write, or that is of somebody else than `subject`.
absl::StatusOr<std::vector<Record>> ReadProfile(std::string_view json,
                                                std::string_view subject);
absl::StatusOr<std::vector<Record>> ReadPart(std::string_view ndjson,
                                             std::string_view subject);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_DOCUMENTS_H_
