// What the rules answer about somebody of whom only what a law has kept is
// there.
#include <memory>
#include <string_view>

#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/policy/decision.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

using base::Reason;

constexpr ClassNumber kAccount = 1;
constexpr ClassNumber kProfile = 2;

// Profiles are kept for billing.
std::unique_ptr<const Catalogue> KeepingCatalogue() {
  CatalogueSource source = SmallCatalogueSource();
  // Marketing stands for legal claims.
  source.purposes[3].for_holds = true;
  FieldSpec dated = source.fields[0];
  dated.number = 203;
  dated.name = "dated";
  dated.type = FieldType::kDate;
  dated.required = true;
  source.fields.push_back(dated);
  RetentionSpec& retention = source.classes[0].retention.emplace();
  retention.law = "An act";
  retention.year_ends_month = 12;
  retention.year_ends_day = 31;
  retention.years = 7;
  retention.dated_by = "dated";
  retention.purposes.set(kBilling);
  return *Catalogue::Create(std::move(source));
}

class RetainedRulesTest : public ::testing::Test {
 protected:
  RetainedRulesTest() { kept_.retained.set(kProfile); }
  // Somebody who may do everything, for every purpose, to every field.
  Access Doing(Action action, PurposeNumber purpose,
               const std::vector<std::string_view>& fields) {
    all_.grants.resize(1);
    all_.grants[0].actions.set();
    all_.grants[0].purposes.set();
    all_.grants[0].fields.set();
    all_.grants[0].plain = true;
    return {.principal = &all_,
            .action = action,
            .purpose = purpose,
            .purpose_known = true,
            .fields = FieldsOf(*catalogue_, fields),
            .view = View::kPlain,
            .subject = &kept_};
  }
  Decision Answer(const Access& access) const {
    return Decide(*catalogue_, access, base::FromMicros(0));
  }
  void ExpectRefused(const Access& access, Reason reason) const {
    const Decision decision = Answer(access);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.reason, reason) << decision.rule;
    EXPECT_TRUE(decision.tells_of_person);
  }

  const std::unique_ptr<const Catalogue> catalogue_ = KeepingCatalogue();
  Principal all_;
  SubjectFacts kept_{.state = SubjectState::kRetained};
};

TEST_F(RetainedRulesTest, IsReadForWhatTheLawNames) {
  for (const Action action :
       {Action::kRecordGet, Action::kRecordList, Action::kRecordBatchGet}) {
    EXPECT_TRUE(Answer(Doing(action, kBilling, {"profile.note"})).allowed);
  }
  EXPECT_TRUE(Answer(Doing(Action::kSubjectGet, kBilling, {})).allowed);
}

TEST_F(RetainedRulesTest, IsReadForNothingElse) {
  ExpectRefused(Doing(Action::kRecordGet, kSupport, {"profile.full_name"}),
                Reason::kRetainedForLaw);
  ExpectRefused(Doing(Action::kSubjectGet, kSupport, {}),
                Reason::kRetainedForLaw);
}

TEST_F(RetainedRulesTest, IsNeverWritten) {
  for (const Action action :
       {Action::kRecordPut, Action::kRecordDeleteFields}) {
    ExpectRefused(Doing(action, kBilling, {"profile.note"}),
                  Reason::kRetainedForLaw);
  }
}

TEST_F(RetainedRulesTest, WhatIsNotKeptIsNotThere) {
  for (const Action action :
       {Action::kRecordGet, Action::kRecordPut, Action::kSubjectFind}) {
    ExpectRefused(Doing(action, kBilling, {"account.email"}),
                  Reason::kSubjectNotFound);
    ExpectRefused(Doing(action, kBilling, {"account.email", "profile.note"}),
                  Reason::kSubjectNotFound);
  }
  for (const Action action :
       {Action::kSubjectCancel, Action::kSubjectFind, Action::kCredentialVerify,
        Action::kCredentialSet, Action::kRecordGet}) {
    ExpectRefused(Doing(action, kBilling, {}), Reason::kSubjectNotFound);
  }
}

TEST_F(RetainedRulesTest, WithoutARetentionItIsForNothing) {
  kept_.retained.reset();
  kept_.retained.set(kAccount);
  ExpectRefused(Doing(Action::kRecordGet, kBilling, {"account.email"}),
                Reason::kRetainedForLaw);
  EXPECT_TRUE(RetainedFor(*catalogue_, kept_, kBilling).none());
}

TEST_F(RetainedRulesTest, KnowsWhatIsKeptForAPurpose) {
  kept_.retained.set();
  EXPECT_EQ(RetainedFor(*catalogue_, kept_, kBilling),
            ClassSet().set(kProfile));
  for (const PurposeNumber purpose :
       {PurposeNumber{0}, PurposeNumber{63}, PurposeNumber{64},
        PurposeNumber{65535}}) {
    EXPECT_TRUE(RetainedFor(*catalogue_, kept_, purpose).none());
  }
}

TEST_F(RetainedRulesTest, WhatIsHeldIsReadForClaimsOnly) {
  kept_.held.set(kAccount);
  EXPECT_TRUE(
      Answer(Doing(Action::kRecordGet, kMarketing, {"account.email"})).allowed);
  EXPECT_TRUE(Answer(Doing(Action::kSubjectGet, kMarketing, {})).allowed);
  ExpectRefused(Doing(Action::kRecordGet, kBilling, {"account.email"}),
                Reason::kLegalHold);
  ExpectRefused(Doing(Action::kRecordPut, kMarketing, {"account.email"}),
                Reason::kLegalHold);
  // Not what a law has kept.
  ExpectRefused(Doing(Action::kRecordGet, kMarketing, {"profile.full_name"}),
                Reason::kRetainedForLaw);
  ExpectRefused(
      Doing(Action::kRecordGet, kBilling, {"account.email", "profile.note"}),
      Reason::kRetainedForLaw);
  EXPECT_EQ(RetainedFor(*catalogue_, kept_, kMarketing),
            ClassSet().set(kAccount));
}

TEST_F(RetainedRulesTest, WhatIsHeldAndKeptIsReadForBoth) {
  kept_.held.set(kProfile);
  for (const PurposeNumber purpose : {kMarketing, kBilling}) {
    EXPECT_TRUE(
        Answer(Doing(Action::kRecordGet, purpose, {"profile.full_name"}))
            .allowed);
  }
  ExpectRefused(Doing(Action::kRecordGet, kSupport, {"profile.full_name"}),
                Reason::kRetainedForLaw);
}

TEST_F(RetainedRulesTest, WhatIsHeldOfTheLivingIsNotDeleted) {
  kept_ = {};
  kept_.held.set(kProfile);
  ExpectRefused(Doing(Action::kRecordDeleteFields, kBilling, {"profile.note"}),
                Reason::kLegalHold);
  for (const Action action : {Action::kRecordGet, Action::kRecordPut}) {
    EXPECT_TRUE(Answer(Doing(action, kBilling, {"profile.note"})).allowed);
  }
  EXPECT_TRUE(
      Answer(Doing(Action::kRecordDeleteFields, kBilling, {"account.email"}))
          .allowed);
}

// Who may not ask learns nothing new from the state.
TEST_F(RetainedRulesTest, AnswersAsBeforeWhereNothingWasGranted) {
  Access access = Doing(Action::kRecordGet, kSupport, {"profile.full_name"});
  all_.grants[0].actions.reset(static_cast<size_t>(Action::kRecordGet));
  const Decision with = Answer(access);
  access.subject = nullptr;
  EXPECT_EQ(with.reason, Reason::kCallerNotEntitled);
  EXPECT_EQ(with.rule, Answer(access).rule);
}

}  // namespace
}  // namespace hizo::policy
