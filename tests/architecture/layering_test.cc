// The source as it is obeys the rules, and the rules catch what breaks them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/architecture/source_rules.h"

namespace hizo::architecture {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const fs::path kRoot = HIZO_SOURCE_DIR;

std::string ReadText(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool IsSource(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

std::vector<SourceFile> AllSources() {
  std::vector<SourceFile> files;
  for (const char* folder : {"crypto", "storage", "service", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (!entry.is_regular_file() || !IsSource(entry.path())) continue;
      files.push_back(
          {fs::relative(entry.path(), kRoot).string(), ReadText(entry.path())});
    }
  }
  return files;
}

std::string Joined(const Violations& violations) {
  std::string text;
  for (const std::string& violation : violations) text += violation + "\n";
  return text;
}

TEST(LayeringTest, TheSourceObeysEveryRule) {
  const std::vector<SourceFile> files = AllSources();
  EXPECT_GT(files.size(), 50U);  // the walk found the source at all
  std::string violations;
  for (const SourceFile& file : files) violations += Joined(CheckFile(file));
  EXPECT_EQ(violations, "");
}

TEST(LayeringTest, TheRootHoldsOnlyWhatWasAgreed) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(Joined(CheckTopLevel(names)), "");
}

// A source file that no target names is never compiled, a test never run.
TEST(LayeringTest, EverySourceIsBuilt) {
  std::string violations;
  for (const char* folder : {"crypto", "storage", "service", "tests"}) {
    std::vector<fs::path> folders = {kRoot / folder};
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.is_directory()) folders.push_back(entry.path());
    }
    for (const fs::path& here : folders) {
      std::vector<std::string> names;
      for (const auto& entry : fs::directory_iterator(here)) {
        if (entry.path().extension() == ".cc") {
          names.push_back(entry.path().filename().string());
        }
      }
      // A small sub-folder may be listed by the folder above.
      std::string lists = ReadText(here / "CMakeLists.txt");
      if (lists.empty())
        lists = ReadText(here.parent_path() / "CMakeLists.txt");
      violations += Joined(CheckBuilt(lists, names));
    }
  }
  EXPECT_EQ(violations, "");
}

// Planted violations: what each rule is there for.

Violations Included(const std::string& path, const std::string& include) {
  return CheckIncludes({path, "// x\n#include " + include + "\n"});
}

TEST(CheckIncludesTest, FindsAnUpwardInclude) {
  EXPECT_THAT(
      Included("service/policy/rules.cc", "\"service/vault/access_gate.h\""),
      ElementsAre("service/policy/rules.cc:2: service/policy/ may not "
                  "include service/vault/access_gate.h"));
  EXPECT_THAT(Included("crypto/aead.cc", "\"service/base/ids.h\""), SizeIs(1));
  EXPECT_THAT(Included("storage/engine.h", "\"crypto/secret.h\""), SizeIs(1));
  EXPECT_THAT(Included("service/audit/log.cc", "\"crypto/key_tree.h\""),
              SizeIs(1));
  EXPECT_THAT(Included("service/cli/main.cc", "\"service/app/config.h\""),
              SizeIs(1));
  EXPECT_THAT(Included("service/vault/records.cc", "\"hizo/v1/record.pb.h\""),
              SizeIs(1));
}

TEST(CheckIncludesTest, FindsAnEngineNamedAboveItsSeam) {
  EXPECT_THAT(
      Included("service/vault/store.cc", "\"storage/rocksdb/engine.h\""),
      SizeIs(1));
  EXPECT_THAT(
      Included("storage/memory/engine.cc", "\"storage/rocksdb/open.h\""),
      SizeIs(1));
  EXPECT_THAT(Included("service/app/server.cc", "\"storage/rocksdb/engine.h\""),
              IsEmpty());
}

TEST(CheckIncludesTest, FindsALibraryOutsideItsPlace) {
  EXPECT_THAT(Included("service/vault/store.cc", "<rocksdb/db.h>"), SizeIs(1));
  EXPECT_THAT(Included("service/vault/store.cc", "\"rocksdb/db.h\""),
              SizeIs(1));
  EXPECT_THAT(Included("service/vault/records.cc", "<grpcpp/grpcpp.h>"),
              SizeIs(1));
  EXPECT_THAT(Included("service/audit/log.cc", "<sodium.h>"), SizeIs(1));
  EXPECT_THAT(Included("service/rpc/caller.cc", "<yaml-cpp/yaml.h>"),
              SizeIs(1));
  EXPECT_THAT(Included("service/policy/rules.cc", "<unistd.h>"), SizeIs(1));
  EXPECT_THAT(Included("service/policy/rules.cc", "<sys/stat.h>"), SizeIs(1));
}

TEST(CheckIncludesTest, KeepsBundlesApartFromTheVault) {
  EXPECT_THAT(Included("service/bundle/tar.cc", "<archive.h>"), IsEmpty());
  EXPECT_THAT(Included("service/bundle/tar.h", "<archive.h>"), SizeIs(1));
  EXPECT_THAT(Included("service/vault/exports.cc", "<archive.h>"), SizeIs(1));
  EXPECT_THAT(Included("service/bundle/tar.cc", "\"service/vault/value.h\""),
              SizeIs(1));
  EXPECT_THAT(Included("service/bundle/tar.cc", "\"storage/engine.h\""),
              SizeIs(1));
  EXPECT_THAT(
      Included("service/cli/bundle_commands.cc", "\"service/bundle/reader.h\""),
      IsEmpty());
}

TEST(CheckIncludesTest, FindsALibraryInAHeader) {
  EXPECT_THAT(Included("crypto/aead.h", "<sodium.h>"),
              ElementsAre(HasSubstr("in a header")));
  EXPECT_THAT(Included("crypto/aead.cc", "<sodium.h>"), IsEmpty());
  EXPECT_THAT(Included("service/app/yaml_reader.h", "<yaml-cpp/parser.h>"),
              SizeIs(1));
  EXPECT_THAT(Included("storage/rocksdb/engine.h", "<rocksdb/db.h>"),
              SizeIs(1));
}

TEST(CheckIncludesTest, FindsOddlyWrittenIncludesAndUnknownFolders) {
  EXPECT_THAT(
      CheckIncludes({"crypto/aead.cc", "  #  include\t<rocksdb/db.h>\n"}),
      SizeIs(1));
  EXPECT_THAT(Included("service/new_layer/x.cc", "<string>"),
              ElementsAre("service/new_layer/x.cc: is in no unit of the "
                          "table"));
}

TEST(CheckIncludesTest, LetsAllowedIncludesPass) {
  EXPECT_THAT(Included("service/vault/records.cc", "\"crypto/aead.h\""),
              IsEmpty());
  EXPECT_THAT(Included("service/vault/records.cc", "\"storage/engine.h\""),
              IsEmpty());
  EXPECT_THAT(Included("service/policy/rules.cc", "<vector>"), IsEmpty());
  EXPECT_THAT(Included("service/policy/rules.cc", "\"absl/status/status.h\""),
              IsEmpty());
  EXPECT_THAT(CheckIncludes(
                  {"crypto/aead.cc", "// see <rocksdb/db.h>\nint include;\n"}),
              IsEmpty());
}

TEST(CheckLengthTest, FindsLongFiles) {
  EXPECT_THAT(CheckLength({"a.cc", std::string(kLinesMax, '\n')}), IsEmpty());
  EXPECT_THAT(CheckLength({"a.cc", std::string(kLinesMax + 1, '\n')}),
              ElementsAre("a.cc: has 501 lines, over 500"));
}

Violations Named(const std::string& path, const std::string& line) {
  return CheckForbiddenNames({path, "int x;\n" + line + "\n"});
}

TEST(CheckForbiddenNamesTest, FindsWhatCouldPrintAValue) {
  EXPECT_THAT(
      Named("service/rpc/dispatch.cc", "Log(request.DebugString());"),
      ElementsAre(HasSubstr("service/rpc/dispatch.cc:2: DebugString(")));
  EXPECT_THAT(Named("service/rpc/dispatch.cc", "m.ShortDebugString();"),
              SizeIs(1));
  EXPECT_THAT(Named("service/vault/records.cc", "std::cout << value;"),
              SizeIs(1));
  EXPECT_THAT(Named("service/app/server.cc", "std::cerr << value;"), SizeIs(1));
  EXPECT_THAT(Named("crypto/aead.cc", "printf(\"%s\", key);"), SizeIs(1));
  EXPECT_THAT(Named("service/cli/main.cc", "std::cout << table;"), IsEmpty());
}

TEST(CheckForbiddenNamesTest, FindsTypesThatDoNotBelong) {
  EXPECT_THAT(Named("service/vault/store.h", "std::shared_ptr<int> x;"),
              SizeIs(1));
  EXPECT_THAT(Named("service/vault/store.h", "void F(absl::string_view);"),
              SizeIs(1));
  EXPECT_THAT(Named("service/vault/store.cc", "absl::Mutex mutex;"), SizeIs(1));
  EXPECT_THAT(Named("service/cli/values.cc", "std::regex pattern;"), SizeIs(1));
  EXPECT_THAT(Named("storage/anchor.cc", "std::this_thread::sleep_for(d);"),
              SizeIs(1));
}

TEST(CheckForbiddenNamesTest, FindsSleepsInTestsToo) {
  EXPECT_THAT(Named("tests/crypto/aead_test.cc",
                    "std::this_thread::"
                    "sleep_for(d);"),
              SizeIs(1));
  EXPECT_THAT(Named("tests/crypto/aead_test.cc", "usleep(1); sleep(1);"),
              SizeIs(1));
  EXPECT_THAT(Named("tests/crypto/aead_test.cc", "m.DebugString();"),
              IsEmpty());
}

TEST(CheckForbiddenNamesTest, LeavesCommentsLiteralsAndOtherNamesAlone) {
  for (const char* line :
       {"// not printf( but Write", "/* std::regex\n printf( */ int y;",
        "snprintf(buffer, 1, x);", "Say(\"printf(\");",
        "Say(R\"x(printf(\")x\");", "Say('\"', y); // printf("}) {
    EXPECT_THAT(Named("crypto/aead.cc", line), IsEmpty()) << line;
  }
}

TEST(CheckForbiddenNamesTest, FindsCodeBehindCommentsAndLiterals) {
  for (const char* line :
       {"\"//\"; printf(x);", "\"a\\\"//\"; printf(x);", "/* a */ printf(x);",
        "'\"'; printf(x);", "1'000; printf(x);", "R\"(\")\"; printf(x);",
        "// a\nprintf(x);"}) {
    EXPECT_THAT(Named("crypto/aead.cc", line), SizeIs(1)) << line;
  }
}

TEST(CheckGuardTest, FindsGuardsThatAreNotNamedAfterThePath) {
  const std::string good =
      "// x\n#ifndef HIZO_CRYPTO_AEAD_H_\n#define HIZO_CRYPTO_AEAD_H_\n";
  EXPECT_THAT(CheckGuard({"crypto/aead.h", good}), IsEmpty());
  EXPECT_THAT(CheckGuard({"crypto/aead.cc", "int x;\n"}), IsEmpty());
  EXPECT_THAT(CheckGuard({"crypto/other.h", good}),
              ElementsAre("crypto/other.h: its include guard is not "
                          "HIZO_CRYPTO_OTHER_H_"));
  EXPECT_THAT(CheckGuard({"crypto/aead.h", "#pragma once\n"}), SizeIs(1));
}

TEST(CheckFileTest, HoldsTestsToLengthAndGuardOnly) {
  EXPECT_THAT(CheckFile({"tests/x_test.cc", "#include <rocksdb/db.h>\n"}),
              IsEmpty());
  EXPECT_THAT(CheckFile({"tests/x.h", "int x;\n"}), SizeIs(1));
  EXPECT_THAT(
      CheckFile({"crypto/x.cc", "#include <rocksdb/db.h>\nabsl::Mutex m;\n" +
                                    std::string(kLinesMax, '\n')}),
      SizeIs(3));
}

TEST(CheckTopLevelTest, FindsStrayNames) {
  EXPECT_THAT(CheckTopLevel({"crypto", "README.md", ".git", "build"}),
              IsEmpty());
  EXPECT_THAT(CheckTopLevel({"crypto", "src", "notes.txt"}),
              ElementsAre("src: has no place at the root",
                          "notes.txt: has no place at the root"));
}

TEST(CheckBuiltTest, FindsFilesThatNoTargetNames) {
  EXPECT_THAT(CheckBuilt("SRCS a.cc rocksdb/b.cc)", {"a.cc", "b.cc"}),
              IsEmpty());
  EXPECT_THAT(CheckBuilt("SRCS a.cc my_log.cc", {"a.cc", "log.cc"}),
              ElementsAre("log.cc: is not in its CMakeLists.txt"));
}

}  // namespace
}  // namespace hizo::architecture
