#include "service/policy/action.h"

#include <optional>
#include <set>
#include <string_view>

#include "gtest/gtest.h"

namespace hizo::policy {
namespace {

TEST(ActionTest, NamesGoThereAndBack) {
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < kActionCount; ++i) {
    const std::optional<Action> action = ActionFromNumber(i);
    ASSERT_TRUE(action.has_value());
    EXPECT_EQ(static_cast<uint32_t>(*action), i);
    EXPECT_EQ(ActionFromName(NameOf(*action)), action);
    EXPECT_TRUE(names.insert(NameOf(*action)).second);
  }
}

TEST(ActionTest, UnknownNamesAndNumbersAreNone) {
  EXPECT_FALSE(ActionFromName("").has_value());
  EXPECT_FALSE(ActionFromName("record.GET").has_value());
  EXPECT_FALSE(ActionFromName("record.get ").has_value());
  EXPECT_FALSE(ActionFromNumber(kActionCount).has_value());
  EXPECT_FALSE(ActionFromNumber(256).has_value());
}

TEST(ActionTest, StoredNumbersStay) {
  EXPECT_EQ(ActionFromNumber(1), Action::kSubjectCreate);
  EXPECT_EQ(ActionFromNumber(5), Action::kRecordGet);
  EXPECT_EQ(ActionFromNumber(12), Action::kAdminStatus);
  EXPECT_EQ(ActionFromNumber(16), Action::kSubjectCancel);
  EXPECT_EQ(ActionFromNumber(18), Action::kConsentCheck);
  EXPECT_EQ(ActionFromNumber(24), Action::kBackupCreate);
  EXPECT_EQ(ActionFromNumber(27), Action::kBackupRestore);
  EXPECT_EQ(NameOf(Action::kRecordGet), "record.get");
  EXPECT_EQ(NameOf(Action::kNone), "none");
}

TEST(ActionTest, TellsWhatConcernsAPerson) {
  EXPECT_TRUE(ConcernsSubject(Action::kSubjectFind));
  EXPECT_TRUE(ConcernsSubject(Action::kCredentialVerify));
  EXPECT_TRUE(ConcernsSubject(Action::kRecordBatchGet));
  EXPECT_TRUE(ConcernsSubject(Action::kRecordDeleteFields));
  EXPECT_TRUE(ConcernsSubject(Action::kSubjectCancel));
  EXPECT_FALSE(ConcernsSubject(Action::kPolicyGet));
  EXPECT_FALSE(ConcernsSubject(Action::kConsentCheck));
  EXPECT_FALSE(ConcernsSubject(Action::kNone));
  EXPECT_FALSE(ConcernsSubject(Action::kAuditQuery));
  EXPECT_FALSE(ConcernsSubject(Action::kAuditCheckpoint));
  EXPECT_FALSE(ConcernsSubject(Action::kAdminStatus));
  EXPECT_FALSE(ConcernsSubject(Action::kStoreTidy));
  EXPECT_FALSE(ConcernsSubject(Action::kBackupCreate));
  EXPECT_FALSE(ConcernsSubject(Action::kBackupRestore));
}

TEST(ActionTest, OnlyCreateAndImportMakeAPerson) {
  for (uint32_t i = 0; i < kActionCount; ++i) {
    const Action action = *ActionFromNumber(i);
    EXPECT_EQ(CreatesSubject(action), action == Action::kSubjectCreate ||
                                          action == Action::kRecordImport ||
                                          action == Action::kExportImport);
    EXPECT_TRUE(!CreatesSubject(action) || ConcernsSubject(action));
  }
}

}  // namespace
}  // namespace hizo::policy
