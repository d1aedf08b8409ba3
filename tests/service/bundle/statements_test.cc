// consents.json, its schema, and the section of the page.
#include "service/bundle/statements.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/page.h"
#include "tests/service/bundle/sample.h"

namespace hizo::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConsentsJsonTest, SaysWhatWasSaidAndWhen) {
  EXPECT_EQ(ConsentsJson(SampleAbout(), SampleStatements()),
            R"({
 "schema": "https://hizo.example/schema/consents-1.json",
 "bundle": "0b6f4f6e-7d6b-4c53-9d0b-3f2f4f6a1c22",
 "subject": "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10",
 "consents": [
  {
   "purpose": "communications_marketing",
   "text": "Telling people about offers.",
   "policy_version": 3,
   "channel": "web",
   "evidence": "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2",
   "given": "2026-05-28T20:26:40Z",
   "withdrawn": "2026-05-29T20:26:40Z"
  },
  {
   "purpose": "data_analytics",
   "text": "Counting <people> & \"comparing\".",
   "policy_version": 4,
   "channel": "paper",
   "evidence": "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2",
   "given": "2026-05-28T20:26:40Z"
  }
 ],
 "objections": [
  {
   "state": "upheld",
   "made": "2026-05-28T20:26:40Z",
   "decided": "2026-05-28T20:26:40Z"
  },
  {
   "purpose": "security",
   "text": "Protecting accounts.",
   "state": "rejected",
   "ground": "compelling",
   "made": "2026-05-28T20:26:40Z",
   "decided": "2026-05-29T20:26:40Z"
  }
 ],
 "restrictions": [
  {
   "ground": "accuracy_contested",
   "since": "2026-05-28T20:26:40Z"
  }
 ]
}
)");
}

TEST(ConsentsJsonTest, SaysThatNothingWasSaid) {
  EXPECT_THAT(
      ConsentsJson(SampleAbout(), {}),
      AllOf(HasSubstr("\"consents\": []"), HasSubstr("\"objections\": []"),
            HasSubstr("\"restrictions\": []")));
}

TEST(ConsentsJsonTest, NamesItsSchema) {
  EXPECT_THAT(std::string(ConsentsSchema()), HasSubstr(kConsentsSchemaId));
  EXPECT_THAT(ConsentsJson(SampleAbout(), {}), HasSubstr(kConsentsSchemaId));
}

TEST(StatementsOnThePageTest, AreInBothLanguages) {
  Manifest manifest;
  manifest.about = SampleAbout();
  const std::string page = PageHtml(manifest, {}, {}, SampleStatements());
  EXPECT_THAT(page,
              AllOf(HasSubstr("What you have agreed and objected to"),
                    HasSubstr("同意と異議"), HasSubstr("You agreed"),
                    HasSubstr("撤回"), HasSubstr("Upheld"), HasSubstr("却下"),
                    HasSubstr("利用の制限"), HasSubstr("ダイレクト")));
  EXPECT_THAT(page, HasSubstr("2026-05-29 20:26:40 UTC"));
}

TEST(StatementsOnThePageTest, AreEscaped) {
  std::string out;
  AppendStatements(SampleStatements(), out);
  EXPECT_THAT(out, HasSubstr("Counting &lt;people&gt; &amp; &quot;"));
  EXPECT_THAT(out, Not(HasSubstr("<people>")));
}

TEST(StatementsOnThePageTest, AreNothingOfWhoSaidNothing) {
  std::string out;
  AppendStatements({}, out);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace hizo::bundle
