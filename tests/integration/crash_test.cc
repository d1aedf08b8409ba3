// 100,000 people are imported by the real programs; the server is killed in the
// middle, started again, and the import goes on. Nothing that was acknowledged
// is lost, nobody is there twice, and neither program needed much memory.
#include <csignal>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/log.h"
#include "service/audit/query.h"
#include "service/base/keyspace.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr int64_t kPeople = 100'000;
constexpr int64_t kKillAfter = 30'000;
constexpr int64_t kSampleStep = 997;
constexpr int kExitUnreachable = 3;
constexpr int kExitKilled = 128 + SIGKILL;
constexpr size_t kMegabyte = 1024 * 1024;
constexpr size_t kServerMemoryMax = 400 * kMegabyte;
constexpr size_t kClientMemoryMax = 200 * kMegabyte;
// A sanitizer's shadow is no memory of the program's.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMemoryIsOurs = false;
#else
constexpr bool kMemoryIsOurs = true;
#endif
constexpr policy::ClassNumber kRecordsEach = 2;

std::string EmailOf(int64_t line) {
  return "person" + std::to_string(line) + "@example.com";
}
std::string NameOf(int64_t line) { return "Person " + std::to_string(line); }

// By number of the line: who was acknowledged.
using People = std::map<int64_t, std::string>;

// One run of the command line.
struct ImportRun {
  int exit = 0;
  size_t peak_memory = 0;
  People acknowledged;
  size_t created = 0;
  std::string error;
};

ImportRun Finish(ChildProcess& process) {
  ImportRun run;
  run.exit = process.Wait();
  run.peak_memory = process.peak_memory();
  for (const std::string& line : process.lines()) {
    const auto json = nlohmann::json::parse(line);
    if (!json.contains("fate")) {
      run.error = line;
      continue;
    }
    run.acknowledged[json["line"].get<int64_t>()] =
        json["subject"].get<std::string>();
    if (json["fate"] == "created") ++run.created;
  }
  return run;
}

class CrashTest : public ::testing::Test {
 protected:
  CrashTest() {
    HizodProcess::Init(files_);
    file_ = files_.directory() / "people.jsonl";
    std::ofstream out(file_);
    for (int64_t line = 1; line <= kPeople; ++line) {
      out << R"({"account":{"email":")" << EmailOf(line)
          << R"("},"profile":{"full_name":")" << NameOf(line) << "\"}}\n";
    }
  }

  ChildProcess::Options ImportInto(const HizodProcess& hizod) {
    const auto config =
        files_.WriteClient("acme/full", hizod.address(), "onboarding");
    return {{BuiltProgram("hizo"), "--config", config.string(), "import",
             file_.string(), "--json"},
            {}};
  }
  // Imports until `kKillAfter` lines are acknowledged, then kills the server.
  ImportRun ImportUntilKilled() {
    HizodProcess hizod(files_);
    EXPECT_TRUE(hizod.WaitUntilReady());
    ChildProcess import(ImportInto(hizod));
    int64_t lines = 0;
    import.WaitForLine(
        [&lines](std::string_view) { return ++lines == kKillAfter;
  });
  EXPECT_EQ(lines, kKillAfter) << import.output().substr(0, 1000);
  hizod.process().Signal(SIGKILL);
  EXPECT_EQ(hizod.process().Wait(), kExitKilled);
  NoteServer(hizod);
  return Finish(import);
} ImportRun ImportTheRest() {
  HizodProcess hizod(files_);
  EXPECT_TRUE(hizod.WaitUntilReady());
  ChildProcess import(ImportInto(hizod));
  ImportRun run = Finish(import);
  EXPECT_EQ(hizod.Stop(), 0);
  NoteServer(hizod);
  return run;
}
void NoteServer(HizodProcess& hizod) {
  server_memory_ = std::max(server_memory_, hizod.process().peak_memory());
}

VaultFiles files_;
std::filesystem::path file_;
size_t server_memory_ = 0;
};  // namespace

// Calls `visit` with every row whose key begins with `space`.
template <typename Visit>
void ForEachRow(const storage::Reader& reader, char space, Visit visit) {
  storage::ScanRange range =
      storage::PrefixRange(std::string(1, space), storage::kScanLimitMax);
  for (;;) {
    const auto rows = reader.Scan(range);
    ASSERT_THAT(rows, IsOk());
    if (rows->empty()) return;
    for (const storage::Row& row : *rows) visit(row);
    range.from = rows->back().key + '\0';
  }
}

// Everybody in the store, from the keys of their facts.
std::set<std::string> PeopleIn(const storage::Reader& data) {
  constexpr size_t kSubjectAt = 5;  // after the space and the tenant
  std::set<std::string> people;
  ForEachRow(data, base::kSpaceFacts, [&people](const storage::Row& row) {
    people.insert(base::UuidText(row.key.substr(kSubjectAt)));
  });
  return people;
}

size_t RowsIn(const storage::Reader& reader, char space) {
  size_t rows = 0;
  ForEachRow(reader, space, [&rows](const storage::Row&) { ++rows; });
  return rows;
}

// How many people the log says were created, each under a name of its own.
size_t CreatedByLog(const storage::Reader& data) {
  std::set<base::AuditReference> created;
  size_t events = 0;
  ForEachRow(data, base::kSpaceAuditEntry, [&](const storage::Row& row) {
    const auto event = audit::Decode(row.value);
    ASSERT_THAT(event, IsOk());
    if (event->outcome != audit::Outcome::kAllowed || event->writes.empty()) {
      return;
    }
    ++events;
    created.insert(event->subject.value());
  });
  EXPECT_EQ(created.size(), events);
  return events;
}

TEST_F(CrashTest, AnImportKilledInTheMiddleLosesAndDoublesNobody) {
  const ImportRun first = ImportUntilKilled();
  ASSERT_EQ(first.exit, kExitUnreachable) << first.error;
  EXPECT_GE(first.acknowledged.size(), static_cast<size_t>(kKillAfter));
  EXPECT_LT(first.acknowledged.size(), static_cast<size_t>(kPeople));
  const ImportRun second = ImportTheRest();
  ASSERT_EQ(second.exit, 0) << second.error;
  EXPECT_GT(second.created, 0U);

  // Each line has one fate, whichever run it was acknowledged in.
  People all = first.acknowledged;
  for (const auto& [line, subject] : second.acknowledged) {
    EXPECT_EQ(all.emplace(line, subject).first->second, subject) << line;
  }
  EXPECT_EQ(all.size(), size_t{kPeople});
  std::set<std::string> subjects;
  for (const auto& [line, subject] : all) subjects.insert(subject);
  EXPECT_EQ(subjects.size(), size_t{kPeople});

  {
    const StoppedStores stores = OpenStores(files_.LoadConfig());
    EXPECT_TRUE(PeopleIn(*stores.data) == subjects);
    EXPECT_EQ(RowsIn(*stores.data, base::kSpaceRecord), kPeople * kRecordsEach);
    EXPECT_EQ(RowsIn(*stores.keys, base::kSpaceIndex), size_t{kPeople});
    EXPECT_EQ(CreatedByLog(*stores.data), size_t{kPeople});
    EXPECT_THAT(audit::Extends(*stores.data, 0, crypto::Sha256("")),
                IsOkAndHolds(true));
  }

  HizodProcess hizod(files_);
  ASSERT_TRUE(hizod.WaitUntilReady());
  const Peer full = hizod.As("acme/full");
  for (int64_t line = 1; line <= kPeople; line += kSampleStep) {
    EXPECT_THAT(FindPerson(full, EmailOf(line)), IsOkAndHolds(all[line]));
    EXPECT_THAT(
        ReadProfile(full, all[line]),
        IsOkAndHolds(UnorderedElementsAre(Pair("full_name", NameOf(line)))));
  }
  RecordProperty("server_peak_mib", std::to_string(server_memory_ / kMegabyte));
  RecordProperty("client_peak_mib",
                 std::to_string(second.peak_memory / kMegabyte));
  if (kMemoryIsOurs) {
    EXPECT_LT(server_memory_, kServerMemoryMax);
    EXPECT_LT(first.peak_memory, kClientMemoryMax);
    EXPECT_LT(second.peak_memory, kClientMemoryMax);
  }
}

}  // namespace hizo::test
}  // namespace hizo::test
