// Programs that nobody here wrote take what we write: age, tar, minisign, jq,
// Python's vobject and csv, and a validator of JSON Schema.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/bundle/sample.h"
#include "tests/testing/child_process.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::bundle {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using ::testing::HasSubstr;
using ::testing::Not;

class OutsideToolsTest : public ::testing::Test {
 protected:
  OutsideToolsTest() {
    const Made made = MakeSample(keys_, 12);
    Write("bundle.age", made.file);
    Write("bundle.age.minisig", made.signature);
    Write("key", keys_.identity().ExposeText() + "\n");
  }
  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(scratch_.path() / name, std::ios::binary) << bytes;
  }
  int Run(const std::string& line) {
    ChildProcess shell(
        {{"/bin/sh", "-c", "cd '" + scratch_.path().string() + "' && " + line},
         {}});
    const int status = shell.Wait();
    output_ = shell.output();
    return status;
  }
  void Unpack() {
    ASSERT_EQ(Run("age -d -i key bundle.age | tar -x"), 0) << output_;
  }
  // A shell's name for the folder.
  static constexpr char kIn[] = "cd hizo-bundle-* && ";

  const Keys keys_;
  test::ScratchDirectory scratch_;
  std::string output_;
};

TEST_F(OutsideToolsTest, AgeAndTarUnpackIt) {
  Unpack();
  EXPECT_EQ(Run("ls hizo-bundle-*"), 0);
  for (const char* name :
       {"consents.json", "consents.schema.json", "contact.vcf", "index.html",
        "manifest.json", "manifest.json.minisig", "profile.json",
        "profile.jsonld", "profile.schema.json", "transaction-0001.csv",
        "transaction-0001.ndjson"}) {
    EXPECT_THAT(output_, HasSubstr(std::string(name) + "\n"));
  }
  EXPECT_EQ(
      Run("age -d -i key bundle.age | tar -tv | grep -vc '^-rw-r--r-- 0/0'"), 1)
      << output_;
}

TEST_F(OutsideToolsTest, MinisignVerifiesFileAndManifest) {
  Unpack();
  EXPECT_EQ(Run("minisign -V -P " + keys_.public_key() + " -m bundle.age"), 0)
      << output_;
  EXPECT_EQ(
      Run(kIn + ("minisign -V -P " + keys_.public_key()) + " -m manifest.json"),
      0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("Trusted comment: hizo bundle " +
                                 std::string(kSampleId)));
}

// The check that somebody without Hizo makes.
TEST_F(OutsideToolsTest, JqAndSha256sumCheckEveryMember) {
  Unpack();
  EXPECT_EQ(Run(std::string(kIn) +
                "jq -r '.members[] | .sha256 + \"  \" + .name' manifest.json | "
                "sha256sum --check --strict"),
            0)
      << output_;
  EXPECT_EQ(Run(std::string(kIn) +
                "jq -e '.records.profile.postal_address.country == \"JP\"' "
                "profile.json"),
            0)
      << output_;
  EXPECT_EQ(Run(std::string(kIn) + "jq -es 'length == 12' *.ndjson"), 0);
}

TEST_F(OutsideToolsTest, VobjectReadsTheContact) {
  Unpack();
  Write("read.py",
        "import vobject, sys\n"
        "card = vobject.readOne(open(sys.argv[1], newline='').read())\n"
        "assert card.version.value == '4.0'\n"
        "assert card.fn.value == '佐藤, 太郎; <b>\"T\"</b> & Söhne\\\\', "
        "card.fn.value\n"
        "assert card.email.value == 'tsato@example.com'\n"
        "assert card.adr.value.country == 'JP'\n"
        "assert card.adr.value.region == '東京都'\n"
        "assert '3F' in str(card.adr.value.street)\n"
        "assert '会社' in str(card.org.value)\n"
        "print('read it')\n");
  EXPECT_EQ(Run("/usr/bin/python3 read.py hizo-bundle-*/contact.vcf"), 0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("read it"));
}

TEST_F(OutsideToolsTest, PythonReadsTheTable) {
  Unpack();
  Write("read.py",
        "import csv, sys\n"
        "rows = list(csv.DictReader(open(sys.argv[1], newline='')))\n"
        "assert len(rows) == 12\n"
        "assert rows[2]['invoice_name'] == \"'=1+1\"\n"
        "assert rows[1]['invoice_name'] == 'Sato, \"T\"'\n"
        "assert rows[1]['refund'] == '-1.05' and rows[1]['amount'] == '1201'\n"
        "for row in rows:\n"
        "  for cell in row.values():\n"
        "    assert cell[:1] not in ('=', '+', '@') \n"
        "print('read it')\n");
  EXPECT_EQ(Run("/usr/bin/python3 read.py hizo-bundle-*/transaction-0001.csv"),
            0)
      << output_;
}

TEST_F(OutsideToolsTest, AjvValidatesProfileAndSeries) {
  if (!fs::exists(HIZO_SOURCE_DIR "/node_modules/ajv")) {
    GTEST_SKIP() << "node_modules is missing; deploy/test installs it";
  }
  Unpack();
  const std::string validate =
      std::string(kIn) + "node " HIZO_SOURCE_DIR
                         "/tests/clients/validate_bundle.mjs " HIZO_SOURCE_DIR;
  EXPECT_EQ(Run(validate), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("valid: 1 profile, 12 records"));
  // Where values came from is part of it.
  const auto with = [](const std::string& sources, const std::string& file) {
    return std::string(kIn) + "jq -c '. + {sources: " + sources + "}' " + file +
           " > changed && mv changed " + file;
  };
  const std::string series = "transaction-0001.ndjson";
  ASSERT_EQ(Run(with(R"({payment_at: "observed"})", series)), 0) << output_;
  ASSERT_EQ(Run(with(R"({"account.username": "derived"})", "profile.json")), 0);
  EXPECT_EQ(Run(validate), 0) << output_;
  for (const char* bad :
       {R"({payment_at: "guessed"})", R"({payment_at: "provided"})", "{}",
        R"(["payment_at"])", R"({"transaction.payment_at": "observed"})"}) {
    ASSERT_EQ(Run(with(bad, series)), 0);
    EXPECT_NE(Run(validate), 0) << bad;
  }
  ASSERT_EQ(Run(with(R"({payment_at: "observed"})", series)), 0);
  ASSERT_EQ(Run(with(R"({username: "derived"})", "profile.json")), 0);
  EXPECT_NE(Run(validate), 0);
  ASSERT_EQ(Run(with(R"({"account.username": "derived"})", "profile.json")), 0);
  EXPECT_EQ(Run(std::string(kIn) +
                "jq '.consents[0].channel = 7' consents.json > changed"),
            0);
  ASSERT_EQ(Run(std::string(kIn) + "mv consents.json was && "
                                   "cp changed consents.json"),
            0);
  EXPECT_NE(Run(validate), 0);
  ASSERT_EQ(Run(std::string(kIn) + "mv was consents.json"), 0);
  // And it does look.
  EXPECT_EQ(Run(std::string(kIn) + "sed -i 's/\"JP\"/\"jp\"/' profile.json"),
            0);
  EXPECT_NE(Run(validate), 0);
  EXPECT_THAT(output_, Not(HasSubstr("valid: ")));
}

}  // namespace
}  // namespace hizo::bundle
