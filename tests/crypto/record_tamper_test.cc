// What somebody may do to a sealed row who can write to the disk and has no
// key: every change must be found, and nothing but the truth ever opened.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "crypto/record_cipher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

constexpr size_t kHeaderSize = 16;
constexpr size_t kCommitment = 32;
constexpr size_t kCount = 64;
constexpr size_t kTable = 66;
constexpr size_t kEntrySize = 14;

class RecordTamper : public testing::Test {
 protected:
  explicit RecordTamper(Suite suite)
      : dek_(Key::Random(suite)),
        row_(SealRow(1, {"first", "second", "third"})) {}

  RecordPlace Place() const {
    return {.tenant = 1,
            .subject = subject_,
            .class_number = 2,
            .record_id = record_};
  }
  // Fields 1, 2, ... in one block each.
  std::string SealRow(uint64_t version,
                      const std::vector<std::string>& texts) const {
    RecordSealer sealer(dek_, Place(), {.version = version});
    FieldNumber number = 0;
    for (const std::string& text : texts) {
      EXPECT_THAT(sealer.Put(++number, text), IsOk());
    }
    return std::move(sealer).Finish();
  }
  // The first failure on the way to all fields of `bytes`.
  absl::StatusOr<std::vector<std::string>> OpenAt(
      const RecordPlace& place, std::string_view bytes) const {
    const absl::StatusOr<SealedRow> row = SealedRow::Parse(bytes);
    if (!row.ok()) return row.status();
    const absl::StatusOr<RecordOpener> opener =
        RecordOpener::Create(dek_, place, *row);
    if (!opener.ok()) return opener.status();
    std::vector<std::string> texts;
    for (const auto& field : row->fields()) {
      absl::StatusOr<std::optional<std::string>> text =
          opener->Field(*row, field.number);
      if (!text.ok()) return text.status();
      texts.push_back(text->value());
    }
    return texts;
  }
  void ExpectRefused(std::string_view bytes) const {
    EXPECT_THAT(OpenAt(Place(), bytes), StatusIs(StatusCode::kDataLoss));
  }
  // Offset and size of the sealed bytes of field `number` in row_.
  static size_t SealedAt(size_t number) {
    return kTable + 3 * kEntrySize + (number - 1) * kSealedSize;
  }
  static constexpr size_t kSealedSize = kSealOverhead + 32;

  const Key dek_;
  const std::string subject_ = "subject-16-bytes";
  const std::string record_ = "record--16-bytes";
  const std::string row_;
};

class RecordTamperTest : public RecordTamper, public EachSuite {
 protected:
  RecordTamperTest() : RecordTamper(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(EachSuite, RecordTamperTest, AllSuites(), SuiteName);

TEST_P(RecordTamperTest, TheUntouchedRowOpens) {
  ASSERT_EQ(row_.size(), SealedAt(4));
  EXPECT_THAT(OpenAt(Place(), row_),
              IsOkAndHolds(testing::ElementsAre("first", "second", "third")));
}

TEST_P(RecordTamperTest, RefusesEveryFlippedBit) {
  for (size_t bit = 0; bit < 8 * row_.size(); ++bit) {
    std::string flipped = row_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_THAT(OpenAt(Place(), flipped), StatusIs(StatusCode::kDataLoss))
        << "bit " << bit;
  }
}

TEST_P(RecordTamperTest, RefusesEveryOtherLength) {
  for (size_t size = 0; size < row_.size(); ++size) {
    ASSERT_THAT(SealedRow::Parse(row_.substr(0, size)),
                StatusIs(StatusCode::kDataLoss))
        << size;
  }
  EXPECT_THAT(SealedRow::Parse(row_ + "x"), StatusIs(StatusCode::kDataLoss));
}

TEST_P(RecordTamperTest, RefusesEveryOtherPlace) {
  RecordPlace place = Place();
  place.tenant = 2;
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
  place = Place();
  place.subject = "another-16-bytes";
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
  place = Place();
  place.class_number = 3;
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
  place = Place();
  place.record_id = "another-16-bytes";
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
  std::swap(place.subject, place.record_id);
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
}

TEST_P(RecordTamperTest, BoundariesBetweenPartsOfThePlaceCount) {
  RecordPlace place = Place();
  place.subject = "subject-16-bytesr";
  place.record_id = "ecord--16-bytes";
  EXPECT_THAT(OpenAt(place, row_), StatusIs(StatusCode::kDataLoss));
}

TEST_P(RecordTamperTest, RefusesTheCommitmentOfAnotherRow) {
  const std::string other = SealRow(1, {"first", "second", "third"});
  std::string mixed = row_;
  mixed.replace(kCommitment, 32, other, kCommitment, 32);
  ExpectRefused(mixed);
  mixed.replace(kCommitment, 32, std::string(32, '\0'));
  ExpectRefused(mixed);
}

TEST_P(RecordTamperTest, RefusesTheTagOrNonceOfAnotherField) {
  std::string mixed = row_;
  mixed.replace(SealedAt(2) - kTagSize, kTagSize, row_, SealedAt(3) - kTagSize,
                kTagSize);
  ExpectRefused(mixed);
  mixed = row_;
  mixed.replace(SealedAt(1), kNonceSize, row_, SealedAt(2), kNonceSize);
  ExpectRefused(mixed);
}

TEST_P(RecordTamperTest, RefusesSwappedFields) {
  std::string swapped = row_;
  std::swap_ranges(swapped.begin() + static_cast<int>(SealedAt(1)),
                   swapped.begin() + static_cast<int>(SealedAt(2)),
                   swapped.begin() + static_cast<int>(SealedAt(2)));
  ExpectRefused(swapped);
}

TEST_P(RecordTamperTest, RefusesARenumberedField) {
  std::string renumbered = row_;
  renumbered.replace(kTable + 2 * kEntrySize, 2, BigEndian(FieldNumber{4}));
  ExpectRefused(renumbered);
}

TEST_P(RecordTamperTest, RefusesADroppedField) {
  std::string shorter = row_.substr(0, kTable + 2 * kEntrySize) +
                        row_.substr(SealedAt(1), 2 * kSealedSize);
  shorter.replace(kCount, 2, BigEndian(uint16_t{2}));
  ASSERT_THAT(SealedRow::Parse(shorter), IsOk());
  ExpectRefused(shorter);
}

TEST_P(RecordTamperTest, RefusesOneFieldOfAnOlderVersion) {
  const std::string newer = SealRow(2, {"changed", "second", "third"});
  std::string mixed = newer;
  mixed.replace(kTable, kEntrySize, row_, kTable, kEntrySize);
  mixed.replace(SealedAt(1), kSealedSize, row_, SealedAt(1), kSealedSize);
  ASSERT_THAT(SealedRow::Parse(mixed), IsOk());
  ExpectRefused(mixed);
}

TEST_P(RecordTamperTest, RefusesAnOldRowWithANewVersion) {
  const std::string newer = SealRow(2, {"first", "second", "third"});
  std::string stamped = row_;
  stamped.replace(kHeaderSize, 8, newer, kHeaderSize, 8);
  ExpectRefused(stamped);
}

// Only the ciphertext differs, which the commitment does not cover: the
// field's own tag finds it, the other fields still open.
TEST_P(RecordTamperTest, ADamagedFieldLeavesTheOthersReadable) {
  std::string damaged = row_;
  const size_t at = SealedAt(2) + kNonceSize;
  damaged[at] = static_cast<char>(damaged[at] ^ 1);
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(damaged);
  ASSERT_THAT(row, IsOk());
  const absl::StatusOr<RecordOpener> opener =
      RecordOpener::Create(dek_, Place(), *row);
  ASSERT_THAT(opener, IsOk());
  EXPECT_THAT(opener->Field(*row, 1), IsOk());
  EXPECT_THAT(opener->Field(*row, 2), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(opener->Field(*row, 3), IsOk());
}

struct StructureCase {
  const char* name;
  size_t offset;
  std::string bytes;
};

class RowStructureTest : public RecordTamper,
                         public testing::WithParamInterface<StructureCase> {
 protected:
  RowStructureTest() : RecordTamper(kFirstSuite) {}
};

TEST_P(RowStructureTest, IsRefusedByParseItself) {
  std::string changed = row_;
  changed.replace(GetParam().offset, GetParam().bytes.size(), GetParam().bytes);
  EXPECT_THAT(SealedRow::Parse(changed), StatusIs(StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(
    All, RowStructureTest,
    testing::Values(
        StructureCase{"FormatZero", 0, BigEndian(uint8_t{0})},
        StructureCase{"FormatTwo", 0, BigEndian(uint8_t{2})},
        StructureCase{"SuiteZero", 1, BigEndian(uint8_t{0})},
        StructureCase{"SuiteUnknown", 1, BigEndian(uint8_t{3})},
        StructureCase{"LowFlag", 2, BigEndian(uint16_t{1})},
        StructureCase{"HighFlag", 2, BigEndian(uint16_t{0x8000})},
        StructureCase{"Reserved", 6, BigEndian(uint16_t{1})},
        StructureCase{"CountTooLow", kCount, BigEndian(uint16_t{2})},
        StructureCase{"CountTooHigh", kCount, BigEndian(uint16_t{4})},
        StructureCase{"CountHuge", kCount, BigEndian(uint16_t{0xffff})},
        StructureCase{"FieldDoubled", kTable + kEntrySize,
                      BigEndian(FieldNumber{1})},
        StructureCase{"FieldsFalling", kTable, BigEndian(FieldNumber{3})},
        StructureCase{"FieldNewerThanRow", kTable + 2, BigEndian(uint64_t{2})},
        StructureCase{"SizeZero", kTable + 10, BigEndian(uint32_t{0})},
        StructureCase{"SizeOfNoBlock", kTable + 10,
                      BigEndian(uint32_t{kSealOverhead + 31})},
        StructureCase{"SizeBeyondTheRow", kTable + 10,
                      BigEndian(uint32_t{4096})},
        StructureCase{"SizeHuge", kTable + 10, BigEndian(~uint32_t{0})}),
    [](const auto& tested) { return tested.param.name; });

TEST(RowSizeTest, RefusesMoreThanTheMaximum) {
  EXPECT_THAT(SealedRow::Parse(std::string(kRowSizeMax + 1, '\1')),
              StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hizo::crypto
