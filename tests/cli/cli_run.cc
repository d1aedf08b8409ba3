#include <grpcpp/support/error_details.h>

#include <sstream>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/cli/command.h"
#include "tests/cli/fake_vault.h"

namespace hizo::test {

grpc::Status Refusal(grpc::StatusCode code, const std::string& reason,
                     const std::string& field, const std::string& domain) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(domain);
  if (!field.empty()) (*info.mutable_metadata())["field"] = field;
  google::rpc::Status details;
  details.set_code(code);
  details.set_message("a fixed text");
  details.add_details()->PackFrom(info);
  grpc::Status status;
  grpc::SetErrorDetails(details, &status);
  return status;
}

CliRun RunCli(std::vector<std::string> arguments, const std::string& in) {
  std::istringstream in_stream(in);
  std::ostringstream out;
  std::ostringstream err;
  cli::CommandLine line;
  CliRun run;
  run.exit =
      line.Run(std::move(arguments), {.in = in_stream, .out = out, .err = err});
  run.out = out.str();
  run.err = err.str();
  return run;
}

CliRun RunCli(const FakeVault& vault, std::vector<std::string> arguments,
              const std::string& in) {
  for (const std::string& flag : vault.Flags()) arguments.push_back(flag);
  return RunCli(std::move(arguments), in);
}

}  // namespace hizo::test
