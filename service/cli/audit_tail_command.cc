// hizo audit tail: what happens, as it happens.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/audit_filter.h"
#include "service/cli/command.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

constexpr int kPageSizeMax = 500;
constexpr int kLimitDefault = 20;
constexpr int kIntervalMs = 2000;

class AuditTail : public Command {
 public:
  explicit AuditTail(CLI::App& app) : filter_(app) {
    app.add_option("--limit", limit_, "Begin with this many of the past")
        ->default_val(kLimitDefault)
        ->check(CLI::Range(1, kPageSizeMax));
    app.add_flag("--follow", follow_,
                 "Go on until interrupted; each look is an event of its own, "
                 "which is not shown");
    app.add_option("--interval-ms", interval_ms_,
                   "How long to wait between looks")
        ->default_val(kIntervalMs)
        ->check(CLI::PositiveNumber);
  }

  absl::Status Run(Session& session) override {
    RETURN_IF_ERROR(Begin(session));
    while (follow_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms_));
      RETURN_IF_ERROR(Follow(session));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Ask(Session& session, v1::QueryAuditRequest& request,
                   v1::QueryAuditResponse& page) {
    // By its request id, a look of this run is told from those of others.
    session.FillWrite(*request.mutable_context());
    own_.insert(request.context().request_id());
    return session.client.Call(request, page);
  }

  // The last events, in the order in which they came.
  absl::Status Begin(Session& session) {
    v1::QueryAuditRequest request;
    RETURN_IF_ERROR(filter_.Fill(request));
    std::vector<v1::AuditEvent> events;
    do {
      const auto left = limit_ - static_cast<int>(events.size());
      request.set_page_size(left);
      v1::QueryAuditResponse page;
      RETURN_IF_ERROR(Ask(session, request, page));
      events.insert(events.end(), page.events().begin(), page.events().end());
      request.set_page_token(page.next_page_token());
    } while (static_cast<int>(events.size()) < limit_ &&
             !request.page_token().empty());
    std::ranges::reverse(events);
    Show(session, events);
    return absl::OkStatus();
  }

  absl::Status Follow(Session& session) {
    v1::QueryAuditRequest request;
    RETURN_IF_ERROR(filter_.Fill(request));
    request.set_oldest_first(true);
    request.set_page_size(kPageSizeMax);
    request.set_first_sequence(next_);
    do {
      v1::QueryAuditResponse page;
      RETURN_IF_ERROR(Ask(session, request, page));
      Show(session, {page.events().begin(), page.events().end()});
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return absl::OkStatus();
  }

  void Show(Session& session, const std::vector<v1::AuditEvent>& events) {
    Table table(AuditHeader());
    bool any = false;
    for (const v1::AuditEvent& event : events) {
      next_ = std::max(next_, event.sequence() + 1);
      if (own_.contains(event.request_id())) continue;
      session.Print(event, "");
      table.Add(AuditRow(event));
      any = true;
    }
    if (any && session.format == Format::kTable) {
      session.terminal.out << table.Text();
    }
    session.terminal.out.flush();
  }

  AuditFilter filter_;
  int limit_ = kLimitDefault;
  int interval_ms_ = kIntervalMs;
  bool follow_ = false;
  int64_t next_ = 0;           // position that was not looked at yet
  std::set<std::string> own_;  // request ids of this run
};

}  // namespace

void AddAuditTailCommand(CommandLine& line, CLI::App& group) {
  line.Add<AuditTail>(
      group, {"tail", "The last events, and with --follow those that come",
              "  hizo audit tail --limit 50\n"
              "  hizo audit tail --follow --outcome DENIED"});
}

}  // namespace hizo::cli
