#include "service/app/legal_terms.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/app/policy_file.h"

namespace hizo::app {
namespace {

using policy::LegalTerm;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

YamlValue Parsed(const std::string& text) {
  return ParseYaml(text, "file").value();
}

TEST(LegalTermsTest, DurationsAreReckonedInDays) {
  EXPECT_EQ(DaysOf("P90D"), 90U);
  EXPECT_EQ(DaysOf("P7Y"), 2555U);
  EXPECT_EQ(DaysOf("P24M"), DaysOf("P2Y"));
  EXPECT_EQ(DaysOf("P1M"), 30U);
  EXPECT_EQ(DaysOf("PT72H"), 3U);
  EXPECT_EQ(DaysOf("P1M_after_last_send"), 30U);
}

TEST(LegalTermsTest, WhatIsNoDurationIsNone) {
  for (const char* text : {"", "P", "P7", "7Y", "PY", "P7W", "PT7Y", "P-1D",
                           "P1234567D", "forever", "_P7Y", "P 7Y"}) {
    EXPECT_EQ(DaysOf(text), std::nullopt) << text;
  }
}

TEST(LegalTermsTest, TermsAreFoundByTheirPaths) {
  const YamlValue profile = Parsed(
      "retention:\n  transaction: {duration: P7Y, duration_after_end: P1Y}\n"
      "  account: {duration: null}\n");
  const YamlValue statutory = Parsed(
      "modules:\n  jp_tax: {invoice_copy: {duration: P7Y}, loss_year: P10Y}\n"
      "  gdpr: {rights_response: {duration: P1M}}\n");
  EXPECT_THAT(
      ReadLegalTerms(profile, statutory),
      ElementsAre(LegalTerm{"modules.jp_tax.invoice_copy.duration", 2555},
                  LegalTerm{"modules.jp_tax.loss_year", 3650},
                  LegalTerm{"retention.transaction", 2555},
                  LegalTerm{"retention.transaction.after_end", 365}));
}

TEST(LegalTermsTest, SilenceIsNoTerm) {
  EXPECT_THAT(ReadLegalTerms(Parsed("retention: null\n"), Parsed("a: b\n")),
              IsEmpty());
}

TEST(LegalTermsTest, TheShippedFilesHaveTheirs) {
  const std::string folder = HIZO_SOURCE_DIR "/deploy/policies/";
  const auto source =
      ReadPolicy({folder + "i7relay.yaml", folder + "statutory_overlay.yaml",
                  folder + "operator/i7relay.yaml"});
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_THAT(source->legal_terms,
              Contains(LegalTerm{"retention.transaction", 2555}));
  EXPECT_THAT(
      source->legal_terms,
      Contains(LegalTerm{"modules.cpra.request_records.duration", 730}));
  EXPECT_EQ(source->legal_terms.size(), 11U);
}

}  // namespace
}  // namespace hizo::app
