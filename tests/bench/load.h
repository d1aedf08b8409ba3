// Load: unary calls over mutual TLS from a process of their own, a fixed number
// of them in flight, so that what the caller costs is not counted as the
// server's.
//
// The same program is both sides: RunLoad starts it again as LoadMain.
//
// Threads: one thread.
#ifndef HIZO_TESTS_BENCH_LOAD_H_
#define HIZO_TESTS_BENCH_LOAD_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/measure.h"

namespace hizo::bench {

struct Load {
  std::string address;
  std::string path;                // of the method
  std::filesystem::path identity;  // folder of ca.pem, acme-full.pem and .key
  std::filesystem::path requests;  // from WriteRequests; sent in turn
  size_t in_flight = 64;
  double seconds = 0;
  // Begins so many calls a second, whether or not earlier ones are answered, as
  // long as in_flight are not under way; 0: one as soon as another ends.
  double begun_per_second = 0;
  // Calls that are refused for want of room are counted, and are no failure.
  bool may_be_shed = false;
};

void WriteRequests(const std::filesystem::path& file,
                   const std::vector<std::string>& requests);

// Loads the server, which is the process `server`. Throws if a call fails.
Sample RunLoad(const Load& load, int server);

// The other process: `spec` is what RunLoad told it; its exit status.
int LoadMain(const std::string& spec);

// This program started once more, in another part.
std::vector<std::string> Myself(const std::string& part,
                                const std::string& spec);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_LOAD_H_
