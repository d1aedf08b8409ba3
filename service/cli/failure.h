// Failure: how a run of `hizo` ends when it does not end well.
//
// Failures travel upwards as absl::Status and become an exit code and a line
// on stderr in one place, CommandLine::Run. Texts name files, lines, fields and
// flags, never a value of a person. Threads: all functions may be called
// concurrently.
#ifndef HIZO_SERVICE_CLI_FAILURE_H_
#define HIZO_SERVICE_CLI_FAILURE_H_

#include <string>

#include "absl/status/status.h"

namespace hizo::cli {

// Promised to scripts; never renumber.
enum class ExitCode {
  kOk = 0,
  kRefused = 1,      // by the vault
  kUsage = 2,        // wrong flags, files or input
  kUnreachable = 3,  // no answer from the vault
  kNotVerified = 4,  // the answer is: not right
};

struct Failure {
  ExitCode exit = ExitCode::kRefused;
  std::string text;
  std::string reason;  // the vault's, such as ALREADY_EXISTS; may be empty
  std::string field;   // the one at fault, such as account.email; may be empty
};

// The status of a failure whose `exit` is not kOk.
absl::Status Fail(const Failure& failure);
absl::Status UsageError(std::string text);

// What `Fail` was given; a status that it did not make is a kUsage failure with
// that status's text. `status` is not OK.
Failure FailureOf(const absl::Status& status);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_FAILURE_H_
