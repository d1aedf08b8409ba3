// Contact card, JSON-LD and page.
#include "service/bundle/contact.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/labels.h"
#include "service/bundle/page.h"
#include "tests/service/bundle/sample.h"

namespace hizo::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<Record> OneField(std::string record_class, std::string name,
                             std::string json) {
  std::vector<Record> records(1);
  records[0].record_class = std::move(record_class);
  records[0].fields.push_back({std::move(name), base::Pii(std::move(json))});
  return records;
}

TEST(ContactCardTest, HasWhatVCardAsksFor) {
  const std::string card = ContactCard(SampleAbout(), SampleRecords());
  EXPECT_THAT(card, StartsWith("BEGIN:VCARD\r\nVERSION:4.0\r\n"));
  EXPECT_TRUE(card.ends_with("END:VCARD\r\n"));
  EXPECT_THAT(card, HasSubstr("EMAIL:tsato@example.com\r\n"));
  EXPECT_THAT(card, HasSubstr("TEL;VALUE=uri;TYPE=cell:tel:+819012345678\r\n"));
}

TEST(ContactCardTest, FoldsAfter75OctetsBetweenCharacters) {
  const std::vector<std::string> lines =
      absl::StrSplit(ContactCard(SampleAbout(), SampleRecords()), "\r\n");
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 75U);
    // No line begins in the middle of a character.
    const size_t first = line.starts_with(' ') ? 1 : 0;
    if (line.size() > first) {
      EXPECT_NE(static_cast<unsigned char>(line[first]) & 0xC0U, 0x80U);
    }
  }
}

TEST(ContactCardTest, EscapesWhatWouldBeSyntax) {
  const std::string card = ContactCard(
      SampleAbout(),
      OneField("profile", "full_name", R"("a;b,c\\d\ne\r\nEND:VCARD")"));
  EXPECT_THAT(card, HasSubstr("FN:a\\;b\\,c\\\\d\\ne\\nEND:VCARD\r\n"));
}

TEST(ContactCardTest, HasANameForEverybody) {
  EXPECT_THAT(ContactCard(SampleAbout(), {}),
              HasSubstr("FN:" + std::string(kSampleSubject)));
  EXPECT_THAT(ContactCard(SampleAbout(),
                          OneField("account", "email", R"("a@example.com")")),
              HasSubstr("FN:a@example.com"));
}

TEST(ContactCardTest, TakesNothingFromOtherClasses) {
  EXPECT_THAT(ContactCard(SampleAbout(),
                          OneField("billing", "full_name", R"("Secret")")),
              Not(HasSubstr("Secret")));
}

TEST(PersonJsonLdTest, IsAPersonOfSchemaOrg) {
  const std::string json = PersonJsonLd(SampleAbout(), SampleRecords());
  EXPECT_THAT(json, HasSubstr(R"("@context": "https://schema.org")"));
  EXPECT_THAT(json, HasSubstr(R"("@type": "Person")"));
  EXPECT_THAT(json, HasSubstr(R"("addressCountry": "JP")"));
}

class PageTest : public ::testing::Test {
 protected:
  std::string Page(const std::vector<Record>& records,
                   Language language = Language::kEnglish) {
    Manifest manifest;
    manifest.about = SampleAbout();
    manifest.about.language = language;
    manifest.withheld = {{"credential.password_hash", "secret", 1}};
    PageSeries series{"transaction", {"invoice_number"}, {}, 0};
    for (const Record& record : SampleSeries(150)) series.Add(record);
    return PageHtml(manifest, records, {series});
  }
};

TEST_F(PageTest, EscapesEveryValue) {
  const std::string page =
      Page(OneField("profile", "full_name",
                    R"("<script>alert('x')</script>&amp;\" onload=\"y")"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\" onload")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)"));
}

TEST_F(PageTest, ShowsTimesAndAnswersAsPeopleWriteThem) {
  EXPECT_THAT(Page(OneField("profile", "newsletter", "true")),
              HasSubstr("<span lang=\"en\">Yes</span><span lang=\"ja\">はい"));
  EXPECT_THAT(Page(OneField("profile", "last_seen",
                            R"({"timestamp":"2026-05-10T09:30:00.5Z"})")),
              HasSubstr("2026-05-10 09:30:00 UTC"));
}

TEST_F(PageTest, CutsLongTextsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xe7\xa7\x98";
  const std::string page =
      Page(OneField("profile", "note", "\"" + text + "\""));
  EXPECT_LT(page.size(), text.size() + 40'000 - 4000);
  EXPECT_THAT(page, HasSubstr("\xe7\xa7\x98\xe2\x80\xa6</bdi>"));
}

TEST_F(PageTest, FetchesAndRunsNothing) {
  const std::string page = Page(SampleRecords());
  for (const char* outside : {"http://", "https://", "<script", "<img", "<link",
                              "@import", "url(", "<iframe", "<form"}) {
    // A value may hold one; it is text.
    EXPECT_THAT(page, Not(HasSubstr("=\"" + std::string(outside))));
    if (outside[0] == '<' || outside[0] == '@' || outside[0] == 'u') {
      EXPECT_THAT(page, Not(HasSubstr(outside))) << outside;
    }
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST_F(PageTest, OpensInTheLanguageThatWasAskedFor) {
  EXPECT_THAT(Page({}), HasSubstr("id=\"en\" checked>"));
  EXPECT_THAT(Page({}, Language::kJapanese), HasSubstr("id=\"ja\" checked>"));
  EXPECT_THAT(Page({}, Language::kJapanese), HasSubstr("<html lang=\"ja\">"));
}

TEST_F(PageTest, ShowsSomeOfALongSeriesAndSaysSo) {
  const std::string page = Page({});
  EXPECT_THAT(page, HasSubstr("INV-99<"));
  EXPECT_THAT(page, Not(HasSubstr("INV-100<")));
  EXPECT_THAT(page, HasSubstr("The first 100 of 150"));
}

TEST_F(PageTest, DescribesSecretsWithoutShowingThem) {
  EXPECT_THAT(Page({}), HasSubstr("Password (only a hash is kept)"));
  EXPECT_THAT(Page({}), HasSubstr("described but never shown"));
}

TEST(LabelsTest, AreInBothLanguagesAndFallBackToTheName) {
  EXPECT_EQ(LabelOf("full_name", Language::kEnglish), "Name");
  EXPECT_EQ(LabelOf("full_name", Language::kJapanese), "氏名");
  EXPECT_EQ(LabelOf("some_new_field", Language::kJapanese), "Some new field");
  EXPECT_EQ(LabelOf("", Language::kEnglish), "");
}

// On a phone each row is a list: every value has its heading beside it, and an
// empty one has none.
TEST_F(PageTest, SaysWhatThePersonDidNotProvide) {
  auto records = OneField("account", "username", "\"ann\"");
  EXPECT_THAT(Page(records), Not(HasSubstr("(<span")));
  records[0].fields[0].source = Source::kObserved;
  EXPECT_THAT(Page(records), AllOf(HasSubstr("recorded as you used the"),
                                   HasSubstr("ご利用に伴い記録")));
  records[0].fields[0].source = Source::kDerived;
  EXPECT_THAT(Page(records), AllOf(HasSubstr("worked out by the company"),
                                   HasSubstr("当社が作成")));
}

TEST_F(PageTest, SaysWhyThingsAreLeftOut) {
  Manifest manifest;
  manifest.about = SampleAbout();
  manifest.withheld = {{"account.last_login_at", "interest_only", 1},
                       {"transaction.amount", "derived", 2}};
  EXPECT_THAT(PageHtml(manifest, {}, {}),
              AllOf(HasSubstr("legitimate interest"), HasSubstr("正当な利益"),
                    HasSubstr("worked it out"), HasSubstr("(2)")));
}

// A column of nothing is noise on a desk and takes room on paper.
TEST_F(PageTest, LeavesOutColumnsWithoutAValue) {
  Manifest manifest;
  manifest.about = SampleAbout();
  PageSeries series{"transaction", {"invoice_number", "tax_amount"}, {}, 0};
  series.Add(Invoice(1));
  series.Add(Invoice(2));
  const std::string page = PageHtml(manifest, {}, {series});
  EXPECT_THAT(page, HasSubstr("<th><span lang=\"en\">Invoice</span>"));
  EXPECT_THAT(page, Not(HasSubstr(">Tax<")));
  EXPECT_THAT(page, HasSubstr("INV-2"));
}

TEST_F(PageTest, PrintsRowsOfManyColumnsAsLists) {
  Manifest manifest;
  manifest.about = SampleAbout();
  const std::vector<std::string> some = {
      "invoice_number", "amount", "invoice_name", "payment_at", "refund"};
  PageSeries series{"transaction", some, {}, 0};
  series.Add(Invoice(1));
  EXPECT_THAT(PageHtml(manifest, {}, {series}),
              HasSubstr("<table class=\"rows\">"));
  PageSeries wide = series;
  wide.fields.push_back("payment_status");
  wide.rows[0].emplace_back("paid");
  EXPECT_THAT(PageHtml(manifest, {}, {wide}),
              HasSubstr("<table class=\"rows many\">"));
}

TEST_F(PageTest, NamesEveryValueOfASeries) {
  Manifest manifest;
  manifest.about = SampleAbout();
  const PageSeries series{"transaction",
                          {"invoice_number", "amount"},
                          {{"then", "<1>", ""}, {"then", "", "5"}},
                          2};
  const std::string page = PageHtml(manifest, {}, {series});
  const std::string key = "<td><span class=\"key\"><span lang=\"en\">";
  EXPECT_THAT(page, HasSubstr(key + "When</span>"));
  EXPECT_THAT(page, HasSubstr(key + "Invoice</span>"));
  EXPECT_THAT(page, HasSubstr("</span></span><bdi>&lt;1&gt;</bdi></td>"));
  EXPECT_THAT(page, HasSubstr("</td><td></td></tr>"));
  const size_t amount = page.find(key + "Amount</span>");
  EXPECT_NE(amount, std::string::npos);
  EXPECT_EQ(page.find(key + "Amount</span>", amount + 1), std::string::npos);
}

}  // namespace
}  // namespace hizo::bundle
