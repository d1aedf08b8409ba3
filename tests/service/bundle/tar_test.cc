#include "service/bundle/tar.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/refusal.h"
#include "tests/service/bundle/raw_tar.h"
#include "tests/testing/status_matchers.h"

namespace hizo::bundle {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::ElementsAre;

constexpr base::Timestamp kTime{std::chrono::seconds(1'700'000'000)};

TarReader::Source SourceOf(std::string archive, size_t piece = 700) {
  return [archive = std::move(archive), piece,
          at = size_t{0}]() mutable -> absl::StatusOr<std::string> {
    std::string next = archive.substr(std::min(at, archive.size()), piece);
    at += next.size();
    return next;
  };
}

struct Outcome {
  std::vector<std::string> names;
  std::vector<std::string> contents;
  absl::Status status;
};
Outcome ReadAll(TarReader::Source source) {
  TarReader reader(std::move(source));
  Outcome outcome;
  Member member;
  for (;;) {
    const auto more = reader.Next(member);
    outcome.status = more.status();
    if (!more.ok() || !*more) return outcome;
    outcome.names.push_back(member.name);
    outcome.contents.push_back(member.content);
  }
}

// Why an archive of one good member and then `raw` is refused.
std::optional<Refusal> WhyNot(const std::string& raw) {
  const std::string archive =
      TarMember("folder", "good", kTime, "good") + raw + TarEnd();
  return RefusalOf(ReadAll(SourceOf(archive)).status);
}
std::optional<Refusal> WhyNot(const RawEntry& entry) {
  return WhyNot(RawMember(entry));
}

TEST(TarTest, ReadsWhatItWrites) {
  const std::string large(kMemberSizeMax, 'x');
  const std::string archive = TarMember("folder", "a.json", kTime, "one") +
                              TarMember("folder", "empty", kTime, "") +
                              TarMember("folder", "large", kTime, large) +
                              TarEnd();
  for (const size_t piece : {size_t{1} << 30, size_t{4096}, size_t{999}}) {
    const Outcome outcome = ReadAll(SourceOf(archive, piece));
    EXPECT_THAT(outcome.status, IsOk());
    EXPECT_THAT(outcome.names, ElementsAre("a.json", "empty", "large"));
    EXPECT_THAT(outcome.contents, ElementsAre("one", "", large));
  }
}

TEST(TarTest, WritesTheSameForTheSame) {
  EXPECT_EQ(TarMember("folder", "a", kTime, "x"),
            TarMember("folder", "a", kTime, "x"));
}

// The helper of this test makes good headers, so that what is refused below is
// refused for what it says.
TEST(TarTest, ReadsHeadersOfSomebodyElse) {
  EXPECT_EQ(RawMember({.path = "folder/other", .content = "x"}),
            TarMember("folder", "other", kTime, "x"));
  EXPECT_EQ(WhyNot(RawEntry{.path = "folder/other", .content = "x"}),
            std::nullopt);
}

TEST(TarTest, RefusesAnotherSpellingOfTheSame) {
  std::string padded = TarMember("folder", "other", kTime, "x");
  padded.back() = 'x';
  EXPECT_EQ(WhyNot(padded), Refusal::kNotAnArchive);
  EXPECT_EQ(WhyNot(TarMember("folder", "other", kTime + std::chrono::seconds(1),
                             "x")),
            Refusal::kStrangeMember);
}

TEST(TarTest, RefusesPaths) {
  for (const char* path :
       {"../good2", "folder/../x", "/folder/x", "/etc/passwd", "folder/x/y",
        "folder", "folder/", "x", "folder/.x", "folder/X", "folder/a b",
        "folder/a\\b", "other/x", "./folder/x", "folder//x", "C:/x",
        "folder/\xe7\xa7\x98"}) {
    EXPECT_EQ(WhyNot(RawEntry{.path = path, .content = "x"}),
              Refusal::kStrangeMember)
        << path;
  }
}

TEST(TarTest, RefusesWhatIsNoPlainFile) {
  for (const char type : {'1', '2', '3', '4', '5', '6', '7', 'S', 'V', 'M'}) {
    const auto why =
        WhyNot(RawEntry{.path = "folder/x", .type = type, .link = "good"});
    EXPECT_TRUE(why == Refusal::kStrangeMember || why == Refusal::kNotAnArchive)
        << type;
  }
}

TEST(TarTest, RefusesLongNames) {
  // GNU's, and pax's, of 300 bytes.
  const std::string name = "folder/" + std::string(293, 'n');
  const std::string gnu =
      RawMember({.path = "././@LongLink", .content = name, .type = 'L'}) +
      RawMember({.path = name, .content = "x"});
  EXPECT_EQ(WhyNot(gnu), Refusal::kStrangeMember);
  const std::string pax = RawMember({.path = "folder/pax",
                                     .content = "310 path=" + name + "\n",
                                     .type = 'x'}) +
                          RawMember({.path = "folder/x", .content = "x"});
  EXPECT_TRUE(WhyNot(pax).has_value());
  EXPECT_EQ(WhyNot(RawEntry{.path = "folder/" + std::string(80, 'n'),
                            .content = "x"}),
            Refusal::kStrangeMember);
}

TEST(TarTest, RefusesModesThatRun) {
  for (const char* mode : {"000755 ", "004644 ", "000666 "}) {
    EXPECT_EQ(
        WhyNot(RawEntry{.path = "folder/x", .content = "x", .mode = mode}),
        Refusal::kStrangeMember);
  }
}

TEST(TarTest, RefusesTheSameNameTwice) {
  EXPECT_EQ(WhyNot(RawEntry{.path = "folder/good", .content = "bad"}),
            Refusal::kRepeatedMember);
}

TEST(TarTest, RefusesSizesLikeBombs) {
  EXPECT_EQ(WhyNot(RawEntry{.path = "folder/x", .size = "77777777777"}),
            Refusal::kTooLarge);
  EXPECT_EQ(WhyNot(RawEntry{.path = "folder/x", .size = "00020000001"}),
            Refusal::kTooLarge);
  // Base 256, as GNU's tar writes what octal cannot.
  EXPECT_TRUE(WhyNot(RawEntry{.path = "folder/x",
                              .size = std::string("\x80\0\0\0\xff\xff\xff\xff"
                                                  "\xff\xff\xff\xff",
                                                  12)})
                  .has_value());
}

TEST(TarTest, RefusesTooManyMembers) {
  std::string archive;
  for (size_t i = 0; i <= kMembersMax; ++i) {
    archive += TarMember("folder", "m" + std::to_string(i), kTime, "");
  }
  const Outcome outcome = ReadAll(SourceOf(archive + TarEnd(), 1 << 20));
  EXPECT_EQ(RefusalOf(outcome.status), Refusal::kTooLarge);
  EXPECT_EQ(outcome.names.size(), kMembersMax);
}

TEST(TarTest, RefusesEveryCut) {
  const std::string archive = TarMember("folder", "a", kTime, "one") +
                              TarMember("folder", "b", kTime, "two") + TarEnd();
  for (size_t size = 0; size < archive.size(); size += 61) {
    EXPECT_EQ(RefusalOf(ReadAll(SourceOf(archive.substr(0, size))).status),
              Refusal::kNotAnArchive)
        << size;
  }
}

TEST(TarTest, RefusesWhatComesAfterTheEnd) {
  const std::string good = TarMember("folder", "a", kTime, "one");
  for (const std::string& archive :
       {good + TarEnd() + "x", good + TarEnd() + TarEnd(),
        good + TarEnd() + TarMember("folder", "b", kTime, "two") + TarEnd(),
        good + TarEnd().substr(1) + "x", good}) {
    EXPECT_EQ(RefusalOf(ReadAll(SourceOf(archive)).status),
              Refusal::kNotAnArchive);
  }
}

TEST(TarTest, RefusesOtherFormats) {
  for (const std::string& bytes :
       {std::string("PK\3\4 a zip"), std::string("\x1f\x8b\x08 a gzip"),
        std::string(1024, 'x'), std::string()}) {
    EXPECT_EQ(RefusalOf(ReadAll(SourceOf(bytes)).status),
              Refusal::kNotAnArchive);
  }
  // Tar before there was ustar.
  EXPECT_EQ(
      WhyNot(RawEntry{
          .path = "folder/x", .content = "x", .magic = std::string(8, '\0')}),
      Refusal::kStrangeMember);
}

TEST(TarTest, GivesBackAnErrorOfItsSource) {
  const std::string archive = TarMember("folder", "a", kTime, "one");
  size_t calls = 0;
  const Outcome outcome = ReadAll([&]() -> absl::StatusOr<std::string> {
    if (++calls == 1) return archive;
    return absl::UnavailableError("gone");
  });
  EXPECT_THAT(outcome.status, StatusIs(absl::StatusCode::kUnavailable));
}

TEST(MemberNameTest, IsShortAndPlain) {
  for (const char* good : {"a", "profile.json", "transaction-0001.ndjson"}) {
    EXPECT_TRUE(IsMemberName(good)) << good;
  }
  for (const char* bad : {"", ".", "..", "a/b", "A", "a b", "-a", ".a", "a\n",
                          "0a", "a_b", "\xe7\xa7\x98"}) {
    EXPECT_FALSE(IsMemberName(bad)) << bad;
  }
  EXPECT_TRUE(IsMemberName(std::string(kMemberNameMax, 'a')));
  EXPECT_FALSE(IsMemberName(std::string(kMemberNameMax + 1, 'a')));
}

}  // namespace
}  // namespace hizo::bundle
