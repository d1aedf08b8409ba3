// LiveServer: the whole service in this process, as hizod starts it, over
// mutual TLS: engines in RocksDB, each inside a FaultyEngine, and a clock that
// stands still unless it is moved.
//
//   LiveServer server;
//   const auto created = server.As("acme/full").Ask<...>(request);
//
// Threads: one object from one thread at a time; the peers that it makes may be
// used concurrently. Lifetime: whatever it hands out by reference ends at Stop.
#ifndef HIZO_TESTS_TESTING_LIVE_SERVER_H_
#define HIZO_TESTS_TESTING_LIVE_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "service/app/config.h"
#include "service/audit/query.h"
#include "service/vault/store.h"
#include "storage/engine.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/faulty_engine.h"
#include "tests/testing/peer.h"
#include "tests/testing/vault_files.h"

namespace hizo::app {
class Instance;
}  // namespace hizo::app

namespace hizo::test {

class LiveServer {
 public:
  LiveServer();  // throws if it does not start, as do the getters once stopped
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;
  ~LiveServer();

  // Ends as hizod does when it is told to.
  void Stop();
  // Starts once more over what is on the disk; faults are forgotten. The error
  // if it refuses to.
  absl::Status Start();

  // The caller spiffe://hizo.example/<name>, see VaultFiles.
  Peer As(const std::string& name);
  std::string port() const;
  std::string address() const { return "127.0.0.1:" + port(); }
  VaultFiles& files() { return files_; }
  // What it starts with; may be changed while it is stopped.
  app::Config& config() { return config_; }
  FakeClock& clock() { return clock_; }

  vault::Store& store() const;
  FaultyEngine& keys() const { return *keys_; }
  FaultyEngine& data() const { return *data_; }
  bool healthy() const;

  // How many audit events are durable; what they are, from number `first` on.
  uint64_t EventCount() const;
  std::vector<audit::Event> EventsFrom(uint64_t first) const;

 private:
  VaultFiles files_;
  app::Config config_;
  FakeClock clock_;
  std::unique_ptr<app::Instance> instance_;
  FaultyEngine* keys_ = nullptr;  // the instance's
  FaultyEngine* data_ = nullptr;
};

// The two stores of a server that does not run, to be looked at and edited.
struct StoppedStores {
  std::unique_ptr<storage::Engine> keys;
  std::unique_ptr<storage::Engine> data;
};
StoppedStores OpenStores(const app::Config& config);  // throws if it cannot

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_LIVE_SERVER_H_
