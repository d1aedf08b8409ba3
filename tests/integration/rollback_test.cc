// Old copies of a store: a whole one is shown by the witness, a row of one by
// holding all rows against the log.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "tests/integration/requests.h"
#include "tests/testing/child_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RollbackTest : public ::testing::Test {
 protected:
  RollbackTest() {
    subject_ =
        CreatePerson(server_.As("acme/full"), "ann@example.com", "Ann Other");
  }
  // All that lies on this machine.
  void Copy(const fs::path& from, const fs::path& to) const {
    const app::Config& config = server_.config();
    for (const fs::path& path :
         {config.storage_data_dir, config.storage_keys_dir, config.anchor}) {
      const fs::path place = fs::relative(path, server_.files().directory());
      fs::remove_all(to / place);
      fs::create_directories((to / place).parent_path());
      fs::copy(from / place, to / place, fs::copy_options::recursive);
    }
  }
  fs::path here() const { return server_.files().directory(); }
  fs::path image() const { return here() / "image"; }
  void WriteProfile(const std::string& name) {
    ASSERT_THAT(server_.As("acme/full")
                    .Ask<v1::PutRecordResponse>(PutRequest(
                        subject_, RecordOf("profile", {{"full_name", name}}))),
                IsOk());
  }
  void SetWitness() {
    server_.Stop();
    fs::create_directory(here() / "witness");
    server_.config().witness_dir = here() / "witness";
    ASSERT_THAT(server_.Start(), IsOk());
  }
  // A whole image of the machine is put back, anchor and all.
  void PutImageBack() {
    server_.Stop();
    Copy(here(), image());
    ASSERT_THAT(server_.Start(), IsOk());
    WriteProfile("Ann Married");
    newest_ = server_.EventCount();
    server_.Stop();  // shows its last head
    Copy(image(), here());
  }

  mutable LiveServer server_;
  std::string subject_;
  uint64_t newest_ = 0;
};

TEST_F(RollbackTest, AnImageOfTheWholeMachineStartsUnseenWithoutAWitness) {
  PutImageBack();
  EXPECT_THAT(server_.Start(), IsOk());
}

TEST_F(RollbackTest, AWitnessShowsAnImageOfTheWholeMachine) {
  SetWitness();
  PutImageBack();
  const absl::Status status = server_.Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("put back an older copy"),
            HasSubstr("--witness.override=" + std::to_string(newest_))));
}

TEST_F(RollbackTest, AnOverrideStartsItOnceAndIsInTheLog) {
  SetWitness();
  PutImageBack();
  server_.config().witness_override = newest_ - 1;
  EXPECT_THAT(server_.Start(), StatusIs(absl::StatusCode::kFailedPrecondition));
  server_.config().witness_override = newest_;
  ASSERT_THAT(server_.Start(), IsOk());
  const auto events = server_.EventsFrom(server_.EventCount() - 1);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].actor, "hizod");
  EXPECT_EQ(events[0].action, policy::Action::kAuditCheckpoint);
  EXPECT_EQ(events[0].reason, base::Reason::kIntegrityFailure);
  server_.config().witness_override = 0;
  EXPECT_THAT(server_.Start(), IsOk());
}

TEST_F(RollbackTest, AWitnessThatIsNotThereRefusesTheStart) {
  server_.Stop();
  server_.config().witness_dir = here() / "nowhere";
  EXPECT_THAT(server_.Start(), StatusIs(absl::StatusCode::kNotFound));
}

// As hizod --verify-data says it.
class VerifyDataTest : public RollbackTest {
 protected:
  void Expect(int exit, const std::string& text) {
    ChildProcess hizod(
        {{HIZO_BINARY_DIR "/bin/hizod", "--config",
          server_.files().config_file().string(), "--verify-data"},
         {}});
    EXPECT_EQ(hizod.Wait(), exit) << hizod.output();
    EXPECT_THAT(hizod.output(), HasSubstr(text));
  }
};

TEST_F(VerifyDataTest, FindsAnOlderRowThatWasPutBack) {
  server_.Stop();
  storage::Row older;
  {
    const StoppedStores stores = OpenStores(server_.config());
    const auto rows = stores.data->Scan(
        storage::PrefixRange(std::string(1, base::kSpaceRecord), 9));
    ASSERT_THAT(rows, IsOk());
    // The profile comes behind the account.
    older = rows->back();
  }
  ASSERT_THAT(server_.Start(), IsOk());
  WriteProfile("Ann Married");
  server_.Stop();
  Expect(0, "0 are not as the audit log says");
  {
    const StoppedStores stores = OpenStores(server_.config());
    storage::Batch batch;
    batch.Put(older.key, older.value);
    ASSERT_THAT(stores.data->Commit(batch), IsOk());
  }
  Expect(1, "is not what was written last: entry ");
  // Nothing else notices.
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_THAT(ReadProfile(server_.As("acme/full"), subject_), IsOk());
}

TEST_F(VerifyDataTest, IsNotForAStoreThatRuns) { Expect(1, "cannot_verify"); }

}  // namespace
}  // namespace hizo::test
