// RunProgram: another program, run to its end.
//
// Threads: may be called concurrently.
#ifndef HIZO_STORAGE_PROGRAM_H_
#define HIZO_STORAGE_PROGRAM_H_

#include <chrono>
#include <filesystem>
#include <string>

#include "absl/status/status.h"

namespace hizo::storage {

// Runs `program` with `argument` and, on its standard input, `input`, without a
// shell, an environment or any other file of this process's; what it prints is
// dropped. kUnavailable if it cannot be run, ends with anything but 0, or has
// not ended after `patience`, when it is killed.
absl::Status RunProgram(const std::filesystem::path& program,
                        const std::string& argument, const std::string& input,
                        std::chrono::milliseconds patience);

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_PROGRAM_H_
