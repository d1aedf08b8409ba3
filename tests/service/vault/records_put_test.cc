#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/records.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::kBilling;
using test::kClerk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class PutRecordTest : public ::testing::Test {
 protected:
  PutRecordInput InputOf(NewRecord record) {
    PutRecordInput input;
    input.subject = ann_;
    input.record = std::move(record);
    return input;
  }
  absl::StatusOr<WrittenRecord> PutInput(PutRecordInput input) {
    return vault::Put(vault_, FullCall(vault_, Action::kRecordPut),
                      std::move(input));
  }
  absl::StatusOr<WrittenRecord> PutProfile(const TextFields& fields) {
    return PutInput(InputOf(RecordOf("profile", fields)));
  }
  TextFields Profile() {
    const auto shown = Get(vault_, ann_, "profile", {"full_name", "note"});
    EXPECT_THAT(shown, IsOk());
    return shown.ok() ? TextsOf(*shown) : TextFields();
  }
  // Nothing was written, and the event says why.
  void ExpectRefused(const absl::Status& status, Reason reason,
                     uint16_t field = 0) {
    EXPECT_THAT(status, HasReason(reason));
    EXPECT_EQ(base::FieldOf(status), field);
    const audit::Event event = vault_.LastEvent();
    EXPECT_EQ(event.reason, reason);
    EXPECT_NE(event.outcome, audit::Outcome::kAllowed);
    EXPECT_THAT(event.writes, IsEmpty());
    EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Other")));
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(PutRecordTest, WritesANewRecord) {
  const auto written =
      PutInput(InputOf(RecordOf("billing", {{"card_last4", "4242"}})));
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->spec->name, "billing");
  EXPECT_TRUE(written->name.id.is_nil());
  EXPECT_EQ(written->version.version, 1);
  const auto shown = Get(vault_, ann_, "billing", {"card_last4"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown), ElementsAre(Pair("card_last4", "4242")));
  EXPECT_EQ(shown->etag, EtagOf(written->version));
}

TEST_F(PutRecordTest, ReplacesAllOfARecordWithoutAMask) {
  ASSERT_THAT(PutProfile({{"full_name", "Ann A"}, {"note", "a note"}}), IsOk());
  const auto written = PutProfile({{"full_name", "Ann B"}});
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->version.version, 3);
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann B")));
}

TEST_F(PutRecordTest, ChangesOnlyFieldsOfTheMask) {
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "n"}}), {"note"}),
      IsOk());
  EXPECT_THAT(Profile(),
              ElementsAre(Pair("full_name", "Ann Other"), Pair("note", "n")));
}

TEST_F(PutRecordTest, RemovesFieldsOfTheMaskThatTheRecordLacks) {
  ASSERT_THAT(PutProfile({{"full_name", "Ann A"}, {"note", "a note"}}), IsOk());
  ASSERT_THAT(PutMasked(vault_, ann_, RecordOf("profile", {}), {"note"}),
              IsOk());
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann A")));
}

TEST_F(PutRecordTest, WritesAMaskedRecordWhereThereWasNone) {
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}}),
                {"card_last4", "balance"}),
      IsOk());
  EXPECT_THAT(Get(vault_, ann_, "billing", {"card_last4"}), IsOk());
}

TEST_F(PutRecordTest, KeepsTheEventTimeOfASeriesUnderAMask) {
  const base::Timestamp time = base::FromMicros(77);
  const auto first = PutInput(InputOf(PaymentOf(5, time)));
  ASSERT_THAT(first, IsOk());
  PutRecordInput input = InputOf(RecordOf("transaction", {{"item", "tea"}}));
  input.record_id = first->name.id;
  input.update_mask = {"item"};
  ASSERT_THAT(PutInput(std::move(input)), IsOk());
  const auto shown =
      Get(vault_, ann_, "transaction", {"item", "amount"}, first->name.id);
  ASSERT_THAT(shown, IsOk());
  EXPECT_EQ(shown->event_time, time);
  ASSERT_THAT(shown->fields, SizeIs(2));
  EXPECT_EQ(std::get<Money>(shown->fields[1].value).minor_units, 5);
}

TEST_F(PutRecordTest, AddsARecordToASeriesEachTime) {
  const auto first = PutInput(InputOf(PaymentOf(5, base::Timestamp())));
  const auto second = PutInput(InputOf(PaymentOf(6, base::Timestamp())));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->name.id, second->name.id);
  EXPECT_FALSE(first->name.id.is_nil());
  EXPECT_EQ(second->version.version, 1);
}

TEST_F(PutRecordTest, ReplacesARecordOfASeriesByItsId) {
  const auto first = PutInput(InputOf(PaymentOf(5, base::Timestamp())));
  ASSERT_THAT(first, IsOk());
  PutRecordInput input = InputOf(PaymentOf(6, base::FromMicros(9)));
  input.record_id = first->name.id;
  const auto second = PutInput(std::move(input));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->name.id, first->name.id);
  EXPECT_EQ(second->version.version, 2);
  const auto shown =
      Get(vault_, ann_, "transaction", {"amount"}, first->name.id);
  EXPECT_EQ(std::get<Money>(shown->fields.at(0).value).minor_units, 6);
  EXPECT_EQ(shown->event_time, base::FromMicros(9));
}

TEST_F(PutRecordTest, RefusesAnIdThatIsNotThere) {
  PutRecordInput input = InputOf(PaymentOf(6, base::Timestamp()));
  input.record_id = NewRecordId(vault_.clock().Now(), 0);
  ExpectRefused(PutInput(std::move(input)).status(), Reason::kRecordNotFound);
}

TEST_F(PutRecordTest, RefusesAnIdForTheOnlyRecordOfAClass) {
  PutRecordInput input = InputOf(RecordOf("profile", {{"full_name", "A"}}));
  input.record_id = base::RecordId();
  ExpectRefused(PutInput(std::move(input)).status(), Reason::kValueInvalid);
}

TEST_F(PutRecordTest, WantsAnEventTimeForASeriesAndForNothingElse) {
  NewRecord without = PaymentOf(5, base::Timestamp());
  without.event_time.reset();
  ExpectRefused(PutInput(InputOf(std::move(without))).status(),
                Reason::kValueInvalid);
  NewRecord with = RecordOf("profile", {{"full_name", "A"}});
  with.event_time = base::Timestamp();
  ExpectRefused(PutInput(InputOf(std::move(with))).status(),
                Reason::kValueInvalid);
}

TEST_F(PutRecordTest, AcceptsOnlyTheEtagThatTheRecordHas) {
  const auto first = PutProfile({{"full_name", "Ann Other"}});
  ASSERT_THAT(first, IsOk());
  const std::string good = EtagOf(first->version);
  for (const std::string& etag :
       {std::string(), good + "0", EtagOf({1, first->version.epoch}),
        EtagOf({first->version.version, first->version.epoch + 1})}) {
    PutRecordInput input = InputOf(RecordOf("profile", {{"full_name", "B"}}));
    input.etag = etag;
    ExpectRefused(PutInput(std::move(input)).status(), Reason::kEtagMismatch);
  }
  PutRecordInput input = InputOf(RecordOf("profile", {{"full_name", "Ann B"}}));
  input.etag = good;
  EXPECT_THAT(PutInput(std::move(input)), IsOk());
  PutRecordInput again = InputOf(RecordOf("profile", {{"full_name", "Ann C"}}));
  again.etag = good;
  EXPECT_THAT(PutInput(std::move(again)), HasReason(Reason::kEtagMismatch));
}

TEST_F(PutRecordTest, RefusesAnEtagForARecordThatIsNotThere) {
  PutRecordInput input = InputOf(RecordOf("billing", {{"card_last4", "4242"}}));
  input.etag = EtagOf({1, 1});
  ExpectRefused(PutInput(std::move(input)).status(), Reason::kEtagMismatch);
  PutRecordInput series = InputOf(PaymentOf(5, base::Timestamp()));
  series.etag = EtagOf({1, 1});
  ExpectRefused(PutInput(std::move(series)).status(), Reason::kEtagMismatch);
}

TEST_F(PutRecordTest, RefusesARequiredFieldThatIsMissing) {
  ExpectRefused(PutProfile({{"note", "n"}}).status(),
                Reason::kRequiredFieldMissing, 201);
  ExpectRefused(PutMasked(vault_, ann_, RecordOf("profile", {{"note", "n"}}),
                          {"note", "full_name"})
                    .status(),
                Reason::kRequiredFieldMissing, 201);
}

TEST_F(PutRecordTest, RefusesARecordWithNothingLeftInIt) {
  ExpectRefused(PutInput(InputOf(RecordOf("account", {}))).status(),
                Reason::kRequiredFieldMissing);
  ExpectRefused(
      PutMasked(vault_, ann_, RecordOf("account", {}), {"email"}).status(),
      Reason::kRequiredFieldMissing);
  EXPECT_THAT(Get(vault_, ann_, "account", {"email"}), IsOk());
}

TEST_F(PutRecordTest, RefusesNamesThatTheCatalogueDoesNotHave) {
  ExpectRefused(
      PutInput(InputOf(RecordOf("horoscope", {{"sign", "a"}}))).status(),
      Reason::kFieldUnknown);
  ExpectRefused(PutProfile({{"full_name", "A"}, {"sign", "a"}}).status(),
                Reason::kFieldUnknown);
  ExpectRefused(PutMasked(vault_, ann_, RecordOf("profile", {{"note", "n"}}),
                          {"note", "sign"})
                    .status(),
                Reason::kFieldUnknown);
}

TEST_F(PutRecordTest, RefusesHizosOwnClassesAsIfTheyWereNotThere) {
  ExpectRefused(
      PutInput(InputOf(RecordOf("credential", {{"password_hash", "x"}})))
          .status(),
      Reason::kFieldUnknown);
}

TEST_F(PutRecordTest, RefusesAFieldThatIsThereTwice) {
  ExpectRefused(
      PutProfile({{"full_name", "A"}, {"note", "n"}, {"note", "m"}}).status(),
      Reason::kValueInvalid, 204);
}

TEST_F(PutRecordTest, RefusesAFieldOutsideOfItsMask) {
  ExpectRefused(
      PutMasked(vault_, ann_,
                RecordOf("profile", {{"full_name", "A"}, {"note", "n"}}),
                {"note"})
          .status(),
      Reason::kValueInvalid, 201);
}

TEST_F(PutRecordTest, RefusesValuesNamingTheFieldAtFault) {
  ExpectRefused(
      PutProfile({{"full_name", "A"}, {"note", std::string(101, 'n')}})
          .status(),
      Reason::kTooLarge, 204);
  ExpectRefused(
      PutProfile({{"full_name", "A"}, {"birth_date", "tomorrow"}}).status(),
      Reason::kValueInvalid, 202);
  ExpectRefused(
      PutProfile({{"full_name", "A"}, {"note", "4242 4242 4242 4242"}})
          .status(),
      Reason::kFieldForbidden, 204);
}

TEST_F(PutRecordTest, RefusesMoreFieldsThanARecordMayHave) {
  TextFields many;
  for (size_t i = 0; i <= kFieldsPerRecordMax; ++i)
    many.emplace_back("note", "n");
  ExpectRefused(PutProfile(many).status(), Reason::kTooLarge);
  ExpectRefused(
      PutMasked(vault_, ann_, RecordOf("profile", {}),
                std::vector<std::string>(kFieldsPerRecordMax + 1, "note"))
          .status(),
      Reason::kTooLarge);
}

TEST_F(PutRecordTest, WantsPermissionForFieldsThatAReplacementWouldRemove) {
  ASSERT_THAT(PutProfile({{"full_name", "Ann Other"}}), IsOk());
  const Call call = vault_.CallOf(kClerk, Action::kRecordPut, kBilling);
  const auto put = [&](std::optional<std::vector<std::string>> mask) {
    PutRecordInput input =
        InputOf(RecordOf("profile", {{"full_name", "Ann Clerk"}}));
    input.update_mask = std::move(mask);
    return vault::Put(vault_, call, std::move(input));
  };
  EXPECT_THAT(put(std::nullopt), IsOk());
  ASSERT_THAT(PutProfile({{"full_name", "Ann Other"}, {"note", "secret"}}),
              IsOk());
  EXPECT_THAT(put(std::nullopt), HasReason(Reason::kCallerNotEntitled));
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kDenied);
  EXPECT_THAT(event.fields, ElementsAre(201, 204));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Other"),
                                     Pair("note", "secret")));
  EXPECT_THAT(put(std::vector<std::string>{"full_name"}), IsOk());
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Clerk"),
                                     Pair("note", "secret")));
}

TEST_F(PutRecordTest, WantsPermissionForFieldsThatAMaskWouldRemove) {
  const Call call = vault_.CallOf(kClerk, Action::kRecordPut, kBilling);
  PutRecordInput input = InputOf(RecordOf("profile", {{"full_name", "A"}}));
  input.update_mask = {"full_name", "note"};
  ExpectRefused(vault::Put(vault_, call, std::move(input)).status(),
                Reason::kCallerNotEntitled);
}

TEST_F(PutRecordTest, TellsThoseWhoMayNotPutNothingOfNamesOrPeople) {
  const Call call = vault_.CallOf(test::kNobody, Action::kRecordPut, kService);
  for (const char* record_class : {"profile", "horoscope", "credential"}) {
    for (const base::SubjectId subject : {ann_, NewSubjectId()}) {
      PutRecordInput input = InputOf(RecordOf(record_class, {{"x", "y"}}));
      input.subject = subject;
      EXPECT_THAT(vault::Put(vault_, call, std::move(input)),
                  HasReason(Reason::kCallerNotEntitled));
    }
  }
}

TEST_F(PutRecordTest, RefusesAPersonWhoIsNotThere) {
  PutRecordInput input = InputOf(RecordOf("profile", {{"full_name", "A"}}));
  input.subject = NewSubjectId();
  EXPECT_THAT(PutInput(std::move(input)), HasReason(Reason::kSubjectNotFound));
}

TEST_F(PutRecordTest, RecordsWhoPutWhat) {
  ASSERT_THAT(PutProfile({{"full_name", "A"}, {"note", "n"}}), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.action, Action::kRecordPut);
  EXPECT_THAT(event.fields, ElementsAre(201, 204));
  EXPECT_EQ(event.records, 1);
  EXPECT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.catalogue_version, 7);
}

TEST_F(PutRecordTest, KeepsFieldsThatTheCatalogueDoesNotKnow) {
  constexpr crypto::FieldNumber kUnknown = 299;
  const RecordName name{2, {}};
  const auto& records = vault_.services().records;
  {
    Admitted admitted = AdmitFully(vault_, kFull, ann_);
    const auto present = records.Read(*admitted.attempt, admitted.grant, name);
    RecordChange change;
    change.keep = {201};
    change.put.push_back(
        {kUnknown, EncodeValue(TextOf("of old"), Source::kProvided)});
    ASSERT_THAT(records.Write(*admitted.attempt, admitted.grant, name,
                              &**present, change),
                IsOk());
    ASSERT_THAT(vault_.Commit(std::move(admitted.attempt)).status, IsOk());
  }
  ASSERT_THAT(PutProfile({{"full_name", "Ann A"}}), IsOk());
  ASSERT_THAT(
      PutMasked(vault_, ann_, RecordOf("profile", {{"note", "n"}}), {"note"}),
      IsOk());
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto present = records.Read(*admitted.attempt, admitted.grant, name);
  ASSERT_THAT(present, IsOk());
  EXPECT_THAT((*present)->Fields(), ElementsAre(201, 204, kUnknown));
}

TEST_F(PutRecordTest, LosesAgainstARivalWhoPutFirst) {
  const Call call = FullCall(vault_, Action::kRecordPut);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(
      vault_.store().records().Put(
          *late, call, InputOf(RecordOf("profile", {{"full_name", "Late"}}))),
      IsOk());
  ASSERT_THAT(PutProfile({{"full_name", "First"}}), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "First")));
}

TEST_F(PutRecordTest, WritesNothingWhenTheDiskIsFull) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(PutProfile({{"full_name", "New"}}),
              HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann Other")));
}

TEST(RecordIdTest, SortsByTimeThenByPlaceInTheRequest) {
  const base::Timestamp time = base::FromMicros(1'700'000'000'000'000);
  const auto first = NewRecordId(time, 0);
  const auto second = NewRecordId(time, 1);
  const auto later = NewRecordId(time + std::chrono::milliseconds(1), 0);
  EXPECT_LT(first, second);
  EXPECT_LT(second, later);
  const std::string text = ToText(first);
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_NE(NewRecordId(time, 0), first);
}

TEST(SubjectIdTest, IsARandomUuid) {
  const std::string text = ToText(NewSubjectId());
  EXPECT_EQ(text[14], '4');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_NE(NewSubjectId(), NewSubjectId());
}

}  // namespace
}  // namespace hizo::vault
