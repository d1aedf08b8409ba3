// Value: one value of a field, as use cases see it and as it lies, sealed, in a
// record.
//
// Texts that came from a person are Pii throughout. Threads: value type.
#ifndef HIZO_SERVICE_VAULT_VALUE_H_
#define HIZO_SERVICE_VAULT_VALUE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/pii.h"
#include "service/policy/catalogue.h"

namespace hizo::vault {

struct Money {
  std::string currency;  // ISO 4217
  int64_t minor_units = 0;
};
struct Address {
  std::string country;  // ISO 3166-1 alpha-2
  base::Pii postal_code;
  base::Pii region;
  base::Pii locality;
  std::vector<base::Pii> lines;
};
struct Text {
  base::Pii text;
};
struct Blob {
  base::Pii bytes;
};
struct Json {
  base::Pii document;
};
using Value = std::variant<Text, int64_t, bool, Money, Address, base::Timestamp,
                           Blob, Json>;

using policy::Source;
// A value and where it came from, which decides whether it is portable.
struct SourcedValue {
  Value value;
  Source source = Source::kProvided;
};

inline constexpr size_t kAddressLinesMax = 6;
inline constexpr size_t kAddressPartSizeMax = 256;
inline constexpr size_t kBlobSizeMax = 64 * 1024;

// The plaintext of a sealed field (FORMAT.md), and back; kDataLoss for what
// EncodeValue does not make.
base::Pii EncodeValue(const Value& value, Source source);
absl::StatusOr<Value> DecodeValue(std::string_view plaintext);
absl::StatusOr<SourcedValue> DecodeSourcedValue(std::string_view plaintext);

// Checks that `value` is of the field's type, form and size, free of forbidden
// content, and returns it in the form in which it is stored: text in NFC,
// phone numbers in E.164. `region` is for national phone numbers. Fails with
// kValueInvalid, kTooLarge or kFieldForbidden, naming the field.
absl::StatusOr<Value> CheckValue(const policy::FieldSpec& field, Value value,
                                 std::string_view region);

// What is shown of a value under the field's mask.
base::Pii MaskValue(const policy::FieldSpec& field, const Value& value);

// The one spelling under which a searchable value is indexed; kValueInvalid
// for what is not of the field's type.
absl::StatusOr<base::Pii> NormaliseForIndex(const policy::FieldSpec& field,
                                            std::string_view text,
                                            std::string_view region);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_VALUE_H_
