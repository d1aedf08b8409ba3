#include "storage/anchor.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::storage {
namespace {

using test::IsOk;
using test::StatusIs;

// FORMAT.md: two places of one page; in each the body and its inverse.
constexpr size_t kPlaceSize = 4096;
constexpr size_t kEntrySize = 132;

class AnchorTest : public ::testing::Test {
 protected:
  AnchorTest() : file_(scratch_.path() / "anchor"), id_(16, 'i') {}

  static Anchor::Head HeadOf(uint64_t size, char root) {
    return {size, std::string(32, root)};
  }

  std::unique_ptr<Anchor> Create() {
    auto anchor = Anchor::Open(file_, id_, true);
    EXPECT_THAT(anchor, IsOk());
    return *std::move(anchor);
  }

  absl::StatusOr<std::unique_ptr<Anchor>> Reopen() {
    return Anchor::Open(file_, id_, false);
  }

  std::string Contents() const {
    std::ifstream stream(file_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  void Overwrite(const std::string& contents) {
    std::ofstream(file_, std::ios::binary) << contents;
  }

  void Flip(size_t offset) {
    std::string contents = Contents();
    contents.at(offset) = static_cast<char>(contents.at(offset) ^ 0x10);
    Overwrite(contents);
  }

  test::ScratchDirectory scratch_;
  const std::filesystem::path file_;
  const std::string id_;
};

TEST_F(AnchorTest, BeginsWithAnEmptyHead) {
  EXPECT_EQ(Create()->head().size, 0u);
  const auto anchor = Reopen();
  ASSERT_THAT(anchor, IsOk());
  EXPECT_EQ((*anchor)->head().size, 0u);
  EXPECT_EQ((*anchor)->head().root, std::string(32, '\0'));
}

TEST_F(AnchorTest, RemembersEveryHeadInTurn) {
  const auto anchor = Create();
  for (uint64_t size = 1; size <= 5; ++size) {
    const char root = static_cast<char>('a' + size);
    ASSERT_THAT(anchor->Write(HeadOf(size, root)), IsOk());
    EXPECT_EQ(anchor->head().size, size);
    const auto reopened = Reopen();
    ASSERT_THAT(reopened, IsOk());
    EXPECT_EQ((*reopened)->head().size, size);
    EXPECT_EQ((*reopened)->head().root, std::string(32, root));
  }
}

TEST_F(AnchorTest, GoesOnInTheRightPlaceAfterReopening) {
  for (uint64_t size = 1; size <= 4; ++size) {
    auto anchor = size == 1 ? Anchor::Open(file_, id_, true) : Reopen();
    ASSERT_THAT(anchor, IsOk());
    const std::string before = Contents();
    ASSERT_THAT((*anchor)->Write(HeadOf(size, 'r')), IsOk());
    // The place of the previous head is as it was.
    const size_t previous = (size - 1) % 2 * kPlaceSize;
    EXPECT_EQ(Contents().substr(previous, kPlaceSize),
              before.substr(previous, kPlaceSize));
  }
}

TEST_F(AnchorTest, NeverGrows) {
  const auto anchor = Create();
  EXPECT_EQ(std::filesystem::file_size(file_), 2 * kPlaceSize);
  ASSERT_THAT(anchor->Write(HeadOf(1, 'a')), IsOk());
  ASSERT_THAT(anchor->Write(HeadOf(2, 'b')), IsOk());
  EXPECT_EQ(std::filesystem::file_size(file_), 2 * kPlaceSize);
}

TEST_F(AnchorTest, IsReadableByItsOwnerAlone) {
  Create();
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(file_).permissions() &
                (perms::group_all | perms::others_all),
            perms::none);
}

TEST_F(AnchorTest, RefusesASmallerHead) {
  const auto anchor = Create();
  ASSERT_THAT(anchor->Write(HeadOf(7, 'a')), IsOk());
  EXPECT_THAT(anchor->Write(HeadOf(6, 'b')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(anchor->head().size, 7u);
  EXPECT_THAT(anchor->Write(HeadOf(7, 'a')), IsOk());
  const auto reopened = Reopen();
  ASSERT_THAT(reopened, IsOk());
  EXPECT_EQ((*reopened)->head().size, 7u);
}

TEST_F(AnchorTest, RefusesARootOfTheWrongSize) {
  const auto anchor = Create();
  EXPECT_THAT(anchor->Write({1, "short"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(anchor->Write({1, std::string(33, 'r')}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(AnchorTest, RefusesAStoreIdOfTheWrongSize) {
  EXPECT_THAT(Anchor::Open(file_, "short", true),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(AnchorTest, IsNotMadeTwice) {
  ASSERT_THAT(Create()->Write(HeadOf(3, 'a')), IsOk());
  EXPECT_THAT(Anchor::Open(file_, id_, true),
              StatusIs(absl::StatusCode::kAlreadyExists));
  const auto anchor = Reopen();
  ASSERT_THAT(anchor, IsOk());
  EXPECT_EQ((*anchor)->head().size, 3u);
}

TEST_F(AnchorTest, LeavesNoOtherFileBehind) {
  Create();
  EXPECT_FALSE(Anchor::Open(file_, id_, true).ok());
  for (const auto& entry :
       std::filesystem::directory_iterator(scratch_.path())) {
    EXPECT_EQ(entry.path(), file_);
  }
}

TEST_F(AnchorTest, IsMadeInSpiteOfAnUnfinishedAttempt) {
  std::filesystem::path draft = file_;
  draft += ".new";
  std::ofstream(draft) << std::string(3 * kPlaceSize, 'x');
  EXPECT_EQ(Create()->head().size, 0u);
  EXPECT_EQ(std::filesystem::file_size(file_), 2 * kPlaceSize);
}

TEST_F(AnchorTest, IsNotMadeByAccident) {
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(AnchorTest, CannotBeMadeWhereThereIsNoDirectory) {
  EXPECT_THAT(Anchor::Open(scratch_.path() / "none" / "anchor", id_, true),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AnchorTest, CannotBeADirectory) {
  EXPECT_THAT(Anchor::Open(scratch_.path(), id_, false),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AnchorTest, RefusesAnotherStoresAnchor) {
  Create();
  EXPECT_THAT(Anchor::Open(file_, std::string(16, 'j'), false),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(AnchorTest, KeepsThePreviousHeadWhereTheNewerIsTorn) {
  const auto anchor = Create();
  ASSERT_THAT(anchor->Write(HeadOf(1, 'a')), IsOk());
  const std::string older = Contents();
  ASSERT_THAT(anchor->Write(HeadOf(2, 'b')), IsOk());
  const std::string newer = Contents();
  // The newer head lies in the first place; some of it reached the disk.
  for (const size_t written : {1u, 2u, 17u, 30u, 40u, 66u, 67u, 131u}) {
    std::string torn = older;
    torn.replace(0, written, newer, 0, written);
    if (torn.substr(0, kEntrySize) == older.substr(0, kEntrySize)) continue;
    Overwrite(torn);
    const auto reopened = Reopen();
    ASSERT_THAT(reopened, IsOk()) << written;
    EXPECT_EQ((*reopened)->head().size, 1u) << written;
    EXPECT_EQ((*reopened)->head().root, std::string(32, 'a'));
  }
}

TEST_F(AnchorTest, MendsATornPlaceWithTheNextHead) {
  const auto anchor = Create();
  ASSERT_THAT(anchor->Write(HeadOf(1, 'a')), IsOk());
  ASSERT_THAT(anchor->Write(HeadOf(2, 'b')), IsOk());
  Flip(20);
  auto reopened = Reopen();
  ASSERT_THAT(reopened, IsOk());
  ASSERT_THAT((*reopened)->Write(HeadOf(3, 'c')), IsOk());
  // Now the other one may go.
  Flip(kPlaceSize + 20);
  reopened = Reopen();
  ASSERT_THAT(reopened, IsOk());
  EXPECT_EQ((*reopened)->head().size, 3u);
}

TEST_F(AnchorTest, FindsAnyFlippedBit) {
  Create();  // with one head, in the first place
  const std::string good = Contents();
  for (size_t offset = 0; offset < kEntrySize; ++offset) {
    Overwrite(good);
    Flip(offset);
    EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss)) << offset;
  }
}

TEST_F(AnchorTest, IsLostWhereBothPlacesAreDamaged) {
  const auto anchor = Create();
  ASSERT_THAT(anchor->Write(HeadOf(1, 'a')), IsOk());
  Flip(0);
  Flip(kPlaceSize);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AnchorTest, IsLostWhereTheFileIsCutShort) {
  Create();
  const std::string good = Contents();
  for (const size_t size : {size_t{0}, size_t{1}, kEntrySize - 1}) {
    Overwrite(good.substr(0, size));
    EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss)) << size;
  }
}

TEST_F(AnchorTest, IsLostWhereItIsAllZeros) {
  Overwrite(std::string(2 * kPlaceSize, '\0'));
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AnchorTest, RefusesAFormatItDoesNotKnow) {
  Create();
  std::string contents = Contents();
  contents[1] = 2;
  contents[kEntrySize / 2 + 1] = ~2;
  Overwrite(contents);
  EXPECT_THAT(Reopen(), StatusIs(absl::StatusCode::kDataLoss));
}

// While it lives, no file can be written.
class WritesRefused {
 public:
  WritesRefused() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit nothing{0, limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &nothing);
  }
  WritesRefused(const WritesRefused&) = delete;
  WritesRefused& operator=(const WritesRefused&) = delete;
  ~WritesRefused() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*const handler_)(int);
  rlimit limit_{};
};

TEST_F(AnchorTest, KeepsThePreviousHeadWhereAWriteFails) {
  const auto anchor = Create();
  ASSERT_THAT(anchor->Write(HeadOf(1, 'a')), IsOk());
  absl::Status status;
  {
    const WritesRefused refused;
    status = anchor->Write(HeadOf(2, 'b'));
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(anchor->head().size, 1u);
  const auto reopened = Reopen();
  ASSERT_THAT(reopened, IsOk());
  EXPECT_EQ((*reopened)->head().size, 1u);
  EXPECT_THAT(anchor->Write(HeadOf(2, 'b')), IsOk());
  EXPECT_EQ(anchor->head().size, 2u);
}

TEST_F(AnchorTest, IsNotMadeWhereItCannotBeWritten) {
  absl::Status status;
  {
    const WritesRefused refused;
    status = Anchor::Open(file_, id_, true).status();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnknown));
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_EQ(Create()->head().size, 0u);
}

}  // namespace
}  // namespace hizo::storage
