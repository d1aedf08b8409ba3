// The command line `hizo`.
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "service/cli/command.h"

namespace {

hizo::cli::Presence At(int descriptor) {
  return isatty(descriptor) != 0 ? hizo::cli::Presence::kPerson
                                 : hizo::cli::Presence::kProgram;
}

}  // namespace

int main(int argc, char** argv) {
  // Names are looked up as everything else on this machine does it, and not by
  // gRPC's own resolver, which leaks. Whoever sets the variable wins.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet.
  setenv("GRPC_DNS_RESOLVER", "native", 0);
  hizo::cli::CommandLine line;
  return line.Run({argv + 1, argv + argc}, {.in = std::cin,
                                            .out = std::cout,
                                            .err = std::cerr,
                                            .at_in = At(STDIN_FILENO),
                                            .at_err = At(STDERR_FILENO)});
}
