// Hostile bytes as the plaintext of a field, and what callers can make of them
// as a value of every type of field.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/reason.h"
#include "service/policy/catalogue.h"
#include "service/vault/value.h"
#include "tests/fuzz/require.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using fuzz::Require;
using policy::FieldType;
using policy::Mask;

constexpr std::array kTypes{
    FieldType::kText,  FieldType::kChoice,    FieldType::kEmail,
    FieldType::kPhone, FieldType::kHandle,    FieldType::kReference,
    FieldType::kDate,  FieldType::kTimestamp, FieldType::kInteger,
    FieldType::kMoney, FieldType::kBoolean,   FieldType::kAddress,
    FieldType::kBytes, FieldType::kJson,
};
constexpr std::array kMasks{
    Mask::kEnds,     Mask::kEmail,    Mask::kPhone,
    Mask::kLastFour, Mask::kInitials, Mask::kFirstTwo,
    Mask::kRegion,   Mask::kYear,     Mask::kHidden,
};
constexpr size_t kMaskMarksMax = 16;  // stars, spaces and dots

std::string Stored(const Value& value) {
  return std::string(EncodeValue(value, Source::kProvided).Reveal());
}

void ReadAsPlaintext(std::string_view bytes) {
  const absl::StatusOr<Value> value = DecodeValue(bytes);
  if (!value.ok()) {
    Require(base::ReasonOf(value.status()) == Reason::kIntegrityFailure,
            "one reason tells of damage");
    return;
  }
  const auto source = static_cast<Source>(bytes.front());
  Require(EncodeValue(*value, source).Reveal() == bytes,
          "a value has one encoding");
}

void PutAs(policy::FieldSpec field, Value value) {
  const absl::StatusOr<Value> checked =
      CheckValue(field, std::move(value), "DE");
  if (!checked.ok()) {
    const Reason reason = base::ReasonOf(checked.status());
    Require(reason == Reason::kValueInvalid || reason == Reason::kTooLarge ||
                reason == Reason::kFieldForbidden,
            "three reasons refuse a value");
    return;
  }
  const std::string stored = Stored(*checked);
  absl::StatusOr<Value> read = DecodeValue(stored);
  Require(read.ok() && Stored(*read) == stored, "what was put is read back");
  for (const Mask mask : kMasks) {
    field.mask = mask;
    Require(MaskValue(field, *read).size() <= stored.size() + kMaskMarksMax,
            "a mask shows no more than there is");
  }
  const absl::StatusOr<Value> again = CheckValue(field, *std::move(read), "");
  Require(again.ok() && Stored(*again) == stored,
          "what was put can be put again, without a region");
}

void PutEverywhere(std::string_view bytes) {
  policy::FieldSpec field;
  field.number = 1;
  field.size_max = policy::kFieldSizeMax;
  field.choices = {"one", "two"};
  const std::string text(bytes);
  for (const FieldType type : kTypes) {
    field.type = type;
    PutAs(field, Text{Pii(text)});
    PutAs(field, Blob{Pii(text)});
    PutAs(field, Json{Pii(text)});
    absl::StatusOr<Value> decoded = DecodeValue(bytes);
    if (decoded.ok()) PutAs(field, *std::move(decoded));
    const auto indexed = NormaliseForIndex(field, text, "DE");
    Require(indexed.ok() ||
                base::ReasonOf(indexed.status()) == Reason::kValueInvalid,
            "one reason refuses to look a value up");
  }
}

}  // namespace
}  // namespace hizo::vault

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hizo::vault::ReadAsPlaintext(bytes);
  hizo::vault::PutEverywhere(bytes);
  return 0;
}
