// What hizod asks of the process that it is, before it touches a store; and
// that nobody gets at its memory.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kExitFailed = 1;
constexpr int kExitSignalled = 128;
constexpr uid_t kNobody = 65534;
// As root, who may lock what it wants, only without the capability.
const std::vector<std::string> kNoLocking = {
    "/usr/bin/prlimit", "--memlock=0", "/usr/bin/setpriv",
    "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"};
const std::string kRequireLock = "--memory.require-lock=true";

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() { HizodProcess::Init(files_); }

  // All files of the store and beside it, and what is in them.
  static std::map<std::string, std::string> Contents(const VaultFiles& files) {
    std::map<std::string, std::string> contents;
    for (const auto& entry :
         fs::recursive_directory_iterator(files.directory())) {
      contents[entry.path().string()] =
          entry.is_regular_file() ? ReadFile(entry.path()) : "";
    }
    return contents;
  }
  // It ends without serving and says `why`; nothing is written, neither to a
  // store that is there nor for a new one.
  void ExpectRefused(HizodProcess::Options options, const std::string& why) {
    SCOPED_TRACE(why);
    ExpectRefusedOver(files_, options, why);
    options.arguments.push_back("--init");
    ExpectRefusedOver(empty_, options, why);
  }
  static void ExpectRefusedOver(VaultFiles& files,
                                const HizodProcess::Options& options,
                                const std::string& why) {
    const auto before = Contents(files);
    HizodProcess hizod(files, options);
    EXPECT_FALSE(hizod.WaitUntilReady());
    EXPECT_EQ(hizod.process().Wait(), kExitFailed);
    EXPECT_THAT(hizod.process().output(), HasSubstr(why));
    EXPECT_TRUE(Contents(files) == before) << "something was changed";
  }
  static v1::GetStatusResponse StatusOf(const HizodProcess& hizod) {
    v1::GetStatusRequest request;
    *request.mutable_context() = ContextFor("operations");
    const auto status =
        hizod.As("acme/operator").Ask<v1::GetStatusResponse>(request);
    EXPECT_THAT(status, IsOk());
    return status.value_or(v1::GetStatusResponse());
  }

  VaultFiles files_;
  VaultFiles empty_;  // without a store
};

class RefusedVariableTest : public ProcessTest,
                            public ::testing::WithParamInterface<const char*> {
};

TEST_P(RefusedVariableTest, StopsTheStart) {
  const fs::path leak = files_.directory() / "leak";
  HizodProcess::Options options;
  options.environment = {{GetParam(), leak.string()}};
  ExpectRefused(options, GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedVariableTest,
    ::testing::Values("GRPC_TRACE", "GRPC_VERBOSITY", "GRPC_BINARY_LOG_FILTER",
                      "GRPC_BINARY_LOG_CONFIG", "SSLKEYLOGFILE", "MALLOC_TRACE",
                      "MALLOC_CHECK_", "LD_DEBUG", "LD_PROFILE", "LD_PRELOAD",
                      "LD_AUDIT", "OPENSSL_CONF", "OPENSSL_CONF_INCLUDE",
                      "OPENSSL_ENGINES", "OPENSSL_MODULES"),
    [](const auto& test) { return std::string(test.param); });

TEST_F(ProcessTest, RefusesAVariableThatIsEmpty) {
  HizodProcess::Options options;
  options.environment = {{"GRPC_TRACE", ""}};
  ExpectRefused(options, "GRPC_TRACE");
}

TEST_F(ProcessTest, TakesOtherVariablesOfTheSameLibraries) {
  HizodProcess::Options options;
  options.environment = {{"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "/none"},
                         {"SSL_CERT_DIR", "/none"},
                         {"MALLOC_ARENA_MAX", "4"}};
  HizodProcess hizod(files_, options);
  EXPECT_TRUE(hizod.WaitUntilReady());
  EXPECT_EQ(hizod.Stop(), 0);
}

TEST_F(ProcessTest, RefusesToStartWhereKeysCannotBeLocked) {
  HizodProcess::Options options;
  options.run_by = kNoLocking;
  options.arguments = {kRequireLock};
  ExpectRefused(options, "LimitMEMLOCK");
}

TEST_F(ProcessTest, StartsWithoutLockingWhereToldToAndSaysSo) {
  HizodProcess::Options options;
  options.run_by = kNoLocking;
  options.arguments = {"--memory.require-lock=false"};
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady());
  EXPECT_FALSE(StatusOf(hizod).memory_locked());
  EXPECT_EQ(hizod.Stop(), 0);
  EXPECT_THAT(hizod.process().output(),
              ContainsRegex("\"warning\",\"event\":\"memory_not_locked\""));
}

TEST_F(ProcessTest, LocksKeysWhereItCan) {
  HizodProcess::Options options;
  options.arguments = {kRequireLock};
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady());
  EXPECT_TRUE(StatusOf(hizod).memory_locked());
  const std::string status =
      ReadFile("/proc/" + std::to_string(hizod.process().id()) + "/status");
  EXPECT_THAT(status, Not(HasSubstr("VmLck:\t       0 kB")));
  EXPECT_EQ(hizod.Stop(), 0);
  EXPECT_THAT(hizod.process().output(), Not(HasSubstr("memory_not_locked")));
}

TEST_F(ProcessTest, RefusesToStartWithoutRandomBytes) {
  HizodProcess::Options options;
  options.run_by = {BuiltProgram("hizo_without_random")};
  ExpectRefused(options, "random");
}

class CoreTest : public ProcessTest, public ::testing::WithParamInterface<int> {
 protected:
  // Where another program would leave none either, there is nothing to see.
  void SetUp() override {
    const std::string folder = files_.directory().string();
    ChildProcess other({{"/usr/bin/prlimit", "--core=unlimited", "/bin/sh",
                         "-c", "cd " + folder + " && kill -ABRT $$"},
                        {}});
    other.Wait();
    if (!other.dumped_core()) GTEST_SKIP() << "this system dumps no cores";
  }
};

// Whatever the system would do with a core: the process has none to give.
TEST_P(CoreTest, IsNotDumped) {
  HizodProcess::Options options;
  options.run_by = {"/usr/bin/prlimit", "--core=unlimited"};
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady());
  CreatePerson(hizod.As("acme/full"), "a@example.com", "Ann Other");
  const std::string directory = "/proc/" + std::to_string(hizod.process().id());
  EXPECT_THAT(ReadFile(directory + "/limits"),
              ContainsRegex("Max core file size +0 +0 "));
  const fs::path working_directory = fs::read_symlink(directory + "/cwd");
  hizod.process().Signal(GetParam());
  EXPECT_EQ(hizod.process().Wait(), kExitSignalled + GetParam());
  EXPECT_FALSE(hizod.process().dumped_core());
  for (const auto& entry : fs::directory_iterator(working_directory)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("core"))
        << entry.path();
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CoreTest, ::testing::Values(SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGQUIT),
    [](const auto& test) { return std::string(sigabbrev_np(test.param)); });

// What is not dumpable belongs to root in /proc, whoever it runs as, and so
// can be neither read nor attached to by others of its user.
TEST_F(ProcessTest, IsClosedToItsOwnUser) {
  HizodProcess::Options options;
  if (geteuid() == 0) {
    for (const auto& entry :
         fs::recursive_directory_iterator(files_.directory())) {
      ASSERT_EQ(chown(entry.path().c_str(), kNobody, kNobody), 0);
    }
    ASSERT_EQ(chown(files_.directory().c_str(), kNobody, kNobody), 0);
    options.run_by = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                      "--clear-groups"};
  }
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady());
  struct stat memory {};
  const std::string file =
      "/proc/" + std::to_string(hizod.process().id()) + "/mem";
  ASSERT_EQ(stat(file.c_str(), &memory), 0);
  EXPECT_EQ(memory.st_uid, 0U);
  EXPECT_EQ(hizod.Stop(), 0);
}

// It cannot ask hizod's memory, files or environment for anything.
TEST_F(ProcessTest, ShowsEachHeadToTheProgramOfTheWitness) {
  const fs::path told = files_.directory() / "told";
  const fs::path program =
      files_.Write("publish", "#!/bin/sh\ncat > " + told.string() +
                                  "\nexport -p >> " + told.string() + "\n");
  fs::permissions(program, fs::perms::owner_all);
  fs::create_directory(files_.directory() / "witness");
  HizodProcess::Options options;
  options.arguments = {"--witness.dir",
                       (files_.directory() / "witness").string(),
                       "--witness.command", program.string()};
  options.environment = {{"HIZO_TEST_MARK", "1"}};
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
  CreatePerson(hizod.As("acme/full"), "ann@example.com", "Ann Other");
  EXPECT_EQ(hizod.Stop(), 0);  // shows its last head
  const std::string head = ReadFile(told);
  EXPECT_THAT(head, HasSubstr("hizo/"));
  EXPECT_THAT(head, HasSubstr("\n\n\xE2\x80\x94 hizo/"));
  EXPECT_THAT(head, Not(HasSubstr("HIZO_TEST_MARK")));
}

TEST_F(ProcessTest, GoesOnWhereTheProgramOfTheWitnessFails) {
  fs::create_directory(files_.directory() / "witness");
  HizodProcess::Options options;
  options.arguments = {"--witness.dir",
                       (files_.directory() / "witness").string(),
                       "--witness.command", "/bin/false"};
  HizodProcess hizod(files_, options);
  ASSERT_TRUE(hizod.WaitUntilReady()) << hizod.process().output();
  CreatePerson(hizod.As("acme/full"), "ann@example.com", "Ann Other");
  EXPECT_EQ(hizod.Stop(), 0);
  EXPECT_THAT(hizod.process().output(),
              HasSubstr("the head was not shown: a program failed"));
}

}  // namespace
}  // namespace hizo::test
