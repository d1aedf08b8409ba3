// Debian's python3-bcrypt, which nobody here wrote, and our hashes verify each
// other.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/password_hash.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child_process.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using crypto::Key;
using crypto::Secret;
using std::string_literals::operator""s;

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return hex;
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// 8-bit, 72 and 73 bytes, NUL, the longest.
std::vector<std::string> Passwords() {
  return {"x",
          "correct horse battery staple",
          "p\xC3\xA4ssw\xC3\xB6rd",
          "\xE7\xA7\x98\xE5\xAF\x86\xE3\x81\xAE\xE9\x8D\xB5",
          std::string(72, 'a'),
          std::string(73, 'a'),
          "one\0two"s,
          "\xFF\xA3\x80"s,
          std::string(4096, 'z')};
}

class PythonBcryptTest : public ::testing::Test {
 protected:
  // The script's lines for `input`.
  std::vector<std::string> Ask(const std::string& input) {
    std::ofstream(scratch_.path() / "input") << input;
    ChildProcess python(
        {{"/bin/sh", "-c",
          "exec /usr/bin/python3 " HIZO_SOURCE_DIR
          "/tests/clients/python_bcrypt.py < \"$HIZO_INPUT\""},
         {{"HIZO_INPUT", (scratch_.path() / "input").string()}}});
    EXPECT_EQ(python.Wait(), 0) << python.output();
    return python.lines();
  }
  ScratchDirectory scratch_;
};

TEST_F(PythonBcryptTest, AndOursVerifyEachOthersHashes) {
  const std::vector<std::string> passwords = Passwords();
  std::string input;
  for (const std::string& password : passwords) {
    const Key pepper = Key::Random();
    const auto stored = crypto::HashPassword(Secret::CopyOf(password), pepper,
                                             7, crypto::kBcryptCostMin);
    ASSERT_THAT(stored, IsOk());
    input +=
        ToHex(password) + " " + ToHex(pepper.Expose()) + " " + *stored + "\n";
  }
  const std::vector<std::string> lines = Ask(input);
  constexpr size_t kLinesEach = 3;
  ASSERT_EQ(lines.size(), kLinesEach * passwords.size());
  for (size_t i = 0; i < lines.size(); i += kLinesEach) {
    EXPECT_EQ(lines[i], "right") << i;
    for (size_t j = i + 1; j < i + kLinesEach; ++j) {
      std::istringstream line(lines[j]);
      std::string plain;
      std::string theirs;
      line >> plain >> theirs;
      const auto hash =
          crypto::ParseImportedHash(theirs, crypto::kBcryptCostMin);
      ASSERT_THAT(hash, IsOk()) << theirs;
      const auto verify = [&](const std::string& password) {
        return crypto::VerifyPassword(Secret::CopyOf(password), Key(), *hash);
      };
      EXPECT_THAT(verify(FromHex(plain)), IsOkAndHolds(true)) << j;
      EXPECT_THAT(verify("x" + FromHex(plain)), IsOkAndHolds(false)) << j;
    }
  }
}

}  // namespace
}  // namespace hizo::test
