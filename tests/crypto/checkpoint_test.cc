#include "crypto/checkpoint.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "crypto/signed_note.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using test::IsOk;
using test::StatusIs;

// The example of C2SP tlog-checkpoint, but for its log's name and size.
constexpr char kText[] =
    "hizo/store\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

NoteSigner SignerOf(const std::string& name, char seed = 's') {
  return {name, Key::CopyOf(std::string(Key::kSize, seed))};
}

TEST(CheckpointTest, IsReadAsItIsWritten) {
  const auto checkpoint = ParseCheckpoint(kText);
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_EQ(checkpoint->origin, "hizo/store");
  EXPECT_EQ(checkpoint->tree.size, 20852163U);
  EXPECT_EQ(checkpoint->tree.root[0], 0x0A);
  EXPECT_EQ(CheckpointText(*checkpoint), kText);
}

TEST(CheckpointTest, HoldsTheSmallestAndTheLargestTree) {
  for (const uint64_t size :
       {uint64_t{0}, std::numeric_limits<uint64_t>::max()}) {
    const auto read = ParseCheckpoint(CheckpointText({"o", {size, {}}}));
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->tree.size, size);
  }
}

TEST(CheckpointTest, RefusesWhatIsNotWrittenSo) {
  const std::string root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
  const std::vector<std::string> wrong = {
      "", "\n", "\n1\n" + root + "\n", "o\n" + root + "\n", "o\n1\n",
      "o\n1\n" + root, "o\n01\n" + root + "\n", "o\n+1\n" + root + "\n",
      "o\n-1\n" + root + "\n", "o\n 1\n" + root + "\n", "o\n1x\n" + root + "\n",
      "o\n18446744073709551616\n" + root + "\n", "o\n1\n" + root + "\n\n",
      "o\n1\n" + root + "\nextension\n", "o\n1\nAAAA\n",
      "o\n1\n" + root.substr(0, 43) + "\n",
      // Another spelling of the same bytes.
      "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n"};
  for (const std::string& text : wrong) {
    EXPECT_THAT(ParseCheckpoint(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(OpenCheckpointTest, TakesWhatItsLogHasSigned) {
  const NoteSigner signer = SignerOf("hizo/store");
  const auto opened = OpenCheckpoint(signer.Sign(kText), signer.verifier_key());
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->tree.size, 20852163U);
}

TEST(OpenCheckpointTest, RefusesAnotherKeyAndAChange) {
  const NoteSigner signer = SignerOf("hizo/store");
  const std::string note = signer.Sign(kText);
  EXPECT_THAT(OpenCheckpoint(note, SignerOf("hizo/store", 'o').verifier_key()),
              StatusIs(absl::StatusCode::kDataLoss));
  std::string changed = note;
  changed[note.find('2')] = '3';
  EXPECT_THAT(OpenCheckpoint(changed, signer.verifier_key()),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(OpenCheckpoint(kText, signer.verifier_key()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(OpenCheckpointTest, RefusesWhatAKeyHasSignedForAnotherLog) {
  const NoteSigner signer = SignerOf("hizo/other");
  EXPECT_THAT(OpenCheckpoint(signer.Sign(kText), signer.verifier_key()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenCheckpoint(signer.Sign("a receipt\n"), signer.verifier_key()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hizo::crypto
