#include "tests/testing/vault_fixture.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"

namespace hizo::test {
namespace {

using base::Reason;
using policy::Action;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A use case that writes one row.
absl::Status Write(VaultFixture& vault, const std::string& value,
                   const absl::Status& end = absl::OkStatus()) {
  const auto call = vault.CallOf(kFull, Action::kRecordPut, kService);
  return vault.Run(call, [&](vault::Attempt& attempt) {
    attempt.data().Put("key", value);
    return end;
  });
}

TEST(VaultFixtureTest, RunsAUseCaseAndRecordsIt) {
  VaultFixture vault;
  EXPECT_THAT(vault.Events(), IsEmpty());
  EXPECT_THAT(Write(vault, "value"), IsOk());
  EXPECT_EQ(Stored(vault.data(), "key"), "value");
  EXPECT_THAT(vault.Events(), SizeIs(1));
  EXPECT_EQ(vault.LastEvent().actor, kFull);
  EXPECT_EQ(vault.LastEvent().tenant, kAcme);
}

TEST(VaultFixtureTest, AnswersWithTheUseCasesErrorAndWritesNothing) {
  VaultFixture vault;
  EXPECT_THAT(Write(vault, "value", base::Fail(Reason::kValueInvalid)),
              HasReason(Reason::kValueInvalid));
  EXPECT_EQ(*vault.data().Get("key"), std::nullopt);
  EXPECT_EQ(vault.LastEvent().reason, Reason::kValueInvalid);
}

TEST(VaultFixtureTest, AnswersWithTheCommittersErrorWhateverTheUseCaseSaid) {
  VaultFixture vault;
  for (const absl::Status& end :
       {absl::OkStatus(), base::Fail(Reason::kValueInvalid)}) {
    vault.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                            absl::ResourceExhaustedError("injected"));
    EXPECT_THAT(Write(vault, "value", end),
                HasReason(Reason::kAuditUnavailable));
  }
  EXPECT_THAT(vault.Events(), IsEmpty());
}

TEST(VaultFixtureTest, ForgetsFaultsAndKeepsRowsWhenReopened) {
  for (const auto engines :
       {VaultFixture::Engines::kMemory, VaultFixture::Engines::kRocksDb}) {
    VaultFixture vault({engines, {}});
    ASSERT_THAT(Write(vault, "first"), IsOk());
    vault.data().FailCommit(1, FaultyEngine::When::kBeforeApplied,
                            absl::UnknownError("injected"));
    EXPECT_THAT(Write(vault, "second"), HasReason(Reason::kOutcomeUnknown));
    ASSERT_THAT(vault.Reopen(), IsOk());
    EXPECT_EQ(Stored(vault.data(), "key"), "first");
    EXPECT_THAT(Write(vault, "third"), IsOk());
  }
}

TEST(VaultFixtureTest, EditsRowsBehindTheVaultsBack) {
  VaultFixture vault;
  Overwrite(vault.data(), "key", "value");
  Overwrite(vault.data(), "kez", "another");
  const auto rows = RowsOf(vault.data(), 'k');
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].key, "key");
  EXPECT_EQ(rows[1].value, "another");
  Remove(vault.data(), "key");
  EXPECT_THROW(Stored(vault.data(), "key"), std::out_of_range);
}

TEST(VaultFixtureTest, KnowsOnlyWhoIsConfigured) {
  const VaultFixture vault;
  EXPECT_EQ(vault.CallOf(kOtherFull, Action::kNone, kService).tenant.id,
            kGlobex);
  EXPECT_THROW(vault.CallOf("spiffe://acme.example/eve", Action::kNone, 0),
               std::out_of_range);
  EXPECT_THROW(vault.Field("profile.sign"), std::out_of_range);
}

}  // namespace
}  // namespace hizo::test
