#include "service/vault/value.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "crypto/normalise.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/policy/forbidden.h"
#include "service/policy/mask.h"
#include "service/vault/json_check.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Pii;
using base::Reason;
using policy::FieldSpec;
using policy::FieldType;

constexpr size_t kTextSizeMax = 4096;  // where the catalogue sets none

size_t SizeMax(const FieldSpec& field, size_t otherwise) {
  return field.size_max == 0 ? otherwise
                             : std::min(field.size_max, kBlobSizeMax);
}

bool IsUpper(std::string_view text, size_t size) {
  return text.size() == size &&
         std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A calendar date, yyyy-mm-dd.
bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  std::array<int, 3> parts{};
  constexpr std::array<std::pair<size_t, size_t>, 3> kSpans{
      {{0, 4}, {5, 2}, {8, 2}}};
  for (size_t i = 0; i < parts.size(); ++i) {
    for (const char c : text.substr(kSpans[i].first, kSpans[i].second)) {
      if (c < '0' || c > '9') return false;
      parts[i] = parts[i] * 10 + (c - '0');
    }
  }
  return std::chrono::year_month_day(
             std::chrono::year(parts[0]),
             std::chrono::month(static_cast<unsigned>(parts[1])),
             std::chrono::day(static_cast<unsigned>(parts[2])))
      .ok();
}

// Card numbers and codes have no place in free text.
bool Forbidden(std::string_view text) {
  return policy::LooksLikeCardNumber(text) || policy::LooksLikeCardCode(text);
}

absl::StatusOr<std::string> CheckText(const FieldSpec& field,
                                      std::string_view text,
                                      std::string_view region) {
  switch (field.type) {
    case FieldType::kEmail:
      RETURN_IF_ERROR(crypto::NormaliseEmail(text).status());
      return crypto::NormaliseText(text);
    case FieldType::kPhone:
      return crypto::NormalisePhone(text, region);
    case FieldType::kHandle:
      RETURN_IF_ERROR(crypto::NormaliseHandle(text).status());
      return crypto::NormaliseText(text);
    case FieldType::kReference:
      return crypto::NormaliseReference(text);
    case FieldType::kDate:
      if (!IsDate(text)) return Fail(Reason::kValueInvalid);
      return std::string(text);
    case FieldType::kChoice:
      if (std::ranges::find(field.choices, text) == field.choices.end()) {
        return Fail(Reason::kValueInvalid);
      }
      return std::string(text);
    case FieldType::kText:
      return crypto::NormaliseText(text);
    default:
      return Fail(Reason::kValueInvalid);
  }
}

// A phone number or a date is digits by nature; what else holds digits is
// looked at.
bool MayHideCard(FieldType type) {
  return type == FieldType::kText || type == FieldType::kHandle ||
         type == FieldType::kReference || type == FieldType::kEmail;
}

struct Checker {
  const FieldSpec& field;
  std::string_view region;

  absl::Status Refuse(Reason reason) const {
    return Fail(reason, field.number);
  }
  absl::StatusOr<Value> operator()(Text value) const {
    const std::string_view text = value.text.Reveal();
    if (text.empty()) return Refuse(Reason::kValueInvalid);
    if (text.size() > SizeMax(field, kTextSizeMax)) {
      return Refuse(Reason::kTooLarge);
    }
    absl::StatusOr<std::string> stored = CheckText(field, text, region);
    if (!stored.ok()) return Refuse(Reason::kValueInvalid);
    Pii kept(*std::move(stored));
    // NFC can be longer than what was written.
    if (kept.size() > SizeMax(field, kTextSizeMax)) {
      return Refuse(Reason::kTooLarge);
    }
    if (MayHideCard(field.type) && Forbidden(kept.Reveal())) {
      return Refuse(Reason::kFieldForbidden);
    }
    return Text{std::move(kept)};
  }
  absl::StatusOr<Value> operator()(int64_t value) const {
    if (field.type != FieldType::kInteger) {
      return Refuse(Reason::kValueInvalid);
    }
    if (Forbidden(std::to_string(value))) {
      return Refuse(Reason::kFieldForbidden);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(bool value) const {
    if (field.type != FieldType::kBoolean) {
      return Refuse(Reason::kValueInvalid);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(Money value) const {
    if (field.type != FieldType::kMoney || !IsUpper(value.currency, 3)) {
      return Refuse(Reason::kValueInvalid);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(Address value) const {
    if (field.type != FieldType::kAddress || !IsUpper(value.country, 2)) {
      return Refuse(Reason::kValueInvalid);
    }
    if (value.lines.size() > kAddressLinesMax) {
      return Refuse(Reason::kTooLarge);
    }
    std::vector<Pii*> parts{&value.postal_code, &value.region, &value.locality};
    for (Pii& line : value.lines) parts.push_back(&line);
    for (Pii* part : parts) {
      if (part->size() > kAddressPartSizeMax) {
        return Refuse(Reason::kTooLarge);
      }
      absl::StatusOr<std::string> text = crypto::NormaliseText(part->Reveal());
      if (!text.ok()) return Refuse(Reason::kValueInvalid);
      *part = Pii(*std::move(text));
      if (Forbidden(part->Reveal())) return Refuse(Reason::kFieldForbidden);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(base::Timestamp value) const {
    if (field.type != FieldType::kTimestamp) {
      return Refuse(Reason::kValueInvalid);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(Blob value) const {
    if (field.type != FieldType::kBytes) return Refuse(Reason::kValueInvalid);
    if (value.bytes.size() > SizeMax(field, kBlobSizeMax)) {
      return Refuse(Reason::kTooLarge);
    }
    return value;
  }
  absl::StatusOr<Value> operator()(Json value) const {
    if (field.type != FieldType::kJson) return Refuse(Reason::kValueInvalid);
    const std::string_view document = value.document.Reveal();
    if (document.size() > SizeMax(field, kBlobSizeMax)) {
      return Refuse(Reason::kTooLarge);
    }
    if (!IsJsonDocument(document)) return Refuse(Reason::kValueInvalid);
    if (Forbidden(document)) return Refuse(Reason::kFieldForbidden);
    return value;
  }
};

// The text that a mask is laid over.
std::string MaskedText(const Value& value) {
  if (const auto* text = std::get_if<Text>(&value)) {
    return std::string(text->text.Reveal());
  }
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* truth = std::get_if<bool>(&value)) {
    return *truth ? "true" : "false";
  }
  if (const auto* money = std::get_if<Money>(&value)) {
    return money->currency + " " + std::to_string(money->minor_units);
  }
  if (const auto* address = std::get_if<Address>(&value)) {
    return address->country + ", " + std::string(address->region.Reveal());
  }
  if (const auto* time = std::get_if<base::Timestamp>(&value)) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromChrono(*time),
                            absl::UTCTimeZone());
  }
  return {};
}

}  // namespace

absl::StatusOr<Value> CheckValue(const FieldSpec& field, Value value,
                                 std::string_view region) {
  return std::visit(
      [&](auto&& kind) -> absl::StatusOr<Value> {
        return Checker{field, region}(std::forward<decltype(kind)>(kind));
      },
      std::move(value));
}

Pii MaskValue(const FieldSpec& field, const Value& value) {
  // Blobs and documents have no part that is fit to be shown.
  const bool shapeless = std::holds_alternative<Blob>(value) ||
                         std::holds_alternative<Json>(value);
  const policy::Mask mask = shapeless ? policy::Mask::kHidden : field.mask;
  const Pii text(MaskedText(value));
  return Pii(policy::ApplyMask(mask, field.type, text.Reveal()));
}

absl::StatusOr<Pii> NormaliseForIndex(const FieldSpec& field,
                                      std::string_view text,
                                      std::string_view region) {
  absl::StatusOr<std::string> normalised = Fail(Reason::kValueInvalid);
  switch (field.type) {
    case FieldType::kEmail:
      normalised = crypto::NormaliseEmail(text);
      break;
    case FieldType::kPhone:
      normalised = crypto::NormalisePhone(text, region);
      break;
    case FieldType::kHandle:
      normalised = crypto::NormaliseHandle(text);
      break;
    case FieldType::kReference:
      normalised = crypto::NormaliseReference(text);
      break;
    default:
      break;
  }
  if (!normalised.ok()) return Fail(Reason::kValueInvalid, field.number);
  return Pii(*std::move(normalised));
}

}  // namespace hizo::vault
