// BadCalls: the bad input that a caller can send, row by row, each with what it
// must be answered.
//
// Threads: one object from one thread at a time. Lifetime: the server outlives
// the scene.
#ifndef HIZO_TESTS_INTEGRATION_BAD_CALLS_H_
#define HIZO_TESTS_INTEGRATION_BAD_CALLS_H_

#include <chrono>
#include <string>
#include <vector>

#include "service/base/reason.h"
#include "tests/testing/live_server.h"

namespace hizo::test {

// What the bad calls are about: people, and what was asked of them before. The
// server knows acme/second, who may do what acme/full may.
struct Scene {
  explicit Scene(LiveServer& server);

  std::string ann;    // acme's, with an account, a profile and five invoices
  std::string bob;    // acme's
  std::string other;  // globex's
  std::string request_id;
  std::string stale_etag;   // of Ann's profile
  std::string page_token;   // of Ann's invoices, for acme/full
  std::string other_token;  // of the same page, for acme/second
};

struct BadCall {
  std::string name;
  std::string caller;
  std::string path;
  std::string body;
  base::Reason reason = base::Reason::kInternal;
  std::string field;  // that is at fault, if one is
  std::string value;  // that must not come back
  // How long after the scene it comes.
  std::chrono::seconds later{0};
};

// First what states a call, then names, types, sizes, contents, conflicts, page
// tokens, people and callers.
std::vector<BadCall> BadCalls(const Scene& scene);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_BAD_CALLS_H_
