// Listener: the sockets that an address is listened on.
//
// Threads: one thread at a time.
#ifndef HIZO_SERVICE_RPC_LISTENER_H_
#define HIZO_SERVICE_RPC_LISTENER_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hizo::rpc {

// Descriptor closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

struct Listener {
  std::vector<Descriptor> sockets;  // one for each address of the host
  int port = 0;

  // `address` is "host:port" or "[host]:port"; port 0 picks one. Connections
  // are given up when what was sent is not acknowledged for `unacknowledged`.
  // kUnavailable if it cannot be listened on.
  static absl::StatusOr<Listener> Open(
      const std::string& address, std::chrono::milliseconds unacknowledged);
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_LISTENER_H_
