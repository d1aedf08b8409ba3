#include "crypto/breached_list.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crypto/normalise.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using absl::StatusCode;
using test::IsOk;
using test::IsOkAndHolds;
using test::StatusIs;

class BreachedListTest : public testing::Test {
 protected:
  void Make(const std::vector<std::string>& passwords) {
    std::vector<uint64_t> prefixes;
    for (const std::string& password : passwords) {
      prefixes.push_back(BreachedPrefix(Secret::CopyOf(password)));
    }
    std::ranges::sort(prefixes);
    auto writer = BreachedListWriter::Create(file_);
    ASSERT_THAT(writer, IsOk());
    for (const uint64_t prefix : prefixes) {
      ASSERT_THAT(writer->Add(prefix), IsOk());
    }
    ASSERT_THAT(writer->Finish(), IsOkAndHolds(passwords.size()));
  }
  std::string Bytes() {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Put(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary) << bytes;
  }

  test::ScratchDirectory scratch_;
  const std::filesystem::path file_ = scratch_.path() / "list";
};

TEST(BreachedPrefixTest, IsTheBeginningOfSha1) {
  // RFC 3174, test 1: A9993E36 4706816A ...
  EXPECT_EQ(BreachedPrefix(Secret::CopyOf("abc")), 0xA9993E364706816AU);
}

TEST(BreachedPrefixTest, IsReadFromLinesOfPublicLists) {
  const std::string digits = "A9993E364706816ABA3E25717850C26C9CD0D89D";
  std::string lower = digits;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(c));
  });
  for (const std::string& line :
       {digits, lower, digits + ":12", digits + "\r", digits + ":1\r"}) {
    EXPECT_EQ(ParseBreachedLine(line), 0xA9993E364706816AU) << line;
  }
  for (const std::string& line :
       {std::string(), std::string("abc"), digits.substr(1), digits + "0",
        digits + " 1", " " + digits, "G" + digits.substr(1)}) {
    EXPECT_EQ(ParseBreachedLine(line), std::nullopt) << line;
  }
}

TEST_F(BreachedListTest, FindsWhatIsInItAndNothingElse) {
  std::vector<std::string> passwords;
  for (int i = 0; i < 1000; ++i) passwords.push_back(std::to_string(i));
  Make(passwords);
  const auto list = BreachedList::Open(file_);
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ((*list)->size(), 1000U);
  for (const std::string& password : passwords) {
    EXPECT_THAT((*list)->Contains(Secret::CopyOf(password)),
                IsOkAndHolds(true));
    EXPECT_THAT((*list)->Contains(Secret::CopyOf("x" + password)),
                IsOkAndHolds(false));
  }
}

TEST_F(BreachedListTest, MayHoldOneOrNone) {
  Make({"one"});
  EXPECT_THAT((*BreachedList::Open(file_))->Contains(Secret::CopyOf("one")),
              IsOkAndHolds(true));
  std::filesystem::remove(file_);
  Make({});
  EXPECT_THAT((*BreachedList::Open(file_))->Contains(Secret::CopyOf("one")),
              IsOkAndHolds(false));
}

TEST_F(BreachedListTest, LeavesOutRepeatsAndRefusesDisorder) {
  auto writer = BreachedListWriter::Create(file_);
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT(writer->Add(0), IsOk());
  EXPECT_THAT(writer->Add(0), IsOk());
  EXPECT_THAT(writer->Add(7), IsOk());
  EXPECT_THAT(writer->Add(7), IsOk());
  EXPECT_THAT(writer->Add(6), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(writer->Finish(), IsOkAndHolds(2U));
}

TEST_F(BreachedListTest, ReplacesNoFile) {
  Put("something");
  EXPECT_THAT(BreachedListWriter::Create(file_),
              StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(BreachedListWriter::Create(scratch_.path() / "no" / "list"),
              StatusIs(StatusCode::kUnavailable));
}

TEST_F(BreachedListTest, IsRefusedUnlessItIsWhole) {
  EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kNotFound));
  Make({"one", "two"});
  const std::string whole = Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    Put(whole.substr(0, size));
    EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kDataLoss))
        << size;
  }
  Put(whole + "x");
  EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kDataLoss));
  Put(whole + std::string(8, 'x'));
  EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kDataLoss));
  for (size_t at = 0; at < 24; ++at) {
    std::string other = whole;
    other[at] = static_cast<char>(other[at] ^ 1);
    Put(other);
    EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kDataLoss))
        << at;
  }
}

TEST_F(BreachedListTest, IsNoneUntilItIsFinished) {
  {
    auto writer = BreachedListWriter::Create(file_);
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT(writer->Add(1), IsOk());
  }
  EXPECT_THAT(BreachedList::Open(file_), StatusIs(StatusCode::kDataLoss));
}

TEST_F(BreachedListTest, SaysSoWhenItCanNoLongerBeRead) {
  Make({"one", "two"});
  const auto list = BreachedList::Open(file_);
  ASSERT_THAT(list, IsOk());
  std::filesystem::resize_file(file_, 24);
  EXPECT_THAT((*list)->Contains(Secret::CopyOf("one")),
              StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hizo::crypto
