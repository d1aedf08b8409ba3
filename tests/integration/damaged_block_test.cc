// A bit of a file under the store flips: whoever's rows lie in that block is
// not answered, everybody else is.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::Reason;
using ::testing::Contains;
using ::testing::Pair;

constexpr int kPeople = 120;
// A block has 4 KiB, and a person's rows some 1,000 bytes.
constexpr size_t kPeopleInABlockMax = 20;
constexpr char kFull[] = "acme/full";

std::string NameOf(int number) {
  return "Name Number " + std::to_string(number);
}

// Flips a bit of what follows the first `needle` in the tables of `directory`;
// how many tables were damaged.
int DamageAfter(const fs::path& directory, const std::string& needle) {
  constexpr size_t kBehind = 40;
  int damaged = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".sst") continue;
    std::string bytes = ReadFile(entry.path());
    const size_t at = bytes.find(needle);
    if (at == std::string::npos || at + kBehind >= bytes.size()) continue;
    bytes[at + kBehind] = static_cast<char>(bytes[at + kBehind] ^ 1);
    std::ofstream(entry.path(), std::ios::binary) << bytes;
    ++damaged;
  }
  return damaged;
}

class DamagedBlockTest : public ::testing::Test {
 protected:
  DamagedBlockTest() {
    for (int i = 0; i < kPeople; ++i) {
      people_.push_back(CreatePerson(
          server_.As(kFull), std::to_string(i) + "@example.com", NameOf(i)));
    }
    // What the log holds becomes a table when it is replayed.
    server_.Stop();
    EXPECT_THAT(server_.Start(), IsOk());
    server_.Stop();
  }
  // Of somebody whose rows lie among those of other people, and not beside rows
  // of the store's own, without which it does not start.
  void DamageSomebodysRows() {
    std::vector<std::string> ids;
    for (const std::string& subject : people_) {
      ids.emplace_back(base::ParseId<base::SubjectId>(subject)->bytes());
    }
    std::ranges::sort(ids);
    // A table leaves out what a key begins with as the one before it.
    constexpr size_t kSharedAtMost = 4;
    ASSERT_GT(DamageAfter(server_.config().storage_data_dir,
                          ids[kPeople / 2].substr(kSharedAtMost)),
              0);
    ASSERT_THAT(server_.Start(), IsOk());
  }

  LiveServer server_;
  std::vector<std::string> people_;
};

TEST_F(DamagedBlockTest, WithholdsWhatLiesInItAndServesEverybodyElse) {
  ASSERT_NO_FATAL_FAILURE(DamageSomebodysRows());
  const uint64_t events = server_.EventCount();
  size_t withheld = 0;
  for (int i = 0; i < kPeople; ++i) {
    const auto read =
        ReadProfile(server_.As(kFull), people_[static_cast<size_t>(i)]);
    if (read.ok()) {
      EXPECT_THAT(*read, Contains(Pair("full_name", NameOf(i))));
      continue;
    }
    EXPECT_THAT(read, HasReason(Reason::kIntegrityFailure));
    ++withheld;
  }
  EXPECT_GE(withheld, 1U);
  EXPECT_LE(withheld, kPeopleInABlockMax);
  size_t failures = 0;
  for (const audit::Event& event : server_.EventsFrom(events)) {
    if (event.reason == Reason::kIntegrityFailure) ++failures;
  }
  EXPECT_EQ(failures, withheld);
}

TEST_F(DamagedBlockTest, TakesNewPeopleAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(DamageSomebodysRows());
  const std::string dora =
      CreatePerson(server_.As(kFull), "dora@example.com", "Dora New");
  EXPECT_THAT(ReadProfile(server_.As(kFull), dora), IsOk());
  server_.Stop();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadProfile(server_.As(kFull), dora), IsOk());
}

}  // namespace
}  // namespace hizo::test
