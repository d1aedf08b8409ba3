// Bytes that are stored: keys of rows, and what is inside of sealed values.
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "service/vault/byte_codec.h"
#include "service/vault/fence.h"
#include "service/vault/row_keys.h"
#include "service/vault/store_keys.h"

namespace hizo::vault {
namespace {

using base::RecordId;
using base::SubjectId;
using base::TenantId;
using std::string_literals::operator""s;

const std::string kSubjectBytes = "0123456789abcdef";
const std::string kRecordBytes = "ABCDEFGHIJKLMNOP";
const SubjectId kSubject = *SubjectId::FromBytes(kSubjectBytes);
const RecordId kRecord = *RecordId::FromBytes(kRecordBytes);
constexpr TenantId kTenant{0x01020304};
constexpr char kTenantBytes[] = "\1\2\3\4";

TEST(RowKeysTest, StandWhereTheyAlwaysStood) {
  const std::string owner = kTenantBytes + kSubjectBytes;
  EXPECT_EQ(FactsKey(kTenant, kSubject), "F" + owner);
  EXPECT_EQ(RecordPrefix(kTenant, kSubject), "R" + owner);
  EXPECT_EQ(RecordPrefix(kTenant, kSubject, 0x0506), "R" + owner + "\5\6");
  EXPECT_EQ(RecordKey(kTenant, kSubject, 0x0506, kRecord),
            "R" + owner + "\5\6" + kRecordBytes);
  EXPECT_EQ(RotationKey(), "r");
  EXPECT_EQ(RequestPrefix(0x0A0B0C0D), "Q\x0A\x0B\x0C\x0D");
  EXPECT_EQ(RequestKey(0x0A0B0C0D, kTenant, "tag"),
            "Q\x0A\x0B\x0C\x0D"s + kTenantBytes + "tag");
  EXPECT_EQ(DeksKey(0x0708, kTenant, kSubject), "K\7\10" + owner);
  EXPECT_EQ(DeksName(kTenant, kSubject), "K" + owner);
  EXPECT_EQ(PageKey(1, 0x00FF), "P\1\0\xFF"s);
  EXPECT_EQ(IndexPrefix(0x0506, kTenant, 0x0708, "tag"),
            "X\5\6"s + kTenantBytes + "\7\10tag");
  EXPECT_EQ(WayBackKey(*base::AuditReference::FromBytes(kSubjectBytes)),
            "B" + kSubjectBytes);
  EXPECT_EQ(EntryEndKey(kTenant, 0x0506, 0x0A0B0C0D, kSubject, kRecord),
            "j"s + kTenantBytes + "\5\6\x0A\x0B\x0C\x0D" + kSubjectBytes +
                kRecordBytes);
  EXPECT_EQ(LossYearKey(kTenant, 0x0A0B0C0D),
            "y"s + kTenantBytes + "\x0A\x0B\x0C\x0D");
  EXPECT_EQ(StoreKeys::LeafKey(PeriodLeaf(kTenant, 0x0506, 0x0A0B0C0D)),
            "L"s + kTenantBytes + "\10\5\6\x0A\x0B\x0C\x0D");
  EXPECT_EQ(MetaKey(), "M");
}

TEST(RowKeysTest, TakesTheEndOfAnEntryApartAndNothingElse) {
  const std::string key = EntryEndKey(kTenant, 8, 20270110, kSubject, kRecord);
  const auto row = ParseEntryEndKey(key);
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->tenant, kTenant);
  EXPECT_EQ(row->class_number, 8);
  EXPECT_EQ(row->period, 20270110U);
  EXPECT_EQ(row->subject, kSubject);
  EXPECT_EQ(row->record, kRecord);
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(ParseEntryEndKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(ParseEntryEndKey(key + "x").has_value());
  EXPECT_FALSE(ParseEntryEndKey("R" + key.substr(1)).has_value());
}

TEST(RowKeysTest, SortRequestsByDay) {
  EXPECT_LT(RequestKey(0xFF, kTenant, "tag"), RequestPrefix(0x100));
  EXPECT_LT(RequestPrefix(0x100), RequestKey(0x100, kTenant, ""));
}

TEST(RowKeysTest, TakesARecordKeyApart) {
  const auto parts =
      ParseRecordKey(RecordKey(kTenant, kSubject, 0x0506, kRecord));
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->subject, kSubject);
  EXPECT_EQ(parts->class_number, 0x0506);
  EXPECT_EQ(parts->record, kRecord);
}

TEST(RowKeysTest, TakesNothingElseForARecordKey) {
  const std::string key = RecordKey(kTenant, kSubject, 7, kRecord);
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_FALSE(ParseRecordKey(key.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(ParseRecordKey(key + "x").has_value());
  EXPECT_FALSE(ParseRecordKey("F" + key.substr(1)).has_value());
}

TEST(RowKeysTest, TakesAShardsLeafApartAndNoOther) {
  const std::string key =
      StoreKeys::LeafKey(IndexShardLeaf(kTenant, 0x0506, 0x0708));
  EXPECT_EQ(key, "L"s + kTenantBytes + "\5\5\6\7\10");
  const auto shard = ParseIndexShardLeafKey(key);
  ASSERT_TRUE(shard.has_value());
  EXPECT_EQ(shard->tenant, kTenant);
  EXPECT_EQ(shard->kind, 0x0506);
  EXPECT_EQ(shard->route, 0x0708);
  for (const std::string& other :
       {StoreKeys::LeafKey(PepperLeaf(kTenant, 1)), key + "x",
        key.substr(0, key.size() - 1), "X" + key.substr(1), std::string()}) {
    EXPECT_FALSE(ParseIndexShardLeafKey(other).has_value());
  }
}

TEST(FenceTest, StandsAsItAlwaysStood) {
  EXPECT_EQ(EncodeFence({FenceStage::kFenced, "deks"}), "\1\1deks");
  EXPECT_EQ(EncodeFence({FenceStage::kSealed, "", 9}),
            "\1\2\0\0\0\0\0\0\0\11"s);
  EXPECT_EQ(
      EncodeFence({FenceStage::kInGrace, "deks", 0, base::FromMicros(0x0A0B)}),
      "\1\3\0\0\0\0\0\0\x0A\x0B"
      "deks"s);
}

TEST(FenceTest, IsReadAsWrittenAndNothingElseIs) {
  for (const Fence& fence :
       {Fence{FenceStage::kFenced, "deks"}, Fence{FenceStage::kSealed, "", 9},
        Fence{FenceStage::kInGrace, "deks", 0, base::FromMicros(7)}}) {
    const auto read = DecodeFence(EncodeFence(fence));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->stage, fence.stage);
    EXPECT_EQ(read->deks, fence.deks);
    EXPECT_EQ(read->epoch, fence.epoch);
    EXPECT_EQ(read->due, fence.due);
  }
  for (const std::string& bad :
       {""s, "\1"s, "\2\1deks"s, "\1\4deks"s, "\1\0deks"s, "\1\2\0\0"s,
        "\1\2\0\0\0\0\0\0\0\11x"s, "\1\3\0\0\0"s}) {
    EXPECT_FALSE(DecodeFence(bad).ok());
  }
}

TEST(ByteCodecTest, ReadsWhatWasWritten) {
  ByteWriter out;
  out.Put(uint8_t{1})
      .Put(uint16_t{2})
      .Put(UINT64_MAX)
      .PutText("text")
      .PutRaw("raw");
  const std::string bytes = std::move(out).Take();
  EXPECT_EQ(bytes, "\1\0\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\4textraw"s);
  ByteReader in(bytes);
  EXPECT_EQ(in.Get<uint8_t>(), 1);
  EXPECT_EQ(in.Get<uint16_t>(), 2);
  EXPECT_EQ(in.Get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(in.GetText(), "text");
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.GetRest(), "raw");
  EXPECT_TRUE(in.done());
}

TEST(ByteCodecTest, YieldsNothingOnceItRanOut) {
  ByteReader in("\1\2\3");
  EXPECT_EQ(in.Get<uint32_t>(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.Get<uint8_t>(), 0);
  EXPECT_EQ(in.GetText(), "");
  EXPECT_EQ(in.GetRaw(1), "");
  EXPECT_EQ(in.GetRest(), "");
  EXPECT_FALSE(in.ok());
}

TEST(ByteCodecTest, BelievesNoLengthThatGoesBeyondTheEnd) {
  for (const std::string& bytes :
       {"\0\0\0\5text"s, "\xFF\xFF\xFF\xFFtext"s, "\0\0\0"s, ""s}) {
    ByteReader in(bytes);
    EXPECT_EQ(in.GetText(), "");
    EXPECT_FALSE(in.ok());
  }
}

TEST(ByteCodecTest, IsDoneWithNothing) {
  EXPECT_TRUE(ByteReader("").done());
  EXPECT_FALSE(ByteReader("x").done());
}

}  // namespace
}  // namespace hizo::vault
