// hizo policy record: a record of processing and a map of the data.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/processing_record.h"

namespace hizo::cli {
namespace {

class PolicyRecord : public Command {
 public:
  explicit PolicyRecord(CLI::App& app) {
    app.add_flag("--html", html_, "A page, and not Markdown");
    app.add_option("--controller", controller_.name,
                   "Name of the controller; else the tenant's");
    app.add_option("--contact", controller_.contact,
                   "Of the controller and its data protection officer");
  }

  absl::Status Run(Session& session) override {
    v1::GetEffectivePolicyRequest request;
    session.Fill(*request.mutable_context());
    v1::GetEffectivePolicyResponse policy;
    RETURN_IF_ERROR(session.client.Call(request, policy));
    v1::ListRecipientsRequest list;
    session.Fill(*list.mutable_context());
    v1::ListRecipientsResponse recipients;
    const absl::Status listed = session.client.Call(list, recipients);
    // Who may not see them can still make the rest.
    const bool may_not =
        !listed.ok() && FailureOf(listed).exit == ExitCode::kRefused;
    if (!may_not) RETURN_IF_ERROR(listed);
    const ProcessingRecord record = MakeProcessingRecord(
        policy, may_not ? nullptr : &recipients, controller_,
        google::protobuf::util::TimeUtil::GetCurrentTime());
    session.Print(policy, html_ ? HtmlOf(record) : MarkdownOf(record));
    return absl::OkStatus();
  }

 private:
  bool html_ = false;
  Controller controller_;
};

}  // namespace

void AddPolicyRecordCommand(CommandLine& line, CLI::App& group) {
  line.Add<PolicyRecord>(
      group,
      {"record", "A record of processing (GDPR 30) and a map of the data",
       "  hizo policy record --controller \"Acme KK\"\n"
       "  hizo policy record --html --contact dpo@acme.example"});
}

}  // namespace hizo::cli
