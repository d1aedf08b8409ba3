#include "service/vault/value.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/json_check.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using policy::FieldSpec;
using policy::FieldType;
using policy::Mask;
using test::HasReason;
using test::IsOk;

FieldSpec FieldOf(FieldType type, size_t size_max = 0) {
  FieldSpec field;
  field.number = 42;
  field.type = type;
  field.size_max = size_max;
  field.choices = {"free", "paid"};
  return field;
}

absl::StatusOr<Value> Check(FieldType type, Value value,
                            std::string_view region = "JP") {
  return CheckValue(FieldOf(type), std::move(value), region);
}

// The text as it would be stored; the name of the reason if it is refused.
std::string CheckedText(FieldType type, std::string_view text,
                        std::string_view region = "JP") {
  const auto value = Check(type, TextOf(text), region);
  if (value.ok()) return RevealText(*value);
  EXPECT_EQ(base::FieldOf(value.status()), 42);
  return std::string(base::NameOf(base::ReasonOf(value.status())));
}

Value AddressOf(std::string country, std::vector<std::string> lines,
                std::string region = "Tokyo") {
  Address address;
  address.country = std::move(country);
  address.postal_code = Pii("100-0001");
  address.region = Pii(std::move(region));
  address.locality = Pii("Chiyoda");
  for (std::string& line : lines) address.lines.emplace_back(std::move(line));
  return address;
}

// One value of each kind.
std::vector<Value> OneOfEach() {
  std::vector<Value> values;
  values.push_back(TextOf("text"));
  values.emplace_back(int64_t{-7});
  values.emplace_back(true);
  values.emplace_back(Money{"JPY", -1200});
  values.push_back(AddressOf("JP", {"Chiyoda 1-1", "2F"}));
  values.emplace_back(base::FromMicros(-5));
  values.emplace_back(Blob{Pii(std::string("\0\xFF", 2))});
  values.emplace_back(Json{Pii("{\"a\":[1,null]}")});
  return values;
}

std::string Encoded(const Value& value, Source source = Source::kProvided) {
  return std::string(EncodeValue(value, source).Reveal());
}

TEST(CheckValueTest, RefusesEveryKindForFieldsOfAnotherType) {
  const std::vector<FieldType> types = {
      FieldType::kText,  FieldType::kInteger, FieldType::kBoolean,
      FieldType::kMoney, FieldType::kAddress, FieldType::kTimestamp,
      FieldType::kBytes, FieldType::kJson};
  for (size_t type = 0; type < types.size(); ++type) {
    std::vector<Value> values = OneOfEach();
    for (size_t kind = 0; kind < values.size(); ++kind) {
      const auto checked = Check(types[type], std::move(values[kind]));
      if (kind == type) {
        EXPECT_THAT(checked, IsOk()) << kind;
      } else {
        EXPECT_THAT(checked, HasReason(Reason::kValueInvalid)) << kind;
        EXPECT_EQ(base::FieldOf(checked.status()), 42);
      }
    }
  }
}

TEST(CheckValueTest, StoresTextInNfc) {
  EXPECT_EQ(CheckedText(FieldType::kText, "cafe\xCC\x81"), "caf\xC3\xA9");
  EXPECT_EQ(CheckedText(FieldType::kText, " as it is "), " as it is ");
  EXPECT_EQ(CheckedText(FieldType::kText, "\xE5\xB1\xB1\xE7\x94\xB0"),
            "\xE5\xB1\xB1\xE7\x94\xB0");
}

TEST(CheckValueTest, RefusesTextThatIsEmptyOrNotText) {
  for (const std::string& bad :
       {std::string(), std::string("\xFF"), std::string("a\0b", 3),
        std::string("\xED\xA0\x80")}) {
    EXPECT_EQ(CheckedText(FieldType::kText, bad), "VALUE_INVALID");
  }
}

TEST(CheckValueTest, BoundsTextByItsFieldOrElseByDefault) {
  const auto check = [](size_t size_max, size_t size) {
    return CheckValue(FieldOf(FieldType::kText, size_max),
                      TextOf(std::string(size, 'a')), "");
  };
  EXPECT_THAT(check(10, 10), IsOk());
  EXPECT_THAT(check(10, 11), HasReason(Reason::kTooLarge));
  EXPECT_THAT(check(0, 4096), IsOk());
  EXPECT_THAT(check(0, 4097), HasReason(Reason::kTooLarge));
  EXPECT_THAT(check(SIZE_MAX, kBlobSizeMax), IsOk());
  EXPECT_THAT(check(SIZE_MAX, kBlobSizeMax + 1), HasReason(Reason::kTooLarge));
}

TEST(CheckValueTest, BoundsTextAsItIsStored) {
  // U+0958 is three bytes, and six in NFC.
  const std::string qa = "\xE0\xA5\x98";
  EXPECT_THAT(CheckValue(FieldOf(FieldType::kText, 6), TextOf(qa), ""), IsOk());
  EXPECT_THAT(CheckValue(FieldOf(FieldType::kText, 6), TextOf(qa + qa), ""),
              HasReason(Reason::kTooLarge));
}

TEST(CheckValueTest, KeepsEmailsAsWrittenAndRefusesOthers) {
  EXPECT_EQ(CheckedText(FieldType::kEmail, "Ann@Example.com"),
            "Ann@Example.com");
  for (const char* bad : {"ann", "@example.com", "ann@", "a b@example.com"}) {
    EXPECT_EQ(CheckedText(FieldType::kEmail, bad), "VALUE_INVALID") << bad;
  }
}

TEST(CheckValueTest, StoresPhoneNumbersInE164) {
  EXPECT_EQ(CheckedText(FieldType::kPhone, "03-1234-5678"), "+81312345678");
  EXPECT_EQ(CheckedText(FieldType::kPhone, "+1 650 253 0000", ""),
            "+16502530000");
  EXPECT_EQ(CheckedText(FieldType::kPhone, "03-1234-5678", ""),
            "VALUE_INVALID");
  EXPECT_EQ(CheckedText(FieldType::kPhone, "12"), "VALUE_INVALID");
}

TEST(CheckValueTest, ChecksHandlesAndReferences) {
  EXPECT_EQ(CheckedText(FieldType::kHandle, "Ann.O"), "Ann.O");
  EXPECT_EQ(CheckedText(FieldType::kHandle, "ann other"), "VALUE_INVALID");
  EXPECT_EQ(CheckedText(FieldType::kReference, " No 7 "), "No 7");
  EXPECT_EQ(CheckedText(FieldType::kReference, "a\nb"), "VALUE_INVALID");
}

TEST(CheckValueTest, AcceptsDaysThatTheCalendarHas) {
  for (const char* day : {"2024-02-29", "1900-01-01", "9999-12-31"}) {
    EXPECT_EQ(CheckedText(FieldType::kDate, day), day);
  }
  for (const char* bad :
       {"2023-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "2024-1-01",
        "2024/01/01", "24-01-01", "2024-01-01T", "tomorrow!!", "-024-01-01"}) {
    EXPECT_EQ(CheckedText(FieldType::kDate, bad), "VALUE_INVALID") << bad;
  }
}

TEST(CheckValueTest, AcceptsOnlyTheChoicesThereAre) {
  EXPECT_EQ(CheckedText(FieldType::kChoice, "free"), "free");
  EXPECT_EQ(CheckedText(FieldType::kChoice, "Free"), "VALUE_INVALID");
  EXPECT_EQ(CheckedText(FieldType::kChoice, "fre"), "VALUE_INVALID");
}

TEST(CheckValueTest, RefusesCardNumbersAndCodesWhereverTextIsFree) {
  const std::string card = "4242 4242 4242 4242";
  for (const FieldType type : {FieldType::kText, FieldType::kReference}) {
    EXPECT_EQ(CheckedText(type, card), "FIELD_FORBIDDEN");
    EXPECT_EQ(CheckedText(type, "card " + card + " of Ann"), "FIELD_FORBIDDEN");
    EXPECT_EQ(CheckedText(type, "CVV: 123"), "FIELD_FORBIDDEN");
    EXPECT_EQ(CheckedText(type, "4242 4242 4242 4243"), "4242 4242 4242 4243");
  }
  EXPECT_EQ(CheckedText(FieldType::kHandle, "4242424242424242"),
            "FIELD_FORBIDDEN");
  EXPECT_EQ(CheckedText(FieldType::kEmail, "4242424242424242@example.com"),
            "FIELD_FORBIDDEN");
  EXPECT_THAT(Check(FieldType::kAddress, AddressOf("JP", {"1-1", card})),
              HasReason(Reason::kFieldForbidden));
  EXPECT_THAT(Check(FieldType::kJson, Json{Pii("{\"card\":\"" + card + "\"}")}),
              HasReason(Reason::kFieldForbidden));
  EXPECT_THAT(Check(FieldType::kInteger, int64_t{4242424242424242}),
              HasReason(Reason::kFieldForbidden));
}

TEST(CheckValueTest, AcceptsEveryOtherInteger) {
  for (const int64_t number : {int64_t{0}, std::numeric_limits<int64_t>::min(),
                               std::numeric_limits<int64_t>::max()}) {
    EXPECT_THAT(Check(FieldType::kInteger, number), IsOk());
  }
}

TEST(CheckValueTest, WantsCurrenciesAndCountriesByTheirCodes) {
  for (const char* bad : {"", "JP", "jpy", "JPYX", "J1Y"}) {
    EXPECT_THAT(Check(FieldType::kMoney, Money{bad, 1}),
                HasReason(Reason::kValueInvalid));
  }
  for (const char* bad : {"", "J", "jp", "JPN", "J1"}) {
    EXPECT_THAT(Check(FieldType::kAddress, AddressOf(bad, {})),
                HasReason(Reason::kValueInvalid));
  }
}

TEST(CheckValueTest, BoundsAddressesAndStoresThemInNfc) {
  EXPECT_THAT(
      Check(FieldType::kAddress,
            AddressOf("JP", std::vector<std::string>(kAddressLinesMax, "l"))),
      IsOk());
  EXPECT_THAT(Check(FieldType::kAddress,
                    AddressOf("JP", std::vector<std::string>(
                                        kAddressLinesMax + 1, "l"))),
              HasReason(Reason::kTooLarge));
  const std::string longest(kAddressPartSizeMax, 'l');
  EXPECT_THAT(Check(FieldType::kAddress, AddressOf("JP", {longest})), IsOk());
  EXPECT_THAT(Check(FieldType::kAddress, AddressOf("JP", {longest + "l"})),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(Check(FieldType::kAddress, AddressOf("JP", {}, longest + "l")),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(Check(FieldType::kAddress, AddressOf("JP", {"\xFF"})),
              HasReason(Reason::kValueInvalid));
  const auto stored =
      Check(FieldType::kAddress, AddressOf("FR", {"cafe\xCC\x81"}));
  ASSERT_THAT(stored, IsOk());
  EXPECT_EQ(std::get<Address>(*stored).lines[0].Reveal(), "caf\xC3\xA9");
}

TEST(CheckValueTest, BoundsBytesAndDocuments) {
  const auto check = [](FieldType type, size_t size_max, Value value) {
    return CheckValue(FieldOf(type, size_max), std::move(value), "");
  };
  const auto blob = [](size_t size) { return Blob{Pii(std::string(size, 0))}; };
  EXPECT_THAT(check(FieldType::kBytes, 0, blob(kBlobSizeMax)), IsOk());
  EXPECT_THAT(check(FieldType::kBytes, 0, blob(kBlobSizeMax + 1)),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(check(FieldType::kBytes, 3, blob(4)),
              HasReason(Reason::kTooLarge));
  const auto json = [](const std::string& text) { return Json{Pii(text)}; };
  EXPECT_THAT(check(FieldType::kJson, 4, json("null")), IsOk());
  EXPECT_THAT(check(FieldType::kJson, 4, json("false")),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(check(FieldType::kJson, 0, json("{")),
              HasReason(Reason::kValueInvalid));
}

TEST(JsonCheckTest, AcceptsOneDocumentAndNothingElse) {
  for (const char* good : {"{}", "[]", "1", "\"a\"", " {\"a\": [1, null]} "}) {
    EXPECT_TRUE(IsJsonDocument(good)) << good;
  }
  for (const char* bad : {"", "{", "{} {}", "{'a':1}", "[1,]", "nul",
                          "\"\xFF\"", "// c\n1", "NaN"}) {
    EXPECT_FALSE(IsJsonDocument(bad)) << bad;
  }
}

TEST(JsonCheckTest, SurvivesDocumentsThatAreDeeperThanTheStack) {
  const size_t depth = kBlobSizeMax / 2;
  EXPECT_TRUE(
      IsJsonDocument(std::string(depth, '[') + std::string(depth, ']')));
  EXPECT_FALSE(IsJsonDocument(std::string(kBlobSizeMax, '[')));
}

TEST(ValueCodecTest, DecodesWhatItEncoded) {
  for (const Source source : {Source::kProvided, Source::kObserved}) {
    for (const Value& value : OneOfEach()) {
      const std::string bytes = Encoded(value, source);
      const auto decoded = DecodeValue(bytes);
      ASSERT_THAT(decoded, IsOk());
      EXPECT_EQ(decoded->index(), value.index());
      EXPECT_EQ(Encoded(*decoded, source), bytes);
    }
  }
}

TEST(ValueCodecTest, KeepsItsBytes) {
  using std::string_literals::operator""s;
  const std::vector<Value> values = OneOfEach();
  EXPECT_EQ(Encoded(values[0]), "\1\1text"s);
  EXPECT_EQ(Encoded(values[1], Source::kObserved),
            "\2\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xF9"s);
  EXPECT_EQ(Encoded(values[2]), "\1\3\1"s);
  EXPECT_EQ(Encoded(values[3]),
            "\1\4\0\0\0\3JPY\xFF\xFF\xFF\xFF\xFF\xFF\xFB\x50"s);
  EXPECT_EQ(Encoded(values[4]),
            "\1\5\0\0\0\2JP\0\0\0\10"s + "100-0001\0\0\0\5Tokyo"s +
                "\0\0\0\7Chiyoda\2\0\0\0\13"s + "Chiyoda 1-1\0\0\0\2"s + "2F");
  EXPECT_EQ(Encoded(values[5]), "\1\6\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFB"s);
  EXPECT_EQ(Encoded(values[6]), "\1\7\0\xFF"s);
  EXPECT_EQ(Encoded(values[7]), "\1\10{\"a\":[1,null]}"s);
}

TEST(ValueCodecTest, RefusesWhatItDoesNotMake) {
  using std::string_literals::operator""s;
  const std::vector<std::string> bad = {
      "",
      "\1",
      "\0\1text"s,  // sources that are none
      "\4\1text"s,
      "\1\0text"s,  // kinds that are none
      "\1\11text"s,
      "\1\2\0\0\0"s,  // an integer cut short
      "\1\3\2"s,      // neither true nor false
      "\1\3"s,
      "\1\3\1\1"s,  // bytes left over
      "\1\4\0\0\0\3JPY"s,
      "\1\5\0\0\0\2JP"s,
      "\1\4\xFF\xFF\xFF\xFFJPY"s,
  };
  for (const std::string& bytes : bad) {
    EXPECT_THAT(DecodeValue(bytes), HasReason(Reason::kIntegrityFailure));
  }
}

TEST(ValueCodecTest, RefusesEveryCutOfWhatHasASize) {
  const std::vector<Value> values = OneOfEach();
  for (const size_t kind : {size_t{1}, size_t{3}, size_t{4}, size_t{5}}) {
    const std::string bytes = Encoded(values[kind]);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_THAT(DecodeValue(bytes.substr(0, size)),
                  HasReason(Reason::kIntegrityFailure));
    }
    EXPECT_THAT(DecodeValue(bytes + "x"), HasReason(Reason::kIntegrityFailure));
  }
}

std::string Masked(FieldType type, Mask mask, const Value& value) {
  FieldSpec field = FieldOf(type);
  field.mask = mask;
  return std::string(MaskValue(field, value).Reveal());
}

TEST(MaskValueTest, ShowsTheMaskOfEachType) {
  EXPECT_EQ(Masked(FieldType::kText, Mask::kInitials, TextOf("Ann Other")),
            "A. O***");
  EXPECT_EQ(Masked(FieldType::kEmail, Mask::kEmail, TextOf("ann@example.com")),
            "a***@e***.com");
  EXPECT_EQ(Masked(FieldType::kPhone, Mask::kPhone, TextOf("+81312345678")),
            "+81*****5678");
  EXPECT_EQ(Masked(FieldType::kAddress, Mask::kRegion,
                   AddressOf("JP", {"Chiyoda 1-1"})),
            "JP, Tokyo");
  EXPECT_EQ(Masked(FieldType::kTimestamp, Mask::kYear,
                   base::FromMicros(1'700'000'000'000'000)),
            "2023");
  EXPECT_EQ(Masked(FieldType::kMoney, Mask::kNone, Money{"JPY", -5}), "JPY -5");
  EXPECT_EQ(Masked(FieldType::kBoolean, Mask::kNone, false), "false");
  EXPECT_EQ(Masked(FieldType::kBoolean, Mask::kNone, true), "true");
  EXPECT_EQ(Masked(FieldType::kInteger, Mask::kNone, int64_t{-7}), "-7");
}

TEST(MaskValueTest, HidesNumbersBehindEveryOtherMask) {
  for (const Mask mask : {Mask::kEnds, Mask::kLastFour, Mask::kFirstTwo,
                          Mask::kInitials, Mask::kHidden}) {
    EXPECT_EQ(Masked(FieldType::kInteger, mask, int64_t{123456789}), "***");
    EXPECT_EQ(Masked(FieldType::kMoney, mask, Money{"JPY", 123456}), "***");
  }
}

TEST(MaskValueTest, ShowsNothingOfAnAddressButItsRegion) {
  for (const Mask mask : {Mask::kRegion, Mask::kEnds, Mask::kLastFour,
                          Mask::kFirstTwo, Mask::kNone, Mask::kHidden}) {
    const std::string masked =
        Masked(FieldType::kAddress, mask, AddressOf("JP", {"Secret street"}));
    EXPECT_EQ(masked.find("Secret"), std::string::npos);
    EXPECT_EQ(masked.find("Chiyoda"), std::string::npos);
    EXPECT_EQ(masked.find("100-0001"), std::string::npos);
  }
}

TEST(MaskValueTest, HidesBytesAndDocumentsBehindAnyMask) {
  for (const Mask mask : {Mask::kNone, Mask::kEnds, Mask::kHidden}) {
    EXPECT_EQ(Masked(FieldType::kBytes, mask, Blob{Pii("secret bytes")}),
              "***");
    EXPECT_EQ(Masked(FieldType::kJson, mask, Json{Pii("{\"a\":\"secret\"}")}),
              "***");
  }
}

TEST(NormaliseForIndexTest, SpellsEachTypeInOneWay) {
  const auto normalised = [](FieldType type, std::string_view text) {
    const auto result = NormaliseForIndex(FieldOf(type), text, "JP");
    if (result.ok()) return std::string(result->Reveal());
    EXPECT_EQ(base::FieldOf(result.status()), 42);
    return std::string(base::NameOf(base::ReasonOf(result.status())));
  };
  EXPECT_EQ(normalised(FieldType::kEmail, " Ann@EXAMPLE.com"),
            "ann@example.com");
  EXPECT_EQ(normalised(FieldType::kPhone, "03 1234 5678"), "+81312345678");
  EXPECT_EQ(normalised(FieldType::kHandle, "ANN"), "ann");
  EXPECT_EQ(normalised(FieldType::kReference, " No 7"), "No 7");
  EXPECT_EQ(normalised(FieldType::kEmail, "no address"), "VALUE_INVALID");
  for (const FieldType type : {FieldType::kText, FieldType::kDate,
                               FieldType::kInteger, FieldType::kJson}) {
    EXPECT_EQ(normalised(type, "text"), "VALUE_INVALID");
  }
}

}  // namespace
}  // namespace hizo::vault
