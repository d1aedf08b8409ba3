#include "service/vault/credentials.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::kNobody;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kPassword[] = "correct horse battery staple";

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() { EXPECT_THAT(Set(ann_, kPassword), IsOk()); }

  absl::Status SetAs(const char* actor, SubjectId subject,
                     const std::string& password) {
    const Call call =
        vault_.CallOf(actor, Action::kCredentialSet, kAuthentication);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().Set(attempt, call, subject,
                                              Pii(password));
    });
  }
  absl::Status Set(SubjectId subject, const std::string& password) {
    return SetAs(kFull, subject, password);
  }
  absl::StatusOr<std::optional<SubjectId>> VerifyAs(
      const char* actor, const Who& who, const std::string& password) {
    const Call call =
        vault_.CallOf(actor, Action::kCredentialVerify, kAuthentication);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().Verify(attempt, call, who,
                                                 Pii(password));
    });
  }
  absl::StatusOr<std::optional<SubjectId>> Verify(SubjectId subject,
                                                  const std::string& password) {
    return VerifyAs(kFull, {subject, "", Pii()}, password);
  }
  absl::StatusOr<std::optional<SubjectId>> VerifyBy(
      const std::string& field, const std::string& value,
      const std::string& password) {
    return VerifyAs(kFull, {std::nullopt, field, Pii(value)}, password);
  }
  void ExpectFailedEvent(Reason reason) {
    const audit::Event event = vault_.LastEvent();
    EXPECT_EQ(event.outcome, audit::Outcome::kFailed);
    EXPECT_EQ(event.reason, reason);
  }
  std::string CredentialKey(SubjectId subject) {
    return RecordKey(kAcme, subject, policy::kClassCredential, {});
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(CredentialsTest, AcceptsTheRightPassword) {
  EXPECT_THAT(Verify(ann_, kPassword), IsOkAndHolds(ann_));
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_EQ(event.reason, Reason::kNone);
  EXPECT_NE(event.subject, std::nullopt);
}

TEST_F(CredentialsTest, RefusesAWrongPasswordAndSaysSoInTheLog) {
  for (const char* wrong :
       {"Correct horse battery staple", "correct horse battery stapl",
        "correct horse battery staple ", "x"}) {
    EXPECT_THAT(Verify(ann_, wrong), IsOkAndHolds(std::nullopt));
    ExpectFailedEvent(Reason::kPasswordWrong);
  }
}

TEST_F(CredentialsTest, FindsThePersonBySearchableFields) {
  EXPECT_THAT(VerifyBy("account.email", "Ann@example.com", kPassword),
              IsOkAndHolds(ann_));
  EXPECT_THAT(vault_.LastEvent().fields, ::testing::ElementsAre(102));
  EXPECT_THAT(VerifyBy("account.email", "ann@example.com", "wrong"),
              IsOkAndHolds(std::nullopt));
}

TEST_F(CredentialsTest, AnswersForNobodyAsForAWrongPassword) {
  for (const auto& [field, value] :
       TextFields{{"account.email", "eve@example.com"},
                  {"account.email", "no address"},
                  {"profile.full_name", "Ann Other"},
                  {"account.sign", "x"}}) {
    EXPECT_THAT(VerifyBy(field, value, kPassword), IsOkAndHolds(std::nullopt));
    ExpectFailedEvent(Reason::kSubjectNotFound);
  }
  EXPECT_THAT(Verify(NewSubjectId(), kPassword), IsOkAndHolds(std::nullopt));
  ExpectFailedEvent(Reason::kSubjectNotFound);
}

TEST_F(CredentialsTest, AnswersForSomebodyWithoutAPasswordAsForAWrongOne) {
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  EXPECT_THAT(Verify(bob, kPassword), IsOkAndHolds(std::nullopt));
  ExpectFailedEvent(Reason::kPasswordWrong);
}

TEST_F(CredentialsTest, AnswersForAValueThatSeveralShareAsForNobody) {
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  for (const SubjectId subject : {ann_, bob}) {
    ASSERT_THAT(
        PutMasked(vault_, subject,
                  RecordOf("account", {{"phone", "+81312345678"}}), {"phone"}),
        IsOk());
    const auto verified = VerifyBy("account.phone", "+81312345678", kPassword);
    EXPECT_THAT(verified,
                IsOkAndHolds(subject == ann_ ? std::optional<SubjectId>(ann_)
                                             : std::nullopt));
  }
}

TEST_F(CredentialsTest, ReplacesAPassword) {
  ASSERT_THAT(Set(ann_, "a new password"), IsOk());
  EXPECT_THAT(Verify(ann_, kPassword), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Verify(ann_, "a new password"), IsOkAndHolds(ann_));
}

TEST_F(CredentialsTest, KeepsPasswordsAcrossARestart) {
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_THAT(Verify(ann_, kPassword), IsOkAndHolds(ann_));
}

TEST_F(CredentialsTest, TakesEveryByteOfAPasswordIntoAccount) {
  using std::string_literals::operator""s;
  // bcrypt alone stops at NUL and after 72 bytes.
  ASSERT_THAT(Set(ann_, "one\0two"s), IsOk());
  EXPECT_THAT(Verify(ann_, "one\0two"s), IsOkAndHolds(ann_));
  EXPECT_THAT(Verify(ann_, "one\0three"s), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Verify(ann_, "one"), IsOkAndHolds(std::nullopt));
  const std::string longest(4096, 'p');
  ASSERT_THAT(Set(ann_, longest), IsOk());
  EXPECT_THAT(Verify(ann_, longest), IsOkAndHolds(ann_));
  EXPECT_THAT(Verify(ann_, longest.substr(1)), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Verify(ann_, longest.substr(0, 72)), IsOkAndHolds(std::nullopt));
}

TEST_F(CredentialsTest, TakesOnePasswordInEveryWayItIsTyped) {
  ASSERT_THAT(Set(ann_, "caf\xC3\xA9"), IsOk());
  EXPECT_THAT(Verify(ann_, "cafe\xCC\x81"), IsOkAndHolds(ann_));
}

TEST_F(CredentialsTest, RefusesWhatIsNoPassword) {
  for (const std::string& bad :
       {std::string(), std::string(4097, 'p'), std::string("\xFF")}) {
    EXPECT_THAT(Set(ann_, bad), HasReason(Reason::kValueInvalid));
    ExpectFailedEvent(Reason::kValueInvalid);
    EXPECT_THAT(Verify(ann_, bad), HasReason(Reason::kValueInvalid));
    EXPECT_THAT(Verify(NewSubjectId(), bad), HasReason(Reason::kValueInvalid));
  }
  EXPECT_THAT(Verify(ann_, kPassword), IsOkAndHolds(ann_));
}

TEST_F(CredentialsTest, SetsNoPasswordOfNobody) {
  EXPECT_THAT(Set(NewSubjectId(), kPassword),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(CredentialsTest, RefusesThoseWhoMayNotWhoeverItIsAbout) {
  for (const SubjectId subject : {ann_, NewSubjectId()}) {
    EXPECT_THAT(SetAs(kNobody, subject, "new"),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(VerifyAs(kNobody, {subject, "", Pii()}, kPassword),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
  for (const char* email : {"ann@example.com", "eve@example.com"}) {
    EXPECT_THAT(VerifyAs(kNobody, {std::nullopt, "account.email", Pii(email)},
                         kPassword),
                HasReason(Reason::kCallerNotEntitled));
  }
}

TEST_F(CredentialsTest, KnowsNobodyOfAnotherTenant) {
  EXPECT_THAT(VerifyAs(test::kOtherFull, {ann_, "", Pii()}, kPassword),
              IsOkAndHolds(std::nullopt));
  EXPECT_THAT(SetAs(test::kOtherFull, ann_, "new"),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(CredentialsTest, ShowsNoHashToAnybody) {
  EXPECT_THAT(Get(vault_, ann_, "credential", {"password_hash"}),
              HasReason(Reason::kFieldUnknown));
  const std::string row = test::Stored(vault_.data(), CredentialKey(ann_));
  EXPECT_EQ(row.find("$2b$"), std::string::npos);
}

TEST_F(CredentialsTest, RefusesTheHashOfSomebodyElse) {
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  ASSERT_THAT(Set(bob, "bob's password"), IsOk());
  test::Overwrite(vault_.data(), CredentialKey(ann_),
                  test::Stored(vault_.data(), CredentialKey(bob)));
  EXPECT_THAT(Verify(ann_, "bob's password"),
              HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(Verify(ann_, kPassword), HasReason(Reason::kIntegrityFailure));
  ExpectFailedEvent(Reason::kIntegrityFailure);
}

TEST_F(CredentialsTest, RecordsAPasswordThatWasSetWithoutAValue) {
  const auto events = vault_.Events();
  const audit::Event& event = events.back();
  EXPECT_EQ(event.action, Action::kCredentialSet);
  EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
  EXPECT_THAT(event.fields, IsEmpty());
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].class_number, policy::kClassCredential);
}

TEST_F(CredentialsTest, BringsNoOldPasswordBackWhenARequestIsRepeated) {
  const auto set = [this](SubjectId subject, const std::string& password) {
    Call call = vault_.CallOf(kFull, Action::kCredentialSet, kAuthentication);
    call.request = RequestOf(1);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().credentials().Set(attempt, call, subject,
                                              Pii(password));
    });
  };
  EXPECT_THAT(set(ann_, ""), HasReason(Reason::kValueInvalid));
  ASSERT_THAT(set(ann_, "first"), IsOk());
  EXPECT_THAT(Verify(ann_, "first"), IsOkAndHolds(ann_));
  ASSERT_THAT(Set(ann_, "second"), IsOk());
  EXPECT_THAT(set(ann_, "first"), IsOk());
  EXPECT_THAT(vault_.LastEvent().writes, IsEmpty());
  EXPECT_THAT(Verify(ann_, "second"), IsOkAndHolds(ann_));
  const SubjectId bob = NewPerson(vault_, "bob@example.com");
  EXPECT_THAT(set(bob, "first"), HasReason(Reason::kRequestIdReused));
}

TEST_F(CredentialsTest, LooksNobodyUpForThoseWhoMayNotAsk) {
  const size_t reads = vault_.keys().reads() + vault_.data().reads();
  EXPECT_THAT(
      VerifyAs(kNobody, {std::nullopt, "account.email", Pii("ann@example.com")},
               kPassword),
      HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.keys().reads() + vault_.data().reads(), reads);
}

TEST_F(CredentialsTest, VouchesForNobodyWhosePasswordHasChangedMeanwhile) {
  const Call call =
      vault_.CallOf(kFull, Action::kCredentialVerify, kAuthentication);
  auto attempt = vault_.NewAttempt(call);
  EXPECT_THAT(vault_.store().credentials().Verify(
                  *attempt, call, {ann_, "", Pii()}, Pii(kPassword)),
              IsOkAndHolds(ann_));
  attempt->Conclude(absl::OkStatus());
  ASSERT_THAT(Set(ann_, "a new password"), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

}  // namespace
}  // namespace hizo::vault
