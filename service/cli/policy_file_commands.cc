// hizo policy validate|diff|activate|conflicts: a company's policy, out of its
// three files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "hizo/v1/policy.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

// The vault says which of its bounds a file is over; this is only so that no
// file fills the memory.
constexpr size_t kFileSizeMax = 1024 * 1024;

class PolicyFilesOf {
 public:
  explicit PolicyFilesOf(CLI::App& app) {
    app.add_option("profile", profile_, "What the company's policy says")
        ->required();
    app.add_option("statutory", statutory_, "What laws say")->required();
    app.add_option("operator", operator_, "What you add")->required();
  }

  absl::Status Read(v1::PolicyFiles& files) const {
    ASSIGN_OR_RETURN(*files.mutable_profile(),
                     ReadFile(profile_, kFileSizeMax));
    ASSIGN_OR_RETURN(*files.mutable_statutory(),
                     ReadFile(statutory_, kFileSizeMax));
    ASSIGN_OR_RETURN(*files.mutable_overlay(),
                     ReadFile(operator_, kFileSizeMax));
    return absl::OkStatus();
  }

  // "file:12: what is wrong", a line each.
  std::string Problems(const v1::ValidatePolicyResponse& verdict) const {
    std::string lines;
    for (const v1::PolicyProblem& problem : verdict.problems()) {
      if (!lines.empty()) lines += '\n';
      lines += NameOf(problem.file());
      if (problem.line() > 0) lines += std::to_string(problem.line()) + ": ";
      lines += problem.text();
    }
    return lines;
  }

 private:
  std::string NameOf(v1::PolicyFile file) const {
    switch (file) {
      case v1::POLICY_FILE_PROFILE:
        return profile_ + ':';
      case v1::POLICY_FILE_STATUTORY:
        return statutory_ + ':';
      case v1::POLICY_FILE_OPERATOR:
        return operator_ + ':';
      default:
        return "";
    }
  }

  std::string profile_;
  std::string statutory_;
  std::string operator_;
};

template <typename Conflicts>
std::string ConflictTable(const Conflicts& conflicts) {
  Table table({"CONFLICT", "ACCEPTED BY", "BECAUSE", "WHAT IT MEANS"});
  for (const v1::PolicyConflict& of : conflicts) {
    table.Add({of.id(), of.accepted() ? of.accepted_by() : "nobody",
               of.because(), of.text()});
  }
  return table.Text();
}

std::string ChangeTable(const v1::ValidatePolicyResponse& verdict) {
  Table table({"WHAT", "OF", "NOW", "THEN"});
  for (const v1::PolicyChange& of : verdict.changes()) {
    table.Add({EnumName(*v1::PolicyChangeKind_descriptor(), of.kind()),
               of.name(), of.before().empty() ? "-" : of.before(),
               of.after().empty() ? "-" : of.after()});
  }
  return table.Text();
}

absl::StatusOr<v1::ValidatePolicyResponse> Validate(
    Session& session, const v1::PolicyFiles& files) {
  v1::ValidatePolicyRequest request;
  session.Fill(*request.mutable_context());
  *request.mutable_files() = files;
  v1::ValidatePolicyResponse verdict;
  RETURN_IF_ERROR(session.client.Call(request, verdict));
  return verdict;
}

// How a run ends of files that would be refused.
absl::Status Refused(const PolicyFilesOf& files,
                     const v1::ValidatePolicyResponse& verdict) {
  if (verdict.refusal() == v1::REASON_UNSPECIFIED) return absl::OkStatus();
  return Fail({.exit = ExitCode::kRefused,
               .text = files.Problems(verdict),
               .reason = EnumName(*v1::Reason_descriptor(), verdict.refusal()),
               .field = ""});
}

// Shows what would come of files, and ends as their activation would.
class PolicyLook : public Command {
 public:
  explicit PolicyLook(CLI::App& app) : files_(app) {}

  absl::Status Run(Session& session) final {
    v1::PolicyFiles files;
    RETURN_IF_ERROR(files_.Read(files));
    ASSIGN_OR_RETURN(const auto verdict, Validate(session, files));
    session.Print(verdict, Text(verdict));
    return Refused(files_, verdict);
  }

 private:
  virtual std::string Text(const v1::ValidatePolicyResponse& verdict) const = 0;
  PolicyFilesOf files_;
};

class PolicyValidate final : public PolicyLook {
 public:
  using PolicyLook::PolicyLook;

 private:
  std::string Text(const v1::ValidatePolicyResponse& verdict) const override {
    Table head({"", ""});
    head.Add({"profile", verdict.profile_id()});
    head.Add({"version", std::to_string(verdict.version())});
    head.Add({"sha256", verdict.sha256()});
    return head.Text() + '\n' + ConflictTable(verdict.conflicts());
  }
};

class PolicyDiff final : public PolicyLook {
 public:
  using PolicyLook::PolicyLook;

 private:
  std::string Text(const v1::ValidatePolicyResponse& verdict) const override {
    return verdict.changes().empty() &&
                   verdict.refusal() == v1::REASON_UNSPECIFIED
               ? "nothing would change\n"
               : ChangeTable(verdict);
  }
};

class PolicyActivate : public Command {
 public:
  explicit PolicyActivate(CLI::App& app) : files_(app) {}

  absl::Status Run(Session& session) override {
    v1::ActivatePolicyRequest request;
    session.FillWrite(*request.mutable_context());
    RETURN_IF_ERROR(files_.Read(*request.mutable_files()));
    v1::ActivatePolicyResponse response;
    const absl::Status status = session.client.Call(request, response);
    if (!status.ok()) return WithProblems(session, request.files(), status);
    session.Print(response,
                  "version " + std::to_string(response.version()) +
                      (response.changed() ? " is in force" : " was in force") +
                      ", sha256 " + response.sha256() + "\n");
    return absl::OkStatus();
  }

 private:
  // The refusal of the files does not say where and why; asking does.
  absl::Status WithProblems(Session& session, const v1::PolicyFiles& files,
                            const absl::Status& status) const {
    constexpr std::array kOfFiles = {"POLICY_INVALID", "POLICY_CONFLICT",
                                     "TOO_LARGE"};
    const std::string reason = FailureOf(status).reason;
    if (std::find(kOfFiles.begin(), kOfFiles.end(), reason) == kOfFiles.end()) {
      return status;
    }
    const auto verdict = Validate(session, files);
    if (!verdict.ok()) return status;
    const absl::Status told = Refused(files_, *verdict);
    return told.ok() ? status : told;
  }

  PolicyFilesOf files_;
};

class PolicyConflicts : public Command {
 public:
  explicit PolicyConflicts(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::ListConflictsRequest request;
    session.Fill(*request.mutable_context());
    v1::ListConflictsResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, ConflictTable(response.conflicts()));
    return absl::OkStatus();
  }
};

}  // namespace

void AddPolicyFileCommands(CommandLine& line, CLI::App& group) {
  constexpr char kValidate[] =
      "  hizo policy validate i7relay.yaml statutory_overlay.yaml "
      "operator/i7relay.yaml";
  constexpr char kDiff[] =
      "  hizo policy diff i7relay.yaml statutory_overlay.yaml "
      "operator/i7relay.yaml\n"
      "  hizo policy diff i7relay.yaml statutory_overlay.yaml "
      "operator/i7relay.yaml --json";
  constexpr char kActivate[] =
      "  hizo policy activate i7relay.yaml statutory_overlay.yaml "
      "operator/i7relay.yaml";
  constexpr char kConflicts[] =
      "  hizo policy conflicts\n"
      "  hizo policy conflicts --json";
  line.Add<PolicyValidate>(
      group, {"validate", "Whether a company's policy could be put in force",
              kValidate});
  line.Add<PolicyDiff>(group,
                       {"diff", "What a company's policy would change", kDiff});
  line.Add<PolicyActivate>(
      group,
      {"activate", "Put a company's policy in force, at once", kActivate});
  line.Add<PolicyConflicts>(
      group, {"conflicts", "What the policy in force leaves open, accepted",
              kConflicts});
}

}  // namespace hizo::cli
