#include "service/app/yaml_reader.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

YamlValue Parsed(const std::string& text) {
  absl::StatusOr<YamlValue> value = ParseYaml(text, "f.yaml");
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : YamlValue{};
}

// The text of the error that `text` must give.
std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<YamlValue> value = ParseYaml(text, "f.yaml");
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

std::string Repeated(const std::string& part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(ParseYamlTest, KeepsOrderAndLines) {
  const YamlValue root = Parsed("b: 1\n\na:\n  - x\n  - 'y'\nc: {d: e}\n");
  ASSERT_EQ(root.items.size(), 3U);
  EXPECT_EQ(root.items[0].key, "b");
  EXPECT_EQ(root.items[0].where, "f.yaml:1");
  EXPECT_EQ(root.items[1].key, "a");
  EXPECT_EQ(root.items[1].where, "f.yaml:3");  // the key's, not the list's
  EXPECT_EQ(root.items[1].items[1].where, "f.yaml:5");
  EXPECT_TRUE(root.items[1].items[0].plain);
  EXPECT_FALSE(root.items[1].items[1].plain);
  EXPECT_EQ(root.items[2].items[0].key, "d");
}

TEST(ParseYamlTest, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"),
            "f.yaml:3: this key stands twice in its map");
  EXPECT_THAT(ErrorOf("x: {a: 1, 'a': 2}\n"), HasSubstr("stands twice"));
}

TEST(ParseYamlTest, TakesTheSameKeyInDifferentMaps) {
  EXPECT_EQ(Parsed("x: {a: 1}\ny: {a: 1}\n").items.size(), 2U);
}

TEST(ParseYamlTest, RefusesAliasesBeforeFollowingThem) {
  EXPECT_EQ(ErrorOf("a: 1\nb: &x [1]\n"), "f.yaml:2: anchors are not allowed");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + before +
            Repeated("," + before, 8) + "]\n";
  }
  EXPECT_THAT(ErrorOf(bomb), HasSubstr("anchors are not allowed"));
  EXPECT_THAT(ErrorOf("a: *b\n"), StartsWith("f.yaml:1: "));
}

TEST(ParseYamlTest, RefusesTagsSecondDocumentsAndKeysThatAreNoText) {
  EXPECT_THAT(ErrorOf("a: !!int 1\n"), HasSubstr("tags are not allowed"));
  EXPECT_THAT(ErrorOf("a: !other {b: c}\n"), HasSubstr("tags"));
  EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"),
            "f.yaml:2: a second document begins here");
  EXPECT_THAT(ErrorOf("? [a, b]\n: 1\n"), HasSubstr("a key is no text"));
  EXPECT_THAT(ErrorOf("? {a: b}\n: 1\n"), HasSubstr("a key is no text"));
  EXPECT_THAT(ErrorOf(": 1\n"), HasSubstr("a key is no text"));
}

TEST(ParseYamlTest, RefusesWhatIsNoMap) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("wanted `key: value` lines"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("wanted `key: value` lines"));
  EXPECT_THAT(ErrorOf("text\n"), HasSubstr("wanted `key: value` lines"));
  EXPECT_THAT(ErrorOf("~\n"), HasSubstr("wanted `key: value` lines"));
}

TEST(ParseYamlTest, TellsTheLineOfASyntaxError) {
  EXPECT_THAT(ErrorOf("a: 1\nb: [1, 2\nc: 3\n"), StartsWith("f.yaml:"));
  EXPECT_THAT(ErrorOf("a: 1\n\tb: 2\n"), StartsWith("f.yaml:2: "));
  EXPECT_THAT(ErrorOf("a: {b: 1\n"), StartsWith("f.yaml:"));
}

TEST(ParseYamlTest, BoundsNesting) {
  const std::string inner = "k: " + Repeated("[", kYamlDepthMax - 1) +
                            Repeated("]", kYamlDepthMax - 1) + "\n";
  EXPECT_EQ(Parsed(inner).items.size(), 1U);
  const std::string deep =
      "k: " + Repeated("[", kYamlDepthMax) + Repeated("]", kYamlDepthMax);
  EXPECT_THAT(ErrorOf(deep), HasSubstr("nested too deep"));
}

TEST(ParseYamlTest, RefusesHostileShapesOfFullSize) {
  for (const char* part : {"[", "{", "- ", "? ", "a: ", "!", "\"", "  "}) {
    const std::string text =
        Repeated(part, kYamlSizeMax / std::string(part).size());
    const absl::StatusOr<YamlValue> value = ParseYaml(text, "f.yaml");
    EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument)
        << part;
  }
}

TEST(ParseYamlTest, RefusesMoreThanItsSize) {
  const std::string most = "a: " + std::string(kYamlSizeMax - 3, 'x');
  EXPECT_EQ(Parsed(most).items.size(), 1U);
  EXPECT_THAT(ErrorOf(most + "x"), HasSubstr("larger than 1 MiB"));
}

TEST(ReadYamlTest, ReadsAFileAndNamesItInErrors) {
  const TempFolder folder;
  const std::filesystem::path file = folder.Write("a.yaml", "a: 1\na: 2\n");
  EXPECT_EQ(ReadYaml(file).status().message(),
            file.string() + ":2: this key stands twice in its map");
  EXPECT_TRUE(ReadYaml(folder.Write("b.yaml", "a: 1\n")).ok());
}

TEST(ReadYamlTest, RefusesMissingFilesFoldersAndHugeFiles) {
  const TempFolder folder;
  EXPECT_EQ(ReadYaml(folder.path() / "none.yaml").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(ReadYaml(folder.path()).ok());
  const std::filesystem::path file =
      folder.Write("huge.yaml", "a: " + std::string(2 * kYamlSizeMax, 'x'));
  EXPECT_EQ(ReadYaml(file).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(YamlValueTest, LetsTheReaderDecideWhatAScalarIs) {
  const YamlValue root = Parsed("a: NO\nb: 12\nc: true\nd: 'true'\n");
  std::string text;
  EXPECT_TRUE(root.items[0].Read(text).ok());
  EXPECT_EQ(text, "NO");
  EXPECT_TRUE(root.items[1].Read(text).ok());
  EXPECT_EQ(text, "12");
  bool flag = false;
  EXPECT_TRUE(root.items[2].Read(flag).ok());
  EXPECT_TRUE(flag);
  EXPECT_FALSE(root.items[3].Read(flag).ok());
  EXPECT_FALSE(root.items[0].Read(flag).ok());
}

TEST(YamlValueTest, RefusesValuesOfAnotherKind) {
  const YamlValue root = Parsed("a: [x]\nb: {c: d}\ne:\nf: ''\ng: [[x]]\n");
  std::string text = "kept";
  std::vector<std::string> texts;
  for (const YamlValue& item : root.items) {
    EXPECT_EQ(item.Read(text).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(text, "kept");
  EXPECT_TRUE(root.items[0].Read(texts).ok());
  EXPECT_THAT(texts, ElementsAre("x"));
  EXPECT_EQ(root.items[1].Read(texts).message(),
            "f.yaml:2: wanted a list of texts");
  EXPECT_FALSE(root.items[2].Read(texts).ok());
  EXPECT_EQ(root.items[4].Read(texts).message(), "f.yaml:5: wanted a text");
  EXPECT_THAT(texts, ElementsAre("x"));
}

TEST(YamlValueTest, BoundsNumbersByTheirType) {
  const YamlValue root = Parsed("a: 65535\nb: 65536\n");
  uint16_t number = 0;
  EXPECT_TRUE(root.items[0].Read(number).ok());
  EXPECT_EQ(number, 65535);
  EXPECT_EQ(root.items[1].Read(number).message(),
            "f.yaml:2: wanted a whole number from 0 to 65535");
  EXPECT_EQ(number, 65535);
}

TEST(YamlValueTest, RefusesWhatIsNoWholeNumber) {
  uint64_t number = 7;
  for (const char* text : {"-1", "+1", "1.5", "1e3", "0x10", "1_000", "'12'",
                           "12 monkeys", "[1]", "18446744073709551616", "~"}) {
    const YamlValue root = Parsed("a: " + std::string(text));
    EXPECT_FALSE(root.items[0].ReadNumber(0, UINT64_MAX, number).ok()) << text;
  }
  EXPECT_EQ(number, 7U);
  const YamlValue root = Parsed("a: 5");
  EXPECT_FALSE(root.items[0].ReadNumber(6, 9, number).ok());
  EXPECT_TRUE(root.items[0].ReadNumber(5, 5, number).ok());
}

enum class Colour { kRed, kBlue };
constexpr std::pair<std::string_view, Colour> kColours[] = {
    {"red", Colour::kRed}, {"blue", Colour::kBlue}};

TEST(YamlMapTest, TakesWhatItIsAskedFor) {
  const YamlValue root =
      Parsed("n: 3\nt: x\nc: blue\nl: [{a: 1}]\nm: {k: v}\n");
  uint32_t number = 0;
  std::string text;
  std::string absent = "default";
  Colour colour = Colour::kRed;
  YamlMap map(root);
  map.Required("n", number)
      .Required("t", text)
      .Optional("absent", absent)
      .RequiredName<Colour>("c", kColours, colour);
  EXPECT_EQ(map.List("l").size(), 1U);
  ASSERT_EQ(map.Map("m").size(), 1U);
  EXPECT_EQ(map.Map("m")[0].key, "k");
  EXPECT_TRUE(map.Finish().ok());
  EXPECT_EQ(number, 3U);
  EXPECT_EQ(text, "x");
  EXPECT_EQ(absent, "default");
  EXPECT_EQ(colour, Colour::kBlue);
}

TEST(YamlMapTest, RefusesKeysThatNobodyAskedFor) {
  const YamlValue root = Parsed("a: 1\nmask_kind: 2\n");
  uint32_t number = 0;
  YamlMap map(root);
  map.Required("a", number).Required("mask", number);
  // The misspelt key says more than the one that is missing because of it.
  EXPECT_EQ(map.Finish().message(), "f.yaml:2: unknown key `mask_kind`");
}

TEST(YamlMapTest, TellsTheFirstThingThatIsWrong) {
  const YamlValue root = Parsed("o:\n  a: x\n  b: green\n");
  uint32_t number = 9;
  Colour colour = Colour::kRed;
  YamlMap map(root.items[0]);
  map.Required("a", number).RequiredName<Colour>("b", kColours, colour);
  map.Required("c", number);
  EXPECT_EQ(map.Finish().message(),
            "f.yaml:2: wanted a whole number from 0 to 4294967295");
  EXPECT_EQ(number, 9U);
}

TEST(YamlMapTest, TellsWhatIsMissingAndWhichNamesThereAre) {
  const YamlValue root = Parsed("o:\n  b: green\n");
  uint32_t number = 0;
  std::string text;
  Colour colour = Colour::kRed;
  YamlMap missing(root.items[0]);
  missing.Optional("b", text);
  missing.Required("c", number);
  EXPECT_EQ(missing.Finish().message(), "f.yaml:1: `c` is missing");
  YamlMap named(root.items[0]);
  named.RequiredName<Colour>("b", kColours, colour);
  EXPECT_EQ(named.Finish().message(), "f.yaml:2: wanted one of red blue");
}

TEST(YamlMapTest, RefusesValuesThatAreNoMapOrList) {
  const YamlValue root = Parsed("a: text\nb: [1]\n");
  uint32_t number = 0;
  YamlMap scalar(root.items[0]);
  scalar.Required("x", number);
  EXPECT_EQ(scalar.Finish().message(), "f.yaml:1: wanted `key: value` pairs");
  YamlMap list(root.items[1]);
  EXPECT_FALSE(list.Finish().ok());
  YamlMap map(root);
  EXPECT_TRUE(map.List("a").empty());
  EXPECT_TRUE(map.Map("b").empty());
  EXPECT_EQ(map.Finish().message(), "f.yaml:1: wanted a list");
}

}  // namespace
}  // namespace hizo::app
