#include "service/vault/access_gate.h"

#include <array>
#include <bit>
#include <type_traits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using audit::Outcome;
using base::Reason;
using test::HasReason;
using test::IsOk;
using test::kAuditor;
using test::kBilling;
using test::kMaskedOnly;
using test::kNobody;
using test::kSecurityAudit;
using test::kSupport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Without a grant no key comes out: nothing but the gate may make one.
static_assert(!std::is_default_constructible_v<AccessGrant>);
static_assert(!std::is_copy_constructible_v<AccessGrant>);
static_assert(!std::is_copy_assignable_v<AccessGrant>);
static_assert(!std::is_move_assignable_v<AccessGrant>);
static_assert(!std::is_aggregate_v<AccessGrant>);
static_assert(!std::is_trivially_copyable_v<AccessGrant>);
static_assert(!std::is_constructible_v<AccessGrant, SubjectKeys, Facts>);
static_assert(!std::is_default_constructible_v<SubjectKeys>);
static_assert(!std::is_aggregate_v<SubjectKeys>);
static_assert(
    !std::is_constructible_v<SubjectKeys, base::TenantId, base::SubjectId,
                             crypto::KeyTree::NameWrapper, std::string>);
template <typename T>
concept CanBeMadeFromBraces = requires {
  T{};
};
static_assert(CanBeMadeFromBraces<Ask>);
static_assert(!CanBeMadeFromBraces<AccessGrant>);
static_assert(!CanBeMadeFromBraces<SubjectKeys>);
template <typename T>
concept CanBeMadeFromBytes = requires(std::array<char, sizeof(T)> bytes) {
  std::bit_cast<T>(bytes);
};
static_assert(CanBeMadeFromBytes<base::SubjectId>);
static_assert(!CanBeMadeFromBytes<AccessGrant>);
static_assert(!CanBeMadeFromBytes<SubjectKeys>);

class AccessGateTest : public ::testing::Test {
 protected:
  Ask AskFor(std::optional<base::SubjectId> subject,
             const std::vector<std::string_view>& fields,
             policy::View view = policy::View::kPlain) const {
    Ask ask;
    ask.subject = subject;
    ask.view = view;
    for (const std::string_view field : fields) {
      ask.fields.set(vault_.Field(field).index);
    }
    return ask;
  }
  // Has the gate decide; the event of it is in event_.
  absl::Status Admit(const Call& call, const Ask& ask) {
    auto attempt = vault_.NewAttempt(call);
    const absl::Status status =
        vault_.services().gate.Admit(*attempt, call, ask).status();
    attempt->Conclude(status);
    event_ = attempt->event();
    return status;
  }
  base::AuditReference ReferenceOf(base::SubjectId subject) {
    return AdmitFully(vault_, kFull, subject).grant.facts().audit_reference;
  }

  VaultFixture vault_;
  audit::Event event_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
  const base::SubjectId stranger_ = NewSubjectId();
};

TEST_F(AccessGateTest, GrantsWhatWasAskedAndNothingMore) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  auto attempt = vault_.NewAttempt(call);
  const auto grant = vault_.services().gate.Admit(
      *attempt, call, AskFor(ann_, {"profile.full_name"}));
  ASSERT_THAT(grant, IsOk());
  EXPECT_EQ(grant->tenant(), kAcme);
  EXPECT_EQ(grant->subject(), ann_);
  EXPECT_EQ(grant->view(), policy::View::kPlain);
  EXPECT_TRUE(grant->Covers(vault_.Field("profile.full_name")));
  EXPECT_TRUE(grant->Covers(policy::ClassNumber{2}));
  EXPECT_FALSE(grant->Covers(vault_.Field("profile.note")));
  EXPECT_FALSE(grant->Covers(vault_.Field("account.email")));
  EXPECT_FALSE(grant->Covers(policy::ClassNumber{1}));
  EXPECT_FALSE(grant->Covers(policy::kClassFacts));
}

TEST_F(AccessGateTest, RecordsWhatWasAllowed) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  ASSERT_THAT(Admit(call, AskFor(ann_, {"profile.full_name", "account.email"})),
              IsOk());
  EXPECT_EQ(event_.outcome, Outcome::kAllowed);
  EXPECT_EQ(event_.reason, Reason::kNone);
  EXPECT_EQ(event_.actor, kFull);
  EXPECT_EQ(event_.action, Action::kRecordGet);
  EXPECT_EQ(event_.view, policy::View::kPlain);
  EXPECT_THAT(event_.fields, ElementsAre(102, 201));
  EXPECT_EQ(event_.subject, ReferenceOf(ann_));
}

TEST_F(AccessGateTest, RecordsWhatWasDeniedAndAboutWhom) {
  const Call call = vault_.CallOf(kMaskedOnly, Action::kRecordGet, kSupport);
  EXPECT_THAT(Admit(call, AskFor(ann_, {"profile.full_name"})),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(event_.outcome, Outcome::kDenied);
  EXPECT_EQ(event_.reason, Reason::kCallerNotEntitled);
  EXPECT_THAT(event_.fields, ElementsAre(201));
  EXPECT_EQ(event_.subject, ReferenceOf(ann_));
}

TEST_F(AccessGateTest, RecordsThatNobodyWasThereAsAFailureAndNotARefusal) {
  const Call call = FullCall(vault_, Action::kRecordGet);
  EXPECT_THAT(Admit(call, AskFor(stranger_, {"profile.full_name"})),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(event_.outcome, Outcome::kFailed);
  EXPECT_EQ(event_.reason, Reason::kSubjectNotFound);
  EXPECT_EQ(event_.subject, std::nullopt);
}

TEST_F(AccessGateTest, TellsThoseWhoMayNotAskNothingOfWhoIsThere) {
  for (const char* actor : {kNobody, kMaskedOnly, kAuditor}) {
    const Call call = vault_.CallOf(actor, Action::kRecordPut, kSupport);
    const absl::Status there = Admit(call, AskFor(ann_, {"profile.full_name"}));
    EXPECT_EQ(event_.outcome, Outcome::kDenied);
    const absl::Status nobody =
        Admit(call, AskFor(stranger_, {"profile.full_name"}));
    EXPECT_EQ(event_.outcome, Outcome::kDenied);
    EXPECT_THAT(there, HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(there, nobody);
  }
}

TEST_F(AccessGateTest, TellsThoseWhoMayNotAskNothingOfDamageEither) {
  test::Overwrite(vault_.data(), FactsKey(kAcme, ann_), "damaged");
  EXPECT_THAT(Admit(vault_.CallOf(kNobody, Action::kRecordGet, kSupport),
                    AskFor(ann_, {"profile.full_name"})),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(event_.outcome, Outcome::kDenied);
  EXPECT_THAT(Admit(FullCall(vault_, Action::kRecordGet),
                    AskFor(ann_, {"profile.full_name"})),
              HasReason(Reason::kIntegrityFailure));
  EXPECT_EQ(event_.outcome, Outcome::kFailed);
  EXPECT_EQ(event_.reason, Reason::kIntegrityFailure);
}

TEST_F(AccessGateTest, RefusesAPurposeThatIsMissingUnknownOrNotGranted) {
  const Ask ask = AskFor(ann_, {"profile.full_name"});
  EXPECT_THAT(Admit(vault_.CallOf(kFull, Action::kRecordGet, 0), ask),
              HasReason(Reason::kPurposeMissing));
  Call unknown = vault_.CallOf(kFull, Action::kRecordGet, 0);
  unknown.purpose_known = false;
  EXPECT_THAT(Admit(unknown, ask), HasReason(Reason::kPurposeNotAllowed));
  EXPECT_THAT(
      Admit(vault_.CallOf(kFull, Action::kRecordGet, kSecurityAudit), ask),
      HasReason(Reason::kPurposeNotAllowed));
  EXPECT_EQ(event_.outcome, Outcome::kDenied);
}

TEST_F(AccessGateTest, RefusesAFieldThatDoesNotServeThePurpose) {
  EXPECT_THAT(Admit(vault_.CallOf(kFull, Action::kRecordGet, kBilling),
                    AskFor(ann_, {"profile.birth_date"})),
              HasReason(Reason::kPurposeNotAllowed));
}

TEST_F(AccessGateTest, RefusesInternalFieldsToEverybody) {
  EXPECT_THAT(
      Admit(vault_.CallOf(kFull, Action::kRecordGet, test::kAuthentication),
            AskFor(ann_, {"credential.password_hash"})),
      HasReason(Reason::kCallerNotEntitled));
}

TEST_F(AccessGateTest, DoesNotFindPeopleOfAnotherTenant) {
  const Call call =
      vault_.CallOf(test::kOtherFull, Action::kRecordGet, kService);
  EXPECT_THAT(Admit(call, AskFor(ann_, {"profile.full_name"})),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(event_.tenant, kGlobex);
  EXPECT_EQ(event_.subject, std::nullopt);
}

TEST_F(AccessGateTest, FindsNobodyWhereTheUseCaseFoundNobody) {
  EXPECT_THAT(Admit(FullCall(vault_, Action::kSubjectFind),
                    AskFor(std::nullopt, {"account.email"})),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(event_.outcome, Outcome::kFailed);
  EXPECT_THAT(Admit(vault_.CallOf(kNobody, Action::kSubjectFind, kService),
                    AskFor(std::nullopt, {"account.email"})),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(event_.outcome, Outcome::kDenied);
}

TEST_F(AccessGateTest, LetsNobodyThroughWithoutAPersonToBeCreated) {
  EXPECT_THAT(
      Admit(FullCall(vault_, Action::kSubjectCreate), AskFor(std::nullopt, {})),
      HasReason(Reason::kInternal));
  EXPECT_EQ(event_.outcome, Outcome::kFailed);
}

TEST_F(AccessGateTest, GivesANewPersonAReferenceOfTheirOwn) {
  const Call call = FullCall(vault_, Action::kSubjectCreate);
  auto attempt = vault_.NewAttempt(call);
  const auto first =
      vault_.services().gate.Admit(*attempt, call, AskFor(stranger_, {}));
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(attempt->event().subject, first->facts().audit_reference);
  EXPECT_EQ(first->facts().created, vault_.clock().Now());
  EXPECT_EQ(first->facts().version, 0);
  EXPECT_TRUE(first->Covers(policy::kClassFacts));
  auto again = vault_.NewAttempt(call);
  const auto second =
      vault_.services().gate.Admit(*again, call, AskFor(stranger_, {}));
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(first->facts().audit_reference, second->facts().audit_reference);
  EXPECT_FALSE(first->facts().audit_reference.is_nil());
}

TEST_F(AccessGateTest, AdmitsToTheStoreWhoeverWasGrantedThat) {
  const auto admit = [this](const Call& call) {
    auto attempt = vault_.NewAttempt(call);
    const absl::Status status =
        vault_.services().gate.AdmitStore(*attempt, call);
    event_ = attempt->event();
    return status;
  };
  EXPECT_THAT(
      admit(vault_.CallOf(kAuditor, Action::kAuditQuery, kSecurityAudit)),
      IsOk());
  EXPECT_EQ(event_.outcome, Outcome::kAllowed);
  EXPECT_THAT(event_.fields, IsEmpty());
  EXPECT_THAT(admit(vault_.CallOf(kFull, Action::kAuditQuery, kService)),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(event_.outcome, Outcome::kDenied);
}

TEST_F(AccessGateTest, RefusesWithAnyReasonAsADenial) {
  auto attempt = vault_.NewAttempt(FullCall(vault_, Action::kNone));
  EXPECT_THAT(AccessGate::Refuse(*attempt, Reason::kMethodUnknown),
              HasReason(Reason::kMethodUnknown));
  EXPECT_EQ(attempt->event().outcome, Outcome::kDenied);
  EXPECT_EQ(attempt->event().reason, Reason::kMethodUnknown);
}

TEST_F(AccessGateTest, ReliesOnTheFactsThatItDecidedOn) {
  Admitted reader = AdmitFully(vault_, kFull, ann_);
  Admitted writer = AdmitFully(vault_, kFull, ann_);
  Facts facts = writer.grant.facts();
  ASSERT_THAT(vault_.services().facts.Save(*writer.attempt, writer.grant,
                                           std::move(facts)),
              IsOk());
  ASSERT_THAT(vault_.Commit(std::move(writer.attempt)).status, IsOk());
  EXPECT_THAT(vault_.Commit(std::move(reader.attempt)).status,
              HasReason(Reason::kConflict));
}

}  // namespace
}  // namespace hizo::vault
