// hizo hold ...: classes of people that are held for a legal claim.
#include <CLI/CLI.hpp>

#include "hizo/v1/restriction.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

std::string HoldsText(int holds) {
  if (holds == 0) return "not held any more\n";
  return "held for " + std::to_string(holds) +
         (holds == 1 ? " claim\n" : " claims\n");
}

// Place and release differ in their messages only.
template <typename Request, typename Response>
class HoldCommand : public Command {
 public:
  explicit HoldCommand(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--class", record_class_, "Class in the catalogue")
        ->required();
    app.add_option("--claim", claim_, "UUID of the claim, yours")->required();
  }

  absl::Status Run(Session& session) override {
    Request request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    request.set_record_class(record_class_);
    request.set_claim(claim_);
    Response response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, HoldsText(response.holds()));
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string record_class_;
  std::string claim_;
};
using HoldPlace =
    HoldCommand<v1::PlaceLegalHoldRequest, v1::PlaceLegalHoldResponse>;
using HoldRelease =
    HoldCommand<v1::ReleaseLegalHoldRequest, v1::ReleaseLegalHoldResponse>;

}  // namespace

void AddHoldCommands(CommandLine& line) {
  constexpr char kPlace[] =
      "  hizo hold place 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --class account "
      "--claim 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  constexpr char kRelease[] =
      "  hizo hold release 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 --class "
      "account "
      "--claim 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  CLI::App& group = line.Group(
      {"hold", "Hold what people's records say for a legal claim", kPlace});
  line.Add<HoldPlace>(
      group, {"place", "Have an erasure keep a class of a person", kPlace});
  line.Add<HoldRelease>(
      group, {"release", "End a hold; what it alone has kept goes", kRelease});
}

}  // namespace hizo::cli
