#include "tests/testing/peer.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/error_details.h>

#include <optional>
#include <stdexcept>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/base/reason.h"

namespace hizo::test {
namespace {

constexpr int kMessageBytesMax = 64 * 1024 * 1024;

std::shared_ptr<grpc::Channel> Connect(const Peer::Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  // Peers share no connection, each has its own certificate.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  if (options.compression == Peer::Compression::kGzip) {
    arguments.SetCompressionAlgorithm(GRPC_COMPRESS_GZIP);
  }
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      grpc::InsecureChannelCredentials();
  if (!options.authority.empty()) {
    credentials = grpc::SslCredentials({options.authority, options.identity.key,
                                        options.identity.certificate});
  }
  return grpc::CreateCustomChannel(options.address, credentials, arguments);
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

Reply ReplyOf(const grpc::Status& status) {
  Reply reply;
  reply.code = status.error_code();
  reply.text = status.error_message();
  reply.details = status.error_details();
  google::rpc::Status details;
  if (!grpc::ExtractErrorDetails(status, &details).ok()) return reply;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (!detail.UnpackTo(&info)) continue;
    reply.reason = info.reason();
    reply.domain = info.domain();
    const auto field = info.metadata().find("field");
    if (field != info.metadata().end()) reply.field = field->second;
  }
  return reply;
}

// One call, step by step: gRPC knows it by address until its end.
class Conversation {
 public:
  Conversation(grpc::GenericStub& stub, const Peer::Options& options,
               const std::string& path, std::chrono::milliseconds timeout) {
    for (const auto& [name, value] : options.metadata) {
      context_.AddMetadata(name, value);
    }
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
    call_ = stub.PrepareCall(&context_, path, &queue_);
    call_->StartCall(this);
    going_ = Step();
  }

  void Write(const std::string& message) {
    if (!going_) return;
    call_->Write(ToBuffer(message), this);
    going_ = Step();
  }

  Reply Finish() {
    if (going_) {
      call_->WritesDone(this);
      Step();
    }
    std::vector<std::string> messages;
    for (;;) {
      grpc::ByteBuffer buffer;
      call_->Read(&buffer, this);
      if (!Step()) break;
      messages.push_back(Flatten(buffer));
    }
    grpc::Status status;
    call_->Finish(&status, this);
    Step();
    Reply reply = ReplyOf(status);
    reply.messages = std::move(messages);
    return reply;
  }

 private:
  // Whether the step that was begun succeeded. The call's deadline bounds it.
  bool Step() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool going_ = false;
};

}  // namespace

absl::Status StatusOf(const Reply& reply) {
  if (reply.code == 0) return absl::OkStatus();
  for (uint32_t number = 1; base::ReasonFromNumber(number); ++number) {
    const base::Reason reason = *base::ReasonFromNumber(number);
    if (base::NameOf(reason) == reply.reason) return base::Fail(reason);
  }
  return {static_cast<absl::StatusCode>(reply.code), reply.text};
}

std::string PathOf(const google::protobuf::Descriptor& request) {
  const auto* file = request.file();
  for (int i = 0; i < file->service_count(); ++i) {
    const auto* service = file->service(i);
    for (int j = 0; j < service->method_count(); ++j) {
      if (service->method(j)->input_type() == &request) {
        return "/" + service->full_name() + "/" + service->method(j)->name();
      }
    }
  }
  throw std::invalid_argument("no method takes this message");
}

struct Peer::Connection {
  explicit Connection(const Options& all) : options(all), stub(Connect(all)) {}
  const Options options;
  grpc::GenericStub stub;
};

Peer::Peer(const Options& options)
    : connection_(std::make_unique<Connection>(options)) {}
Peer::Peer(Peer&&) noexcept = default;
Peer::~Peer() = default;

Reply Peer::Call(const std::string& path,
                 const std::vector<std::string>& messages,
                 std::chrono::milliseconds timeout) const {
  Conversation conversation(connection_->stub, connection_->options, path,
                            timeout);
  for (const std::string& message : messages) conversation.Write(message);
  return conversation.Finish();
}

}  // namespace hizo::test
