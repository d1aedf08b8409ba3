#include "service/vault/consents.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::kBilling;
using test::kNobody;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckPurposeTest : public ::testing::Test {
 protected:
  // Whether Ann's name could be read for `purpose`.
  CheckPurposeInput InputOf(const std::string& purpose) const {
    CheckPurposeInput input;
    input.subject = ann_;
    input.action = Action::kRecordGet;
    input.purpose = purpose;
    input.fields = {"profile.full_name"};
    return input;
  }
  struct Checked {
    absl::StatusOr<policy::Decision> decision;
    bool missed = false;
  };
  Checked CheckAs(const Call& call, const CheckPurposeInput& input) {
    auto attempt = vault_.NewAttempt(call);
    auto decision = vault_.store().consents().Check(*attempt, call, input);
    attempt->Conclude(decision.status());
    const bool missed = attempt->missed();
    EXPECT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
    return {std::move(decision), missed};
  }
  Checked Check(const CheckPurposeInput& input) {
    return CheckAs(FullCall(vault_, Action::kConsentCheck), input);
  }
  void ExpectRefused(const CheckPurposeInput& input, Reason reason,
                     std::string_view rule) {
    const Checked checked = Check(input);
    ASSERT_THAT(checked.decision, IsOk());
    EXPECT_FALSE(checked.decision->allowed);
    EXPECT_EQ(checked.decision->reason, reason);
    EXPECT_EQ(checked.decision->rule, rule);
    // The check itself was allowed and done.
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kAllowed);
  }
  void CancelAnn() {
    const Call call = FullCall(vault_, Action::kSubjectCancel);
    EXPECT_THAT(vault_.Run(call,
                           [&](Attempt& attempt) {
                             return vault_.store().subjects().Cancel(
                                 attempt, call, ann_);
                           }),
                IsOk());
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(CheckPurposeTest, SaysThatACallWouldBeAllowed) {
  const Checked checked = Check(InputOf("support"));
  ASSERT_THAT(checked.decision, IsOk());
  EXPECT_TRUE(checked.decision->allowed);
  EXPECT_EQ(checked.decision->rule, "granted");
  EXPECT_FALSE(checked.missed);
}

TEST_F(CheckPurposeTest, IsAnEventOfItsOwnThatShowedNothing) {
  CheckPurposeInput input = InputOf("support");
  input.view = policy::View::kPlain;
  ASSERT_THAT(Check(input).decision, IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kConsentCheck);
  EXPECT_EQ(event.purpose, kService);
  EXPECT_EQ(event.view, policy::View::kNone);
  EXPECT_EQ(event.records, 0U);
  EXPECT_THAT(event.fields, ElementsAre(201));
  EXPECT_EQ(event.subject,
            AdmitFully(vault_, kFull, ann_).grant.facts().audit_reference);
}

TEST_F(CheckPurposeTest, SaysWhichRuleWouldRefuse) {
  ExpectRefused(InputOf(""), Reason::kPurposeMissing, "purpose-given");
  ExpectRefused(InputOf("curiosity"), Reason::kPurposeNotAllowed,
                "purpose-known");
  ExpectRefused(InputOf("security_audit"), Reason::kPurposeNotAllowed,
                "purpose-granted");
  CheckPurposeInput input = InputOf("billing");
  input.fields = {"profile.birth_date"};
  ExpectRefused(input, Reason::kPurposeNotAllowed, "fields-serve-purpose");
  input = InputOf("support");
  input.action = Action::kAdminStatus;
  ExpectRefused(input, Reason::kCallerNotEntitled, "action-granted");
}

TEST_F(CheckPurposeTest, SaysItForAnotherRole) {
  CheckPurposeInput input = InputOf("support");
  input.role = "masked";
  EXPECT_TRUE(Check(input).decision->allowed);
  input.view = policy::View::kPlain;
  ExpectRefused(input, Reason::kCallerNotEntitled, "fields-granted");
  input.role = "clerk";
  ExpectRefused(input, Reason::kPurposeNotAllowed, "purpose-granted");
  input.role = "nothing";
  EXPECT_THAT(Check(input).decision, HasReason(Reason::kValueInvalid));
}

TEST_F(CheckPurposeTest, WithoutAPersonItIsOfAnybody) {
  CheckPurposeInput input = InputOf("support");
  input.subject.reset();
  EXPECT_TRUE(Check(input).decision->allowed);
  EXPECT_EQ(vault_.LastEvent().subject, std::nullopt);
}

TEST_F(CheckPurposeTest, TellsWhoIsThereOnlyWhereTheCallWould) {
  CheckPurposeInput input = InputOf("support");
  input.subject = NewSubjectId();
  ExpectRefused(input, Reason::kSubjectNotFound, "subject-exists");
  EXPECT_TRUE(Check(input).missed);
  for (const auto& [purpose, role] :
       std::vector<std::pair<std::string, std::string>>{
           {"curiosity", ""}, {"support", "clerk"}, {"service", "masked"}}) {
    CheckPurposeInput there = InputOf(purpose);
    there.role = role;
    CheckPurposeInput absent = there;
    absent.subject = NewSubjectId();
    const Checked of_ann = Check(there);
    const Checked of_nobody = Check(absent);
    ASSERT_TRUE(of_ann.decision.ok() && of_nobody.decision.ok());
    EXPECT_FALSE(of_ann.decision->allowed);
    EXPECT_EQ(of_ann.decision->reason, of_nobody.decision->reason);
    EXPECT_EQ(of_ann.decision->rule, of_nobody.decision->rule);
    EXPECT_FALSE(of_nobody.missed);
  }
}

TEST_F(CheckPurposeTest, KnowsACancelledAccount) {
  CancelAnn();
  ExpectRefused(InputOf("support"), Reason::kPurposeNotAllowed,
                "purpose-outlives-account");
  EXPECT_TRUE(Check(InputOf("support")).missed);
  EXPECT_TRUE(Check(InputOf("billing")).decision->allowed);
  CheckPurposeInput find = InputOf("support");
  find.action = Action::kSubjectFind;
  ExpectRefused(find, Reason::kSubjectNotFound, "subject-has-account");
}

TEST_F(CheckPurposeTest, NeedsAGrantOverTheFieldsOfItsOwn) {
  for (const char* caller : {kNobody, test::kMaskedOnly}) {
    const Call call =
        vault_.CallOf(caller, Action::kConsentCheck, test::kSupport);
    EXPECT_THAT(CheckAs(call, InputOf("support")).decision,
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
  policy::Principal narrow =
      vault_.CallOf(kFull, Action::kConsentCheck, kService).principal;
  for (policy::Grant& grant : narrow.grants) {
    grant.fields.reset(vault_.Field("profile.full_name").index);
  }
  const Call full = FullCall(vault_, Action::kConsentCheck);
  const Call call{narrow, full.tenant, full.action, full.purpose,
                  true,   {},          {},          full.now};
  EXPECT_THAT(CheckAs(call, InputOf("support")).decision,
              HasReason(Reason::kCallerNotEntitled));
  CheckPurposeInput other = InputOf("support");
  other.fields = {"profile.note"};
  EXPECT_THAT(CheckAs(call, other).decision, IsOk());
}

TEST_F(CheckPurposeTest, RefusesFieldsThatAreNotThereAndTooMany) {
  CheckPurposeInput input = InputOf("support");
  input.fields = {"profile.nothing"};
  EXPECT_THAT(Check(input).decision, HasReason(Reason::kFieldUnknown));
  input.fields.assign(129, "profile.full_name");
  EXPECT_THAT(Check(input).decision, HasReason(Reason::kTooLarge));
  input.fields = {"credential.password_hash"};
  EXPECT_THAT(Check(input).decision, HasReason(Reason::kCallerNotEntitled));
}

TEST_F(CheckPurposeTest, APersonOfAnotherTenantIsNotThere) {
  CheckPurposeInput input = InputOf("support");
  input.subject = NewPersonOfGlobex(vault_, "o@example.com");
  ExpectRefused(input, Reason::kSubjectNotFound, "subject-exists");
}

TEST_F(CheckPurposeTest, DamagedFactsAreNotTakenForNobody) {
  test::Overwrite(vault_.data(), FactsKey(kAcme, ann_), "damaged");
  EXPECT_THAT(Check(InputOf("support")).decision,
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(CheckPurposeTest, SaysNothingThatHasChangedMeanwhile) {
  const Call call = FullCall(vault_, Action::kConsentCheck);
  auto late = vault_.NewAttempt(call);
  ASSERT_THAT(vault_.store().consents().Check(*late, call, InputOf("support")),
              IsOk());
  CancelAnn();
  EXPECT_THAT(vault_.Commit(std::move(late)).status,
              HasReason(Reason::kConflict));
}

}  // namespace
}  // namespace hizo::vault
