#include "tests/testing/audit_check.h"

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/log.h"
#include "service/audit/tree.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kHeadKey[] = "H";
constexpr size_t kRootAt = 9;

// More than a tile's worth, so that no tree is a perfect one.
constexpr size_t kEvents = 261;

class AuditCheckTest : public ::testing::Test {
 protected:
  AuditCheckTest() {
    const vault::Call call =
        vault_.CallOf(kNobody, policy::Action::kSubjectGet, kService);
    for (size_t i = 0; i < kEvents; ++i) {
      vault_.clock().Advance(std::chrono::seconds(1));
      auto attempt = vault_.NewAttempt(call);
      attempt->Conclude(base::Fail(base::Reason::kCallerNotEntitled));
      EXPECT_THAT(vault_.Commit(std::move(attempt)).status, IsOk());
    }
  }
  auto Check() { return CheckLog(vault_.data(), Key()); }
  std::string Key() { return vault_.store().log().verifier_key(); }
  void ExpectWrong(const char* what) {
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Check().status().ToString(), HasSubstr(what));
  }
  std::string Head() { return Stored(vault_.data(), kHeadKey); }

  VaultFixture vault_;
};

TEST_F(AuditCheckTest, ReadsAnHonestLog) {
  EXPECT_THAT(Check(), IsOkAndHolds(SizeIs(kEvents)));
  EXPECT_EQ(*Check(), vault_.Events());
}

TEST_F(AuditCheckTest, ReadsAnEmptyLog) {
  VaultFixture empty;
  EXPECT_THAT(CheckLog(empty.data(), Key()), IsOkAndHolds(SizeIs(0)));
}

TEST_F(AuditCheckTest, FindsAnAlteredEntry) {
  Overwrite(vault_.data(), audit::EntryKey(7),
            Stored(vault_.data(), audit::EntryKey(8)));
  ExpectWrong("another root");
}

TEST_F(AuditCheckTest, FindsAMissingEntry) {
  Remove(vault_.data(), audit::EntryKey(7));
  ExpectWrong("missing");
}

TEST_F(AuditCheckTest, FindsAMissingTail) {
  Remove(vault_.data(), audit::EntryKey(kEvents - 1));
  ExpectWrong("another size");
}

TEST_F(AuditCheckTest, FindsAnEntryTooMany) {
  Overwrite(vault_.data(), audit::EntryKey(kEvents),
            Stored(vault_.data(), audit::EntryKey(8)));
  ExpectWrong("another size");
}

TEST_F(AuditCheckTest, FindsAHeadOfAnotherRoot) {
  std::string head = Head();
  head[kRootAt] = static_cast<char>(~head[kRootAt]);
  Overwrite(vault_.data(), kHeadKey, head);
  ExpectWrong("another root");
}

TEST_F(AuditCheckTest, FindsACheckpointOfAnotherHead) {
  const std::string old = Head();
  const vault::Call call =
      vault_.CallOf(kNobody, policy::Action::kSubjectGet, kService);
  EXPECT_THAT(vault_.Commit(vault_.NewAttempt(call)).status, IsOk());
  const std::string head = Head();
  constexpr size_t kCheckpointAt = 49;
  Overwrite(vault_.data(), kHeadKey,
            head.substr(0, kCheckpointAt) + old.substr(kCheckpointAt));
  ExpectWrong("another head is signed");
}

TEST_F(AuditCheckTest, FindsASignatureOfAnotherKey) {
  VaultFixture other;
  EXPECT_THAT(CheckLog(vault_.data(), other.store().log().verifier_key()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AuditCheckTest, FindsAMissingHead) {
  Remove(vault_.data(), kHeadKey);
  ExpectWrong("the head is missing");
}

}  // namespace
}  // namespace hizo::test
