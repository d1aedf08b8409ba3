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
  // Some more people, so that there is a middle.
  void AddPeople() {
    ASSERT_THAT(server_.Start(), IsOk());
    for (int i = 0; i < 20; ++i) {
      CreatePerson(server_.As("acme/full"),
                   "more" + std::to_string(i) + "@example.com", "More");
    }
    server_.Stop();
  }
  // The largest file of the store whose name ends so.
  static fs::path LargestOf(const fs::path& directory, const char* suffix) {
    fs::path largest;
    uintmax_t size = 0;
    for (const auto& file : fs::directory_iterator(directory)) {
      if (!file.path().string().ends_with(suffix)) continue;
      if (file.file_size() <= size) continue;
      largest = file.path();
      size = file.file_size();
    }
    EXPECT_GT(size, 0U) << suffix;
    return largest;
  }
  static void FlipBit(const fs::path& file, size_t at) {
    std::string bytes = ReadFile(file);
    bytes.at(at) = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(file, std::ios::binary) << bytes;
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

TEST_F(StartRefusalsTest, WithABitFlippedInTheMiddleOfALog) {
  AddPeople();
  // The keys first: where they open, their log is read and begun anew.
  for (const fs::path& directory :
       {server_.config().storage_keys_dir, server_.config().storage_data_dir}) {
    const fs::path log = LargestOf(directory, ".log");
    const size_t middle = fs::file_size(log) / 2;
    FlipBit(log, middle);
    ExpectRefused(absl::StatusCode::kDataLoss);
    FlipBit(log, middle);
  }
  ExpectWhole();
}

// The engine takes it for the end of a write that a crash cut short.
TEST_F(StartRefusalsTest, WithTheLogCutInsideASyncedRecord) {
  AddPeople();
  const fs::path log = LargestOf(server_.config().storage_data_dir, ".log");
  const std::string bytes = ReadFile(log);
  fs::resize_file(log, bytes.size() - 10);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

TEST_F(StartRefusalsTest, WithTheKeysLogCutInsideASyncedRecord) {
  AddPeople();
  const fs::path log = LargestOf(server_.config().storage_keys_dir, ".log");
  fs::resize_file(log, fs::file_size(log) - 10);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
}

TEST_F(StartRefusalsTest, WithAnOlderCopyOfTheKeys) {
  const fs::path older = server_.files().directory() / "older";
  fs::copy(server_.config().storage_keys_dir, older);
  ASSERT_THAT(server_.Start(), IsOk());
  CreatePerson(server_.As("acme/full"), "later@example.com", "Later");
  server_.Stop();
  const fs::path newer = server_.files().directory() / "newer";
  fs::rename(server_.config().storage_keys_dir, newer);
  fs::copy(older, server_.config().storage_keys_dir);
  ExpectRefused(absl::StatusCode::kFailedPrecondition);
  fs::remove_all(server_.config().storage_keys_dir);
  fs::rename(newer, server_.config().storage_keys_dir);
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithoutItsCurrentFile) {
  for (const fs::path& directory :
       {server_.config().storage_data_dir, server_.config().storage_keys_dir}) {
    const fs::path away = server_.files().directory() / "away";
    fs::rename(directory / "CURRENT", away);
    ExpectRefused(absl::StatusCode::kDataLoss);
    EXPECT_FALSE(fs::exists(directory / "CURRENT")) << "it began anew";
    fs::rename(away, directory / "CURRENT");
  }
  ExpectWhole();
}

TEST_F(StartRefusalsTest, WithADamagedManifest) {
  for (const fs::path& directory :
       {server_.config().storage_data_dir, server_.config().storage_keys_dir}) {
    fs::path manifest;
    for (const auto& file : fs::directory_iterator(directory)) {
      if (file.path().filename().string().starts_with("MANIFEST")) {
        manifest = file.path();
      }
    }
    const size_t middle = fs::file_size(manifest) / 2;
    FlipBit(manifest, middle);
    ExpectRefused(absl::StatusCode::kDataLoss);
    FlipBit(manifest, middle);
  }
  ExpectWhole();
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
