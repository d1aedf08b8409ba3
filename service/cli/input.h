// What `hizo` reads: files, standard input, passwords.
//
// Threads: not for concurrent use of one stream.
#ifndef HIZO_SERVICE_CLI_INPUT_H_
#define HIZO_SERVICE_CLI_INPUT_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "service/cli/terminal.h"

namespace hizo::cli {

// The whole file; a usage error if it cannot be read or is longer than
// `size_max`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t size_max);

// The whole file, or standard input for "-"; at most 1 MiB.
absl::StatusOr<std::string> ReadDocument(const std::string& path,
                                         Terminal& terminal);

// One line of standard input without its end, at most 4,096 bytes; a usage
// error if there is none.
absl::StatusOr<std::string> ReadLine(Terminal& terminal);

// A password: the file's content without a last line break if a file is named,
// else asked for as `what` on the terminal without showing it, else a line of
// standard input. The caller wipes it.
absl::StatusOr<std::string> ReadPassword(const std::string& file,
                                         Terminal& terminal,
                                         const char* what = "Password");

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_INPUT_H_
