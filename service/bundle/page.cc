#include "service/bundle/page.h"

#include <algorithm>
#include <utility>

#include "service/bundle/page_text.h"
#include "service/bundle/values.h"

namespace hizo::bundle {
namespace {

constexpr size_t kValueMax = 4000;
constexpr size_t kCellMax = 300;
constexpr size_t kColumnsOnPaper = 6;

constexpr std::string_view kHead = R"html(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Your data / あなたのデータ</title>
<style>
:root{--ink:#1c2733;--soft:#5b6b7a;--line:#d9e0e6;--paper:#fff;--ground:#f3f5f7;--mark:#0b5c8a}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,"Hiragino Sans","Noto Sans CJK JP","Noto Sans JP","Yu Gothic",Meiryo,sans-serif}
.tongue{position:absolute;opacity:0;pointer-events:none}
.tongues{display:flex;gap:.5rem;justify-content:flex-end;padding:.75rem 1rem 0;max-width:56rem;margin:auto}
.tongues label{padding:.4rem .9rem;border:1px solid var(--line);border-radius:2rem;background:var(--paper);cursor:pointer}
#en:checked~.tongues [for=en],#ja:checked~.tongues [for=ja]{background:var(--mark);border-color:var(--mark);color:#fff}
#en:focus-visible~.tongues [for=en],#ja:focus-visible~.tongues [for=ja]{outline:3px solid #f0a500;outline-offset:2px}
#en:checked~main [lang=ja],#ja:checked~main [lang=en]{display:none}
main{max-width:56rem;margin:auto;padding:.5rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.15rem;margin:0 0 .75rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:.75rem;padding:1.1rem;margin:1rem 0}
dl{margin:0;display:grid;grid-template-columns:minmax(9rem,14rem) 1fr}
dt,dd{padding:.5rem 0;margin:0;border-top:1px solid var(--line)}
dt{color:var(--soft);padding-right:1rem}
dt:first-of-type,dd:first-of-type{border-top:0}
dd{overflow-wrap:anywhere;white-space:pre-wrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .9rem .45rem 0;border-top:1px solid var(--line);white-space:pre-wrap}
th{color:var(--soft);font-weight:600;border-top:0;white-space:nowrap}
code{font-size:.85em;overflow-wrap:anywhere}
p{margin:.5rem 0}
.key{display:none}
.soft{color:var(--soft);font-size:.92rem}
@media (max-width:34rem){dl{grid-template-columns:1fr}dd{border-top:0;padding-top:0}dt{padding-bottom:0}dt+dd{margin-bottom:.25rem}table.rows,.rows tbody,.rows tr{display:block}.rows thead{display:none}.rows tr{border-top:1px solid var(--line);padding:.5rem 0}.rows td{display:grid;grid-template-columns:7.5rem 1fr;gap:.5rem;border:0;padding:.1rem 0;overflow-wrap:anywhere}.rows td:empty{display:none}.rows .key{display:inline;color:var(--soft)}}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0bf;--line:#33414d;--paper:#182028;--ground:#10161c;--mark:#2f81b7}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--ground:#fff}body{font-size:10.5pt;line-height:1.45}.tongues{display:none}main{max-width:none;padding:0}section{border:0;border-top:1px solid var(--line);border-radius:0;padding:.6rem 0;margin:.4rem 0}h2{break-after:avoid}dl{grid-template-columns:12rem 1fr}tr,dd,dt{break-inside:avoid}dt,dd{padding:.3rem 0}dt{padding-right:1rem}.wide{overflow:visible}th{white-space:normal}td{overflow-wrap:anywhere;padding:.3rem .7rem .3rem 0}.rows td:first-child{white-space:nowrap}table.many{font-size:9pt}table.many,.many tbody,.many tr{display:block}.many thead{display:none}.many tr{border-top:1px solid var(--line);padding:.4rem 0;columns:2;column-gap:1.5rem}.many td{display:grid;grid-template-columns:7.5rem 1fr;gap:.5rem;border:0;padding:.05rem 0;break-inside:avoid}.many td:empty{display:none}.many .key{display:inline;color:var(--soft)}@page{margin:16mm;@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#444}}}
</style>
)html";

// A value, whose direction of writing stays its own.
void AppendValue(std::string_view text, std::string& out) {
  out.append("<bdi>");
  AppendEscaped(text, out);
  out.append("</bdi>");
}

// A long text is cut, between characters; the files have all of it.
std::string Cut(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) {
    --size;
  }
  text.resize(size);
  return text + "\xe2\x80\xa6";  // an ellipsis
}

std::string Shown(std::string_view json, size_t size_max) {
  std::string text = Cut(DisplayOf(json), size_max);
  return json.starts_with("{\"timestamp\"") ? ShownTime(std::move(text)) : text;
}

void AppendJson(std::string_view json, std::string& out) {
  if (json == "true") return AppendBoth("Yes", "はい", out);
  if (json == "false") return AppendBoth("No", "いいえ", out);
  AppendValue(Shown(json, kValueMax), out);
}

void AppendTitle(const About& about, std::string& out) {
  const bool access = about.selection == Selection::kAccess;
  out.append("<h1>");
  AppendBoth(
      access ? "What is kept about you" : "Your data, to take with you",
      access ? "あなたについて保存している情報" : "あなたのデータ(持ち出し用)",
      out);
  out.append("</h1>\n<p class=\"soft\">");
  AppendEscaped(ShownTime(TimeText(about.created)), out);
  out.append(" &middot; ");
  AppendEscaped(about.tenant, out);
  out.append("</p>\n<p>");
  AppendBoth(
      access ? "You asked what is held about you, what for, and who saw it. "
               "This page shows it; the files beside it hold all of it."
             : "This page shows what you provided, and what was recorded as "
               "you used the service. The files beside it hold the same for "
               "programs, so that you can take it to another service.",
      access
          ? "保存している情報、その利用目的、閲覧者の開示です。このページで内容"
            "を確認できます。すべての内容は同じフォルダのファイルにあります。"
          : "ご提供いただいた情報と、ご利用に伴い記録された情報です。同じ内容"
            "が、他のサービスへ移すためのファ"
            "イルとしても同じフォルダに入っています。",
      out);
  out.append("</p>\n");
}

// Where a value came from, unless the person provided it.
void AppendSource(Source source, std::string& out) {
  if (source == Source::kProvided) return;
  out.append(" <span class=\"soft\">(");
  if (source == Source::kObserved) {
    AppendBoth("recorded as you used the service", "ご利用に伴い記録", out);
  } else {
    AppendBoth("worked out by the company", "当社が作成", out);
  }
  out.append(")</span>");
}

void AppendRecord(const Record& record, std::string& out) {
  out.append("<section><h2>");
  AppendLabel(record.record_class, out);
  out.append("</h2><dl>\n");
  for (const Field& field : record.fields) {
    out.append("<dt>");
    AppendLabel(field.name, out);
    out.append("</dt><dd>");
    AppendJson(field.json.Reveal(), out);
    AppendSource(field.source, out);
    out.append("</dd>\n");
  }
  out.append("</dl></section>\n");
}

// The columns that hold anything, the time first.
std::vector<size_t> ColumnsOf(const PageSeries& series) {
  std::vector<size_t> columns;
  for (size_t i = 0; i <= series.fields.size(); ++i) {
    const bool holds = std::ranges::any_of(
        series.rows, [i](const auto& row) { return !row[i].empty(); });
    if (i == 0 || holds) columns.push_back(i);
  }
  return columns;
}

void AppendHeading(const PageSeries& series, size_t i, std::string& out) {
  if (i == 0) {
    AppendBoth("When", "日時", out);
  } else {
    AppendLabel(series.fields[i - 1], out);
  }
}

// A cell of column `i`, whose heading is shown beside it on a phone: there each
// row is a list, for a table is wider than the screen.
void AppendCell(const PageSeries& series, size_t i, std::string_view cell,
                std::string& out) {
  out.append("<span class=\"key\">");
  AppendHeading(series, i, out);
  out.append("</span>");
  AppendValue(cell, out);
}

void AppendSeries(const PageSeries& series, std::string& out) {
  if (series.total == 0) return;
  const std::vector<size_t> columns = ColumnsOf(series);
  out.append("<section><h2>");
  AppendLabel(series.record_class, out);
  out.append("</h2><div class=\"wide\"><table class=\"rows");
  // Too many to stand side by side on paper: there each row is a list.
  if (columns.size() > kColumnsOnPaper) out.append(" many");
  out.append("\"><thead><tr>");
  for (const size_t i : columns) {
    out.append("<th>");
    AppendHeading(series, i, out);
    out.append("</th>");
  }
  out.append("</tr></thead><tbody>\n");
  for (const auto& row : series.rows) {
    out.append("<tr>");
    for (const size_t i : columns) {
      out.append("<td>");
      if (!row[i].empty()) AppendCell(series, i, row[i], out);
      out.append("</td>");
    }
    out.append("</tr>\n");
  }
  out.append("</tbody></table></div>");
  if (series.total > series.rows.size()) {
    const std::string all = std::to_string(series.total);
    const std::string shown = std::to_string(series.rows.size());
    out.append("<p class=\"soft\">");
    AppendBoth(
        "The first " + shown + " of " + all + "; all of them are in the files.",
        "全" + all + "件のうち最初の" + shown +
            "件です。すべてはファイルにあります。",
        out);
    out.append("</p>");
  }
  out.append("</section>\n");
}

void AppendWithheld(const Manifest& manifest, std::string& out) {
  if (manifest.withheld.empty()) return;
  out.append("<section><h2>");
  AppendBoth("Not shown", "表示しない情報", out);
  out.append("</h2><dl>\n");
  for (const Withheld& withheld : manifest.withheld) {
    out.append("<dt>");
    AppendLabel(
        std::string_view(withheld.field).substr(withheld.field.find('.') + 1),
        out);
    out.append("</dt><dd>");
    AppendLabel(withheld.why, out);
    out.append(" (" + std::to_string(withheld.count) + ")");
    out.append("</dd>\n");
  }
  out.append("</dl></section>\n");
}

void AppendFiles(const Manifest& manifest, std::string& out) {
  out.append("<section><h2>");
  AppendBoth("The files", "ファイル", out);
  out.append("</h2><div class=\"wide\"><table><tbody>\n");
  constexpr size_t kFilesShown = 40;
  size_t shown = 0;
  for (const Listed& listed : manifest.members) {
    if (++shown > kFilesShown) break;
    out.append("<tr><td>");
    AppendEscaped(listed.name, out);
    out.append("</td><td>");
    AppendEscaped(std::to_string(listed.size), out);
    out.append(" B</td></tr>\n");
  }
  out.append("</tbody></table></div><p class=\"soft\">");
  AppendBoth(
      "manifest.json lists every file with its SHA-256 and is signed: "
      "<code>minisign -V -P KEY -m manifest.json</code> shows that nothing was "
      "changed.",
      "manifest.json には各ファイルの SHA-256 が記載され、署名されています。"
      "<code>minisign -V -P KEY -m manifest.json</code> "
      "で、変更がないことを確認できます。",
      out);
  out.append("</p></section>\n");
}

}  // namespace

void PageSeries::Add(const Record& record) {
  ++total;
  if (rows.size() == kPageRowsMax) return;
  std::vector<std::string> row = {
      ShownTime(TimeText(record.event_time.value_or(base::Timestamp())))};
  for (const std::string& name : fields) {
    const auto field = std::ranges::find(record.fields, name, &Field::name);
    row.push_back(field == record.fields.end()
                      ? ""
                      : Shown(field->json.Reveal(), kCellMax));
  }
  rows.push_back(std::move(row));
}

std::string PageHtml(const Manifest& manifest,
                     const std::vector<Record>& records,
                     const std::vector<PageSeries>& series,
                     const Statements& said) {
  const bool japanese = manifest.about.language == Language::kJapanese;
  std::string out = "<!doctype html>\n<html lang=\"";
  out.append(japanese ? "ja" : "en").append("\"><head>\n").append(kHead);
  out.append("</head><body>\n");
  out.append(
      "<input class=\"tongue\" type=\"radio\" name=\"tongue\" id=\"en\"");
  out.append(japanese ? ">" : " checked>");
  out.append(
      "<input class=\"tongue\" type=\"radio\" name=\"tongue\" id=\"ja\"");
  out.append(japanese ? " checked>" : ">");
  out.append(
      "\n<div class=\"tongues\"><label for=\"en\">English</label>"
      "<label for=\"ja\">日本語</label></div>\n<main>\n");
  AppendTitle(manifest.about, out);
  for (const Record& record : records) AppendRecord(record, out);
  for (const PageSeries& one : series) AppendSeries(one, out);
  AppendStatements(said, out);
  AppendWithheld(manifest, out);
  AppendFiles(manifest, out);
  out.append("</main></body></html>\n");
  return out;
}

}  // namespace hizo::bundle
