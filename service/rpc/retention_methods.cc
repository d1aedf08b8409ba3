#include <utility>

#include "hizo/v1/retention.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

template <typename Request>
absl::StatusOr<std::optional<base::Timestamp>> AsOf(const Request& request) {
  if (!request.has_as_of()) return std::optional<base::Timestamp>();
  ASSIGN_OR_RETURN(const base::Timestamp time, ToTimestamp(request.as_of()));
  return std::optional(time);
}

v1::RetentionRun FromRun(const vault::RetentionRun& run) {
  v1::RetentionRun told;
  *told.mutable_start_time() = FromTimestamp(run.begun);
  *told.mutable_as_of() = FromTimestamp(run.as_of);
  if (run.ended.has_value()) {
    *told.mutable_end_time() = FromTimestamp(*run.ended);
  }
  told.set_entries_ended(static_cast<int64_t>(run.counts.entries));
  told.set_entries_blocked(static_cast<int64_t>(run.counts.held));
  told.set_periods_ended(static_cast<int64_t>(run.counts.periods));
  told.set_people_finished(static_cast<int64_t>(run.people));
  told.set_reason(static_cast<v1::Reason>(run.reason));
  return told;
}

absl::StatusOr<v1::ListDueResponse> ListDue(const vault::Retentions& retentions,
                                            Attempt& attempt, const Call& call,
                                            const v1::ListDueRequest& request) {
  vault::Retentions::DueInput input;
  ASSIGN_OR_RETURN(input.as_of, AsOf(request));
  input.page_size = request.page_size();
  input.page_token = request.page_token();
  ASSIGN_OR_RETURN(auto page, retentions.ListDue(attempt, call, input));
  v1::ListDueResponse response;
  for (vault::DueEntries& due : page.due) {
    v1::DueEntries& out = *response.add_due();
    out.set_record_class(std::move(due.record_class));
    out.set_state(static_cast<v1::DueState>(due.state));
    if (due.subject.has_value()) {
      out.set_subject(base::UuidText(due.subject->bytes()));
    }
    if (due.ended.has_value()) out.set_end_date(policy::ToText(*due.ended));
    out.set_entries(static_cast<int32_t>(due.entries));
  }
  response.set_next_page_token(std::move(page.next_page_token));
  if (page.run.has_value()) *response.mutable_newest_run() = FromRun(*page.run);
  return response;
}

absl::StatusOr<v1::RunRetentionResponse> Run(
    vault::Retentions& retentions, Attempt& attempt, const Call& call,
    const v1::RunRetentionRequest& request) {
  ASSIGN_OR_RETURN(const auto as_of, AsOf(request));
  ASSIGN_OR_RETURN(const auto run, retentions.Begin(attempt, call, as_of));
  v1::RunRetentionResponse response;
  *response.mutable_run() = FromRun(run);
  return response;
}

absl::StatusOr<v1::MarkLossYearResponse> MarkLossYear(
    const vault::Retentions& retentions, Attempt& attempt, const Call& call,
    const v1::MarkLossYearRequest& request) {
  ASSIGN_OR_RETURN(auto marked, retentions.MarkLossYear(attempt, call,
                                                        request.record_class(),
                                                        request.year_ends()));
  v1::MarkLossYearResponse response;
  response.set_until(policy::ToText(marked.until));
  response.set_law(std::move(marked.law));
  return response;
}

template <typename Request, typename Response, typename Use>
absl::Status AddOne(const Adder& adder, vault::Retentions& retentions,
                    std::string_view name, Use use) {
  return adder.Add<Request, Response>(
      name, Lane::kServe,
      [&retentions, use](Attempt& attempt, const Call& call,
                         const Request& request) {
        return use(retentions, attempt, call, request);
      });
}

}  // namespace

absl::Status AddRetentions(const Adder& adder, const vault::Store& store) {
  vault::Retentions& retentions = store.retentions();
  RETURN_IF_ERROR((AddOne<v1::ListDueRequest, v1::ListDueResponse>(
      adder, retentions, "RetentionService.ListDue", &ListDue)));
  RETURN_IF_ERROR((AddOne<v1::RunRetentionRequest, v1::RunRetentionResponse>(
      adder, retentions, "RetentionService.RunRetention", &Run)));
  return AddOne<v1::MarkLossYearRequest, v1::MarkLossYearResponse>(
      adder, retentions, "RetentionService.MarkLossYear", &MarkLossYear);
}

}  // namespace hizo::rpc
