#include "service/cli/history_page.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "hizo/v1/audit.pb.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";

// The look of the page. Small screens come first; what is wide is added.
constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Who had access to your data</title>
<style>
:root { color-scheme: light dark; --ink: #1c1f23; --soft: #5a6270; --line: #d9dde3;
  --ground: #f6f7f9; --card: #fff; --no: #a3261b; --no-ground: #fdeeec; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ec; --soft: #a3abb8; --line: #3a414b; --ground: #16181b;
    --card: #1f2226; --no: #ff9b8f; --no-ground: #3a201d; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 48rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 .75rem; }
.soft, dt { color: var(--soft); }
ol { list-style: none; margin: 0; padding: 0; }
li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem 1rem; margin: 0 0 .75rem; }
li.no { box-shadow: inset .25rem 0 var(--no); }
h3 { font-size: 1rem; margin: 0; }
.when { float: right; margin-left: .75rem; font-variant-numeric: tabular-nums; }
.mark { color: var(--no); background: var(--no-ground); border-radius: .25rem;
  padding: .125rem .375rem; display: inline-block; margin: .25rem 0 0; }
dl { margin: .5rem 0 0; clear: both; }
dt { font-size: .875rem; }
dd { margin: 0 0 .375rem; }
@media (min-width: 40rem) {
  main { padding: 2.5rem 1.5rem 4rem; }
  dl { display: grid; grid-template-columns: 8rem 1fr; gap: .25rem 1rem; }
  dt { font-size: 1rem; }
  dd { margin: 0; }
}
@media print { body { background: none; } li { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<h1>Who had access to your data</h1>
)";

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds());
}
std::string Formatted(const char* format,
                      const google::protobuf::Timestamp& time) {
  return absl::FormatTime(format, TimeOf(time), absl::UTCTimeZone());
}

std::string Shown(const v1::AccessHistoryEntry& entry) {
  if (entry.outcome() != v1::OUTCOME_ALLOWED) return "Nothing";
  switch (entry.view()) {
    case v1::VIEW_PLAIN:
      return "The data themselves";
    case v1::VIEW_MASKED:
      return "Masked, such as j***e";
    default:
      return "";
  }
}

// As a sentence begins, and with the pseudonym.
std::string Who(const v1::AccessHistoryEntry& entry) {
  std::string who = entry.who();
  if (!who.empty()) who[0] = absl::ascii_toupper(who[0]);
  return entry.staff().empty() ? who : who + " (no. " + entry.staff() + ")";
}

std::string By(const v1::AccessHistoryEntry& entry) {
  std::string html = "<dt>By</dt><dd>" + HtmlText(Who(entry));
  if (!entry.about().empty()) {
    html += "<br><span class=\"soft\">" + HtmlText(entry.about()) + "</span>";
  }
  return html + "</dd>\n";
}

std::string FieldNames(const v1::AccessHistoryEntry& entry) {
  std::vector<std::string> names;
  for (const std::string& field : entry.fields()) {
    names.push_back(FieldName(field));
  }
  return Join(names, ", ");
}

// A name and what it is; nothing if that is empty.
std::string Line(std::string_view name, const std::string& text) {
  if (text.empty()) return "";
  return "<dt>" + std::string(name) + "</dt><dd>" + HtmlText(text) + "</dd>\n";
}

std::string Card(const v1::AccessHistoryEntry& entry) {
  const bool refused = !entry.refusal().empty();
  std::string html = refused ? "<li class=\"no\">\n" : "<li>\n";
  html += "<span class=\"when soft\">" + Formatted("%H:%M", entry.time()) +
          "</span>\n<h3>" + HtmlText(entry.what()) + "</h3>\n";
  if (refused) {
    html += "<p class=\"mark\">" + HtmlText(entry.refusal()) + "</p>\n";
  }
  html += "<dl>\n" + By(entry) + Line("What for", entry.purpose_text()) +
          Line("Which data", FieldNames(entry)) + Line("Shown", Shown(entry)) +
          Line("Sent to", entry.recipient());
  return html + "</dl>\n</li>\n";
}

std::string Introduction(const std::vector<v1::AccessHistoryEntry>& entries,
                         const google::protobuf::Timestamp& made) {
  const auto refused = std::ranges::count_if(
      entries, [](const auto& entry) { return !entry.refusal().empty(); });
  std::string html = "<p>" + std::to_string(entries.size()) +
                     (entries.size() == 1 ? " entry" : " entries");
  if (refused > 0) {
    html += ", of which " + std::to_string(refused) + " came to nothing or " +
            (refused == 1 ? "was" : "were") + " refused";
  }
  return html + ". Times are UTC.</p>\n<p class=\"soft\">Made on " +
         Formatted("%-d %B %Y, %H:%M", made) +
         ". Staff appear under a number that stands for the same person each "
         "time, for you only.</p>\n";
}

}  // namespace

std::string CsvCell(std::string_view text) {
  std::string cell;
  // What spreadsheets begin a formula with, after blanks as well.
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool formula = (first != std::string_view::npos &&
                        std::string_view("=+-@|%").find(text[first]) !=
                            std::string_view::npos) ||
                       (!text.empty() && (text[0] == '\t' || text[0] == '\r'));
  if (formula) cell += '\'';
  cell += text;
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string HistoryCsv(const std::vector<v1::AccessHistoryEntry>& entries) {
  std::string csv =
      "time,what,who,staff,purpose,fields,view,outcome,refusal,recipient\r\n";
  for (const v1::AccessHistoryEntry& entry : entries) {
    const std::vector<std::string> cells = {
        CsvCell(DisplayText(entry.time())),
        CsvCell(entry.what()),
        CsvCell(entry.who()),
        CsvCell(entry.staff()),
        CsvCell(entry.purpose()),
        CsvCell(Join(entry.fields(), ", ")),
        CsvCell(entry.view() == v1::VIEW_UNSPECIFIED
                    ? ""
                    : EnumName(*v1::View_descriptor(), entry.view())),
        CsvCell(EnumName(*v1::Outcome_descriptor(), entry.outcome())),
        CsvCell(entry.refusal()),
        CsvCell(entry.recipient())};
    csv += Join(cells, ",");
    csv += kEndOfLine;
  }
  return csv;
}

std::string HtmlText(std::string_view text) {
  std::string html;
  for (const char c : Printable(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string FieldName(std::string_view full_name) {
  std::string name(full_name.substr(full_name.find('.') + 1));
  std::ranges::replace(name, '_', ' ');
  if (!name.empty()) name[0] = absl::ascii_toupper(name[0]);
  return name;
}

std::string HistoryHtml(const std::vector<v1::AccessHistoryEntry>& entries,
                        const google::protobuf::Timestamp& made) {
  std::string html(kHead);
  html += Introduction(entries, made);
  std::string day;
  for (const v1::AccessHistoryEntry& entry : entries) {
    const std::string of = Formatted("%A, %-d %B %Y", entry.time());
    if (of != day) {
      if (!day.empty()) html += "</ol>\n";
      html += "<h2>" + of + "</h2>\n<ol>\n";
      day = of;
    }
    html += Card(entry);
  }
  if (!day.empty()) html += "</ol>\n";
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace hizo::cli
