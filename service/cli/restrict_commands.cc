// hizo restrict ...: people whose data are only kept.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "hizo/v1/restriction.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/names.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;

void AddGroundOption(CLI::App& app, std::string& ground) {
  app.add_option("--ground", ground,
                 "Why: " + NamesOf(*v1::RestrictionGround_descriptor()))
      ->required();
}

template <typename Request>
absl::Status SetGround(const std::string& name, Request& request) {
  ASSIGN_OR_RETURN(const int ground,
                   NumberOf(*v1::RestrictionGround_descriptor(), name));
  request.set_ground(static_cast<v1::RestrictionGround>(ground));
  return absl::OkStatus();
}

class RestrictSet : public Command {
 public:
  explicit RestrictSet(CLI::App& app) {
    AddSubjectOption(app, subject_);
    AddGroundOption(app, ground_);
  }

  absl::Status Run(Session& session) override {
    v1::SetRestrictionRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    RETURN_IF_ERROR(SetGround(ground_, request));
    v1::SetRestrictionResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, "only kept since " +
                                TimeUtil::ToString(response.set_time()) + "\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string ground_;
};

class RestrictLift : public Command {
 public:
  explicit RestrictLift(CLI::App& app) {
    AddSubjectOption(app, subject_);
    AddGroundOption(app, ground_);
    app.add_option("--notice", notice_,
                   "UUID of the notice that the person was sent before, yours")
        ->required();
  }

  absl::Status Run(Session& session) override {
    v1::LiftRestrictionRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    RETURN_IF_ERROR(SetGround(ground_, request));
    request.set_notice(notice_);
    v1::LiftRestrictionResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, response.grounds() == 0
                                ? "not restricted any more\n"
                                : "still only kept on other grounds: hizo "
                                  "consent list\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string ground_;
  std::string notice_;
};

}  // namespace

void AddRestrictCommands(CommandLine& line) {
  constexpr char kSet[] =
      "  hizo restrict set 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "--ground accuracy_contested";
  constexpr char kLift[] =
      "  hizo restrict lift 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "--ground accuracy_contested "
      "--notice 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  CLI::App& group = line.Group(
      {"restrict", "Have people's data kept and not used (GDPR 18)", kSet});
  line.Add<RestrictSet>(
      group,
      {"set", "Only keep a person's data, but for what they consent to", kSet});
  line.Add<RestrictLift>(group,
                         {"lift", "End that, once the person was told", kLift});
}

}  // namespace hizo::cli
