#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/page_token.h"
#include "service/vault/records.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::View;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kBilling;
using test::kMaskedOnly;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class GetRecordTest : public ::testing::Test {
 protected:
  GetRecordTest() {
    EXPECT_THAT(Put(vault_, ann_,
                    RecordOf("profile", {{"full_name", "Ann Margaret Other"},
                                         {"birth_date", "1990-02-03"},
                                         {"note", "likes tea"}})),
                IsOk());
  }
  GetRecordInput InputOf(const std::vector<std::string>& fields,
                         View view = View::kPlain) const {
    return {ann_, std::nullopt, {"profile", fields, view}};
  }
  absl::StatusOr<ShownRecord> GetAs(const Call& call,
                                    const GetRecordInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().Get(attempt, call, input);
    });
  }
  absl::StatusOr<ShownRecord> GetFully(const GetRecordInput& input) {
    return GetAs(FullCall(vault_, Action::kRecordGet), input);
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(GetRecordTest, ShowsTheFieldsAskedForInTheirOrder) {
  const auto shown = GetFully(InputOf({"note", "full_name"}));
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown),
              ElementsAre(Pair("note", "likes tea"),
                          Pair("full_name", "Ann Margaret Other")));
  EXPECT_EQ(shown->spec->name, "profile");
  EXPECT_EQ(shown->event_time, std::nullopt);
  for (const auto& field : shown->fields) EXPECT_FALSE(field.masked);
}

TEST_F(GetRecordTest, LeavesOutWhatTheRecordLacks) {
  const auto shown = GetFully(InputOf({"full_name", "photo"}));
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(shown->fields, SizeIs(1));
}

TEST_F(GetRecordTest, ShowsAFieldOnceHoweverOftenItIsAskedFor) {
  const auto shown = GetFully(InputOf({"note", "note"}));
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(shown->fields, SizeIs(1));
}

TEST_F(GetRecordTest, ShowsMasksToThoseWhoMaySeeNoMore) {
  const Call call = vault_.CallOf(kMaskedOnly, Action::kRecordGet, kSupport);
  const auto shown =
      GetAs(call, InputOf({"full_name", "birth_date", "note"}, View::kMasked));
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown),
              ElementsAre(Pair("full_name", "A. O***"),
                          Pair("birth_date", "1990"), Pair("note", "li***")));
  for (const auto& field : shown->fields) EXPECT_TRUE(field.masked);
  EXPECT_EQ(vault_.LastEvent().view, View::kMasked);
}

TEST_F(GetRecordTest, ShowsMasksToWhoeverAsksForThem) {
  const auto shown = GetFully(InputOf({"full_name"}, View::kMasked));
  ASSERT_THAT(shown, IsOk());
  EXPECT_THAT(TextsOf(*shown), ElementsAre(Pair("full_name", "A. O***")));
  const auto none = GetFully(InputOf({"full_name"}, View::kNone));
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(TextsOf(*none), ElementsAre(Pair("full_name", "A. O***")));
}

TEST_F(GetRecordTest, RefusesPlainValuesToThoseWhoMaySeeMasks) {
  const Call call = vault_.CallOf(kMaskedOnly, Action::kRecordGet, kSupport);
  EXPECT_THAT(GetAs(call, InputOf({"full_name"})),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
}

TEST_F(GetRecordTest, RefusesTheWholeCallForOneFieldThatIsNotGranted) {
  const Call call = vault_.CallOf(test::kClerk, Action::kRecordGet, kBilling);
  EXPECT_THAT(GetAs(call, InputOf({"full_name"})), IsOk());
  EXPECT_THAT(GetAs(call, InputOf({"full_name", "note"})),
              HasReason(Reason::kCallerNotEntitled));
}

TEST_F(GetRecordTest, RefusesFieldsThatDoNotServeThePurpose) {
  const Call call = vault_.CallOf(kFull, Action::kRecordGet, kBilling);
  EXPECT_THAT(GetAs(call, InputOf({"birth_date"})),
              HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(GetRecordTest, RefusesNamesThatTheCatalogueDoesNotHave) {
  EXPECT_THAT(GetFully(InputOf({"full_name", "sign"})),
              HasReason(Reason::kFieldUnknown));
  for (const char* record_class : {"horoscope", "credential", ""}) {
    GetRecordInput input = InputOf({"password_hash"});
    input.selection.record_class = record_class;
    EXPECT_THAT(GetFully(input), HasReason(Reason::kFieldUnknown));
  }
}

TEST_F(GetRecordTest, WantsToKnowWhichFields) {
  EXPECT_THAT(GetFully(InputOf({})), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(GetFully(InputOf(
                  std::vector<std::string>(kFieldsPerRecordMax + 1, "note"))),
              HasReason(Reason::kTooLarge));
}

TEST_F(GetRecordTest, WantsAnIdForASeriesAndForNothingElse) {
  GetRecordInput input = InputOf({"note"});
  input.record_id = base::RecordId();
  EXPECT_THAT(GetFully(input), HasReason(Reason::kValueInvalid));
  input.selection = {"transaction", {"amount"}, View::kPlain};
  input.record_id.reset();
  EXPECT_THAT(GetFully(input), HasReason(Reason::kValueInvalid));
}

TEST_F(GetRecordTest, FindsNoRecordThatIsNotThere) {
  GetRecordInput input = InputOf({"card_last4"});
  input.selection.record_class = "billing";
  EXPECT_THAT(GetFully(input), HasReason(Reason::kRecordNotFound));
  input.selection = {"transaction", {"amount"}, View::kPlain};
  input.record_id = NewRecordId(vault_.clock().Now(), 0);
  EXPECT_THAT(GetFully(input), HasReason(Reason::kRecordNotFound));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
}

TEST_F(GetRecordTest, FindsNobodyOfAnotherTenant) {
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kRecordGet, kService);
  EXPECT_THAT(GetAs(call, InputOf({"full_name"})),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(GetRecordTest, RecordsWhoSawWhat) {
  ASSERT_THAT(GetFully(InputOf({"note", "full_name"})), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.view, View::kPlain);
  EXPECT_THAT(event.fields, ElementsAre(201, 204));
  EXPECT_EQ(event.records, 1);
  EXPECT_NE(event.subject, std::nullopt);
  EXPECT_EQ(event.purpose, kService);
}

TEST_F(GetRecordTest, ShowsNothingWithoutADurableEvent) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(GetFully(InputOf({"full_name"})),
              HasReason(Reason::kAuditUnavailable));
}

TEST_F(GetRecordTest, ShowsNothingThatHasChangedSinceItWasRead) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto attempt = vault_.NewAttempt(call);
  ASSERT_THAT(
      vault_.store().records().Get(*attempt, call, InputOf({"full_name"})),
      IsOk());
  ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "New"}})),
              IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

TEST_F(GetRecordTest, PassesOnThatTheStoreCannotBeRead) {
  for (size_t read = 1; read <= 3; ++read) {
    vault_.data().FailRead(read, absl::DataLossError("injected"));
    const auto shown = GetFully(InputOf({"full_name"}));
    if (read <= 2) {
      EXPECT_THAT(shown, HasReason(Reason::kIntegrityFailure)) << read;
    } else {
      EXPECT_THAT(shown, IsOk());
    }
  }
}

class ListRecordsTest : public ::testing::Test {
 protected:
  static constexpr int kPayments = 7;
  ListRecordsTest() {
    for (int i = 0; i < kPayments; ++i) {
      vault_.clock().Advance(std::chrono::milliseconds(1));
      EXPECT_THAT(Put(vault_, ann_, PaymentOf(i, base::FromMicros(1000 * i))),
                  IsOk());
    }
  }
  ListRecordsInput InputOf(int32_t page_size,
                           const std::string& token = "") const {
    return {ann_, {"transaction", {"amount"}, View::kPlain}, page_size, token};
  }
  absl::StatusOr<RecordPage> ListAs(const Call& call,
                                    const ListRecordsInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().List(attempt, call, input);
    });
  }
  absl::StatusOr<RecordPage> List(const ListRecordsInput& input) {
    return ListAs(FullCall(vault_, Action::kRecordList), input);
  }
  static std::vector<int64_t> AmountsOf(const RecordPage& page) {
    std::vector<int64_t> amounts;
    for (const ShownRecord& record : page.records) {
      amounts.push_back(std::get<Money>(record.fields.at(0).value).minor_units);
    }
    return amounts;
  }
  std::string FirstToken() { return List(InputOf(3))->next_page_token; }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(ListRecordsTest, ShowsEverythingOnOnePageInOrderOfMaking) {
  const auto page = List(InputOf(0));
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(AmountsOf(*page), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_EQ(page->next_page_token, "");
  EXPECT_EQ(page->records[3].event_time, base::FromMicros(3000));
  EXPECT_EQ(vault_.LastEvent().records, kPayments);
}

TEST_F(ListRecordsTest, ShowsPageAfterPageWithoutGapOrRepeat) {
  const auto first = List(InputOf(3));
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(AmountsOf(*first), ElementsAre(0, 1, 2));
  // A page may be of another size than the one before.
  const auto second = List(InputOf(2, first->next_page_token));
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(AmountsOf(*second), ElementsAre(3, 4));
  const auto third = List(InputOf(2, second->next_page_token));
  ASSERT_THAT(third, IsOk());
  EXPECT_THAT(AmountsOf(*third), ElementsAre(5, 6));
  EXPECT_EQ(third->next_page_token, "");
}

TEST_F(ListRecordsTest, GoesOnWhereItWasThoughRecordsWereAdded) {
  const auto first = List(InputOf(6));
  ASSERT_THAT(first, IsOk());
  vault_.clock().Advance(std::chrono::milliseconds(1));
  ASSERT_THAT(Put(vault_, ann_, PaymentOf(7, base::Timestamp())), IsOk());
  const auto second = List(InputOf(6, first->next_page_token));
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(AmountsOf(*second), ElementsAre(6, 7));
}

TEST_F(ListRecordsTest, ShowsNothingWhereNothingIs) {
  ListRecordsInput input = InputOf(3);
  input.selection = {"billing", {"card_last4"}, View::kPlain};
  const auto page = List(input);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->records, IsEmpty());
  EXPECT_EQ(page->next_page_token, "");
}

TEST_F(ListRecordsTest, ListsTheOnlyRecordOfAClassToo) {
  ListRecordsInput input = InputOf(3);
  input.selection = {"profile", {"full_name"}, View::kMasked};
  const auto page = List(input);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->records, SizeIs(1));
  EXPECT_THAT(TextsOf(page->records[0]),
              ElementsAre(Pair("full_name", "A. O***")));
}

TEST_F(ListRecordsTest, RefusesATokenOfAnotherQuery) {
  const std::string token = FirstToken();
  ListRecordsInput other_fields = InputOf(3, token);
  other_fields.selection.fields = {"amount", "item"};
  ListRecordsInput other_view = InputOf(3, token);
  other_view.selection.view = View::kMasked;
  ListRecordsInput other_class = InputOf(3, token);
  other_class.selection = {"profile", {"full_name"}, View::kPlain};
  ListRecordsInput other_person = InputOf(3, token);
  other_person.subject = NewPerson(vault_, "bob@example.com");
  for (const auto* input :
       {&other_fields, &other_view, &other_class, &other_person}) {
    EXPECT_THAT(List(*input), HasReason(Reason::kPageTokenInvalid));
  }
  EXPECT_THAT(List(InputOf(3, token)), IsOk());
}

TEST_F(ListRecordsTest, RefusesATokenOfAnotherCallerOrPurpose) {
  ListRecordsInput input = InputOf(3);
  input.selection.view = View::kMasked;
  const Call call = vault_.CallOf(kFull, Action::kRecordList, kSupport);
  const auto first = ListAs(call, input);
  ASSERT_THAT(first, IsOk());
  input.page_token = first->next_page_token;
  EXPECT_THAT(
      ListAs(vault_.CallOf(kMaskedOnly, Action::kRecordList, kSupport), input),
      HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(List(input), HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(ListAs(call, input), IsOk());
}

TEST_F(ListRecordsTest, DecidesOnEveryPageAnew) {
  const std::string token = FirstToken();
  EXPECT_THAT(
      ListAs(vault_.CallOf(test::kNobody, Action::kRecordList, kService),
             InputOf(3, token)),
      HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
}

TEST_F(ListRecordsTest, RefusesTokensThatNobodyMade) {
  const std::string token = FirstToken();
  std::string changed = token;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& forged :
       {std::string("x"), std::string("!!!"), std::string(4096, 'A'), changed,
        token.substr(0, token.size() - 4), token + "AAAA"}) {
    EXPECT_THAT(List(InputOf(3, forged)), HasReason(Reason::kPageTokenInvalid));
  }
}

TEST_F(ListRecordsTest, RefusesTokensThatAreTooOldOrOfTheFuture) {
  const std::string token = FirstToken();
  vault_.clock().Advance(kPageTokenLife);
  EXPECT_THAT(List(InputOf(3, token)), IsOk());
  vault_.clock().Advance(std::chrono::microseconds(1));
  EXPECT_THAT(List(InputOf(3, token)), HasReason(Reason::kPageTokenInvalid));
  vault_.clock().Advance(-kPageTokenLife - std::chrono::microseconds(2));
  EXPECT_THAT(List(InputOf(3, token)), HasReason(Reason::kPageTokenInvalid));
}

TEST_F(ListRecordsTest, TakesATokenAfterARestart) {
  const std::string token = FirstToken();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(List(InputOf(3, token)), IsOk());
}

TEST_F(ListRecordsTest, RefusesANegativePage) {
  EXPECT_THAT(List(InputOf(-1)), HasReason(Reason::kValueInvalid));
}

TEST_F(ListRecordsTest, ShowsNoPageThatHasChangedSinceItWasRead) {
  const Call call = FullCall(vault_, Action::kRecordList);
  auto attempt = vault_.NewAttempt(call);
  ASSERT_THAT(vault_.store().records().List(*attempt, call, InputOf(3)),
              IsOk());
  ASSERT_THAT(Put(vault_, ann_, PaymentOf(9, base::Timestamp())), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

TEST(PageSizeTest, IsBoundedAndHasADefault) {
  EXPECT_THAT(PageSize(0), IsOkAndHolds(size_t{50}));
  EXPECT_THAT(PageSize(1), IsOkAndHolds(size_t{1}));
  EXPECT_THAT(PageSize(500), IsOkAndHolds(size_t{500}));
  EXPECT_THAT(PageSize(501), IsOkAndHolds(size_t{500}));
  EXPECT_THAT(PageSize(INT32_MAX), IsOkAndHolds(size_t{500}));
  EXPECT_THAT(PageSize(0, {16, 100}), IsOkAndHolds(size_t{16}));
  EXPECT_THAT(PageSize(101, {16, 100}), IsOkAndHolds(size_t{100}));
  EXPECT_THAT(PageSize(-1), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(PageSize(INT32_MIN), HasReason(Reason::kValueInvalid));
}

TEST(PageTokenTest, OpensOnlyUnderItsKeyForItsCall) {
  const VaultFixture vault;
  const crypto::Key key = crypto::Key::Random();
  const Call call = FullCall(vault, Action::kRecordList);
  const std::string token = SealPageToken(key, call, "query", "position");
  EXPECT_THAT(OpenPageToken(key, call, "query", token),
              IsOkAndHolds("position"));
  EXPECT_THAT(OpenPageToken(key, call, "other query", token),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(OpenPageToken(crypto::Key::Random(), call, "query", token),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_THAT(
      OpenPageToken(key, FullCall(vault, Action::kAuditQuery), "query", token),
      HasReason(Reason::kPageTokenInvalid));
  const Call elsewhere =
      vault.CallOf(test::kOtherFull, Action::kRecordList, kService);
  EXPECT_THAT(OpenPageToken(key, elsewhere, "query", token),
              HasReason(Reason::kPageTokenInvalid));
  EXPECT_NE(SealPageToken(key, call, "query", "position"), token);
}

}  // namespace
}  // namespace hizo::vault
