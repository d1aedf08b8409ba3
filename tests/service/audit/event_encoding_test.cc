#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/event.h"
#include "tests/service/audit/test_log.h"
#include "tests/testing/status_matchers.h"

namespace hizo::audit {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;

constexpr auto kDamaged = absl::StatusCode::kDataLoss;
constexpr auto kRefused = absl::StatusCode::kInvalidArgument;

RowWrite WriteOf(uint8_t number) {
  RowWrite write;
  write.class_number = number;
  write.record =
      *base::RecordId::FromBytes(std::string(16, static_cast<char>(number)));
  write.version = uint64_t{number} << 56 | number;
  write.commitment.fill(number);
  return write;
}

// Every part is there.
Event FullEvent() {
  Event event;
  event.time = base::FromMicros(1'700'000'000'123'456);
  event.tenant = base::TenantId{7};
  event.actor = "spiffe://example.org/ns/prod/sa/shop";
  event.action = policy::Action::kRecordPut;
  event.outcome = Outcome::kFailed;
  event.reason = base::Reason::kEtagMismatch;
  event.purpose = 12;
  event.catalogue_version = 300;
  event.subject = ReferenceOf(9);
  event.fields = {1, 255, 256, 65535};
  event.view = policy::View::kPlain;
  event.records = 70'000;
  event.request = *base::RequestId::FromBytes("0123456789abcdef");
  event.writes = {WriteOf(1), WriteOf(255)};
  event.merged = 3;
  event.policy_version = 5;
  event.policy_digest = 0xC0FFEE0000000001;
  event.clause = "3.A.2";
  Recipient& recipient = event.recipient.emplace();
  recipient.name = "other-shop";
  recipient.key.fill(0xab);
  recipient.authorisation =
      *base::AuthorisationId::FromBytes("fedcba9876543210");
  recipient.file.fill(0xcd);
  return event;
}

// No part but the outcome.
Event EmptyEvent() {
  Event event;
  event.time = base::FromMicros(0);
  event.outcome = Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  return event;
}

// What lies in a version 1 entry of these parts, each tag, size, bytes.
std::string Entry(const std::string& parts) { return "\x01" + parts; }
std::string Part(char tag, const std::string& bytes) {
  return std::string(1, tag) + std::string(1, '\0') +
         std::string(1, static_cast<char>(bytes.size())) + bytes;
}
const std::string kOutcomePart = Part(5, "\x01");

TEST(EventEncodingTest, GoesThereAndBack) {
  for (const Event& event : {FullEvent(), EmptyEvent(), EventOf(6)}) {
    const absl::StatusOr<std::string> entry = Encode(event);
    ASSERT_TRUE(entry.ok());
    EXPECT_THAT(Decode(*entry), IsOkAndHolds(event));
  }
}

TEST(EventEncodingTest, WritesTheBytesOfTheFormat) {
  EXPECT_THAT(Encode(EmptyEvent()), IsOkAndHolds(Entry(kOutcomePart)));
  Event event = EmptyEvent();
  event.time = base::FromMicros(0x0102);
  event.tenant = base::TenantId{1};
  event.actor = "x";
  event.fields = {1, 0x0203};
  EXPECT_THAT(
      Encode(event),
      IsOkAndHolds(Entry(Part(1, "\x01\x02") + Part(2, "\x01") + Part(3, "x") +
                         kOutcomePart +
                         Part(10, std::string("\x00\x01\x02\x03", 4)))));
}

// Entries of before policies were named have their old bytes, and are read.
TEST(EventEncodingTest, AnEventWithoutAPolicyIsWrittenAsItAlwaysWas) {
  const std::string before = Entry(Part(1, "\x01\x02") + Part(3, "x") +
                                   kOutcomePart + Part(7, "\x02"));
  const absl::StatusOr<Event> event = Decode(before);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->policy_version, 0U);
  EXPECT_EQ(event->policy_digest, 0U);
  EXPECT_EQ(event->clause, "");
  EXPECT_THAT(Encode(*event), IsOkAndHolds(before));
}

TEST(EventEncodingTest, NamesThePolicyAfterAllElse) {
  Event event = EmptyEvent();
  event.policy_version = 3;
  event.policy_digest = 0xC0FFEE;
  event.clause = "2.1";
  EXPECT_THAT(Encode(event),
              IsOkAndHolds(Entry(kOutcomePart + Part(16, "\x03") +
                                 Part(17, "\xC0\xFF\xEE") + Part(18, "2.1"))));
}

TEST(EventEncodingTest, WritesARecipientAsInTheFormat) {
  Event event = EmptyEvent();
  Recipient& recipient = event.recipient.emplace();
  recipient.name = "x";
  recipient.key.fill('k');
  recipient.authorisation =
      *base::AuthorisationId::FromBytes("0123456789abcdef");
  EXPECT_THAT(
      Encode(event),
      IsOkAndHolds(Entry(kOutcomePart +
                         Part(19, std::string(32, 'k') + "0123456789abcdef" +
                                      std::string(32, '\0') + "x"))));
}

TEST(EventEncodingTest, RefusesARecipientWithoutANameOrWithALongOne) {
  Event event = FullEvent();
  event.recipient->name = std::string(kRecipientNameMax, 'a');
  EXPECT_THAT(Decode(*Encode(event)), IsOkAndHolds(event));
  event.recipient->name += 'a';
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
  event.recipient->name.clear();
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
  EXPECT_THAT(Decode(Entry(kOutcomePart + Part(19, std::string(80, 'k')))),
              StatusIs(kDamaged));
  EXPECT_THAT(Decode(Entry(kOutcomePart + Part(19, std::string(145, 'k')))),
              StatusIs(kDamaged));
}

TEST(EventEncodingTest, ARecordReadOfTwelveFieldsIsSmall) {
  Event event = FullEvent();
  event.reason = base::Reason::kNone;
  event.request.reset();
  event.writes.clear();
  event.merged = 0;
  event.policy_version = 0;
  event.policy_digest = 0;
  event.clause.clear();
  event.recipient.reset();
  event.fields = {101, 102, 103, 104, 105, 106, 201, 202, 203, 204, 205, 206};
  EXPECT_LE(Encode(event)->size(), 140u);
}

TEST(EventEncodingTest, KeepsExtremes) {
  Event event = FullEvent();
  event.tenant = base::TenantId{UINT32_MAX};
  event.purpose = UINT16_MAX;
  event.catalogue_version = UINT32_MAX;
  event.records = UINT32_MAX;
  event.merged = UINT32_MAX;
  event.policy_version = UINT32_MAX;
  event.policy_digest = UINT64_MAX;
  event.subject = base::AuditReference();
  for (const int64_t micros : {INT64_MIN, int64_t{-1}, INT64_MAX}) {
    event.time = base::FromMicros(micros);
    EXPECT_THAT(Decode(*Encode(event)), IsOkAndHolds(event));
  }
}

TEST(EventEncodingTest, TheLargestEventFitsAnEntry) {
  Event event = FullEvent();
  event.actor = std::string(kActorSizeMax, 'a');
  event.clause = std::string(kClauseSizeMax, 'c');
  event.fields.clear();
  for (size_t i = 1; i <= kFieldsPerEventMax; ++i) {
    event.fields.push_back(static_cast<policy::FieldNumber>(i));
  }
  event.writes.assign(kWritesPerEventMax, WriteOf(1));
  const absl::StatusOr<std::string> entry = Encode(event);
  ASSERT_TRUE(entry.ok());
  EXPECT_LE(entry->size(), kEntrySizeMax);
  EXPECT_THAT(Decode(*entry), IsOkAndHolds(event));
}

TEST(EventEncodingTest, RefusesWhatIsOverABound) {
  Event event = FullEvent();
  event.actor = std::string(kActorSizeMax + 1, 'a');
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
  event = FullEvent();
  event.clause = std::string(kClauseSizeMax + 1, 'c');
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
  event = FullEvent();
  event.fields.assign(kFieldsPerEventMax + 1, 1);
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
  event = FullEvent();
  event.writes.assign(kWritesPerEventMax + 1, WriteOf(1));
  EXPECT_THAT(Encode(event), StatusIs(kRefused));
}

TEST(EventEncodingTest, RefusesFieldsThatDoNotAscend) {
  for (const std::vector<policy::FieldNumber>& fields :
       {std::vector<policy::FieldNumber>{2, 1}, {1, 1}, {0}, {0, 1}}) {
    Event event = FullEvent();
    event.fields = fields;
    EXPECT_THAT(Encode(event), StatusIs(kRefused));
  }
}

TEST(EventEncodingTest, TwoEventsNeverHaveOneEncoding) {
  const std::vector<std::function<void(Event&)>> changes = {
      [](Event& e) { e.time += std::chrono::microseconds(1); },
      [](Event& e) { e.tenant = base::TenantId{8}; },
      [](Event& e) { e.actor += "x"; },
      [](Event& e) { e.actor.clear(); },
      [](Event& e) { e.action = policy::Action::kRecordGet; },
      [](Event& e) { e.outcome = Outcome::kDenied; },
      [](Event& e) { e.reason = base::Reason::kNone; },
      [](Event& e) { e.purpose = 13; },
      [](Event& e) { e.catalogue_version = 0; },
      [](Event& e) { e.subject.reset(); },
      [](Event& e) { e.subject = ReferenceOf(1); },
      [](Event& e) { e.fields.pop_back(); },
      [](Event& e) { e.view = policy::View::kMasked; },
      [](Event& e) { e.records = 0; },
      [](Event& e) { e.request.reset(); },
      [](Event& e) { e.writes[0].version++; },
      [](Event& e) { e.writes[1].commitment[31] ^= 1; },
      [](Event& e) { e.merged = 0; },
      [](Event& e) { e.policy_version = 6; },
      [](Event& e) { e.policy_digest++; },
      [](Event& e) { e.clause.clear(); },
      [](Event& e) { e.recipient.reset(); },
      [](Event& e) { e.recipient->name += "x"; },
      [](Event& e) { e.recipient->key[31] ^= 1; },
      [](Event& e) { e.recipient->authorisation = {}; },
      [](Event& e) { e.recipient->file = {}; },
  };
  const std::string before = *Encode(FullEvent());
  for (const auto& change : changes) {
    Event event = FullEvent();
    change(event);
    const std::string after = *Encode(event);
    EXPECT_NE(after, before);
    EXPECT_THAT(Decode(after), IsOkAndHolds(event));
  }
}

TEST(EventEncodingTest, EveryTruncationIsDamageOrAnotherEvent) {
  const std::string entry = *Encode(FullEvent());
  for (size_t size = 0; size < entry.size(); ++size) {
    const absl::StatusOr<Event> event = Decode(entry.substr(0, size));
    if (!event.ok()) {
      EXPECT_THAT(event, StatusIs(kDamaged));
      continue;
    }
    // Cut between two parts: what is left is well-formed, and its hash is not
    // the one in the tree.
    EXPECT_EQ(*Encode(*event), entry.substr(0, size));
  }
}

TEST(EventEncodingTest, EveryFlippedBitIsDamageOrAnotherEvent) {
  const std::string entry = *Encode(FullEvent());
  for (size_t bit = 0; bit < entry.size() * 8; ++bit) {
    std::string flipped = entry;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const absl::StatusOr<Event> event = Decode(flipped);
    if (!event.ok()) {
      EXPECT_THAT(event, StatusIs(kDamaged));
      continue;
    }
    EXPECT_NE(*event, FullEvent());
    EXPECT_THAT(Encode(*event), IsOkAndHolds(flipped));
  }
}

struct Damage {
  const char* name;
  std::string entry;
};
class DamagedEntryTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedEntryTest, IsRefused) {
  EXPECT_THAT(Decode(GetParam().entry), StatusIs(kDamaged));
}

const std::string kZero(1, '\0');
INSTANTIATE_TEST_SUITE_P(
    Each, DamagedEntryTest,
    ::testing::Values(
        Damage{"Empty", ""}, Damage{"NoOutcome", Entry("")},
        Damage{"VersionZero", kZero + kOutcomePart},
        Damage{"VersionTwo", "\x02" + kOutcomePart},
        Damage{"PartTwice", Entry(kOutcomePart + kOutcomePart)},
        Damage{"PartsOutOfOrder", Entry(kOutcomePart + Part(4, "\x01"))},
        Damage{"TagZero", Entry(Part(0, "x") + kOutcomePart)},
        Damage{"UnknownTag", Entry(kOutcomePart + Part(20, "\x01"))},
        Damage{"LastTag", Entry(kOutcomePart + Part('\xFF', "\x01"))},
        Damage{"NumberWithLeadingZero",
               Entry(Part(2, kZero + "\x01") + kOutcomePart)},
        Damage{"NumberZero", Entry(Part(2, kZero) + kOutcomePart)},
        Damage{"EmptyNumber", Entry(Part(2, "") + kOutcomePart)},
        Damage{"TenantTooBig",
               Entry(Part(2, "\x01\x01\x01\x01\x01") + kOutcomePart)},
        Damage{"PurposeTooBig", Entry(kOutcomePart + Part(7, "\x01\x01\x01"))},
        Damage{"TimeOfNineBytes",
               Entry(Part(1, "\x01\x01\x01\x01\x01\x01\x01\x01\x01") +
                     kOutcomePart)},
        Damage{"EmptyClause", Entry(kOutcomePart + Part(18, ""))},
        Damage{"PolicyVersionTooBig",
               Entry(kOutcomePart + Part(16, "\x01\x01\x01\x01\x01"))},
        Damage{"EmptyActor", Entry(Part(3, "") + kOutcomePart)},
        Damage{"UnknownAction",
               Entry(Part(4, std::string(1, policy::kActionCount)) +
                     kOutcomePart)},
        Damage{"UnknownOutcome", Entry(Part(5, "\x04"))},
        Damage{
            "UnknownReason",
            Entry(kOutcomePart + Part(6, std::string(1, base::kReasonCount)))},
        Damage{"UnknownView", Entry(kOutcomePart + Part(11, "\x03"))},
        Damage{"ShortSubject",
               Entry(kOutcomePart + Part(9, std::string(15, 'x')))},
        Damage{"LongRequest",
               Entry(kOutcomePart + Part(13, std::string(17, 'x')))},
        Damage{"NoFields", Entry(kOutcomePart + Part(10, ""))},
        Damage{"HalfAField", Entry(kOutcomePart + Part(10, "\x01\x01\x01"))},
        Damage{"FieldsOutOfOrder",
               Entry(kOutcomePart + Part(10, "\x02\x02\x01\x01"))},
        Damage{"FieldZero", Entry(kOutcomePart + Part(10, kZero + kZero))},
        Damage{"HalfAWrite",
               Entry(kOutcomePart + Part(14, std::string(57, 'x')))},
        Damage{"NoWrites", Entry(kOutcomePart + Part(14, ""))},
        Damage{"SizeBeyondTheEnd", Entry(std::string("\x05\x00\x02\x01", 4))},
        Damage{"HalfAHeader", Entry(kOutcomePart + kZero)},
        Damage{"TrailingByte", Entry(kOutcomePart + "x")},
        Damage{"LongActor",
               Entry(std::string("\x03\x08\x01", 3) +
                     std::string(kActorSizeMax + 1, 'a') + kOutcomePart)}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace hizo::audit
