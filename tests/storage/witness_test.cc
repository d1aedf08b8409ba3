#include "storage/witness.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

namespace fs = std::filesystem;
using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WitnessTest : public ::testing::Test {
 protected:
  std::vector<uint64_t> Sizes() const {
    const auto sizes = witness_->Sizes();
    EXPECT_THAT(sizes, IsOk());
    return sizes.ok() ? *sizes : std::vector<uint64_t>();
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_.path() / name, std::ios::binary) << text;
  }
  test::ScratchDirectory scratch_;
  const std::unique_ptr<Witness> witness_ = *Witness::Open(scratch_.path());
};

TEST_F(WitnessTest, RemembersWhatItWasShown) {
  EXPECT_THAT(Sizes(), IsEmpty());
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  EXPECT_THAT(witness_->Show({1000, "a thousand"}), IsOk());
  EXPECT_THAT(witness_->Show({kMax, "the most"}), IsOk());
  EXPECT_THAT(witness_->Show({7, "seven"}), IsOk());
  EXPECT_THAT(Sizes(), ElementsAre(7, 1000, kMax));
  const auto again = Witness::Open(scratch_.path());
  ASSERT_THAT(again, IsOk());
  const auto seen = (*again)->Read(1000);
  ASSERT_THAT(seen, IsOk());
  EXPECT_EQ(seen->note, "a thousand");
  EXPECT_EQ(seen->size, 1000U);
}

TEST_F(WitnessTest, ChangesNothingThatItHasSeen) {
  EXPECT_THAT(witness_->Show({7, "seven"}), IsOk());
  EXPECT_THAT(witness_->Show({7, "seven"}), IsOk());
  EXPECT_THAT(witness_->Show({7, "a fork"}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(witness_->Read(7)->note, "seven");
}

TEST_F(WitnessTest, LooksAtNoOtherFiles) {
  for (const char* name :
       {"7.checkpoint", "00000000000000000007.checkpoint.part",
        "0000000000000000000x.checkpoint", "99999999999999999999.checkpoint",
        "00000000000000000007", "readme"}) {
    Write(name, "x");
  }
  EXPECT_THAT(Sizes(), IsEmpty());
}

TEST_F(WitnessTest, SetsAsideWithoutDestroying) {
  EXPECT_THAT(witness_->Show({7, "seven"}), IsOk());
  EXPECT_THAT(witness_->SetAside(7), IsOk());
  EXPECT_THAT(Sizes(), IsEmpty());
  EXPECT_TRUE(fs::exists(scratch_.path() /
                         "00000000000000000007.checkpoint.overridden"));
  EXPECT_THAT(witness_->SetAside(7), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(witness_->Show({7, "another"}), IsOk());
}

TEST_F(WitnessTest, AHeadThatCannotBeReadIsAnError) {
  EXPECT_THAT(witness_->Read(7), StatusIs(absl::StatusCode::kUnavailable));
  Write("00000000000000000007.checkpoint", "");
  EXPECT_THAT(witness_->Read(7), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(WitnessTest, AFolderThatIsGoneIsAnError) {
  EXPECT_THAT(Witness::Open(scratch_.path() / "nothing"),
              StatusIs(absl::StatusCode::kNotFound));
  const fs::path gone = scratch_.path() / "gone";
  fs::create_directory(gone);
  const auto witness = Witness::Open(gone);
  ASSERT_THAT(witness, IsOk());
  fs::remove(gone);
  EXPECT_THAT((*witness)->Sizes(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT((*witness)->Show({1, "x"}),
              StatusIs(absl::StatusCode::kUnavailable));
}

// --- Its program

class WitnessProgramTest : public WitnessTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::create_directory(folder_));
    SetProgram("cat > " + told_.string() + "; echo \"$1\" >> " +
               told_.string());
    witness_ = *Witness::Open(folder_, program_);
  }
  void SetProgram(const std::string& text) const {
    Write("program", "#!/bin/sh\n" + text + "\n");
    fs::permissions(program_, fs::perms::owner_all);
  }
  std::string Told() const {
    std::ifstream in(told_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const fs::path folder_ = scratch_.path() / "folder";
  const fs::path program_ = scratch_.path() / "program";
  const fs::path told_ = scratch_.path() / "told";
  std::unique_ptr<Witness> witness_;
};

TEST_F(WitnessProgramTest, IsGivenEachHead) {
  EXPECT_THAT(witness_->Show({7, "seven\n"}), IsOk());
  EXPECT_EQ(Told(), "seven\n7\n");
  EXPECT_THAT(witness_->Show({8, "eight\n"}), IsOk());
  EXPECT_EQ(Told(), "eight\n8\n");
}

TEST_F(WitnessProgramTest, IsGivenAHeadAgainThatItFailedToTake) {
  SetProgram("exit 1");
  EXPECT_THAT(witness_->Show({7, "seven\n"}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(witness_->Read(7)->note, "seven\n");
  SetProgram("cat > " + told_.string());
  EXPECT_THAT(witness_->Show({7, "seven\n"}), IsOk());
  EXPECT_EQ(Told(), "seven\n");
}

TEST_F(WitnessProgramTest, IsNotGivenAFork) {
  EXPECT_THAT(witness_->Show({7, "seven\n"}), IsOk());
  EXPECT_THAT(witness_->Show({7, "a fork\n"}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Told(), "seven\n7\n");
}

}  // namespace
}  // namespace hizo::storage
