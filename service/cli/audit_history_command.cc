// hizo audit history: who had access to one person, for that person.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <optional>

#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/history_page.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kPageSizeMax = 500;
// More is more than anybody reads, and than a page should hold.
constexpr int kLimitDefault = 1000;
constexpr int kLimitMax = 100'000;

std::string ViewOf(const v1::AccessHistoryEntry& entry) {
  return entry.view() == v1::VIEW_UNSPECIFIED
             ? ""
             : EnumName(*v1::View_descriptor(), entry.view());
}

class AuditHistory : public Command {
 public:
  explicit AuditHistory(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--format", format_,
                   "table, json (lines), csv, or html: a page for the person")
        ->default_val("table")
        ->check(CLI::IsMember({"table", "json", "csv", "html"}));
    app.add_option("--out", out_, "File to write, rather than the output");
    app.add_option("--since", since_, "From this time (RFC 3339) or date on");
    app.add_option("--until", until_, "Before this time or date");
    app.add_option("--limit", limit_, "At most this many entries")
        ->default_val(kLimitDefault)
        ->check(CLI::Range(1, kLimitMax));
    app.add_flag("--oldest-first", oldest_first_, "Else newest first");
  }

  absl::Status Run(Session& session) override {
    std::vector<v1::AccessHistoryEntry> entries;
    RETURN_IF_ERROR(Read(session, entries));
    const std::string text = TextOf(session, entries);
    if (out_.empty()) {
      session.terminal.out << text;
      return absl::OkStatus();
    }
    std::ofstream file(out_, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    return file ? absl::OkStatus() : UsageError("cannot write " + out_);
  }

 private:
  absl::Status Read(Session& session,
                    std::vector<v1::AccessHistoryEntry>& entries) const {
    v1::GetAccessHistoryRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    request.set_oldest_first(oldest_first_);
    if (!since_.empty()) {
      RETURN_IF_ERROR(ParseTime(since_, *request.mutable_start_time()));
    }
    if (!until_.empty()) {
      RETURN_IF_ERROR(ParseTime(until_, *request.mutable_end_time()));
    }
    int left = limit_;
    do {
      request.set_page_size(std::min(left, kPageSizeMax));
      v1::GetAccessHistoryResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      entries.insert(entries.end(), page.entries().begin(),
                     page.entries().end());
      left -= page.entries_size();
      request.set_page_token(page.next_page_token());
    } while (left > 0 && !request.page_token().empty());
    return absl::OkStatus();
  }

  std::string TextOf(const Session& session,
                     const std::vector<v1::AccessHistoryEntry>& entries) const {
    if (format_ == "csv") return HistoryCsv(entries);
    if (format_ == "html") {
      return HistoryHtml(entries, TimeUtil::GetCurrentTime());
    }
    if (format_ == "json" || session.format == Format::kJson) {
      std::string lines;
      for (const auto& entry : entries) lines += JsonText(entry) + '\n';
      return lines;
    }
    Table table({"TIME", "WHAT", "WHO", "STAFF", "PURPOSE", "FIELDS", "VIEW",
                 "REFUSAL"});
    for (const v1::AccessHistoryEntry& entry : entries) {
      table.Add({DisplayText(entry.time()), entry.what(), entry.who(),
                 entry.staff(), entry.purpose(), Join(entry.fields(), ", "),
                 ViewOf(entry), entry.refusal()});
    }
    return table.Text();
  }

  std::string subject_;
  std::string format_;
  std::string out_;
  std::string since_;
  std::string until_;
  int limit_ = kLimitDefault;
  bool oldest_first_ = false;
};

}  // namespace

void AddAuditHistoryCommand(CommandLine& line, CLI::App& group) {
  line.Add<AuditHistory>(
      group,
      {"history", "Who had access to one person, to be shown to that person",
       "  hizo audit history 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10\n"
       "  hizo audit history 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --format "
       "html --out history.html"});
}

}  // namespace hizo::cli
