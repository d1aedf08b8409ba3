#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using base::Pii;

// Stored; never renumber.
enum class Kind : uint8_t {
  kText = 1,
  kInteger = 2,
  kBoolean = 3,
  kMoney = 4,
  kAddress = 5,
  kTimestamp = 6,
  kBlob = 7,
  kJson = 8,
};

struct Encoder {
  ByteWriter& out;
  void operator()(const Text& value) const {
    Head(Kind::kText).PutRaw(value.text.Reveal());
  }
  void operator()(int64_t value) const {
    Head(Kind::kInteger).Put(static_cast<uint64_t>(value));
  }
  void operator()(bool value) const {
    Head(Kind::kBoolean).Put(static_cast<uint8_t>(value ? 1 : 0));
  }
  void operator()(const Money& value) const {
    Head(Kind::kMoney)
        .PutText(value.currency)
        .Put(static_cast<uint64_t>(value.minor_units));
  }
  void operator()(const Address& value) const {
    Head(Kind::kAddress)
        .PutText(value.country)
        .PutText(value.postal_code.Reveal())
        .PutText(value.region.Reveal())
        .PutText(value.locality.Reveal())
        .Put(static_cast<uint8_t>(value.lines.size()));
    for (const Pii& line : value.lines) out.PutText(line.Reveal());
  }
  void operator()(base::Timestamp value) const {
    Head(Kind::kTimestamp).Put(static_cast<uint64_t>(base::ToMicros(value)));
  }
  void operator()(const Blob& value) const {
    Head(Kind::kBlob).PutRaw(value.bytes.Reveal());
  }
  void operator()(const Json& value) const {
    Head(Kind::kJson).PutRaw(value.document.Reveal());
  }
  ByteWriter& Head(Kind kind) const {
    return out.Put(static_cast<uint8_t>(kind));
  }
};

Pii TakePii(std::string_view text) { return Pii(std::string(text)); }

Address DecodeAddress(ByteReader& in) {
  Address address;
  address.country = in.GetText();
  address.postal_code = TakePii(in.GetText());
  address.region = TakePii(in.GetText());
  address.locality = TakePii(in.GetText());
  const auto lines = in.Get<uint8_t>();
  for (int i = 0; in.ok() && i < lines; ++i) {
    address.lines.push_back(TakePii(in.GetText()));
  }
  return address;
}

std::optional<Value> DecodeKind(Kind kind, ByteReader& in) {
  switch (kind) {
    case Kind::kText:
      return Text{TakePii(in.GetRest())};
    case Kind::kInteger:
      return static_cast<int64_t>(in.Get<uint64_t>());
    case Kind::kBoolean: {
      const auto truth = in.Get<uint8_t>();
      if (truth > 1) return std::nullopt;
      return truth == 1;
    }
    case Kind::kMoney: {
      std::string currency(in.GetText());
      return Money{std::move(currency),
                   static_cast<int64_t>(in.Get<uint64_t>())};
    }
    case Kind::kAddress:
      return DecodeAddress(in);
    case Kind::kTimestamp:
      return base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
    case Kind::kBlob:
      return Blob{TakePii(in.GetRest())};
    case Kind::kJson:
      return Json{TakePii(in.GetRest())};
  }
  return std::nullopt;
}

}  // namespace

Pii EncodeValue(const Value& value, Source source) {
  ByteWriter out;
  out.Put(static_cast<uint8_t>(source));
  std::visit(Encoder{out}, value);
  return Pii(std::move(out).Take());
}

absl::StatusOr<SourcedValue> DecodeSourcedValue(std::string_view plaintext) {
  ByteReader in(plaintext);
  const auto source = in.Get<uint8_t>();
  const auto kind = static_cast<Kind>(in.Get<uint8_t>());
  std::optional<Value> value = DecodeKind(kind, in);
  const bool known_source = source >= static_cast<uint8_t>(Source::kProvided) &&
                            source <= static_cast<uint8_t>(Source::kDerived);
  if (!value.has_value() || !in.done() || !known_source) {
    return base::Fail(base::Reason::kIntegrityFailure);
  }
  return SourcedValue{*std::move(value), static_cast<Source>(source)};
}

absl::StatusOr<Value> DecodeValue(std::string_view plaintext) {
  ASSIGN_OR_RETURN(SourcedValue sourced, DecodeSourcedValue(plaintext));
  return std::move(sourced.value);
}

}  // namespace hizo::vault
