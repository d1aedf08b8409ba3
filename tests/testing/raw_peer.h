// RawPeer: a caller that speaks TLS and HTTP/2 by hand, so that it can say what
// no gRPC library would: frames out of order, headers without end, bytes that
// are no message.
//
// It answers nothing by itself, not even a ping or settings. Reading waits at
// most kPatience, then throws.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_TESTING_RAW_PEER_H_
#define HIZO_TESTS_TESTING_RAW_PEER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/testing/peer.h"

namespace hizo::test {

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kContinuation = 9,
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;

struct Frame {
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

class RawPeer {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  // Connects, shakes hands and begins HTTP/2; throws if that fails. What a
  // server thinks of the certificate shows only when it is read from.
  explicit RawPeer(const Peer::Options& options);
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer();

  // False once the server has closed the connection.
  bool Send(std::string_view bytes);
  bool Send(const Frame& frame);
  // The next frame; nullopt once the connection is closed.
  std::optional<Frame> Next();
  // Reads on until a frame of this type, about `stream` unless 0; nullopt if
  // the connection closes first.
  std::optional<Frame> Await(FrameType type, uint32_t stream = 0);

  // Reads the server's settings and says that they hold: until then gRPC does
  // not hold a peer to them. They are returned; nullopt as in Await.
  std::optional<Frame> AcceptSettings();

  // The frame that begins a call of `path`.
  static Frame CallFrame(uint32_t stream, const std::string& path,
                         const Headers& more = {});
  // `message` as gRPC frames it, `compressed` as the flag says.
  static std::string Framed(std::string_view message, uint8_t compressed = 0);

 private:
  struct Connection;
  const std::unique_ptr<Connection> connection_;
};

// What a GOAWAY or RST_STREAM says, HTTP/2's error code.
uint32_t ErrorCodeOf(const Frame& frame);

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_RAW_PEER_H_
