// Hostile text as what people write for `hizo`: a line of an import, fields of
// a record, a time, a look-up.
#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/timestamp.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/subject.pb.h"
#include "service/cli/failure.h"
#include "service/cli/import_file.h"
#include "service/cli/values.h"
#include "tests/fuzz/require.h"

namespace hizo::cli {
namespace {

using fuzz::Require;

void CheckRefusal(const absl::Status& status) {
  Require(status.ok() || FailureOf(status).exit == ExitCode::kUsage,
          "what cannot be read is a usage error");
}

void Run(const std::string& text) {
  google::protobuf::RepeatedPtrField<v1::NewRecord> records;
  const absl::Status person = ParsePerson(text, records);
  CheckRefusal(person);
  if (person.ok()) {
    for (const v1::NewRecord& record : records) {
      Require(!record.record_class().empty(), "a record is of a class");
      // Strings are UTF-8, or the vault would refuse the message as a whole.
      v1::NewRecord copy;
      Require(copy.ParseFromString(record.SerializeAsString()),
              "what was read can be sent");
    }
  }
  v1::NewRecord record;
  record.set_record_class("profile");
  CheckRefusal(ParseFields(text, record));
  google::protobuf::Timestamp time;
  const absl::Status parsed = ParseTime(text, time);
  CheckRefusal(parsed);
  Require(!parsed.ok() || (time.nanos() >= 0 && time.nanos() < 1'000'000'000),
          "a time is within its second");
  v1::LookupKey key;
  CheckRefusal(ParseLookup(text, key));
  Require(ImportRequestId({1, text}) == ImportRequestId({1, text}) &&
              ImportRequestId({1, text}) != ImportRequestId({2, text}),
          "a line at its place has one id");
}

}  // namespace
}  // namespace hizo::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::cli::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
