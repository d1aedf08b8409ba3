#include "service/bundle/manifest.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/refusal.h"
#include "tests/service/bundle/sample.h"
#include "tests/testing/status_matchers.h"

namespace hizo::bundle {
namespace {

using test::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

Manifest Sample() {
  Manifest manifest;
  manifest.about = SampleAbout();
  manifest.records = {{"profile", 1}, {"transaction", 3}};
  manifest.withheld = {{"credential.password_hash", "secret", 1}};
  manifest.members = {ListedOf("profile.json", "{}", Kind::kProfile),
                      ListedOf("transaction-0001.ndjson", "", Kind::kSeries),
                      ListedOf("index.html", "<p>", Kind::kOther)};
  return manifest;
}

TEST(ManifestTest, ComesBack) {
  const std::string json = ToJson(Sample());
  const auto read = ParseManifest(json);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(ToJson(*read), json);
  EXPECT_EQ(read->members[1].kind, Kind::kSeries);
  EXPECT_EQ(read->about.checkpoint, SampleAbout().checkpoint);
  EXPECT_EQ(read->records.at("transaction"), 3U);
}

TEST(ManifestTest, TellsSourcesOtherThanThePerson) {
  EXPECT_THAT(ToJson(Sample()), Not(HasSubstr("sources")));
  Manifest observed = Sample();
  observed.sources = {{"derived", 2}, {"observed", 7}};
  const std::string json = ToJson(observed);
  const auto read = ParseManifest(json);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->sources, observed.sources);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"\"observed\": 7", "\"observed\": -7"},
           {"\"observed\": 7", "\"observed\": \"7\""},
           {"\"sources\": {", "\"sources\": [{"},
           {"\"derived\": 2,\n  \"observed\": 7",
            "\"observed\": 7,\n  \"derived\": 2"},
           {"{\n  \"derived\": 2,\n  \"observed\": 7\n }", "{}"}}) {
    const std::string bad = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(bad, json) << from;
    EXPECT_EQ(RefusalOf(ParseManifest(bad).status()), Refusal::kUnknownSchema)
        << to;
  }
}

TEST(ManifestTest, HasOneSpelling) {
  const std::string json = ToJson(Sample());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"hizo-bundle/1", "hizo-bundle/2"},
           {"\"size\": 2", "\"size\": 2.0"},
           {"\"size\": 2", "\"size\": -2"},
           {"\"size\": 2", "\"size\":  2"},
           {"\"kind\": \"series\"", "\"kind\": \"link\""},
           {"\"name\": \"index.html\"", "\"name\": \"../index.html\""},
           {"\"selection\": \"portability\"", "\"selection\": \"all\""},
           {"\"language\": \"en\"", "\"language\": \"de\""},
           {"\"tenant\": \"acme\"", "\"tenant\": \"acme\", \"x\": 1"},
           {"\"tenant\": \"acme\"", "\"tenant\": null"},
           {"2026-09", "2026-9"},
           {kSampleSubject, "me"},
           {"\"withheld\"", "\"held\""}}) {
    const std::string bad = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(bad, json) << from;
    EXPECT_EQ(RefusalOf(ParseManifest(bad).status()), Refusal::kUnknownSchema)
        << to;
  }
  EXPECT_EQ(RefusalOf(ParseManifest(json + " ").status()),
            Refusal::kUnknownSchema);
  EXPECT_EQ(RefusalOf(ParseManifest("[]").status()), Refusal::kUnknownSchema);
}

TEST(ManifestTest, KeepsItsProof) {
  const auto read = ParseManifest(ToJson(Sample()));
  ASSERT_THAT(read, IsOk());
  ASSERT_TRUE(read->about.proof.has_value());
  EXPECT_EQ(read->about.proof->sequence, 9U);
  EXPECT_EQ(read->about.proof->entry, "entry 9");
  EXPECT_EQ(read->about.proof->path, SampleAbout().proof->path);
  Manifest without = Sample();
  without.about.proof.reset();
  const auto again = ParseManifest(ToJson(without));
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->about.proof.has_value());
}

TEST(ManifestTest, AProofHasOneSpelling) {
  const std::string json = ToJson(Sample());
  const size_t at = json.find("\"path\": [");
  ASSERT_NE(at, std::string::npos);
  const std::string first = json.substr(json.find('"', at + 9) + 1, 44);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"\"sequence\": 9", "\"sequence\": -9"},
           {"\"sequence\": 9", "\"sequence\": \"9\""},
           {"\"sequence\": 9", "\"sequence\": 9, \"x\": 1"},
           {"\"sequence\": 9", "\"number\": 9"},
           {"\"entry\": \"ZW50cnkgOQ==\"", "\"entry\": \"ZW50cnkgOQ\""},
           {"\"entry\": \"ZW50cnkgOQ==\"", "\"entry\": \"ZW50cnkgOR==\""},
           {"\"entry\": \"ZW50cnkgOQ==\"", "\"entry\": null"},
           {"\"path\": [", "\"path\": [1, "},
           {first, first.substr(0, 40)},
           {"\"proof\"", "\"proved\""}}) {
    const std::string bad = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(bad, json) << from;
    EXPECT_EQ(RefusalOf(ParseManifest(bad).status()), Refusal::kUnknownSchema)
        << to;
  }
  Manifest endless = Sample();
  endless.about.proof->path.resize(65);
  EXPECT_EQ(RefusalOf(ParseManifest(ToJson(endless)).status()),
            Refusal::kUnknownSchema);
}

TEST(ManifestTest, BelievesAProofThatHolds) {
  EXPECT_THAT(CheckAudit(SampleAbout()), IsOk());
  About about = SampleAbout();
  about.proof.reset();
  EXPECT_THAT(CheckAudit(about), IsOk());
}

TEST(ManifestTest, BelievesNoOtherProof) {
  const auto refused = [](const About& about) {
    return RefusalOf(CheckAudit(about)) == Refusal::kUnproved;
  };
  const About good = SampleAbout();
  About about = good;
  about.proof->sequence = 8;
  EXPECT_TRUE(refused(about));
  about.proof->sequence = 12;  // one that is not in that log yet
  EXPECT_TRUE(refused(about));
  about = good;
  about.proof->entry += "!";
  EXPECT_TRUE(refused(about));
  for (size_t i = 0; i < good.proof->path.size(); ++i) {
    about = good;
    about.proof->path[i][31] ^= 1U;
    EXPECT_TRUE(refused(about)) << i;
  }
  about = good;
  about.proof->path.pop_back();
  EXPECT_TRUE(refused(about));
  about = good;
  about.proof->path.push_back(good.proof->path[0]);
  EXPECT_TRUE(refused(about));
  about = good;  // a good head, of another time
  about.checkpoint = SampleCheckpoint(good.origin, 11);
  EXPECT_TRUE(refused(about));
}

// Whether or not there is a proof.
TEST(ManifestTest, BelievesNoHeadThatTheLogDidNotSign) {
  for (const bool proved : {true, false}) {
    About good = SampleAbout();
    if (!proved) good.proof.reset();
    const auto refused = [](const About& about) {
      return RefusalOf(CheckAudit(about)) == Refusal::kUnproved;
    };
    About about = good;
    about.checkpoint[about.checkpoint.find('2')] = '3';
    EXPECT_TRUE(refused(about));
    about = good;
    about.checkpoint = SampleCheckpoint("hizo/other", 12);
    EXPECT_TRUE(refused(about));
    about = good;
    about.origin = "hizo/other";
    EXPECT_TRUE(refused(about));
    about = good;
    about.checkpoint_key = "hizo/store+c74f20a3+ARpc2Qc";
    EXPECT_TRUE(refused(about));
    about = good;
    about.checkpoint.clear();
    EXPECT_TRUE(refused(about));
  }
}

TEST(ManifestTest, RefusesEveryCut) {
  const std::string json = ToJson(Sample());
  for (size_t size = 0; size < json.size(); size += 3) {
    EXPECT_FALSE(ParseManifest(json.substr(0, size)).ok());
  }
}

TEST(ManifestTest, KnowsItsMembers) {
  const Listed listed = ListedOf("a", "content", Kind::kOther);
  EXPECT_EQ(listed.sha256,
            "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
  EXPECT_TRUE(IsOf(listed, "content"));
  EXPECT_FALSE(IsOf(listed, "Content"));
  EXPECT_FALSE(IsOf(listed, "content "));
}

}  // namespace
}  // namespace hizo::bundle
