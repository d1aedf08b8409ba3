#include "service/cli/history_page.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/audit.pb.h"

namespace hizo::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMayTenth = 1'778'405'400;  // 2026-05-10T09:30:00Z

google::protobuf::Timestamp At(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  return time;
}

v1::AccessHistoryEntry Entry(int64_t seconds = kMayTenth) {
  v1::AccessHistoryEntry entry;
  *entry.mutable_time() = At(seconds);
  entry.set_what("Read data of yours");
  entry.set_who("the service \"storefront\"");
  entry.set_about("The shop, where you sign up.");
  entry.set_purpose("service_delivery");
  entry.set_purpose_text("Giving people the service they signed up for.");
  entry.add_fields("profile.full_name");
  entry.add_fields("account.phone");
  entry.set_view(v1::VIEW_PLAIN);
  entry.set_outcome(v1::OUTCOME_ALLOWED);
  return entry;
}
v1::AccessHistoryEntry Refused() {
  v1::AccessHistoryEntry entry = Entry();
  entry.set_who("a privacy officer");
  entry.set_staff("3FA91C");
  entry.set_outcome(v1::OUTCOME_DENIED);
  entry.set_refusal("Refused: not allowed for this purpose.");
  return entry;
}

std::string Page(const std::vector<v1::AccessHistoryEntry>& entries) {
  return HistoryHtml(entries, At(kMayTenth + 60));
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(CsvCellTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(CsvCell(""), "");
  EXPECT_EQ(CsvCell("plain"), "plain");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(CsvCell("a\nb"), "\"a\nb\"");
}

TEST(CsvCellTest, NoCellIsAFormula) {
  for (const char* text : {"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1",
                           "|calc", "%0A=1", "\tx"}) {
    const std::string cell = CsvCell(text);
    EXPECT_EQ(cell[cell.front() == '"' ? 1 : 0], '\'') << text;
  }
  EXPECT_EQ(CsvCell("=a,b"), "\"'=a,b\"");
  EXPECT_EQ(CsvCell("a=b"), "a=b");
}

TEST(HistoryCsvTest, HasALineForEachEntry) {
  EXPECT_EQ(
      HistoryCsv({Entry(), Refused()}),
      "time,what,who,staff,purpose,fields,view,outcome,refusal,recipient\r\n"
      "2026-05-10T09:30:00Z,Read data of yours,"
      "\"the service \"\"storefront\"\"\",,service_delivery,"
      "\"profile.full_name, account.phone\",PLAIN,ALLOWED,,\r\n"
      "2026-05-10T09:30:00Z,Read data of yours,a privacy officer,3FA91C,"
      "service_delivery,\"profile.full_name, account.phone\",PLAIN,DENIED,"
      "Refused: not allowed for this purpose.,\r\n");
}

TEST(HistoryCsvTest, TellsToWhomDataWereSent) {
  v1::AccessHistoryEntry sent = Entry();
  sent.set_recipient("other-shop");
  EXPECT_THAT(HistoryCsv({sent}), HasSubstr("PLAIN,ALLOWED,,other-shop\r\n"));
  EXPECT_THAT(Page({sent}), HasSubstr("<dt>Sent to</dt><dd>other-shop</dd>"));
  EXPECT_THAT(Page({Entry()}), Not(HasSubstr("Sent to")));
}

TEST(FieldNameTest, IsForPeople) {
  EXPECT_EQ(FieldName("profile.full_name"), "Full name");
  EXPECT_EQ(FieldName("account.plan"), "Plan");
  EXPECT_EQ(FieldName("plan"), "Plan");
  EXPECT_EQ(FieldName(""), "");
}

TEST(HtmlTextTest, LeavesNothingThatIsMarkup) {
  EXPECT_EQ(HtmlText("<a href=\"x\" onclick='y'>&"),
            "&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;");
  EXPECT_THAT(HtmlText("a\x1b[2Jb"), Not(HasSubstr("\x1b")));
}

TEST(HistoryHtmlTest, TellsEverythingInWords) {
  EXPECT_THAT(
      Page({Entry()}),
      AllOf(HasSubstr("<h3>Read data of yours</h3>"),
            HasSubstr("The service &quot;storefront&quot;<br>"),
            HasSubstr("The shop, where you sign up."),
            HasSubstr("Giving people the service they signed up for."),
            HasSubstr("Full name, Phone"), HasSubstr("The data themselves"),
            HasSubstr("Sunday, 10 May 2026"), HasSubstr(">09:30<"),
            HasSubstr("1 entry. "), HasSubstr("10 May 2026, 09:31")));
}

TEST(HistoryHtmlTest, MarksWhatWasRefusedAndShowsAPseudonym) {
  EXPECT_THAT(Page({Entry(), Refused()}),
              AllOf(HasSubstr("<li class=\"no\">"),
                    HasSubstr("Refused: not allowed for this purpose."),
                    HasSubstr("A privacy officer (no. 3FA91C)"),
                    HasSubstr("<dd>Nothing</dd>"), HasSubstr("2 entries, of "),
                    HasSubstr("1 came to nothing or was refused")));
}

TEST(HistoryHtmlTest, GroupsByDay) {
  const std::string page = Page({Entry(), Entry(), Entry(kMayTenth - 86400)});
  EXPECT_EQ(CountOf(page, "<h2>"), 2U);
  EXPECT_EQ(CountOf(page, "<ol>"), 2U);
  EXPECT_EQ(CountOf(page, "</ol>"), 2U);
  EXPECT_EQ(CountOf(page, "<li>"), 3U);
}

TEST(HistoryHtmlTest, LoadsAndRunsNothing) {
  const std::string page = Page({Entry(), Refused()});
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("http:")),
                          Not(HasSubstr("https:")), Not(HasSubstr("url(")),
                          Not(HasSubstr("@import")), Not(HasSubstr("src="))));
  EXPECT_THAT(page,
              AllOf(HasSubstr("default-src 'none'"),
                    HasSubstr("width=device-width"), HasSubstr("lang=\"en\"")));
}

TEST(HistoryHtmlTest, NothingOfAnEntryIsMarkup) {
  v1::AccessHistoryEntry entry = Refused();
  const std::string attack = "<img onerror=x>";
  entry.set_what(attack);
  entry.set_who(attack);
  entry.set_staff(attack);
  entry.set_about(attack);
  entry.set_purpose_text(attack);
  entry.add_fields(attack);
  entry.set_refusal(attack);
  EXPECT_THAT(Page({entry}), Not(HasSubstr("<img")));
}

TEST(HistoryHtmlTest, IsAPageWithoutEntries) {
  EXPECT_THAT(Page({}), AllOf(HasSubstr("0 entries. "), HasSubstr("</html>")));
}

}  // namespace
}  // namespace hizo::cli
