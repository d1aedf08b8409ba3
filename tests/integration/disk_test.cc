// The real hizod on a disk that breaks, fills up or becomes read-only under it.
#include <cerrno>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/erasure.pb.h"
#include "tests/integration/caretaker.h"
#include "tests/integration/requests.h"
#include "tests/integration/store_check.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/small_disk.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/syscall_faults.h"

namespace hizo::test {
namespace {

using base::Reason;
using Syscall = SyscallFaults::Call;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr int kExitFailed = 1;
constexpr size_t kCallsBefore = 40;
constexpr size_t kCallsMax = 2'000;
// Room for the reserve and for a log that is laid out ahead.
constexpr size_t kDiskMegabytes = 160;
// More than RocksDB's two buffers, and less than those and the reserve.
constexpr size_t kLeftForErasures = size_t{72} << 20U;

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() { HizodProcess::Init(files_); }

  void WaitUntilReady(HizodProcess& hizod) {
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    if (verifier_key_.empty()) {
      verifier_key_ = VerifierKeyFrom(hizod.As("acme/auditor"));
    }
  }
  // Works until the vault refuses or does not answer, `calls_max` at most.
  void Work(const HizodProcess& hizod, size_t calls_max) {
    size_t calls = 0;
    caretaker_.Work(hizod.As("acme/full"), [&] { return ++calls < calls_max; });
  }
  void ExpectRefusedStart(const std::string& text) {
    HizodProcess hizod(files_);
    EXPECT_FALSE(hizod.WaitUntilReady());
    EXPECT_EQ(hizod.process().Wait(), kExitFailed);
    EXPECT_THAT(hizod.process().output(), HasSubstr("cannot_open"));
    EXPECT_THAT(hizod.process().output(), HasSubstr(text));
  }
  // The next hizod finds everything, and what was refused can be repeated.
  void ExpectWholeAtTheNextStart() {
    {
      HizodProcess hizod(files_);
      ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
      const Peer peer = hizod.As("acme/full");
      caretaker_.Settle(peer);
      caretaker_.Verify(peer, caretaker_.people());
      Work(hizod, kCallsBefore);
      EXPECT_EQ(hizod.Stop(), 0);
    }
    const StoppedStores stores = OpenStores(files_.LoadConfig());
    CheckRecordsAndLog(*stores.data, verifier_key_, ledger_);
    CheckNothingIsLeftOver(stores, caretaker_.people());
  }

  VaultFiles files_;
  Ledger ledger_;
  Caretaker caretaker_{ledger_, "someone", 1};
  std::string verifier_key_;
};

// --- A disk that breaks

struct Break {
  const char* name;
  Syscall call;
  const char* part;
  int error;
};
void PrintTo(const Break& how, std::ostream* out) { *out << how.name; }

class BrokenDiskTest : public DiskTest,
                       public ::testing::WithParamInterface<Break> {
 protected:
  void SetUp() override {
    if (!SyscallFaults::Permitted()) {
      GTEST_SKIP() << "NOT TESTED: failing system calls needs root";
    }
  }
};

// What was under way has an unknown outcome, nothing is answered from then on,
// the process ends by itself and tells whoever supervises it.
TEST_P(BrokenDiskTest, EndsTheProcessAndARepeatHasOneEffect) {
  const Break& how = GetParam();
  SyscallFaults faults;
  {
    HizodProcess::Options options;
    options.faults = &faults;
    HizodProcess hizod(files_, options);
    ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
    Work(hizod, kCallsBefore);
    faults.Fail(how.call, how.part, how.error);
    Work(hizod, kCallsMax);
    EXPECT_GT(faults.failed(), 0U);
    // kNone: the process had ended meanwhile.
    EXPECT_THAT(caretaker_.refused(),
                AnyOf(Reason::kOutcomeUnknown, Reason::kAuditUnavailable,
                      Reason::kNone));
    EXPECT_THAT(FindPerson(hizod.As("acme/full"), "anybody@example.com"),
                StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_EQ(hizod.process().Wait(), kExitFailed);
    EXPECT_THAT(hizod.process().output(), HasSubstr("store_failed"));
  }
  ExpectWholeAtTheNextStart();
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, BrokenDiskTest,
    ::testing::Values(
        Break{"SyncOfTheDataLog", Syscall::kSync, "/data/", EIO},
        Break{"SyncOfTheKeysLog", Syscall::kSync, "/keys/", EIO},
        Break{"SyncOfTheAnchor", Syscall::kSync, "/anchor", EIO},
        Break{"WriteOfTheDataLog", Syscall::kWrite, "/data/", EIO},
        Break{"WriteOfTheKeysLog", Syscall::kWrite, "/keys/", EIO},
        Break{"DataBecomeReadOnly", Syscall::kWrite, "/data/", EROFS},
        Break{"KeysBecomeReadOnly", Syscall::kWrite, "/keys/", EROFS},
        Break{"AnchorBecomesReadOnly", Syscall::kWrite, "/anchor", EROFS},
        Break{"SyncOfTheDataFindsNoSpace", Syscall::kSync, "/data/", ENOSPC},
        Break{"WriteOfTheDataFindsNoSpace", Syscall::kWrite, "/data/", ENOSPC},
        Break{"WriteOfTheKeysFindsNoSpace", Syscall::kWrite, "/keys/", ENOSPC}),
    [](const auto& test) { return std::string(test.param.name); });

// --- A disk that is full or read-only

class SmallDiskTest : public DiskTest,
                      public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (!SmallDisk::Permitted()) {
      GTEST_SKIP() << "NOT TESTED: mounting a small disk needs root";
    }
    disk_.emplace(files_.directory() / GetParam(), kDiskMegabytes);
  }
  void WorkForAWhile() {
    HizodProcess hizod(files_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
    Work(hizod, kCallsBefore);
    EXPECT_EQ(hizod.Stop(), 0);
  }

  std::optional<SmallDisk> disk_;
};

TEST_P(SmallDiskTest, RefusesWhileItIsFullAndGoesOnByItself) {
  {
    HizodProcess hizod(files_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
    const Peer peer = hizod.As("acme/full");
    Work(hizod, kCallsBefore);
    disk_->Fill(0);
    Work(hizod, kCallsMax);
    EXPECT_EQ(caretaker_.refused(), Reason::kAuditUnavailable);
    disk_->Free();
    caretaker_.Settle(peer);
    caretaker_.Verify(peer, caretaker_.people());
    Work(hizod, kCallsBefore);
    hizod.Kill();
  }
  ExpectWholeAtTheNextStart();
}

// Nothing is shown of which no record can be kept.
TEST_P(SmallDiskTest, ShowsNothingWhileTheLogHasNoSpace) {
  HizodProcess hizod(files_);
  ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
  const Peer peer = hizod.As("acme/full");
  const std::string ann = CreatePerson(peer, "ann@example.com", "Ann Other");
  disk_->Fill(0);
  if (std::string_view(GetParam()) == "data") {
    EXPECT_THAT(ReadProfile(peer, ann), HasReason(Reason::kAuditUnavailable));
  } else {
    EXPECT_THAT(ReadProfile(peer, ann), IsOk());
  }
  EXPECT_THAT(peer.Ask<v1::CreateSubjectResponse>(
                  CreateRequest("bob@example.com", "Bob Other")),
              HasReason(Reason::kAuditUnavailable));
  disk_->Free();
  EXPECT_THAT(FindPerson(peer, "bob@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadProfile(peer, ann), IsOk());
  EXPECT_EQ(hizod.Stop(), 0);
}

// The reserve is for them.
TEST_P(SmallDiskTest, ErasesPeopleWhileItIsFullForAllElse) {
  HizodProcess hizod(files_);
  ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
  const Peer peer = hizod.As("acme/full");
  const std::string ann = CreatePerson(peer, "ann@example.com", "Ann Other");
  disk_->Fill(kLeftForErasures);
  EXPECT_THAT(peer.Ask<v1::CreateSubjectResponse>(
                  CreateRequest("bob@example.com", "Bob Other")),
              HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(peer.Ask<v1::ExecuteErasureResponse>(
                  EraseRequest<v1::ExecuteErasureRequest>(ann)),
              IsOk());
  disk_->Free();
  EXPECT_THAT(ReadProfile(peer, ann), HasReason(Reason::kSubjectNotFound));
  EXPECT_EQ(hizod.Stop(), 0);
}

TEST_P(SmallDiskTest, LosesNothingWhereItIsKilledWhileItIsFull) {
  {
    HizodProcess hizod(files_);
    ASSERT_NO_FATAL_FAILURE(WaitUntilReady(hizod));
    Work(hizod, kCallsBefore);
    disk_->Fill(0);
    Work(hizod, kCallsMax);
    EXPECT_EQ(caretaker_.refused(), Reason::kAuditUnavailable);
    hizod.Kill();
  }
  ExpectRefusedStart("no space is left");
  disk_->Free();
  ExpectWholeAtTheNextStart();
}

TEST_P(SmallDiskTest, SaysSoWhereItIsFullAtTheStart) {
  ASSERT_NO_FATAL_FAILURE(WorkForAWhile());
  disk_->Fill(0);
  ExpectRefusedStart("no space is left");
  disk_->Free();
  ExpectWholeAtTheNextStart();
}

TEST_P(SmallDiskTest, SaysSoWhereItIsReadOnlyAtTheStart) {
  ASSERT_NO_FATAL_FAILURE(WorkForAWhile());
  disk_->MakeReadOnly();
  ExpectRefusedStart("");
  disk_->MakeWritable();
  ExpectWholeAtTheNextStart();
}

INSTANTIATE_TEST_SUITE_P(Each, SmallDiskTest,
                         ::testing::Values("data", "keys"));

}  // namespace
}  // namespace hizo::test
