// Debian's age and minisign open what we write, and we what they write.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/age.h"
#include "crypto/minisign.h"
#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/age_files.h"
#include "tests/testing/child_process.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::ChildProcess;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;
using ::testing::HasSubstr;

class OutsideToolsTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(scratch_.path() / name, std::ios::binary) << bytes;
  }
  std::string Read(const std::string& name) {
    std::ifstream in(scratch_.path() / name, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    return bytes.str();
  }
  // Runs a line of shell among the files; its exit status.
  int Run(const std::string& line) {
    ChildProcess shell(
        {{"/bin/sh", "-c", "cd '" + scratch_.path().string() + "' && " + line},
         {}});
    const int status = shell.Wait();
    output_ = shell.output();
    return status;
  }

  test::ScratchDirectory scratch_;
  std::string output_;
};

std::string Sealed(const AgeRecipient& recipient, std::string_view plaintext) {
  AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
  std::string file;
  writer.Write(plaintext, file);
  writer.Finish(file);
  return file;
}

TEST_F(OutsideToolsTest, AgeOpensFilesOfEverySize) {
  ASSERT_EQ(Run("age-keygen -o key"), 0) << output_;
  const AgeIdentity identity = *AgeIdentity::ParseFile(Read("key"));
  EXPECT_THAT(output_, HasSubstr(identity.recipient().ToText()));
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{65'535}, size_t{65'536}, size_t{65'537},
        size_t{131'072}, size_t{1'000'000}}) {
    const std::string plaintext = RandomBytes(size);
    Write("file.age", Sealed(identity.recipient(), plaintext));
    ASSERT_EQ(Run("age -d -i key -o file file.age"), 0) << output_;
    EXPECT_EQ(Read("file"), plaintext);
  }
}

TEST_F(OutsideToolsTest, AgeRefusesOursWithAnotherKey) {
  ASSERT_EQ(Run("age-keygen -o key"), 0) << output_;
  Write("file.age", Sealed(AgeIdentity::Random().recipient(), "hello"));
  EXPECT_NE(Run("age -d -i key file.age"), 0);
  EXPECT_THAT(output_, HasSubstr("no identity matched"));
}

TEST_F(OutsideToolsTest, WeOpenFilesOfAge) {
  const AgeIdentity identity = AgeIdentity::Random();
  const std::string plaintext = RandomBytes(200'000);
  Write("file", plaintext);
  ASSERT_EQ(
      Run("age -r " + identity.recipient().ToText() + " -o file.age file"), 0)
      << output_;
  AgeOpeners openers;
  openers.identities.push_back(*AgeIdentity::Parse(identity.ExposeText()));
  EXPECT_THAT(ReadAge(std::move(openers), Read("file.age")),
              IsOkAndHolds(plaintext));
}

// age asks for passphrases on a terminal only; `script` is one.
TEST_F(OutsideToolsTest, AgeOpensOurPassphrases) {
  AgeWriter writer =
      *AgeWriter::ForPassphrase(Secret::CopyOf("correct horse"), 10);
  std::string file;
  writer.Write("hello", file);
  writer.Finish(file);
  Write("file.age", file);
  Write("answer", "correct horse\n");
  ASSERT_EQ(Run("script -q -e -c 'age -d -o file file.age' /dev/null < answer"),
            0)
      << output_;
  EXPECT_EQ(Read("file"), "hello");
}

class MinisignToolTest : public OutsideToolsTest {
 protected:
  const MinisignSigner signer_{Key::Random()};
};

TEST_F(MinisignToolTest, MinisignVerifiesOurs) {
  const std::string bytes = RandomBytes(100'000);
  Write("file", bytes);
  Write("file.minisig",
        signer_.Sign(MinisignHash::Of(bytes), "bundle of a test"));
  ASSERT_EQ(Run("minisign -V -P " + signer_.public_key() + " -m file"), 0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("Trusted comment: bundle of a test"));
  // And as a key file.
  Write("key.pub", "untrusted comment: x\n" + signer_.public_key() + "\n");
  EXPECT_EQ(Run("minisign -V -p key.pub -m file"), 0) << output_;
}

TEST_F(MinisignToolTest, MinisignRefusesAChangedFile) {
  Write("file", "changed");
  Write("file.minisig", signer_.Sign(MinisignHash::Of("file"), "x"));
  EXPECT_NE(Run("minisign -V -P " + signer_.public_key() + " -m file"), 0);
}

TEST_F(MinisignToolTest, WeVerifyMinisigns) {
  ASSERT_EQ(Run("minisign -G -W -p key.pub -s key"), 0) << output_;
  Write("file", "some bytes");
  ASSERT_EQ(Run("minisign -S -H -s key -m file -t 'by minisign'"), 0)
      << output_;
  EXPECT_THAT(CheckMinisign(Read("key.pub"), MinisignHash::Of("some bytes"),
                            Read("file.minisig")),
              IsOkAndHolds(std::string("by minisign")));
  EXPECT_THAT(CheckMinisign(Read("key.pub"), MinisignHash::Of("other bytes"),
                            Read("file.minisig")),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(
      CheckMinisign(signer_.public_key(), MinisignHash::Of("some bytes"),
                    Read("file.minisig")),
      StatusIs(StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace hizo::crypto
