#include "crypto/record_cipher.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using testing::Optional;

using Fields = std::map<FieldNumber, std::string>;
using Header = RecordSealer::Header;

const std::string kSubject = "subject-16-bytes";
const std::string kRecord = "record--16-bytes";

RecordPlace Place() {
  return {.tenant = 1,
          .subject = kSubject,
          .class_number = 2,
          .record_id = kRecord};
}

std::string SealRow(const Key& dek, const Fields& fields,
                    const RecordPlace& place = Place(),
                    const Header& header = {}) {
  RecordSealer sealer(dek, place, header);
  for (const auto& [number, text] : fields) {
    EXPECT_THAT(sealer.Put(number, text), IsOk());
  }
  return std::move(sealer).Finish();
}

absl::StatusOr<Fields> OpenRow(const Key& dek, std::string_view bytes,
                               const RecordPlace& place = Place()) {
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(bytes);
  if (!row.ok()) return row.status();
  const absl::StatusOr<RecordOpener> opener =
      RecordOpener::Create(dek, place, *row);
  if (!opener.ok()) return opener.status();
  Fields fields;
  for (const SealedRow::SealedField& field : row->fields()) {
    absl::StatusOr<std::optional<std::string>> text =
        opener->Field(*row, field.number);
    if (!text.ok()) return text.status();
    fields[field.number] = text->value();
  }
  return fields;
}

TEST(RecordCipherTest, OpensWhatItSealed) {
  const Key dek = Key::Random();
  const Fields fields = {{1, "Ada"},
                         {2, ""},
                         {3, "\0nul\0"s},
                         {7, "\xff\xfe"},
                         {8, "ends with the mark \x80"},
                         {500, std::string(1000, 'x')},
                         {65535, std::string(kFieldPlaintextMax, 'y')}};
  EXPECT_THAT(OpenRow(dek, SealRow(dek, fields)), IsOkAndHolds(fields));
}

TEST(RecordCipherTest, AnEmptyRowIsARow) {
  const Key dek = Key::Random();
  const std::string row = SealRow(dek, {});
  EXPECT_THAT(OpenRow(dek, row), IsOkAndHolds(Fields{}));
  EXPECT_THAT(OpenRow(Key::Random(), row), StatusIs(StatusCode::kDataLoss));
}

TEST(RecordCipherTest, OpensTheRowsOfAnIndependentEncoder) {
  const std::string subject = FromHex(kVectorSubject);
  const std::string record = FromHex(kVectorRecordId);
  const RecordPlace place = {
      .tenant = 7, .subject = subject, .class_number = 2, .record_id = record};
  const Fields fields = {{1, "Ada"}, {2, ""}, {9, std::string(40, 'x')}};
  for (const char* bytes : {kVectorRow, kVectorAesRow}) {
    EXPECT_THAT(OpenRow(KeyFromHex(kVectorDek), FromHex(bytes), place),
                IsOkAndHolds(fields));
    const absl::StatusOr<SealedRow> row = SealedRow::Parse(FromHex(bytes));
    ASSERT_THAT(row, IsOk());
    EXPECT_EQ(row->suite(), bytes == kVectorRow ? kFirstSuite : kAesSuite);
    EXPECT_EQ(row->Find(1)->version, 4u);
    EXPECT_EQ(row->Find(9)->version, 5u);
  }
}

TEST(RecordCipherTest, ARowSaysWhatItsHeaderSays) {
  const Header header = {.generation = 3,
                         .period = 20260101,
                         .version = 9,
                         .version_epoch = 0xabcdef0123456789};
  const absl::StatusOr<SealedRow> row =
      SealedRow::Parse(SealRow(Key::Random(), {{4, "x"}}, Place(), header));
  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->class_number(), 2);
  EXPECT_EQ(row->generation(), 3u);
  EXPECT_EQ(row->period(), 20260101u);
  EXPECT_EQ(row->version(), 9u);
  EXPECT_EQ(row->version_epoch(), 0xabcdef0123456789u);
  EXPECT_EQ(row->commitment(), row->bytes().substr(32, 32));
  ASSERT_EQ(row->fields().size(), 1u);
  EXPECT_EQ(row->fields()[0].version, 9u);
}

TEST(RecordCipherTest, FieldsMayBePutInAnyOrder) {
  const Key dek = Key::Random();
  RecordSealer sealer(dek, Place(), {});
  for (const FieldNumber number : std::vector<FieldNumber>{30, 10, 20}) {
    ASSERT_THAT(sealer.Put(number, std::to_string(number)), IsOk());
  }
  const Fields fields = {{10, "10"}, {20, "20"}, {30, "30"}};
  EXPECT_THAT(OpenRow(dek, std::move(sealer).Finish()), IsOkAndHolds(fields));
}

TEST(RecordCipherTest, AnAbsentFieldIsNoError) {
  const Key dek = Key::Random();
  const absl::StatusOr<SealedRow> row =
      SealedRow::Parse(SealRow(dek, {{2, "two"}}));
  ASSERT_THAT(row, IsOk());
  const absl::StatusOr<RecordOpener> opener =
      RecordOpener::Create(dek, Place(), *row);
  ASSERT_THAT(opener, IsOk());
  for (const FieldNumber number : std::vector<FieldNumber>{0, 1, 3, 65535}) {
    EXPECT_EQ(row->Find(number), nullptr);
    EXPECT_THAT(opener->Field(*row, number), IsOkAndHolds(std::nullopt));
  }
  EXPECT_THAT(opener->Field(*row, 2), IsOkAndHolds(Optional("two"s)));
}

TEST(RecordCipherTest, SealsTheSameTextDifferentlyEachTime) {
  const Key dek = Key::Random();
  const std::string first = SealRow(dek, {{1, "text"}, {2, "text"}});
  const std::string second = SealRow(dek, {{1, "text"}, {2, "text"}});
  EXPECT_NE(first, second);
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(first);
  ASSERT_THAT(row, IsOk());
  const auto sealed = [&row](FieldNumber number) {
    const auto* const field = row->Find(number);
    return row->bytes().substr(field->offset, field->size);
  };
  EXPECT_NE(sealed(1).substr(kNonceSize), sealed(2).substr(kNonceSize));
}

TEST(RecordCipherTest, NeverUsesANonceTwice) {
  const Key dek = Key::Random();
  Fields fields;
  for (size_t i = 0; i < kFieldsMax; ++i) {
    fields[static_cast<FieldNumber>(i)] = "x";
  }
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(SealRow(dek, fields));
  ASSERT_THAT(row, IsOk());
  std::map<std::string, int> nonces;
  for (const auto& field : row->fields()) {
    ++nonces[row->bytes().substr(field.offset, kNonceSize)];
  }
  EXPECT_EQ(nonces.size(), kFieldsMax);
}

TEST(RecordCipherTest, SizesTellLittleOfLengths) {
  const Key dek = Key::Random();
  EXPECT_EQ(SealRow(dek, {{1, ""}}).size(),
            SealRow(dek, {{1, std::string(31, 'x')}}).size());
  EXPECT_LT(SealRow(dek, {{1, ""}}).size(),
            SealRow(dek, {{1, std::string(32, 'x')}}).size());
}

TEST(RecordCipherTest, RefusesTooMuch) {
  const Key dek = Key::Random();
  RecordSealer sealer(dek, Place(), {});
  EXPECT_THAT(sealer.Put(1, std::string(kFieldPlaintextMax + 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(sealer.Put(1, "x"), IsOk());
  EXPECT_THAT(sealer.Put(1, "x"), StatusIs(StatusCode::kInvalidArgument));
  for (size_t i = 2; i <= kFieldsMax; ++i) {
    ASSERT_THAT(sealer.Put(static_cast<FieldNumber>(i), ""), IsOk());
  }
  EXPECT_THAT(sealer.Put(kFieldsMax + 1, ""),
              StatusIs(StatusCode::kInvalidArgument));
  const absl::StatusOr<Fields> opened =
      OpenRow(dek, std::move(sealer).Finish());
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->size(), kFieldsMax);
}

TEST(RecordCipherTest, ARowThatIsTooLargeIsRefusedBeforeItIsMade) {
  const Key dek = Key::Random();
  const std::string large(kFieldPlaintextMax, 'x');
  RecordSealer sealer(dek, Place(), {});
  FieldNumber number = 0;
  absl::Status status;
  while (status.ok() && number < kFieldsMax)
    status = sealer.Put(++number, large);
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  const std::string row = std::move(sealer).Finish();
  EXPECT_LE(row.size(), kRowSizeMax);
  const absl::StatusOr<Fields> opened = OpenRow(dek, row);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->size(), number - 1u);
}

TEST(RecordKeepTest, CarriesAFieldIntoALaterVersion) {
  const Key dek = Key::Random();
  const absl::StatusOr<SealedRow> first =
      SealedRow::Parse(SealRow(dek, {{1, "one"}, {2, "two"}}));
  ASSERT_THAT(first, IsOk());
  RecordSealer sealer(dek, Place(), {.version = 2});
  ASSERT_THAT(sealer.Keep(*first, 1), IsOk());
  ASSERT_THAT(sealer.Put(2, "new"), IsOk());
  const std::string bytes = std::move(sealer).Finish();
  const Fields fields = {{1, "one"}, {2, "new"}};
  EXPECT_THAT(OpenRow(dek, bytes), IsOkAndHolds(fields));
  const absl::StatusOr<SealedRow> second = SealedRow::Parse(bytes);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->Find(1)->version, 1u);
  EXPECT_EQ(second->Find(2)->version, 2u);
}

TEST(RecordKeepTest, RefusesWhatIsNotThere) {
  const Key dek = Key::Random();
  const absl::StatusOr<SealedRow> row =
      SealedRow::Parse(SealRow(dek, {{1, "one"}}));
  ASSERT_THAT(row, IsOk());
  RecordSealer sealer(dek, Place(), {.version = 2});
  EXPECT_THAT(sealer.Keep(*row, 2), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(sealer.Put(1, "x"), IsOk());
  EXPECT_THAT(sealer.Keep(*row, 1), StatusIs(StatusCode::kInvalidArgument));
}

TEST(RecordKeepTest, RefusesWhatIsNoEarlierVersionUnderTheSameKey) {
  const Key dek = Key::Random();
  const absl::StatusOr<SealedRow> row =
      SealedRow::Parse(SealRow(dek, {{1, "one"}}, Place(), {.version = 5}));
  ASSERT_THAT(row, IsOk());
  RecordPlace other_class = Place();
  other_class.class_number = 3;
  const std::vector<std::pair<RecordPlace, Header>> cases = {
      {Place(), {.version = 5}},
      {Place(), {.version = 4}},
      {Place(), {.generation = 2, .version = 6}},
      {Place(), {.period = 2026, .version = 6}},
      {other_class, {.version = 6}}};
  for (const auto& [place, header] : cases) {
    RecordSealer sealer(dek, place, header);
    EXPECT_THAT(sealer.Keep(*row, 1), StatusIs(StatusCode::kInvalidArgument));
  }
}

// A DEK outlives a change of its tenant's suite: rows of both stand under it.
TEST(RecordSuiteTest, ADekOpensRowsOfEitherSuite) {
  const Key dek = Key::Random();
  const Fields fields = {{1, "Ada"}, {2, std::string(300, 'x')}};
  for (const Suite written : {kFirstSuite, kAesSuite}) {
    const std::string row = SealRow(dek.In(written), fields);
    EXPECT_EQ(SealedRow::Parse(row)->suite(), written);
    for (const Suite read : {kFirstSuite, kAesSuite}) {
      EXPECT_THAT(OpenRow(dek.In(read), row), IsOkAndHolds(fields));
    }
  }
}

TEST(RecordSuiteTest, ARowThatClaimsTheOtherSuiteDoesNotOpen) {
  const Key dek = Key::Random();
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    std::string row = SealRow(dek.In(suite), {{1, "Ada"}});
    row[1] = static_cast<char>(suite == kFirstSuite ? kAesSuite : kFirstSuite);
    ASSERT_THAT(SealedRow::Parse(row), IsOk());
    EXPECT_THAT(OpenRow(dek, row), StatusIs(StatusCode::kDataLoss));
  }
}

TEST(RecordSuiteTest, AFieldIsNotKeptAcrossSuites) {
  const Key dek = Key::Random();
  for (const Suite suite : {kFirstSuite, kAesSuite}) {
    const absl::StatusOr<SealedRow> row =
        SealedRow::Parse(SealRow(dek.In(suite), {{1, "Ada"}}));
    ASSERT_THAT(row, IsOk());
    for (const Suite next : {kFirstSuite, kAesSuite}) {
      RecordSealer sealer(dek.In(next), Place(), {.version = 2});
      EXPECT_EQ(sealer.CanKeep(*row), suite == next);
      EXPECT_EQ(sealer.Keep(*row, 1).ok(), suite == next);
    }
  }
}

// Keep does not look whose row it is given: what stands behind it must.
TEST(RecordKeepTest, AFieldOfAnotherRecordDoesNotOpen) {
  const Key dek = Key::Random();
  RecordPlace tenant = Place();
  tenant.tenant = 2;
  RecordPlace subject = Place();
  subject.subject = "another-16-bytes";
  RecordPlace record = Place();
  record.record_id = "another-16-bytes";
  for (const RecordPlace& place : {tenant, subject, record}) {
    const absl::StatusOr<SealedRow> foreign =
        SealedRow::Parse(SealRow(dek, {{1, "theirs"}}, place));
    ASSERT_THAT(foreign, IsOk());
    RecordSealer sealer(dek, Place(), {.version = 2});
    ASSERT_THAT(sealer.Keep(*foreign, 1), IsOk());
    EXPECT_THAT(OpenRow(dek, std::move(sealer).Finish()),
                StatusIs(StatusCode::kDataLoss));
  }
}

struct Salamander {
  Suite suite;
  const char* row;
  const char* data;
  const char* field_keys[2];
};

class SalamanderTest : public testing::TestWithParam<Salamander> {};

TEST_P(SalamanderTest, OneCiphertextForTwoKeysIsRefusedByTheCommitment) {
  const std::string subject = FromHex(kVectorSubject);
  const std::string record = FromHex(kVectorRecordId);
  const RecordPlace place = {
      .tenant = 7, .subject = subject, .class_number = 2, .record_id = record};
  const std::string bytes = FromHex(GetParam().row);
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(bytes);
  ASSERT_THAT(row, IsOk());
  const auto* const field = row->Find(1);
  ASSERT_NE(field, nullptr);
  // The cipher alone is deceived: both keys open the very same bytes.
  const std::string sealed = bytes.substr(field->offset, field->size);
  const std::string data = FromHex(GetParam().data);
  std::vector<std::string> opened;
  for (const char* hex : GetParam().field_keys) {
    const auto text = Open(KeyFromHex(hex).In(GetParam().suite), data, sealed);
    ASSERT_THAT(text, IsOk());
    opened.push_back(*text);
  }
  ASSERT_NE(opened[0], opened[1]);
  // The row is not.
  EXPECT_THAT(OpenRow(KeyFromHex(kVectorSalamanderDek1), bytes, place), IsOk());
  EXPECT_THAT(OpenRow(KeyFromHex(kVectorSalamanderDek2), bytes, place),
              StatusIs(StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(
    EachSuite, SalamanderTest,
    testing::Values(Salamander{kFirstSuite,
                               kVectorSalamanderRow,
                               kVectorSalamanderData,
                               {kVectorSalamanderFieldKey1,
                                kVectorSalamanderFieldKey2}},
                    Salamander{kAesSuite,
                               kVectorAesSalamanderRow,
                               kVectorAesSalamanderData,
                               {kVectorAesSalamanderFieldKey1,
                                kVectorAesSalamanderFieldKey2}}));

}  // namespace
}  // namespace hizo::crypto
