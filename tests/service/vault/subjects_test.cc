#include "service/vault/subjects.h"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::FaultyEngine;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kMaskedOnly;
using test::kNobody;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SubjectsTest : public ::testing::Test {
 protected:
  absl::StatusOr<CreatedSubject> CreateAccount(const std::string& email) {
    return Create(vault_, RecordsOf(RecordOf("account", {{"email", email}})));
  }
  absl::StatusOr<SubjectDescription> Describe(const Call& call,
                                              SubjectId subject) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Get(attempt, call, subject);
    });
  }
  absl::StatusOr<SubjectDescription> Describe(SubjectId subject) {
    return Describe(FullCall(vault_, Action::kSubjectGet), subject);
  }
  size_t Rows(char space) { return test::RowsOf(vault_.data(), space).size(); }
  size_t KeyRows(char space) {
    return test::RowsOf(vault_.keys(), space).size();
  }
  // That nobody is there, and nothing of anybody.
  void ExpectNobody() {
    EXPECT_EQ(Rows(base::kSpaceFacts), 0);
    EXPECT_EQ(Rows(base::kSpaceRecord), 0);
    EXPECT_EQ(KeyRows(base::kSpaceDeks), 0);
    EXPECT_EQ(KeyRows(base::kSpaceIndex), 0);
    EXPECT_EQ(KeyRows(base::kSpaceWayBack), 0);
  }

  VaultFixture vault_;
};

TEST_F(SubjectsTest, CreatesAPersonWithAllTheirRecords) {
  const auto created = Create(
      vault_, RecordsOf(RecordOf("account", {{"email", "ann@example.com"}}),
                        RecordOf("profile", {{"full_name", "Ann"}}),
                        PaymentOf(1, base::Timestamp()),
                        PaymentOf(2, base::Timestamp())));
  ASSERT_THAT(created, IsOk());
  EXPECT_FALSE(created->repeated);
  ASSERT_THAT(created->records, SizeIs(4));
  EXPECT_EQ(created->records[0].spec->name, "account");
  EXPECT_LT(created->records[2].name.id, created->records[3].name.id);
  EXPECT_THAT(Get(vault_, created->subject, "profile", {"full_name"}), IsOk());
  EXPECT_THAT(Get(vault_, created->subject, "transaction", {"amount"},
                  created->records[3].name.id),
              IsOk());
}

TEST_F(SubjectsTest, CreatesAPersonOfWhomNothingIsKnownYet) {
  const auto created = Create(vault_, {});
  ASSERT_THAT(created, IsOk());
  const auto described = Describe(created->subject);
  ASSERT_THAT(described, IsOk());
  EXPECT_THAT(described->classes, IsEmpty());
}

TEST_F(SubjectsTest, RecordsACreationAsOneEventOfAllItsWrites) {
  ASSERT_THAT(CreateAccount("ann@example.com"), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(vault_.Events().size(), 1);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.action, Action::kSubjectCreate);
  EXPECT_NE(event.subject, std::nullopt);
  EXPECT_THAT(event.writes, SizeIs(2));  // the record and the facts
  EXPECT_THAT(event.fields, ElementsAre(102));
}

TEST_F(SubjectsTest, CreatesAllOrNothing) {
  const auto bad_value = Create(
      vault_, RecordsOf(RecordOf("account", {{"email", "ann@example.com"}}),
                        RecordOf("profile", {{"full_name", ""}})));
  EXPECT_THAT(bad_value, HasReason(Reason::kValueInvalid));
  EXPECT_EQ(base::FieldOf(bad_value.status()), 201);
  const auto missing = Create(
      vault_, RecordsOf(RecordOf("account", {{"email", "ann@example.com"}}),
                        RecordOf("profile", {{"note", "n"}})));
  EXPECT_THAT(missing, HasReason(Reason::kRequiredFieldMissing));
  const auto unknown = Create(
      vault_, RecordsOf(RecordOf("account", {{"email", "ann@example.com"}}),
                        RecordOf("horoscope", {{"sign", "a"}})));
  EXPECT_THAT(unknown, HasReason(Reason::kFieldUnknown));
  ExpectNobody();
  EXPECT_EQ(vault_.Events().size(), 3);
  EXPECT_THAT(CreateAccount("ann@example.com"), IsOk());
}

TEST_F(SubjectsTest, RefusesAValueThatIsTakenNamingTheField) {
  ASSERT_THAT(CreateAccount("ann@example.com"), IsOk());
  const auto taken = CreateAccount("ANN@example.com");
  EXPECT_THAT(taken, HasReason(Reason::kAlreadyExists));
  EXPECT_EQ(base::FieldOf(taken.status()), 102);
  EXPECT_EQ(Rows(base::kSpaceFacts), 1);
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
}

TEST_F(SubjectsTest, RefusesTwoRecordsOfAClassThatHasOne) {
  EXPECT_THAT(
      Create(vault_, RecordsOf(RecordOf("account", {{"plan", "free"}}),
                               RecordOf("account", {{"plan", "paid"}}))),
      HasReason(Reason::kValueInvalid));
  ExpectNobody();
}

TEST_F(SubjectsTest, RefusesMoreRecordsThanARequestMayHave) {
  std::vector<NewRecord> records;
  for (size_t i = 0; i < kRecordsPerSubjectRequestMax; ++i) {
    records.push_back(PaymentOf(1, base::Timestamp()));
  }
  EXPECT_THAT(Create(vault_, std::move(records)), IsOk());
  records.clear();
  for (size_t i = 0; i <= kRecordsPerSubjectRequestMax; ++i) {
    records.push_back(PaymentOf(1, base::Timestamp()));
  }
  EXPECT_THAT(Create(vault_, std::move(records)), HasReason(Reason::kTooLarge));
}

TEST_F(SubjectsTest, CreatesNobodyForThoseWhoMayNot) {
  for (const char* actor : {kNobody, kMaskedOnly}) {
    const Call call = vault_.CallOf(actor, Action::kSubjectCreate, kSupport);
    EXPECT_THAT(
        Create(vault_, call,
               RecordsOf(RecordOf("account", {{"email", "ann@example.com"}}))),
        HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
  ExpectNobody();
}

TEST_F(SubjectsTest, DoesNotTellThoseWhoMayNotCreateWhatIsTaken) {
  ASSERT_THAT(CreateAccount("ann@example.com"), IsOk());
  const Call call = vault_.CallOf(kNobody, Action::kSubjectCreate, kService);
  for (const char* email : {"ann@example.com", "eve@example.com", "invalid"}) {
    EXPECT_THAT(Create(vault_, call,
                       RecordsOf(RecordOf("account", {{"email", email}}))),
                HasReason(Reason::kCallerNotEntitled));
  }
}

TEST_F(SubjectsTest, CreatesNobodyWhenTheDataCannotBeWritten) {
  vault_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(CreateAccount("ann@example.com"),
              HasReason(Reason::kAuditUnavailable));
  // The keys were written, and taken back.
  EXPECT_EQ(KeyRows(base::kSpaceIndex), 0);
  EXPECT_THAT(Find(vault_, "account.email", "ann@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(SubjectsTest, RepeatsACreateThatDiedBetweenTheStores) {
  Call call = FullCall(vault_, Action::kSubjectCreate);
  call.request = RequestOf(1);
  call.body = "body";
  const auto create = [&] {
    return Create(vault_, call,
                  RecordsOf(RecordOf("account", {{"email", "ann@example.com"},
                                                 {"phone", "+81312345678"}})));
  };
  vault_.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                           absl::UnknownError("injected"));
  EXPECT_THAT(create(), HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_EQ(vault_.Events().size(), 0);
  const auto created = create();
  ASSERT_THAT(created, IsOk());
  EXPECT_FALSE(created->repeated);
  for (const auto& [field, value] :
       TextFields{{"account.email", "ann@example.com"},
                  {"account.phone", "+81312345678"}}) {
    EXPECT_THAT(Find(vault_, field, value),
                IsOkAndHolds(ElementsAre(created->subject)));
  }
  // The orphans are gone from the index, and the repeat of the repeat is one.
  EXPECT_EQ(KeyRows(base::kSpaceIndex), 2);
  const auto again = create();
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->subject, created->subject);
}

TEST_F(SubjectsTest, RepeatsACreateThatHappenedThoughItsOutcomeWasUnknown) {
  Call call = FullCall(vault_, Action::kSubjectCreate);
  call.request = RequestOf(1);
  call.body = "body";
  const auto create = [&] {
    return Create(vault_, call,
                  RecordsOf(RecordOf("account", {{"email", "a@example.com"}})));
  };
  vault_.data().FailCommit(1, FaultyEngine::When::kAfterApplied,
                           absl::UnknownError("injected"));
  EXPECT_THAT(create(), HasReason(Reason::kOutcomeUnknown));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto again = create();
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(Rows(base::kSpaceFacts), 1);
}

TEST_F(SubjectsTest, DescribesWhatIsThereWithoutItsValues) {
  vault_.clock().Advance(std::chrono::hours(5));
  const base::Timestamp created_at = vault_.clock().Now();
  const auto created = Create(
      vault_, RecordsOf(PaymentOf(1, base::Timestamp()),
                        RecordOf("account", {{"plan", "free"},
                                             {"email", "ann@example.com"}}),
                        PaymentOf(2, base::Timestamp())));
  ASSERT_THAT(created, IsOk());
  vault_.clock().Advance(std::chrono::hours(1));
  const auto described =
      Describe(vault_.CallOf(kMaskedOnly, Action::kSubjectGet, kSupport),
               created->subject);
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->subject, created->subject);
  EXPECT_EQ(described->created, created_at);
  EXPECT_EQ(described->state, policy::SubjectState::kActive);
  ASSERT_THAT(described->classes, SizeIs(2));
  EXPECT_EQ(described->classes[0].spec->name, "account");
  EXPECT_EQ(described->classes[0].records, 1);
  EXPECT_THAT(described->classes[0].fields,
              ElementsAre(&vault_.Field("account.email"),
                          &vault_.Field("account.plan")));
  EXPECT_EQ(described->classes[1].spec->name, "transaction");
  EXPECT_EQ(described->classes[1].records, 2);
  EXPECT_THAT(described->classes[1].fields,
              ElementsAre(&vault_.Field("transaction.amount")));
  EXPECT_EQ(vault_.LastEvent().records, 3);
}

TEST_F(SubjectsTest, DoesNotDescribeHizosOwnClasses) {
  const SubjectId ann = NewPerson(vault_, "ann@example.com");
  const Call call =
      vault_.CallOf(kFull, Action::kCredentialSet, test::kAuthentication);
  ASSERT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return vault_.store().credentials().Set(
                               attempt, call, ann, base::Pii("password"));
                         }),
              IsOk());
  const auto described = Describe(ann);
  ASSERT_THAT(described, IsOk());
  EXPECT_THAT(described->classes, SizeIs(2));
}

TEST_F(SubjectsTest, DescribesNobodyToThoseWhoMayNotAsk) {
  const SubjectId ann = NewPerson(vault_, "ann@example.com");
  const Call nobody = vault_.CallOf(kNobody, Action::kSubjectGet, kService);
  EXPECT_THAT(Describe(nobody, ann), HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Describe(nobody, NewSubjectId()),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(Describe(NewSubjectId()), HasReason(Reason::kSubjectNotFound));
  const Call elsewhere =
      vault_.CallOf(test::kOtherFull, Action::kSubjectGet, kService);
  EXPECT_THAT(Describe(elsewhere, ann), HasReason(Reason::kSubjectNotFound));
}

TEST_F(SubjectsTest, FindsPeopleByWhatTheyAreKnownBy) {
  const auto ann = Create(
      vault_, RecordsOf(RecordOf("account", {{"username", "Ann"},
                                             {"email", "ann@example.com"},
                                             {"reference", "No 7"},
                                             {"phone", "03-1234-5678"}})));
  const auto bob = Create(
      vault_, RecordsOf(RecordOf("account", {{"phone", "+81312345678"}})));
  ASSERT_TRUE(ann.ok() && bob.ok());
  for (const auto& [field, value] :
       TextFields{{"account.username", "ANN"},
                  {"account.email", "Ann@Example.com"},
                  {"account.reference", "No 7"}}) {
    EXPECT_THAT(Find(vault_, field, value),
                IsOkAndHolds(ElementsAre(ann->subject)));
  }
  EXPECT_THAT(Find(vault_, "account.phone", "03 1234 5678"),
              IsOkAndHolds(UnorderedElementsAre(ann->subject, bob->subject)));
}

TEST_F(SubjectsTest, RecordsWhoWasFoundAndByWhichField) {
  const SubjectId ann = NewPerson(vault_, "ann@example.com");
  ASSERT_THAT(Find(vault_, "account.email", "ann@example.com"), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.subject,
            AdmitFully(vault_, kFull, ann).grant.facts().audit_reference);
  EXPECT_THAT(event.fields, ElementsAre(102));
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
}

TEST_F(SubjectsTest, RecordsEverybodyWhoWasFound) {
  const std::string phone = "+81312345678";
  std::set<std::optional<base::AuditReference>> references;
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(
        Create(vault_, RecordsOf(RecordOf("account", {{"phone", phone}}))),
        IsOk());
    references.insert(vault_.LastEvent().subject);
  }
  const auto found = Find(vault_, "account.phone", phone);
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(*found, SizeIs(3));
  const auto events = vault_.Events();
  ASSERT_THAT(events, SizeIs(6));
  std::set<std::optional<base::AuditReference>> recorded;
  for (size_t i = 3; i < events.size(); ++i) {
    EXPECT_EQ(events[i].action, Action::kSubjectFind);
    EXPECT_EQ(events[i].outcome, audit::Outcome::kAllowed);
    EXPECT_THAT(events[i].fields, ElementsAre(104));
    recorded.insert(events[i].subject);
  }
  EXPECT_EQ(recorded, references);
}

TEST_F(SubjectsTest, NamesNobodyWhenOneOfThoseFoundIsDamaged) {
  const std::string phone = "+81312345678";
  const auto one =
      Create(vault_, RecordsOf(RecordOf("account", {{"phone", phone}})));
  const auto other =
      Create(vault_, RecordsOf(RecordOf("account", {{"phone", phone}})));
  ASSERT_TRUE(one.ok() && other.ok());
  test::Overwrite(vault_.data(), FactsKey(kAcme, other->subject), "damaged");
  EXPECT_THAT(Find(vault_, "account.phone", phone),
              HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(vault_.Events(), SizeIs(3));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kIntegrityFailure);
}

TEST_F(SubjectsTest, DescribesOnlyWhatGrantsName) {
  const auto ann = Create(
      vault_, RecordsOf(RecordOf("account", {{"email", "ann@example.com"},
                                             {"phone", "+81312345678"}}),
                        RecordOf("profile", {{"full_name", "Ann"}}),
                        RecordOf("billing", {{"card_last4", "4242"}})));
  ASSERT_THAT(ann, IsOk());
  policy::Principal clerk =
      vault_.CallOf(kFull, Action::kSubjectGet, kService).principal;
  policy::FieldSet fields;
  fields.set(vault_.Field("account.phone").index);
  fields.set(vault_.Field("profile.note").index);
  clerk.grants.resize(1);
  clerk.grants[0].fields = fields;
  const Call full = FullCall(vault_, Action::kSubjectGet);
  const Call call{clerk, full.tenant, full.action, full.purpose,
                  true,  {},          {},          full.now};
  const auto described = Describe(call, ann->subject);
  ASSERT_THAT(described, IsOk());
  // The profile has a field that is granted, but not in this record.
  ASSERT_THAT(described->classes, SizeIs(2));
  EXPECT_EQ(described->classes[0].spec->name, "account");
  EXPECT_THAT(described->classes[0].fields,
              ElementsAre(&vault_.Field("account.phone")));
  EXPECT_EQ(described->classes[1].spec->name, "profile");
  EXPECT_THAT(described->classes[1].fields, IsEmpty());
}

TEST_F(SubjectsTest, SaysWhyNobodyIsFound) {
  EXPECT_THAT(Find(vault_, "account.email", "eve@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kSubjectNotFound);
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kFailed);
  EXPECT_THAT(Find(vault_, "account.email", "no address"),
              HasReason(Reason::kValueInvalid));
  for (const char* field : {"profile.full_name", "account.sign", ""}) {
    EXPECT_THAT(Find(vault_, field, "Ann"), HasReason(Reason::kFieldUnknown));
  }
}

TEST_F(SubjectsTest, TellsThoseWhoMayNotFindNothingAtAll) {
  NewPerson(vault_, "ann@example.com");
  const Call call = vault_.CallOf(kNobody, Action::kSubjectFind, kService);
  for (const auto& [field, value] :
       TextFields{{"account.email", "ann@example.com"},
                  {"account.email", "eve@example.com"},
                  {"account.email", "no address"},
                  {"profile.full_name", "Ann"},
                  {"account.sign", "x"}}) {
    EXPECT_THAT(Find(vault_, call, field, value),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
}

TEST_F(SubjectsTest, FindsNobodyOfAnotherTenant) {
  NewPerson(vault_, "ann@example.com");
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kSubjectFind, kService);
  EXPECT_THAT(Find(vault_, call, "account.email", "ann@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(vault_.LastEvent().subject, std::nullopt);
}

}  // namespace
}  // namespace hizo::vault
