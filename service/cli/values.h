// What people write down for `hizo`: records and values as JSON, times.
//
// A value is a string (text), a whole number, true or false, or an object:
// {"currency":..,"minor_units":..}, an address with its "country",
// {"timestamp":RFC 3339}, {"base64":..} or {"json":anything}. Anything else,
// a key given twice, and nesting deeper than 32 are usage errors; their text
// names the field, never its value. Threads: all functions may be called
// concurrently.
#ifndef HIZO_SERVICE_CLI_VALUES_H_
#define HIZO_SERVICE_CLI_VALUES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
class Timestamp;
}  // namespace google::protobuf
namespace hizo::v1 {
class LookupKey;
class NewRecord;
}  // namespace hizo::v1

namespace hizo::cli {

// Adds the records of a person: {"profile":{FIELD:VALUE,..},
// "transaction":[{"event_time":RFC 3339,"fields":{..}},..]}, an object for a
// class of one record, an array for a series.
absl::Status ParsePerson(
    std::string_view json,
    google::protobuf::RepeatedPtrField<v1::NewRecord>& records);

// Adds the fields of one object to `record`, whose class is set.
absl::Status ParseFields(std::string_view json, v1::NewRecord& record);

// RFC 3339, or a date, which is its first moment in UTC.
absl::Status ParseTime(const std::string& text,
                       google::protobuf::Timestamp& time);

// `FIELD=VALUE`, such as account.email=a@example.com.
absl::Status ParseLookup(const std::string& text, v1::LookupKey& key);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_VALUES_H_
