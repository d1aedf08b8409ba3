// Peer: a caller over the wire, who sends bytes to any method and sees all that
// comes back.
//
//   const auto found = peer.Ask<v1::FindSubjectResponse>(request);
//   const Reply reply = peer.Call("/hizo.v1.SubjectService/None", {""});
//
// Every call ends: it has a deadline.
//
// Threads: methods may be called concurrently.
#ifndef HIZO_TESTS_TESTING_PEER_H_
#define HIZO_TESTS_TESTING_PEER_H_

#include <google/protobuf/message.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/testing/certificates.h"

namespace hizo::test {

// What came back from a call.
struct Reply {
  int code = 0;         // gRPC's
  std::string text;     // what people read
  std::string details;  // google.rpc.Status, as bytes
  std::string reason;   // of its ErrorInfo
  std::string domain;
  std::string field;
  std::vector<std::string> messages;
};

// The error as the vault made it (base::Fail), so that HasReason works; OK for
// OK.
absl::Status StatusOf(const Reply& reply);

// "/hizo.v1.SubjectService/GetSubject" of "GetSubjectRequest".
std::string PathOf(const google::protobuf::Descriptor& request);

class Peer {
 public:
  enum class Compression : uint8_t { kNone, kGzip };
  struct Options {
    std::string address;
    std::string authority;  // PEM; empty: no TLS at all
    Identity identity;      // empty: none is shown
    // Sent along with every call, names and values.
    std::vector<std::pair<std::string, std::string>> metadata = {};
    Compression compression = Compression::kNone;
  };
  explicit Peer(const Options& options);
  Peer(Peer&&) noexcept;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  Reply Call(
      const std::string& path, const std::vector<std::string>& messages,
      std::chrono::milliseconds timeout = std::chrono::seconds(60)) const;

  template <typename Response>
  absl::StatusOr<Response> Ask(const google::protobuf::Message& request) const {
    return Decode<Response>(
        Call(PathOf(*request.GetDescriptor()), {request.SerializeAsString()}));
  }
  template <typename Response, typename Request>
  absl::StatusOr<Response> Stream(const std::vector<Request>& requests) const {
    std::vector<std::string> messages;
    for (const Request& request : requests) {
      messages.push_back(request.SerializeAsString());
    }
    return Decode<Response>(Call(PathOf(*Request::descriptor()), messages));
  }

 private:
  template <typename Response>
  static absl::StatusOr<Response> Decode(const Reply& reply) {
    const absl::Status status = StatusOf(reply);
    if (!status.ok()) return status;
    Response response;
    if (reply.messages.size() != 1 ||
        !response.ParseFromString(reply.messages.front())) {
      return absl::DataLossError("the answer is no such message");
    }
    return response;
  }
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_PEER_H_
