// Everything that ends or renews keys, at every step: hizod is killed instead
// of its nth call to write, sync, rename, make or remove a file of its stores,
// slots or backups, or that call fails for want of space, or with an error of
// the disk. Whatever was acknowledged holds afterwards, nobody who was erased
// is served, everybody else is whole, and the work is ended by whoever starts
// next.
//
// Which calls there are is found out by counting: they are the steps, and none
// can be forgotten here. There are hundreds; some are chosen at random each
// time. HIZO_MATRIX_SEED repeats a choice, HIZO_MATRIX_STEPS=0 takes all.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/syscall_faults.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::Reason;
using Syscall = SyscallFaults::Call;

constexpr char kFull[] = "acme/full";
constexpr char kOperator[] = "acme/operator";
constexpr char kInStep[] = "replica_in_step";
constexpr uint64_t kStepsChosen = 2;
constexpr size_t kNever = 1'000'000;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

template <typename Request>
Request InOperations() {
  Request request;
  *request.mutable_context() = ContextFor("operations");
  return request;
}

// What goes wrong at the nth call on a file whose path contains `part`.
struct Trouble {
  const char* name;
  std::function<void(SyscallFaults&, size_t nth, const char* part)> arm;
};
std::vector<Trouble> Troubles() {
  return {{"kill", [](auto& faults, size_t nth,
                      auto part) { faults.KillAtNth(nth, part); }},
          {"full disk",
           [](auto& faults, size_t nth, auto part) {
             faults.FailNth(nth, Syscall::kWrite, part, ENOSPC);
           }},
          {"failed sync", [](auto& faults, size_t nth, auto part) {
             faults.FailNth(nth, Syscall::kSync, part, EIO);
           }}};
}

// What hizod is asked to do.
struct Work {
  const char* name;
  const char* part;  // of the paths of the files that it is about
  std::function<absl::Status(const HizodProcess&, const std::string& subject)>
      begin = nullptr;
  // Waits until what was begun is over, or hizod ends.
  std::function<void(HizodProcess&)> await = nullptr;
  // Whether it is over; nullopt where nobody answers.
  std::function<std::optional<bool>(const HizodProcess&,
                                    const std::string& subject)>
      over = nullptr;
};
void PrintTo(const Work& work, std::ostream* out) { *out << work.name; }

// Without asking: each question is recorded, and writes more.
bool AwaitEvent(HizodProcess& hizod, std::string_view event) {
  const std::string wanted = "\"event\":\"" + std::string(event) + "\"";
  return hizod.process()
      .WaitForLine([&](std::string_view line) {
        return line.find(wanted) != std::string_view::npos;
      })
      .has_value();
}

std::optional<v1::GetStatusResponse> StatusOf(const HizodProcess& hizod) {
  const auto status = hizod.As(kOperator).Ask<v1::GetStatusResponse>(
      InOperations<v1::GetStatusRequest>());
  if (!status.ok()) return std::nullopt;
  return *status;
}

// Asks until it is over.
void AwaitByAsking(HizodProcess& hizod, const Work& work,
                   const std::string& subject) {
  for (std::optional<bool> over = false; over.has_value() && !*over;) {
    over = work.over(hizod, subject);
  }
}

Work Erasure() {
  Work work{.name = "Erasure", .part = "/"};
  work.begin = [](const HizodProcess& hizod, const std::string& subject) {
    return hizod.As(kFull)
        .Ask<v1::ExecuteErasureResponse>(
            EraseRequest<v1::ExecuteErasureRequest>(subject))
        .status();
  };
  work.await = [](HizodProcess& hizod) { AwaitEvent(hizod, "sealed"); };
  work.over = [](const HizodProcess& hizod,
                 const std::string& subject) -> std::optional<bool> {
    const auto check = hizod.As(kFull).Ask<v1::VerifyErasedResponse>(
        EraseRequest<v1::VerifyErasedRequest>(subject));
    if (!check.ok()) return std::nullopt;
    return check->erased();
  };
  return work;
}

Work Rotation() {
  Work work{.name = "Rotation", .part = "/"};
  work.begin = [](const HizodProcess& hizod, const std::string&) {
    return hizod.As(kOperator)
        .Ask<v1::RotateKeysResponse>(InOperations<v1::RotateKeysRequest>())
        .status();
  };
  work.await = [](HizodProcess& hizod) { AwaitEvent(hizod, "rotated"); };
  work.over = [](const HizodProcess& hizod,
                 const std::string&) -> std::optional<bool> {
    const auto status = StatusOf(hizod);
    if (!status.has_value()) return std::nullopt;
    return !status->has_key_rotation();
  };
  return work;
}

Work Backup() {
  Work work{.name = "Backup", .part = "/backups/"};
  work.begin = [](const HizodProcess& hizod, const std::string&) {
    return hizod.As(kOperator)
        .Ask<v1::CreateBackupResponse>(InOperations<v1::CreateBackupRequest>())
        .status();
  };
  work.over = [](const HizodProcess& hizod,
                 const std::string&) -> std::optional<bool> {
    const auto list = hizod.As(kOperator).Ask<v1::ListBackupsResponse>(
        InOperations<v1::ListBackupsRequest>());
    if (!list.ok()) return std::nullopt;
    return list->job().state() != v1::BACKUP_JOB_STATE_RUNNING;
  };
  work.await = [work](HizodProcess& hizod) { AwaitByAsking(hizod, work, ""); };
  return work;
}

Work Purge() {
  Work work{.name = "Purge", .part = ".sst"};
  work.begin = [](const HizodProcess& hizod, const std::string&) {
    return hizod.As(kOperator)
        .Ask<v1::RunPurgeResponse>(InOperations<v1::RunPurgeRequest>())
        .status();
  };
  work.over = [](const HizodProcess& hizod,
                 const std::string&) -> std::optional<bool> {
    const auto status = StatusOf(hizod);
    if (!status.has_value()) return std::nullopt;
    return !status->has_purge() || status->purge().has_end_time();
  };
  work.await = [work](HizodProcess& hizod) { AwaitByAsking(hizod, work, ""); };
  return work;
}

class FaultMatrixTest : public ::testing::TestWithParam<Work> {
 protected:
  FaultMatrixTest()
      : seed_(NumberFrom("HIZO_MATRIX_SEED", std::random_device()())) {}
  void SetUp() override {
    if (!SyscallFaults::Permitted()) {
      GTEST_SKIP() << "NOT TESTED: failing system calls needs root";
    }
    std::cout << "HIZO_MATRIX_SEED=" << seed_ << std::endl;
    fs::create_directory(replica_);
    HizodProcess::Init(files_);
    HizodProcess hizod(files_, Replicated());
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    ASSERT_TRUE(AwaitEvent(hizod, kInStep));
    ann_ = CreatePerson(hizod.As(kFull), "ann@example.com", "Ann Other");
    bob_ = CreatePerson(hizod.As(kFull), "bob@example.com", "Bob Other");
    gone_ = CreatePerson(hizod.As(kFull), "gone@example.com", "Gone Other");
    for (const Work& work : {Erasure(), Backup()}) {
      ASSERT_THAT(work.begin(hizod, gone_), IsOk());
      AwaitByAsking(hizod, work, gone_);
    }
    ASSERT_EQ(hizod.Stop(), 0);
    fs::copy(files_.directory(), saved_, fs::copy_options::recursive);
  }
  HizodProcess::Options Replicated() const {
    HizodProcess::Options options;
    options.arguments = {"--replica.dir", replica_.string()};
    return options;
  }
  // As it was before anything went wrong.
  void PutBack() const {
    for (const auto& entry : fs::directory_iterator(files_.directory())) {
      fs::remove_all(entry.path());
    }
    fs::copy(saved_, files_.directory(), fs::copy_options::recursive);
  }
  // Calls that there were, and whether the trouble came.
  std::pair<size_t, bool> RunInto(const Work& work, const Trouble& trouble,
                                  size_t nth) {
    SyscallFaults faults;
    HizodProcess::Options options = Replicated();
    options.faults = &faults;
    HizodProcess hizod(files_, options);
    EXPECT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    EXPECT_TRUE(AwaitEvent(hizod, kInStep));
    trouble.arm(faults, nth, work.part);
    if (work.begin(hizod, ann_).ok()) work.await(hizod);
    const std::pair<size_t, bool> came{faults.seen(), faults.failed() > 0};
    faults.Heal();
    hizod.Kill();
    return came;
  }
  void ExpectSound(const HizodProcess& hizod) const {
    const Peer peer = hizod.As(kFull);
    EXPECT_THAT(ReadProfile(peer, gone_), HasReason(Reason::kSubjectNotFound));
    EXPECT_THAT(ReadProfile(peer, bob_), IsOk());
    EXPECT_THAT(FindPerson(peer, "bob@example.com"), IsOk());
    const auto check = peer.Ask<v1::VerifyErasedResponse>(
        EraseRequest<v1::VerifyErasedRequest>(gone_));
    ASSERT_THAT(check, IsOk());
    EXPECT_TRUE(check->erased());
  }
  void CheckAndEnd(const Work& work) {
    HizodProcess hizod(files_, Replicated());
    ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
    ExpectSound(hizod);
    ASSERT_TRUE(AwaitEvent(hizod, kInStep)) << hizod.process().output();
    // What was acknowledged is ended by itself; what was not is asked again.
    EXPECT_THAT(work.begin(hizod, ann_), IsOk());
    AwaitByAsking(hizod, work, ann_);
    ExpectSound(hizod);
    EXPECT_EQ(hizod.Stop(), 0);
  }
  std::set<size_t> Choose(size_t steps) {
    const uint64_t wanted = NumberFrom("HIZO_MATRIX_STEPS", kStepsChosen);
    std::set<size_t> chosen;
    if (wanted == 0) {
      for (size_t nth = 1; nth <= steps; ++nth) chosen.insert(nth);
      return chosen;
    }
    // The first comes however many there are this time.
    chosen.insert(1);
    while (chosen.size() < std::min<uint64_t>(wanted, steps)) {
      chosen.insert(std::uniform_int_distribution<size_t>(1, steps)(random_));
    }
    return chosen;
  }

  const uint64_t seed_;
  std::mt19937_64 random_{seed_};
  VaultFiles files_;
  const ScratchDirectory scratch_;
  const fs::path saved_ = scratch_.path() / "saved";
  const fs::path replica_ = files_.directory() / "replica";
  std::string ann_;
  std::string bob_;
  std::string gone_;
};

TEST_P(FaultMatrixTest, AnyStepMayFailOrBeTheLast) {
  const Work& work = GetParam();
  for (const Trouble& trouble : Troubles()) {
    PutBack();
    const size_t steps = RunInto(work, trouble, kNever).first;
    std::cout << work.name << ", " << trouble.name << ": " << steps << " steps"
              << std::endl;
    size_t came = 0;
    for (const size_t nth : Choose(steps)) {
      SCOPED_TRACE(std::string(trouble.name) + " at " + std::to_string(nth));
      PutBack();
      if (RunInto(work, trouble, nth).second) ++came;
      ASSERT_NO_FATAL_FAILURE(CheckAndEnd(work));
      if (HasFailure()) return;
    }
    EXPECT_GT(came, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Work, FaultMatrixTest,
                         ::testing::Values(Erasure(), Rotation(), Backup(),
                                           Purge()),
                         [](const auto& test) {
                           return std::string(test.param.name);
                         });

}  // namespace
}  // namespace hizo::test
