#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/policy/decision.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

using base::Reason;

class RulesTest : public ::testing::Test {
 protected:
  // The agent reads masks of account.email for support: allowed.
  Access Reading() const {
    return {.principal = table_->Find(kAgent),
            .action = Action::kRecordGet,
            .purpose = kSupport,
            .purpose_known = true,
            .fields = FieldsOf(*catalogue_, {"account.email"}),
            .view = View::kMasked,
            .subject = &active_};
  }
  Decision Answer(const Access& access) const {
    return Decide(*catalogue_, access, base::FromMicros(0));
  }
  void ExpectRefused(const Access& access, Reason reason,
                     std::string_view rule) const {
    const Decision decision = Answer(access);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.reason, reason);
    EXPECT_EQ(decision.rule, rule);
  }

  const std::unique_ptr<const Catalogue> catalogue_ = SmallCatalogue();
  const std::unique_ptr<const AccessTable> table_ =
      SmallAccessTable(*catalogue_);
  const SubjectFacts active_{};
};

TEST_F(RulesTest, AllowsWhatAGrantAllows) {
  const Decision decision = Answer(Reading());
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.reason, Reason::kNone);
  EXPECT_EQ(decision.rule, "granted");
}

TEST_F(RulesTest, RefusesByDefault) {
  const Decision unasked;
  EXPECT_FALSE(unasked.allowed);
  EXPECT_FALSE(Answer(Access()).allowed);
}

TEST_F(RulesTest, RefusesUnknownCallers) {
  Access access = Reading();
  access.principal = nullptr;
  ExpectRefused(access, Reason::kUnauthenticated, "caller-known");
}

TEST_F(RulesTest, RefusesCallersWithoutGrants) {
  const Principal nobody;
  Access access = Reading();
  access.principal = &nobody;
  ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
}

TEST_F(RulesTest, TellsMissingFromUnknownPurposes) {
  Access access = Reading();
  access.purpose = 0;
  ExpectRefused(access, Reason::kPurposeMissing, "purpose-given");
  access.purpose_known = false;
  ExpectRefused(access, Reason::kPurposeNotAllowed, "purpose-known");
  access.purpose = kSupport;
  ExpectRefused(access, Reason::kPurposeNotAllowed, "purpose-known");
}

TEST_F(RulesTest, RefusesPurposesThatTheCatalogueLacks) {
  Principal principal = *table_->Find(kAgent);
  principal.grants[0].purposes.set();
  for (const PurposeNumber purpose :
       {PurposeNumber{5}, PurposeNumber{63}, PurposeNumber{64},
        PurposeNumber{65535}}) {
    Access access = Reading();
    access.principal = &principal;
    access.purpose = purpose;
    ExpectRefused(access, Reason::kPurposeNotAllowed, "purpose-known");
  }
}

TEST_F(RulesTest, RefusesActionsThatNoRoleGrants) {
  Access access = Reading();
  access.action = Action::kRecordPut;
  ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
}

TEST_F(RulesTest, RefusesActionsThatDoNotExist) {
  Principal principal = *table_->Find(kAgent);
  principal.grants[0].actions.set();
  for (const int number : {0, kActionCount, 254, 255}) {
    Access access = Reading();
    access.principal = &principal;
    access.action = static_cast<Action>(number);
    ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
  }
}

TEST_F(RulesTest, RefusesPurposesThatAreGrantedForAnotherAction) {
  Access access = Reading();
  access.principal = table_->Find(kBoth);
  access.action = Action::kRecordPut;
  ExpectRefused(access, Reason::kPurposeNotAllowed, "purpose-granted");
}

TEST_F(RulesTest, RefusesInternalFieldsEvenIfGranted) {
  Principal principal = *table_->Find(kAgent);
  principal.grants[0].fields.set();
  Access access = Reading();
  access.principal = &principal;
  access.fields = FieldsOf(*catalogue_, {"credential.password_hash"});
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-not-internal");
}

TEST_F(RulesTest, RefusesFieldsThatAreNotGranted) {
  Access access = Reading();
  access.principal = table_->Find(kClerk);
  access.purpose = kBilling;
  EXPECT_TRUE(Answer(access).allowed);
  access.fields = FieldsOf(*catalogue_, {"account.email", "profile.full_name"});
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-granted");
}

TEST_F(RulesTest, RefusesFieldsThatTheCatalogueLacks) {
  Access access = Reading();
  access.fields.set(kFieldsMax - 1);
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-granted");
}

TEST_F(RulesTest, ShowsPlainValuesOnlyWithAPlainGrant) {
  Access access = Reading();
  access.view = View::kPlain;
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-granted");
  access.principal = table_->Find(kClerk);
  access.purpose = kBilling;
  EXPECT_TRUE(Answer(access).allowed);
}

TEST_F(RulesTest, APlainGrantForAnotherPurposeDoesNotHelp) {
  Access access = Reading();
  access.principal = table_->Find(kBoth);
  access.view = View::kPlain;
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-granted");
}

TEST_F(RulesTest, FieldsMayBeCoveredByTwoGrants) {
  Principal principal = *table_->Find(kAgent);
  principal.grants.push_back(principal.grants[0]);
  principal.grants[0].fields = FieldsOf(*catalogue_, {"account.email"});
  principal.grants[1].fields = FieldsOf(*catalogue_, {"account.handle"});
  Access access = Reading();
  access.principal = &principal;
  access.fields = FieldsOf(*catalogue_, {"account.email", "account.handle"});
  EXPECT_TRUE(Answer(access).allowed);
}

TEST_F(RulesTest, RefusesFieldsThatDoNotServeThePurpose) {
  Access access = Reading();
  access.fields = FieldsOf(*catalogue_, {"account.email", "profile.note"});
  ExpectRefused(access, Reason::kPurposeNotAllowed, "fields-serve-purpose");
}

TEST_F(RulesTest, RefusesNobody) {
  Access access = Reading();
  access.subject = nullptr;
  ExpectRefused(access, Reason::kSubjectNotFound, "subject-exists");
}

TEST_F(RulesTest, CreatesPeopleWhoAreNotThere) {
  for (const Action action : {Action::kSubjectCreate, Action::kRecordImport}) {
    Access access = Reading();
    access.principal = table_->Find(kClerk);
    access.purpose = kBilling;
    access.action = action;
    access.view = View::kNone;
    access.subject = nullptr;
    EXPECT_TRUE(Answer(access).allowed);
  }
}

TEST_F(RulesTest, AnswersForNobodyAsForWhoIsInNoStateThatItKnows) {
  const SubjectFacts gone{.state = static_cast<SubjectState>(0)};
  Access access = Reading();
  access.subject = &gone;
  ExpectRefused(access, Reason::kSubjectNotFound, "subject-state-known");
}

TEST_F(RulesTest, AsksNoPersonOfTheStoreItself) {
  Access access;
  access.principal = table_->Find(kOperator);
  access.purpose = kOperations;
  access.action = Action::kAuditQuery;
  EXPECT_TRUE(Answer(access).allowed);
  access.action = Action::kAuditCheckpoint;
  ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
}

// Calls `check` with every combination of what can be asked.
void ForEachAccess(const Catalogue& catalogue, const AccessTable& table,
                   const std::function<void(const Access&)>& check) {
  static const SubjectFacts active;
  const std::vector<FieldSet> field_sets = {
      {},
      FieldsOf(catalogue, {"account.email"}),
      FieldsOf(catalogue, {"account.handle"}),
      FieldsOf(catalogue, {"account.email", "profile.note"}),
      FieldsOf(catalogue, {"credential.password_hash"})};
  Access access;
  for (const char* id : {kAgent, kClerk, kOperator, kBoth, "spiffe://x/y"}) {
    access.principal = table.Find(id);
    for (int action = 0; action <= kActionCount; ++action) {
      access.action = static_cast<Action>(action);
      for (access.purpose = 0; access.purpose < 6; ++access.purpose) {
        for (const FieldSet& fields : field_sets) {
          access.fields = fields;
          for (const View view : {View::kNone, View::kMasked, View::kPlain}) {
            access.view = view;
            access.subject = nullptr;
            check(access);
            access.subject = &active;
            check(access);
          }
        }
      }
    }
  }
}

bool Covers(const Grant& grant, const Access& access, size_t field) {
  return grant.actions.test(static_cast<size_t>(access.action)) &&
         grant.purposes.test(access.purpose) && grant.fields.test(field) &&
         (access.view != View::kPlain || grant.plain);
}

TEST_F(RulesTest, NothingIsAllowedWithoutAGrantForEachField) {
  size_t allowed = 0;
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    if (!Answer(access).allowed) return;
    ++allowed;
    ASSERT_NE(access.principal, nullptr);
    ASSERT_NE(access.purpose, 0);
    for (const FieldSpec& field : catalogue_->fields()) {
      if (!access.fields.test(field.index)) continue;
      bool covered = false;
      for (const Grant& grant : access.principal->grants) {
        covered |= Covers(grant, access, field.index);
      }
      EXPECT_TRUE(covered) << field.full_name;
      EXPECT_TRUE(field.purposes.test(access.purpose)) << field.full_name;
      EXPECT_NE(field.full_name, "credential.password_hash");
    }
  });
  EXPECT_GT(allowed, 0u);
}

TEST_F(RulesTest, EveryRefusalHasAReasonAndARule) {
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    const Decision decision = Answer(access);
    EXPECT_EQ(decision.allowed, decision.reason == Reason::kNone);
    EXPECT_FALSE(decision.rule.empty());
  });
}

TEST_F(RulesTest, WhoMayNotAskDoesNotLearnWhoIsThere) {
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    if (access.subject == nullptr) return;
    Access absent = access;
    absent.subject = nullptr;
    const Decision with = Answer(access);
    if (with.allowed) return;
    EXPECT_EQ(with.reason, Answer(absent).reason);
    EXPECT_EQ(with.rule, Answer(absent).rule);
  });
}

TEST_F(RulesTest, AskingForLessIsNeverRefusedMore) {
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    if (!Answer(access).allowed) return;
    Access less = access;
    less.view = View::kMasked;
    less.fields.reset();
    EXPECT_TRUE(Answer(less).allowed);
  });
}

TEST_F(RulesTest, MoreGrantsNeverTakeAway) {
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    if (!Answer(access).allowed) return;
    Principal more = *access.principal;
    for (const Grant& grant : table_->Find(kOperator)->grants) {
      more.grants.insert(more.grants.begin(), grant);
    }
    Access with_more = access;
    with_more.principal = &more;
    EXPECT_TRUE(Answer(with_more).allowed);
  });
}

TEST_F(RulesTest, WithoutGrantsNothingIsAllowed) {
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    if (access.principal == nullptr) return;
    Principal less = *access.principal;
    less.grants.clear();
    Access with_less = access;
    with_less.principal = &less;
    EXPECT_FALSE(Answer(with_less).allowed);
  });
}

class CancelledAccountTest : public RulesTest {
 protected:
  // What the clerk does for billing, or the agent for support, to somebody
  // whose account is cancelled.
  Access OfCancelled(const char* who, Action action) const {
    Access access = Reading();
    access.principal = table_->Find(who);
    access.action = action;
    access.purpose = who == kClerk ? kBilling : kSupport;
    access.subject = &cancelled_;
    return access;
  }
  const SubjectFacts cancelled_{.state = SubjectState::kCancelled};
};

TEST_F(CancelledAccountTest, ServesPurposesThatOutliveTheAccount) {
  EXPECT_TRUE(Answer(OfCancelled(kClerk, Action::kRecordGet)).allowed);
  EXPECT_TRUE(Answer(OfCancelled(kClerk, Action::kRecordPut)).allowed);
}

TEST_F(CancelledAccountTest, ServesNoOtherPurpose) {
  for (const Action action :
       {Action::kRecordGet, Action::kRecordList, Action::kSubjectGet}) {
    ExpectRefused(OfCancelled(kAgent, action), Reason::kPurposeNotAllowed,
                  "purpose-outlives-account");
  }
}

TEST_F(CancelledAccountTest, IsNotFoundForThem) {
  ExpectRefused(OfCancelled(kAgent, Action::kSubjectFind),
                Reason::kSubjectNotFound, "subject-has-account");
  Access absent = OfCancelled(kAgent, Action::kSubjectFind);
  absent.subject = nullptr;
  EXPECT_EQ(Answer(absent).reason, Reason::kSubjectNotFound);
}

TEST_F(CancelledAccountTest, MayBeCancelledAgainForAnyPurpose) {
  Access access = OfCancelled(kClerk, Action::kSubjectCancel);
  EXPECT_TRUE(Answer(access).allowed);
  Principal agent = *table_->Find(kAgent);
  agent.grants[0].actions.set(static_cast<size_t>(Action::kSubjectCancel));
  access.principal = &agent;
  access.purpose = kSupport;
  EXPECT_TRUE(Answer(access).allowed);
}

TEST_F(CancelledAccountTest, QuestionsToTheStoreGoOn) {
  Access access;
  access.principal = table_->Find(kOperator);
  access.purpose = kOperations;
  access.action = Action::kAuditQuery;
  access.subject = &cancelled_;
  EXPECT_TRUE(Answer(access).allowed);
}

// Who may not ask learns nothing new from the state.
TEST_F(CancelledAccountTest, AnswersAsBeforeWhereNothingWasGranted) {
  Access access = OfCancelled(kAgent, Action::kRecordPut);
  ExpectRefused(access, Reason::kCallerNotEntitled, "action-granted");
  access = OfCancelled(kAgent, Action::kRecordGet);
  access.view = View::kPlain;
  ExpectRefused(access, Reason::kCallerNotEntitled, "fields-granted");
}

TEST_F(RulesTest, ARefusalSaysWhetherItTellsOfThePerson) {
  Access absent = Reading();
  absent.subject = nullptr;
  EXPECT_TRUE(Answer(absent).tells_of_person);
  EXPECT_FALSE(Answer(Reading()).tells_of_person);
  absent.view = View::kPlain;
  EXPECT_FALSE(Answer(absent).tells_of_person);
  // It never depends on whether the person is there.
  ForEachAccess(*catalogue_, *table_, [&](const Access& access) {
    Access other = access;
    other.subject = nullptr;
    const Decision decision = Answer(access);
    if (decision.allowed || decision.tells_of_person) return;
    EXPECT_FALSE(Answer(other).tells_of_person);
  });
}

TEST_F(CancelledAccountTest, RefusalsForItTellOfThePerson) {
  EXPECT_TRUE(Answer(OfCancelled(kAgent, Action::kRecordGet)).tells_of_person);
  EXPECT_TRUE(
      Answer(OfCancelled(kAgent, Action::kSubjectFind)).tells_of_person);
}

TEST_F(RulesTest, GrantedFieldsAreThoseOfFittingGrants) {
  const Principal& both = *table_->Find(kBoth);
  EXPECT_EQ(GrantedFields(both, Action::kRecordGet, kBilling),
            FieldsOf(*catalogue_, {"account.email", "profile.note"}));
  EXPECT_EQ(GrantedFields(both, Action::kRecordGet, kSupport).count(), 4U);
  EXPECT_TRUE(GrantedFields(both, Action::kRecordGet, kMarketing).none());
  EXPECT_TRUE(GrantedFields(both, Action::kAuditQuery, kSupport).none());
  EXPECT_TRUE(GrantedFields(both, Action::kNone, kSupport).none());
  EXPECT_TRUE(GrantedFields(both, Action::kRecordGet, 0).none());
}

TEST_F(RulesTest, TimeChangesNothingYet) {
  const Access access = Reading();
  EXPECT_TRUE(Decide(*catalogue_, access, base::FromMicros(INT64_MIN)).allowed);
  EXPECT_TRUE(Decide(*catalogue_, access, base::FromMicros(INT64_MAX)).allowed);
}

}  // namespace
}  // namespace hizo::policy
