// A store that is not whole, or not this one, is refused: hizod does not start,
// and what is there stays as it was.
#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/anchor.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kExitFailed = 1;
constexpr char kEmail[] = "a@example.com";

class StartRefusalsTest : public ::testing::Test {
 protected:
  StartRefusalsTest()
      : subject_(CreatePerson(server_.As("acme/full"), kEmail, "Ann Other")) {
    server_.Stop();
  }

  void ExpectRefused(absl::StatusCode code) {
    EXPECT_THAT(server_.Start(), StatusIs(code));
  }
  // With what was taken away put back, everything is as it was.
  void ExpectWhole() {
    ASSERT_THAT(server_.Start(), IsOk());
    EXPECT_THAT(FindPerson(server_.As("acme/full"), kEmail),
                IsOkAndHolds(subject_));
  }
  static void Replace(const fs::path& path, const fs::path& with) {
    fs::remove_all(path);
    fs::copy(with, path);
  }
  // Another store, stopped.
  static void Stopped(LiveServer& other) {
    CreatePerson(other.As("acme/full"), "b@example.com", "Bob Other");
    other.Stop();
  }

  LiveServer server_;
  const std::string subject_;
};

TEST_F(StartRefusalsTest, StartsWithOneSlotOfTwo) {
  fs::remove(server_.config().slots[0]);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithoutAnySlot) {
  for (const fs::path& slot : server_.config().slots) {
    fs::rename(slot, slot.string() + ".away");
  }
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  for (const fs::path& slot : server_.config().slots) {
    EXPECT_FALSE(fs::exists(slot)) << "it made a new one";
    fs::rename(slot.string() + ".away", slot);
  }
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithSlotsOfAnotherStore) {
  LiveServer other;
  Stopped(other);
  const fs::path kept = server_.files().directory() / "kept";
  fs::copy(server_.config().slots[0], kept);
  for (size_t i = 0; i < server_.config().slots.size(); ++i) {
    Replace(server_.config().slots[i], other.config().slots[i]);
  }
  const std::string foreign = ReadFile(server_.config().slots[0]);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadFile(server_.config().slots[0]), foreign);
  Replace(server_.config().slots[0], kept);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithASlotThatOthersMayRead) {
  for (const fs::path& slot : server_.config().slots) {
    fs::permissions(slot, fs::perms::group_read, fs::perm_options::add);
  }
  EXPECT_THAT(server_.Start(), Not(IsOk()));
}

TEST_F(StartRefusalsTest, WithDataOfAnotherStore) {
  LiveServer other;
  Stopped(other);
  const fs::path kept = server_.files().directory() / "kept";
  fs::copy(server_.config().storage_data_dir, kept);
  Replace(server_.config().storage_data_dir, other.config().storage_data_dir);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  Replace(server_.config().storage_data_dir, kept);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithKeysOfAnotherStore) {
  LiveServer other;
  Stopped(other);
  Replace(server_.config().storage_keys_dir, other.config().storage_keys_dir);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

// Rewrites the access file so that every tenant is of suite 2.
void MakeTenantsAes(const VaultFiles& files) {
  std::string access = ReadFile(files.directory() / "access.yaml");
  for (const std::string tenant : {"number: 1", "number: 2"}) {
    access.replace(access.find(tenant), tenant.size(), tenant + ", suite: 2");
  }
  files.Write("access.yaml", access);
}

TEST_F(StartRefusalsTest, InAnotherCipherSuiteThanItWasMadeIn) {
  server_.config().store_suite = 2;
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  MakeTenantsAes(server_.files());
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  server_.config().store_suite = 1;
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithKeysAndDataInEachOthersPlace) {
  std::swap(server_.config().storage_data_dir,
            server_.config().storage_keys_dir);
  EXPECT_THAT(server_.Start(), Not(IsOk()));
  std::swap(server_.config().storage_data_dir,
            server_.config().storage_keys_dir);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithAnOlderCopyOfTheData) {
  const fs::path older = server_.files().directory() / "older";
  fs::copy(server_.config().storage_data_dir, older);
  ASSERT_THAT(server_.Start(), IsOk());
  CreatePerson(server_.As("acme/full"), "later@example.com", "Later");
  server_.Stop();
  Replace(server_.config().storage_data_dir, older);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

TEST_F(StartRefusalsTest, WithoutItsAnchor) {
  const fs::path& anchor = server_.config().anchor;
  fs::rename(anchor, anchor.string() + ".away");
  ExpectRefused(absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(anchor)) << "it made a new one";
  fs::rename(anchor.string() + ".away", anchor);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithAnAnchorOfAnotherStore) {
  LiveServer other;
  Stopped(other);
  Replace(server_.config().anchor, other.config().anchor);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

TEST_F(StartRefusalsTest, WithAnAnchorAheadOfTheLog) {
  ASSERT_THAT(server_.Start(), IsOk());
  const std::string id(server_.store().store_keys().store_id().bytes());
  const uint64_t size = server_.EventCount();
  server_.Stop();
  {
    const auto anchor =
        storage::Anchor::Open(server_.config().anchor, id, /*create=*/false);
    ASSERT_THAT(anchor, IsOk());
    ASSERT_THAT((*anchor)->Write({size + 1, std::string(32, 'r')}), IsOk());
  }
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

TEST_F(StartRefusalsTest, InitNeverTouchesWhatIsThere) {
  HizodProcess again(server_.files(), {{"--init"}, {}});
  EXPECT_EQ(again.process().Wait(), kExitFailed);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, ASecondHizodOverOneStore) {
  ASSERT_THAT(server_.Start(), IsOk());
  HizodProcess second(server_.files());
  EXPECT_FALSE(second.WaitUntilReady());
  EXPECT_EQ(second.process().Wait(), kExitFailed);
  EXPECT_THAT(second.process().output(), HasSubstr("cannot_open"));
  EXPECT_THAT(FindPerson(server_.As("acme/full"), kEmail),
              IsOkAndHolds(subject_));
}

TEST_F(StartRefusalsTest, ACertificateThatDoesNotFitItsKey) {
  const Identity other = server_.files().authority().Issue("DNS:localhost");
  server_.files().Write("server.key", other.key);
  EXPECT_THAT(server_.Start(), Not(IsOk()));
}

TEST_F(StartRefusalsTest, AnAddressThatIsTaken) {
  LiveServer other;
  server_.config().listen = other.address();
  ExpectRefused(absl::StatusCode::kUnavailable);
  server_.config().listen = "127.0.0.1:0";
  ExpectWhole();
}

}  // namespace
}  // namespace hizo::test
