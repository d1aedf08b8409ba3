// Which policy may follow which, and what then changes.
#include "service/policy/succession.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/policy/small_catalogue.h"
#include "tests/testing/status_matchers.h"

namespace hizo::policy {
namespace {

using test::IsOk;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

constexpr uint32_t kVersion = 3;

PolicySource Source() {
  PolicySource source;
  source.profile_id = "small";
  source.where = "operator:1";
  source.version_where = "operator:4";
  source.version = kVersion;
  source.digest = "aa";
  PolicySource::Purpose support;
  support.id = "support";
  support.clause = "2.1";
  support.where = "profile:3";
  support.marketing = false;
  support.basis = Basis::kContract;
  source.purposes = {support};
  source.classes = {{"account", "1", true}};
  source.legal_terms = {{"modules.jp_tax.invoice_copy.duration", 2555}};
  return source;
}

// The same in the next version, as another file.
PolicySource Next() {
  PolicySource source = Source();
  source.version = kVersion + 1;
  source.digest = "bb";
  return source;
}

class SuccessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<const CompanyPolicy> Made(const PolicySource& source) {
    auto made = CompanyPolicy::Create(source, *catalogue_);
    EXPECT_THAT(made, IsOk());
    return *std::move(made);
  }
  absl::Status Follows(const PolicySource& next) {
    return MayFollow(*Made(Source()), *Made(next));
  }
  std::vector<PolicyChange> Changes(const PolicySource& next) {
    return ChangesBetween(*catalogue_, Made(Source()).get(), *Made(next));
  }

  const std::unique_ptr<const Catalogue> catalogue_ = SmallCatalogue();
};

TEST_F(SuccessionTest, ALaterVersionAndTheSameFilesMayFollow) {
  EXPECT_THAT(Follows(Next()), IsOk());
  EXPECT_THAT(Follows(Source()), IsOk());
}

TEST_F(SuccessionTest, AnOlderVersionAndTheSameWithOtherContentMayNot) {
  PolicySource older = Next();
  older.version = kVersion - 1;
  EXPECT_THAT(std::string(Follows(older).message()),
              HasSubstr("operator:4: a later version is in force: 3"));
  PolicySource other = Next();
  other.version = kVersion;
  EXPECT_THAT(std::string(Follows(other).message()),
              HasSubstr("operator:4: this version is in force"));
}

TEST_F(SuccessionTest, AnotherProfileMustSayThatItReplacesThisOne) {
  PolicySource other = Next();
  other.profile_id = "large";
  EXPECT_THAT(std::string(Follows(other).message()),
              HasSubstr("operator:4: the policy in force is of `small`"));
  other.replaces = {{"medium", "operator:9"}};
  EXPECT_EQ(Follows(other).code(), absl::StatusCode::kFailedPrecondition);
  other.replaces = {{"small", "operator:9"}};
  EXPECT_THAT(Follows(other), IsOk());
  other.version = kVersion - 1;  // of any profile
  EXPECT_EQ(Follows(other).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SuccessionTest, WhatALawHasKeptIsNotKeptShorter) {
  PolicySource shorter = Next();
  shorter.legal_terms[0].days = 2554;
  EXPECT_THAT(std::string(Follows(shorter).message()),
              HasSubstr("modules.jp_tax.invoice_copy.duration"));
  PolicySource silent = Next();
  silent.legal_terms.clear();
  EXPECT_EQ(Follows(silent).code(), absl::StatusCode::kFailedPrecondition);
  PolicySource longer = Next();
  longer.legal_terms[0].days = 3650;
  longer.legal_terms.push_back({"modules.jp_tax.loss_year", 3650});
  EXPECT_THAT(Follows(longer), IsOk());
}

TEST_F(SuccessionTest, TheTermOfAClassCountsWhereALawHasItKeptOnly) {
  PolicySource source = Source();
  source.legal_terms = {{"retention.account", 90}};
  EXPECT_THAT(Made(source)->legal_terms(), IsEmpty());
}

TEST_F(SuccessionTest, TheSamePolicyChangesNothing) {
  EXPECT_THAT(Changes(Source()), IsEmpty());
}

TEST_F(SuccessionTest, EachThingThatIsSaidDifferentlyIsAChange) {
  PolicySource next = Next();
  next.cancelling_withdraws = true;
  next.purposes[0].clause = "9";
  next.uses = {{"support", "operator:5", {}, Basis::kNone, 0, kVersion}};
  next.more_classes = {{"profile", "operator:6"}};
  next.legal_terms[0].days = 3650;
  next.ended_mechanisms = {"privacy_shield"};
  next.accepted = {
      {"TRANSFER_MECHANISM_INVALID:privacy_shield", "operator:7", "dpo", "x"}};
  EXPECT_THAT(
      Changes(next),
      IsSupersetOf<PolicyChange>({
          {ChangeKind::kSetting, "version", "3", "4"},
          {ChangeKind::kSetting, "cancelling withdraws consents", "no", "yes"},
          {ChangeKind::kPurpose, "support", "support, contract, clause 2.1",
           "support, contract, clause 9, of who has accepted version 3"},
          {ChangeKind::kClass, "profile", "", "kept"},
          {ChangeKind::kRetention, "modules.jp_tax.invoice_copy.duration",
           "2555 days", "3650 days"},
          {ChangeKind::kConflict, "TRANSFER_MECHANISM_INVALID:privacy_shield",
           "", "accepted by dpo"},
      }));
}

TEST_F(SuccessionTest, WhatGoesAwayIsAChangeToo) {
  PolicySource next = Next();
  next.purposes.clear();
  next.classes.clear();
  EXPECT_THAT(Changes(next),
              IsSupersetOf<PolicyChange>(
                  {{ChangeKind::kPurpose, "support",
                    "support, contract, clause 2.1", ""},
                   {ChangeKind::kClass, "account", "kept", ""}}));
}

TEST_F(SuccessionTest, WithoutAPolicyAllIsNew) {
  const auto changes = ChangesBetween(*catalogue_, nullptr, *Made(Source()));
  EXPECT_THAT(changes, Contains(PolicyChange{ChangeKind::kSetting, "profile",
                                             "", "small"}));
  for (const PolicyChange& change : changes) EXPECT_EQ(change.before, "");
}

}  // namespace
}  // namespace hizo::policy
