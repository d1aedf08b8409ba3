// Echo: the ceiling of every call: a server of the same kind (generic service,
// completion queues, mutual TLS, as many threads and slots) that reads a
// message and answers at once, without looking at it.
//
// It is a process of its own: this program once more, as EchoMain.
//
// Threads: one thread.
#ifndef HIZO_TESTS_BENCH_ECHO_H_
#define HIZO_TESTS_BENCH_ECHO_H_

#include <cstddef>
#include <filesystem>
#include <string>

#include "tests/testing/child_process.h"

namespace hizo::bench {

class Echo {
 public:
  // With the server's files in `identity`; throws if it does not start.
  Echo(const std::filesystem::path& identity, size_t answer_bytes);

  const std::string& address() const { return address_; }
  int process() const { return process_.id(); }

 private:
  test::ChildProcess process_;
  std::string address_;
};

// The other process: serves until it is killed.
int EchoMain(const std::string& spec);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_ECHO_H_
