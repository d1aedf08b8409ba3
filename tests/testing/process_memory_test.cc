#include "tests/testing/process_memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using Locked = ProcessMemory::Locked;

constexpr size_t kSize = size_t{9} << 20;
// What the other process turns round, so that it is nowhere else in it.
constexpr std::string_view kBackwards = "em rof kool eldeen";

char* Map(int access) {
  void* const memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::copy(kBackwards.rbegin(), kBackwards.rend(),
            static_cast<char*>(memory) + (kSize / 2));
  mprotect(memory, kSize, access);
  return static_cast<char*>(memory);
}

// A copy of this process that has done `prepare` and then does nothing.
class Other {
 public:
  explicit Other(void (*prepare)()) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
    id_ = fork();
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prepare();
      if (write(pipe[1], "r", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char ready = 0;
    if (read(pipe[0], &ready, 1) != 1) throw std::runtime_error("no process");
    close(pipe[0]);
    close(pipe[1]);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }

  // Where the text is found in it. The needles are made only now.
  std::vector<std::string> Where(Locked locked) const {
    Needles needles;
    needles.Add("text", std::string(kBackwards.rbegin(), kBackwards.rend()));
    auto found = ProcessMemory(id_).Find(needles, locked);
    EXPECT_GT(found.bytes, 0U);
    return found.needles["text"];
  }

 private:
  pid_t id_ = -1;
};

class ProcessMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ProcessMemory::IsAllowed()) GTEST_SKIP() << "only root may look";
  }
};

TEST_F(ProcessMemoryTest, FindsWhatAnotherProcessHolds) {
  const Other other([] { Map(PROT_READ | PROT_WRITE); });
  EXPECT_THAT(other.Where(Locked::kToo), Contains("anonymous"));
}

TEST_F(ProcessMemoryTest, FindsItInAProcessThatCannotBeDumped) {
  const Other other([] {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    Map(PROT_READ);
  });
  EXPECT_THAT(other.Where(Locked::kToo), Contains("anonymous"));
}

TEST_F(ProcessMemoryTest, FindsNothingWhereThereIsNothing) {
  const Other other([] {});
  EXPECT_THAT(other.Where(Locked::kToo), IsEmpty());
}

TEST_F(ProcessMemoryTest, FindsNothingOnceItIsOverwritten) {
  const Other other([] {
    char* const memory = Map(PROT_READ | PROT_WRITE);
    std::fill_n(memory, kSize, '\0');
  });
  EXPECT_THAT(other.Where(Locked::kToo), IsEmpty());
}

TEST_F(ProcessMemoryTest, LeavesOutWhatIsLockedIfToldTo) {
  const Other other([] { mlock(Map(PROT_READ | PROT_WRITE), kSize); });
  EXPECT_THAT(other.Where(Locked::kToo), Contains("anonymous"));
  EXPECT_THAT(other.Where(Locked::kLeftOut), IsEmpty());
}

}  // namespace
}  // namespace hizo::test
