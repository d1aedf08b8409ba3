// An access history as a table for a spreadsheet, and as a page for the person
// whom it concerns.
//
// The page is one file that loads nothing and runs nothing, and reads well on a
// phone. In the table no cell can be a formula. Threads: may be called
// concurrently.
#ifndef HIZO_SERVICE_CLI_HISTORY_PAGE_H_
#define HIZO_SERVICE_CLI_HISTORY_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Timestamp;
}  // namespace google::protobuf
namespace hizo::v1 {
class AccessHistoryEntry;
}  // namespace hizo::v1

namespace hizo::cli {

// A cell as RFC 4180 has it. One that a spreadsheet would take for a formula
// begins with an apostrophe.
std::string CsvCell(std::string_view text);
// With a header; lines end with CR LF.
std::string HistoryCsv(const std::vector<v1::AccessHistoryEntry>& entries);

// `text` as it stands in HTML, control characters made visible.
std::string HtmlText(std::string_view text);
// "Full name" for profile.full_name, "Plan" for account.plan.
std::string FieldName(std::string_view full_name);
// Entries in their order, under the days on which they were; `made` is now.
std::string HistoryHtml(const std::vector<v1::AccessHistoryEntry>& entries,
                        const google::protobuf::Timestamp& made);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_HISTORY_PAGE_H_
