#include "service/rpc/convert.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kUuid[] = "00112233-4455-6677-8899-aabbccddeeff";
constexpr int64_t kYearOne = -62'135'596'800;
constexpr int64_t kYear10000 = 253'402'300'800;

const policy::Catalogue& TestCatalogue() {
  static const auto catalogue =
      policy::Catalogue::Create(test::VaultCatalogueSource());
  return **catalogue;
}

google::protobuf::Timestamp At(int64_t seconds, int32_t nanos) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

v1::Value Text(const std::string& text) {
  v1::Value value;
  value.set_text(text);
  return value;
}

// `value` to the vault's type and back.
std::string ThereAndBack(const v1::Value& value) {
  const auto there = ToValue(value);
  EXPECT_THAT(there, IsOk());
  return there.ok() ? FromValue(*there).SerializeAsString() : "";
}

TEST(ConvertIdTest, TakesAUuid) {
  const auto id = ToId<base::SubjectId>(kUuid);
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(base::ToText(*id), kUuid);
}

TEST(ConvertIdTest, RefusesWhatIsNoUuid) {
  for (const char* text : {"", "1", "00112233445566778899aabbccddeeff",
                           "00112233-4455-6677-8899-aabbccddeefg",
                           "00112233-4455-6677-8899-aabbccddeeff "}) {
    EXPECT_THAT(ToId<base::SubjectId>(text), HasReason(Reason::kValueInvalid))
        << text;
  }
}

TEST(ConvertIdTest, AnEmptyOptionalIdIsNone) {
  const auto none = ToOptionalId<base::RecordId>("");
  ASSERT_THAT(none, IsOk());
  EXPECT_FALSE(none->has_value());
  const auto some = ToOptionalId<base::RecordId>(kUuid);
  ASSERT_THAT(some, IsOk());
  EXPECT_EQ(base::ToText(**some), kUuid);
  EXPECT_THAT(ToOptionalId<base::RecordId>("none"),
              HasReason(Reason::kValueInvalid));
}

TEST(ConvertTimeTest, KeepsMicroseconds) {
  const auto time = ToTimestamp(At(1'700'000'000, 123'456'789));
  ASSERT_THAT(time, IsOk());
  EXPECT_EQ(base::ToMicros(*time), 1'700'000'000'123'456);
  EXPECT_EQ(FromTimestamp(*time).nanos(), 123'456'000);
  EXPECT_EQ(FromTimestamp(*time).seconds(), 1'700'000'000);
}

TEST(ConvertTimeTest, CountsNanosForwardBefore1970) {
  const auto time = ToTimestamp(At(-1, 500'000'000));
  ASSERT_THAT(time, IsOk());
  EXPECT_EQ(base::ToMicros(*time), -500'000);
  EXPECT_EQ(FromTimestamp(*time).seconds(), -1);
  EXPECT_EQ(FromTimestamp(*time).nanos(), 500'000'000);
}

TEST(ConvertTimeTest, TakesTheFirstAndLastSecondThatProtobufHas) {
  for (const int64_t seconds : {kYearOne, kYear10000 - 1}) {
    const auto time = ToTimestamp(At(seconds, 0));
    ASSERT_THAT(time, IsOk());
    EXPECT_EQ(FromTimestamp(*time).seconds(), seconds);
  }
}

TEST(ConvertTimeTest, RefusesTimesThatProtobufDoesNotHave) {
  for (const auto& time :
       {At(kYearOne - 1, 0), At(kYear10000, 0), At(0, -1), At(0, 1'000'000'000),
        At(INT64_MAX, 0), At(INT64_MIN, 0)}) {
    EXPECT_THAT(ToTimestamp(time), HasReason(Reason::kValueInvalid));
  }
}

TEST(ConvertValueTest, EveryKindGoesThereAndBack) {
  std::vector<v1::Value> values(7);
  values[0].set_text("佐藤 花子");
  values[1].set_integer(-42);
  values[2].set_boolean(true);
  values[3].mutable_money()->set_currency("JPY");
  values[3].mutable_money()->set_minor_units(-1234);
  *values[4].mutable_timestamp() = At(-5, 7'000);
  values[5].set_blob(std::string("\0\xff", 2));
  values[6].set_json(R"({"a":[1,2]})");
  for (const v1::Value& value : values) {
    EXPECT_EQ(ThereAndBack(value), value.SerializeAsString());
  }
}

TEST(ConvertValueTest, AnAddressGoesThereAndBack) {
  v1::Value value;
  v1::Address& address = *value.mutable_address();
  address.set_country("JP");
  address.set_postal_code("100-0001");
  address.set_region("東京都");
  address.set_locality("千代田区");
  address.add_lines("千代田1-1");
  address.add_lines("");
  EXPECT_EQ(ThereAndBack(value), value.SerializeAsString());
}

TEST(ConvertValueTest, RefusesAValueWithoutAKind) {
  EXPECT_THAT(ToValue(v1::Value()), HasReason(Reason::kValueInvalid));
}

TEST(ConvertValueTest, RefusesAnImpossibleTime) {
  v1::Value value;
  *value.mutable_timestamp() = At(0, -1);
  EXPECT_THAT(ToValue(value), HasReason(Reason::kValueInvalid));
}

v1::NewRecord Payment() {
  v1::NewRecord record;
  record.set_record_class("transaction");
  v1::Field& field = *record.add_fields();
  field.set_name("item");
  *field.mutable_value() = Text("tea");
  *record.mutable_event_time() = At(1'700'000'000, 0);
  return record;
}

TEST(ConvertRecordTest, KeepsClassFieldsAndTime) {
  const auto record = ToNewRecord(Payment());
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->record_class, "transaction");
  ASSERT_EQ(record->fields.size(), 1U);
  EXPECT_EQ(record->fields[0].name, "item");
  EXPECT_EQ(FromValue(record->fields[0].value).text(), "tea");
  ASSERT_TRUE(record->event_time.has_value());
  EXPECT_EQ(base::ToMicros(*record->event_time), 1'700'000'000'000'000);
}

TEST(ConvertRecordTest, ARecordWithoutATimeHasNone) {
  v1::NewRecord record = Payment();
  record.clear_event_time();
  const auto converted = ToNewRecord(record);
  ASSERT_THAT(converted, IsOk());
  EXPECT_FALSE(converted->event_time.has_value());
}

TEST(ConvertRecordTest, RefusesAFieldWithoutAValue) {
  v1::NewRecord record = Payment();
  record.mutable_fields(0)->clear_value();
  EXPECT_THAT(ToNewRecord(record), HasReason(Reason::kValueInvalid));
}

TEST(ConvertRecordTest, OneBadRecordRefusesAll) {
  google::protobuf::RepeatedPtrField<v1::NewRecord> records;
  *records.Add() = Payment();
  ASSERT_THAT(ToNewRecords(records), IsOk());
  *records.Add() = Payment();
  records.Mutable(1)->mutable_event_time()->set_nanos(-1);
  EXPECT_THAT(ToNewRecords(records), HasReason(Reason::kValueInvalid));
}

TEST(ConvertRecordTest, OnlyARecordOfASeriesHasAnId) {
  const auto id = *base::ParseId<base::RecordId>(kUuid);
  const vault::RecordVersion version{3, 0xabcU};
  const auto* profile = TestCatalogue().FindClass("profile");
  const auto* payments = TestCatalogue().FindClass("transaction");
  const v1::RecordRef one = FromWritten({profile, {2, {}}, version});
  const v1::RecordRef many = FromWritten({payments, {4, id}, version});
  EXPECT_EQ(one.record_class(), "profile");
  EXPECT_EQ(one.record_id(), "");
  EXPECT_EQ(many.record_id(), kUuid);
  EXPECT_EQ(many.etag(), vault::EtagOf(version));
}

vault::ShownRecord ShownPayment() {
  const auto* spec = TestCatalogue().FindClass("transaction");
  vault::ShownRecord shown{spec,
                           *base::ParseId<base::RecordId>(kUuid),
                           base::FromMicros(-1),
                           "etag",
                           {}};
  shown.fields.push_back({TestCatalogue().FindField("transaction.item"), true,
                          vault::Text{base::Pii("te***")}});
  return shown;
}

TEST(ConvertRecordTest, ShowsFieldsMarkedAsMasked) {
  const v1::Record record = FromShown(ShownPayment());
  EXPECT_EQ(record.record_class(), "transaction");
  EXPECT_EQ(record.record_id(), kUuid);
  EXPECT_EQ(record.etag(), "etag");
  EXPECT_EQ(record.event_time().seconds(), -1);
  EXPECT_EQ(record.event_time().nanos(), 999'999'000);
  ASSERT_EQ(record.fields_size(), 1);
  EXPECT_EQ(record.fields(0).name(), "item");
  EXPECT_EQ(record.fields(0).value().text(), "te***");
  EXPECT_TRUE(record.fields(0).masked());
}

TEST(ConvertViewTest, ShowsMasksUnlessValuesAreAskedForByName) {
  EXPECT_EQ(ToView(v1::VIEW_PLAIN), policy::View::kPlain);
  EXPECT_EQ(ToView(v1::VIEW_MASKED), policy::View::kMasked);
  EXPECT_EQ(ToView(v1::VIEW_UNSPECIFIED), policy::View::kMasked);
  EXPECT_EQ(ToView(static_cast<v1::View>(99)), policy::View::kMasked);
}

TEST(ConvertViewTest, ASelectionIsTakenAsItIs) {
  google::protobuf::FieldMask mask;
  mask.add_paths("b");
  mask.add_paths("a");
  const auto selection = ToSelection("profile", mask, v1::VIEW_PLAIN);
  EXPECT_EQ(selection.record_class, "profile");
  EXPECT_THAT(selection.fields, ElementsAre("b", "a"));
  EXPECT_EQ(selection.view, policy::View::kPlain);
}

TEST(ConvertSubjectTest, DescribesWithoutValues) {
  const auto id = *base::ParseId<base::SubjectId>(kUuid);
  vault::SubjectDescription description{id,
                                        policy::SubjectState::kActive,
                                        base::FromMicros(1'000'000),
                                        std::nullopt,
                                        {}};
  description.classes.push_back({TestCatalogue().FindClass("profile"),
                                 1,
                                 {TestCatalogue().FindField("profile.note")}});
  const v1::GetSubjectResponse out = FromDescription(description);
  EXPECT_EQ(out.subject(), kUuid);
  EXPECT_EQ(out.state(), v1::SUBJECT_STATE_ACTIVE);
  EXPECT_EQ(out.create_time().seconds(), 1);
  ASSERT_EQ(out.classes_size(), 1);
  EXPECT_EQ(out.classes(0).record_class(), "profile");
  EXPECT_EQ(out.classes(0).records(), 1);
  EXPECT_THAT(out.classes(0).fields(), ElementsAre("note"));
}

TEST(ConvertAuditQueryTest, AnEmptyQueryFiltersNothing) {
  const auto input = ToAuditQuery(v1::QueryAuditRequest());
  ASSERT_THAT(input, IsOk());
  EXPECT_FALSE(input->subject.has_value());
  EXPECT_FALSE(input->filter.actor.has_value());
  EXPECT_FALSE(input->filter.action.has_value());
  EXPECT_FALSE(input->filter.outcome.has_value());
  EXPECT_FALSE(input->filter.start.has_value());
  EXPECT_FALSE(input->filter.end.has_value());
  EXPECT_EQ(input->order, audit::Order::kNewestFirst);
}

TEST(ConvertAuditQueryTest, TakesEveryCondition) {
  v1::QueryAuditRequest request;
  request.set_subject(kUuid);
  request.set_actor("spiffe://a");
  request.set_action(v1::ACTION_RECORD_GET);
  request.set_outcome(v1::OUTCOME_DENIED);
  *request.mutable_start_time() = At(1, 0);
  *request.mutable_end_time() = At(2, 0);
  request.set_oldest_first(true);
  request.set_page_size(7);
  request.set_page_token("token");
  request.set_role("support");
  request.set_record_class("billing");
  request.set_field("billing.card_last4");
  request.set_asked_purpose("support");
  request.set_other_than_purpose("billing");
  request.set_reason(v1::REASON_PURPOSE_NOT_ALLOWED);
  request.set_first_sequence(12);
  const auto input = ToAuditQuery(request);
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(base::ToText(*input->subject), kUuid);
  EXPECT_EQ(input->filter.actor, "spiffe://a");
  EXPECT_EQ(input->filter.action, policy::Action::kRecordGet);
  EXPECT_EQ(input->filter.outcome, audit::Outcome::kDenied);
  EXPECT_EQ(input->filter.start, base::FromMicros(1'000'000));
  EXPECT_EQ(input->filter.end, base::FromMicros(2'000'000));
  EXPECT_EQ(input->order, audit::Order::kOldestFirst);
  EXPECT_EQ(input->page_size, 7);
  EXPECT_EQ(input->role, "support");
  EXPECT_EQ(input->record_class, "billing");
  EXPECT_EQ(input->field, "billing.card_last4");
  EXPECT_EQ(input->purpose, "support");
  EXPECT_EQ(input->other_than_purpose, "billing");
  EXPECT_EQ(input->filter.reason, Reason::kPurposeNotAllowed);
  EXPECT_EQ(input->filter.first, 12U);
  EXPECT_EQ(input->page_token, "token");
}

TEST(ConvertAuditQueryTest, RefusesConditionsThatDoNotExist) {
  v1::QueryAuditRequest subject;
  subject.set_subject("x");
  v1::QueryAuditRequest action;
  action.set_action(static_cast<v1::Action>(99));
  v1::QueryAuditRequest outcome;
  outcome.set_outcome(static_cast<v1::Outcome>(99));
  v1::QueryAuditRequest start;
  *start.mutable_start_time() = At(0, -1);
  v1::QueryAuditRequest end;
  *end.mutable_end_time() = At(kYear10000, 0);
  v1::QueryAuditRequest reason;
  reason.set_reason(static_cast<v1::Reason>(999));
  v1::QueryAuditRequest first;
  first.set_first_sequence(-1);
  for (const auto& request :
       {subject, action, outcome, start, end, reason, first}) {
    EXPECT_THAT(ToAuditQuery(request), HasReason(Reason::kValueInvalid));
  }
}

vault::ShownEvent ShownRead() {
  vault::ShownEvent shown;
  shown.found.sequence = 5;
  audit::Event& event = shown.found.event;
  event.time = base::FromMicros(3'000'000);
  event.actor = "spiffe://a";
  event.action = policy::Action::kRecordGet;
  event.outcome = audit::Outcome::kDenied;
  event.reason = Reason::kCallerNotEntitled;
  event.purpose = test::kSupport;
  event.subject = *base::ParseId<base::AuditReference>(kUuid);
  event.fields = {201, 202, 9999};
  event.view = policy::View::kPlain;
  event.records = 1;
  event.request = *base::ParseId<base::RequestId>(kUuid);
  shown.subject = *base::ParseId<base::SubjectId>(kUuid);
  return shown;
}

TEST(ConvertEventTest, SaysWhoDidWhatAndWhy) {
  const v1::AuditEvent out = FromEvent(ShownRead(), TestCatalogue());
  EXPECT_EQ(out.sequence(), 5);
  EXPECT_EQ(out.time().seconds(), 3);
  EXPECT_EQ(out.actor(), "spiffe://a");
  EXPECT_EQ(out.action(), v1::ACTION_RECORD_GET);
  EXPECT_EQ(out.outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(out.reason(), v1::REASON_CALLER_NOT_ENTITLED);
  EXPECT_EQ(out.purpose(), "support");
  EXPECT_EQ(out.subject_reference(), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(out.view(), v1::VIEW_PLAIN);
  EXPECT_EQ(out.records(), 1);
  EXPECT_EQ(out.request_id(), kUuid);
  EXPECT_EQ(out.subject(), kUuid);
}

TEST(ConvertEventTest, LeavesOutFieldsThatTheCatalogueNoLongerHas) {
  const v1::AuditEvent out = FromEvent(ShownRead(), TestCatalogue());
  EXPECT_THAT(out.fields(),
              ElementsAre("profile.full_name", "profile.birth_date"));
}

TEST(ConvertEventTest, SaysToWhomSomethingWasSent) {
  vault::ShownEvent shown = ShownRead();
  EXPECT_FALSE(FromEvent(shown, TestCatalogue()).has_recipient());
  audit::Recipient& recipient = shown.found.event.recipient.emplace();
  recipient.name = "other-shop";
  recipient.key.fill('k');
  v1::AuditEvent out = FromEvent(shown, TestCatalogue());
  EXPECT_EQ(out.recipient().name(), "other-shop");
  EXPECT_EQ(out.recipient().key_sha256(), std::string(32, 'k'));
  EXPECT_EQ(out.recipient().authorisation(), "");
  EXPECT_EQ(out.recipient().file_sha256(), "");
  recipient.authorisation = *base::ParseId<base::AuthorisationId>(kUuid);
  recipient.file.fill('f');
  out = FromEvent(shown, TestCatalogue());
  EXPECT_EQ(out.recipient().authorisation(), kUuid);
  EXPECT_EQ(out.recipient().file_sha256(), std::string(32, 'f'));
}

TEST(ConvertEventTest, AnEventOfNobodyNamesNobody) {
  vault::ShownEvent shown;
  shown.found.event.outcome = audit::Outcome::kFailed;
  const v1::AuditEvent out = FromEvent(shown, TestCatalogue());
  EXPECT_EQ(out.subject_reference(), "");
  EXPECT_EQ(out.subject(), "");
  EXPECT_EQ(out.purpose(), "");
  EXPECT_EQ(out.request_id(), "");
  EXPECT_THAT(out.fields(), IsEmpty());
}

}  // namespace
}  // namespace hizo::rpc
