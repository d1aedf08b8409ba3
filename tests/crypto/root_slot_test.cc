#include "crypto/root_slot.h"

#include <sodium.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using std::string_literals::operator""s;
using test::IsOk;
using test::StatusIs;

constexpr size_t kBlock = 4096;

std::string ChecksumOf(const std::string& bytes) {
  std::string checksum(32, '\0');
  crypto_generichash(
      reinterpret_cast<uint8_t*>(checksum.data()), checksum.size(),
      reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), nullptr, 0);
  return checksum;
}

class RootSlotTest : public testing::Test {
 protected:
  RootSlotTest()
      : folder_(fs::path(testing::TempDir()) / ToHex(RandomBytes(8))),
        file_(folder_ / "slot"),
        slot_(file_) {
    fs::create_directory(folder_);
    EXPECT_THAT(slot_.Create(), IsOk());
  }
  ~RootSlotTest() override { fs::remove_all(folder_); }

  static RootSlot::Root MakeRoot(uint64_t epoch) {
    return {.epoch = epoch, .key = Key::Random()};
  }
  // The epochs in the slot, oldest first.
  std::vector<uint64_t> Epochs() {
    const auto roots = slot_.Read(store_);
    EXPECT_THAT(roots, IsOk());
    std::vector<uint64_t> epochs;
    if (!roots.ok()) return epochs;
    for (const RootSlot::Root& root : *roots) epochs.push_back(root.epoch);
    return epochs;
  }
  std::string FileBytes() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // In place, as a medium that goes bad would.
  void Overwrite(size_t offset, const std::string& bytes) const {
    std::fstream out(file_, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(offset));
    out << bytes;
  }

  const std::string store_ = RandomBytes(16);
  const fs::path folder_;
  const fs::path file_;
  FileRootSlot slot_;
};

TEST_F(RootSlotTest, AFreshSlotIsEmptyAndItsOwnersOnly) {
  EXPECT_TRUE(Epochs().empty());
  EXPECT_EQ(FileBytes(), std::string(2 * kBlock, '\0'));
  EXPECT_EQ(fs::status(file_).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(RootSlotTest, CreateKeepsWhatExists) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(1)), IsOk());
  EXPECT_THAT(slot_.Create(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{1});
}

TEST_F(RootSlotTest, CreateNeedsAFolder) {
  FileRootSlot slot(folder_ / "missing" / "slot");
  EXPECT_THAT(slot.Create(), StatusIs(StatusCode::kNotFound));
}

TEST_F(RootSlotTest, GivesBackWhatWasPut) {
  const RootSlot::Root root = MakeRoot(7);
  ASSERT_THAT(slot_.Put(store_, root), IsOk());
  FileRootSlot reopened(file_);
  const auto roots = reopened.Read(store_);
  ASSERT_THAT(roots, IsOk());
  ASSERT_EQ(roots->size(), 1u);
  EXPECT_EQ(roots->front().epoch, 7u);
  EXPECT_EQ(roots->front().key.Expose(), root.key.Expose());
}

TEST_F(RootSlotTest, HoldsTwoEpochsOldestFirst) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(8)), IsOk());
  ASSERT_THAT(slot_.Put(store_, MakeRoot(7)), IsOk());
  EXPECT_EQ(Epochs(), (std::vector<uint64_t>{7, 8}));
}

TEST_F(RootSlotTest, ErasureLeavesNoByteOfTheRoot) {
  const RootSlot::Root old_root = MakeRoot(7);
  const RootSlot::Root new_root = MakeRoot(8);
  ASSERT_THAT(slot_.Put(store_, old_root), IsOk());
  ASSERT_THAT(slot_.Put(store_, new_root), IsOk());
  ASSERT_THAT(slot_.Erase(store_, 7), IsOk());
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{8});
  const std::string bytes = FileBytes();
  EXPECT_EQ(bytes.find(old_root.key.Expose()), std::string::npos);
  EXPECT_NE(bytes.find(new_root.key.Expose()), std::string::npos);
  EXPECT_EQ(bytes.substr(kBlock), std::string(kBlock, '\0'));
}

TEST_F(RootSlotTest, WritesInPlaceAndNeverRenames) {
  struct stat before = {};
  struct stat after = {};
  ASSERT_EQ(stat(file_.c_str(), &before), 0);
  ASSERT_THAT(slot_.Put(store_, MakeRoot(1)), IsOk());
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  ASSERT_THAT(slot_.Erase(store_, 1), IsOk());
  ASSERT_EQ(stat(file_.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(RootSlotTest, ErasingWhatIsNotThereChangesNothing) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(8)), IsOk());
  for (const uint64_t epoch : {6u, 7u, 9u, 10u}) {
    EXPECT_THAT(slot_.Erase(store_, epoch), IsOk());
  }
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{8});
}

TEST_F(RootSlotTest, PuttingTheSameAgainIsNoError) {
  const RootSlot::Root root = MakeRoot(3);
  ASSERT_THAT(slot_.Put(store_, root), IsOk());
  EXPECT_THAT(slot_.Put(store_, root), IsOk());
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{3});
}

TEST_F(RootSlotTest, NeverOverwritesALivingRoot) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(3)), IsOk());
  const std::string before = FileBytes();
  EXPECT_THAT(slot_.Put(store_, MakeRoot(3)),
              StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(slot_.Put(store_, MakeRoot(5)),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(slot_.Put(store_, MakeRoot(1)),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(FileBytes(), before);
}

TEST_F(RootSlotTest, RefusesAnotherStoresSlot) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(4)), IsOk());
  const std::string before = FileBytes();
  const std::string other = RandomBytes(16);
  EXPECT_THAT(slot_.Read(other), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(slot_.Put(other, MakeRoot(5)),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(slot_.Erase(other, 4), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(FileBytes(), before);
}

TEST_F(RootSlotTest, RefusesAStoreIdOfAnotherSize) {
  EXPECT_THAT(slot_.Read("short"), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(slot_.Put("", MakeRoot(1)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(RootSlotTest, AMissingSlotIsNotFoundAndNotMade) {
  fs::remove(file_);
  EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(slot_.Put(store_, MakeRoot(1)), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(slot_.Erase(store_, 1), StatusIs(StatusCode::kNotFound));
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(RootSlotTest, RefusesAFileThatOthersMayRead) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(1)), IsOk());
  for (const fs::perms open :
       {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write,
        fs::perms::others_exec}) {
    fs::permissions(file_, fs::perms::owner_all | open);
    EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kPermissionDenied));
    EXPECT_THAT(slot_.Put(store_, MakeRoot(2)),
                StatusIs(StatusCode::kPermissionDenied));
    EXPECT_THAT(slot_.Erase(store_, 1),
                StatusIs(StatusCode::kPermissionDenied));
  }
  fs::permissions(file_, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{1});
}

TEST_F(RootSlotTest, RefusesALinkInPlaceOfTheFile) {
  fs::rename(file_, folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", file_);
  EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(RootSlotTest, RefusesAnotherFileSize) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(1)), IsOk());
  for (const size_t size :
       {size_t{0}, kBlock, 2 * kBlock - 1, 2 * kBlock + 1}) {
    fs::resize_file(file_, size);
    EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kDataLoss));
  }
}

TEST_F(RootSlotTest, AnyChangedByteOfTheOnlyRootIsDataLoss) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  const std::string before = FileBytes();
  for (const size_t at : {0u, 7u, 8u, 9u, 10u, 15u, 16u, 32u, 39u, 40u, 71u,
                          72u, 4063u, 4064u, 4095u}) {
    Overwrite(at, std::string(1, static_cast<char>(before[at] ^ 1)));
    EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kDataLoss)) << at;
    Overwrite(at, before.substr(at, 1));
  }
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{2});
}

TEST_F(RootSlotTest, ABlockInTheWrongPlaceIsDataLoss) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  const std::string bytes = FileBytes();
  Overwrite(0, bytes.substr(kBlock) + bytes.substr(0, kBlock));
  EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kDataLoss));
}

TEST_F(RootSlotTest, ATornPutLeavesTheOtherRootReadable) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  const RootSlot::Root next = MakeRoot(3);
  ASSERT_THAT(slot_.Put(store_, next), IsOk());
  // Only the first sector reached the medium.
  Overwrite(kBlock + 512, std::string(kBlock - 512, '\0'));
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{2});
  EXPECT_NE(FileBytes().find(next.key.Expose()), std::string::npos);
  ASSERT_THAT(slot_.Erase(store_, 3), IsOk());
  EXPECT_EQ(FileBytes().substr(kBlock), std::string(kBlock, '\0'));
}

TEST_F(RootSlotTest, ATornEraseCanBeRepeated) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  ASSERT_THAT(slot_.Put(store_, MakeRoot(3)), IsOk());
  Overwrite(512, std::string(kBlock - 512, '\0'));
  ASSERT_THAT(slot_.Erase(store_, 2), IsOk());
  EXPECT_EQ(Epochs(), std::vector<uint64_t>{3});
  EXPECT_EQ(FileBytes().substr(0, kBlock), std::string(kBlock, '\0'));
}

TEST_F(RootSlotTest, ATornBlockMayBePutAgain) {
  ASSERT_THAT(slot_.Put(store_, MakeRoot(2)), IsOk());
  Overwrite(kBlock, "half a block");
  ASSERT_THAT(slot_.Put(store_, MakeRoot(3)), IsOk());
  EXPECT_EQ(Epochs(), (std::vector<uint64_t>{2, 3}));
}

// The block of crypto/FORMAT.md, by hand; its checksum from
// format_vectors.py.
std::string VectorBlock() {
  std::string block = "HIZOSLT1\x01"s + std::string(7, '\0') +
                      FromHex(kVectorStoreId) + "\0\0\0\0\0\0\0\6"s +
                      FromHex(kVectorRoot);
  block.resize(kBlock - 32, '\0');
  return block + FromHex(kVectorSlotChecksum);
}

TEST_F(RootSlotTest, ReadsTheBlockOfAnIndependentEncoder) {
  Overwrite(0, VectorBlock());
  const auto roots = slot_.Read(FromHex(kVectorStoreId));
  ASSERT_THAT(roots, IsOk());
  ASSERT_EQ(roots->size(), 1u);
  EXPECT_EQ(roots->front().epoch, 6u);
  EXPECT_EQ(ToHex(roots->front().key.Expose()), kVectorRoot);
}

TEST_F(RootSlotTest, WritesTheBlockOfAnIndependentEncoder) {
  ASSERT_THAT(slot_.Put(FromHex(kVectorStoreId),
                        {.epoch = 6, .key = KeyFromHex(kVectorRoot)}),
              IsOk());
  EXPECT_EQ(FileBytes().substr(0, kBlock), VectorBlock());
}

TEST_F(RootSlotTest, LeavesAProtectionThatItDoesNotKnowAlone) {
  Overwrite(0, FromHex(kVectorProtectedBlock) +
                   std::string(kBlock - 32 - 72, '\0') +
                   FromHex(kVectorProtectedChecksum));
  const std::string store = FromHex(kVectorStoreId);
  const std::string before = FileBytes();
  EXPECT_THAT(slot_.Read(store), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(slot_.Put(store, MakeRoot(6)),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(slot_.Erase(store, 6), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(FileBytes(), before);
}

TEST_F(RootSlotTest, SaysHowFinalItsErasureIs) {
  EXPECT_EQ(slot_.erasure_level(), RootSlot::ErasureLevel::kOverwrittenInPlace);
}

// --- With a passphrase

class SealedSlotTest : public RootSlotTest {
 protected:
  static std::unique_ptr<SlotPassphrases> Passphrases(
      const std::string& passphrase) {
    return SlotPassphrases::FromLines(Secret::CopyOf(passphrase), {1, 8})
        .value();
  }
  FileRootSlot sealed_{file_, Passphrases("correct horse battery")};
};

TEST_F(SealedSlotTest, GivesBackWhatWasPutAndHoldsNoByteOfIt) {
  const RootSlot::Root first = MakeRoot(1);
  const RootSlot::Root second = MakeRoot(2);
  ASSERT_THAT(sealed_.Put(store_, first), IsOk());
  ASSERT_THAT(sealed_.Put(store_, second), IsOk());
  const auto roots = sealed_.Read(store_);
  ASSERT_THAT(roots, IsOk());
  ASSERT_EQ(roots->size(), 2U);
  EXPECT_TRUE(ConstantTimeEquals((*roots)[0].key.Expose(), first.key.Expose()));
  EXPECT_TRUE(
      ConstantTimeEquals((*roots)[1].key.Expose(), second.key.Expose()));
  for (const RootSlot::Root* root : {&first, &second}) {
    EXPECT_EQ(FileBytes().find(root->key.Expose()), std::string::npos);
  }
  ASSERT_THAT(sealed_.Put(store_, second), IsOk()) << "the same again";
  ASSERT_THAT(sealed_.Erase(store_, 1), IsOk());
  EXPECT_EQ(sealed_.Read(store_)->size(), 1U);
}

TEST_F(SealedSlotTest, IsClosedToOthers) {
  ASSERT_THAT(sealed_.Put(store_, MakeRoot(1)), IsOk());
  EXPECT_THAT(slot_.Read(store_), StatusIs(StatusCode::kFailedPrecondition));
  FileRootSlot wrong(file_, Passphrases("another passphrase"));
  EXPECT_THAT(wrong.Read(store_), StatusIs(StatusCode::kPermissionDenied));
  const std::string before = FileBytes();
  EXPECT_THAT(wrong.Put(store_, MakeRoot(3)),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(wrong.Erase(store_, 1), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(FileBytes(), before);
}

// A store that had none gets one; the clear root goes with the next seal.
TEST_F(SealedSlotTest, TakesOverASlotInTheClear) {
  const RootSlot::Root clear = MakeRoot(1);
  ASSERT_THAT(slot_.Put(store_, clear), IsOk());
  ASSERT_EQ(sealed_.Read(store_)->size(), 1U);
  const RootSlot::Root next = MakeRoot(2);
  ASSERT_THAT(sealed_.Put(store_, next), IsOk());
  ASSERT_THAT(sealed_.Erase(store_, 1), IsOk());
  EXPECT_EQ(FileBytes().find(clear.key.Expose()), std::string::npos);
  EXPECT_EQ(FileBytes().find(next.key.Expose()), std::string::npos);
  EXPECT_EQ(sealed_.Read(store_)->size(), 1U);
}

TEST_F(SealedSlotTest, ARootMovedToAnotherStoreOrEpochDoesNotOpen) {
  ASSERT_THAT(sealed_.Put(store_, MakeRoot(1)), IsOk());
  const std::string sealed = FileBytes().substr(kBlock + 40, 96);
  ASSERT_THAT(sealed_.Put(store_, MakeRoot(2)), IsOk());
  Overwrite(40, sealed);
  // As somebody would who knows how the checksum is made.
  Overwrite(kBlock - 32, ChecksumOf(FileBytes().substr(0, kBlock - 32)));
  EXPECT_THAT(sealed_.Read(store_), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(SealedSlotTest, ATornPutLeavesTheOtherRootReadable) {
  ASSERT_THAT(sealed_.Put(store_, MakeRoot(1)), IsOk());
  ASSERT_THAT(sealed_.Put(store_, MakeRoot(2)), IsOk());
  Overwrite(100, "torn");
  EXPECT_EQ(sealed_.Read(store_)->size(), 1U);
}

}  // namespace
}  // namespace hizo::crypto
