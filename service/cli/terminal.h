// Terminal: the streams of one run, so that tests can bring their own.
//
// Lifetime: the streams outlive it. Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_TERMINAL_H_
#define HIZO_SERVICE_CLI_TERMINAL_H_

#include <istream>
#include <ostream>

namespace hizo::cli {

// Whether a person sits at the other end of a stream.
enum class Presence { kProgram, kPerson };

struct Terminal {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Presence at_in = Presence::kProgram;
  Presence at_err = Presence::kProgram;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_TERMINAL_H_
