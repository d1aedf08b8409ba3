#include "tests/bench/echo.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "service/app/config.h"
#include "tests/bench/load.h"
#include "tests/testing/vault_files.h"

namespace hizo::bench {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPort = "port ";
constexpr size_t kSlots = 1024;  // as hizod

struct Server {
  grpc::AsyncGenericService service;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  grpc::ByteBuffer answer;
};

// Serves one call and makes way for the next; gRPC knows it by address.
class Slot {
 public:
  Slot(Server& server, grpc::ServerCompletionQueue& queue)
      : server_(server), queue_(queue), stream_(&context_) {
    server_.service.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) {
    const Step step = step_;
    if (!ok || step == Step::kFinish) {
      new Slot(server_, queue_);
      delete this;
    } else if (step == Step::kAccept) {
      step_ = Step::kRead;
      stream_.Read(&request_, this);
    } else {
      step_ = Step::kFinish;
      stream_.WriteAndFinish(server_.answer, grpc::WriteOptions(),
                             grpc::Status::OK, this);
    }
  }

 private:
  enum class Step { kAccept, kRead, kFinish };
  Server& server_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer request_;
  Step step_ = Step::kAccept;
};

void Poll(grpc::ServerCompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) static_cast<Slot*>(tag)->Proceed(ok);
}

std::shared_ptr<grpc::ServerCredentials> Credentials(
    const std::filesystem::path& identity) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = test::ReadFile(identity / "ca.pem");
  options.pem_key_cert_pairs.push_back(
      {test::ReadFile(identity / "server.key"),
       test::ReadFile(identity / "server.pem")});
  return grpc::SslServerCredentials(options);
}

}  // namespace

Echo::Echo(const std::filesystem::path& identity, size_t answer_bytes)
    : process_({Myself("--echo", Json{{"identity", identity.string()},
                                      {"answer_bytes", answer_bytes}}
                                     .dump()),
                {}}) {
  const auto line = process_.WaitForLine(
      [](std::string_view text) { return text.starts_with(kPort); });
  if (!line.has_value()) throw std::runtime_error(process_.output());
  address_ = "127.0.0.1:" + line->substr(kPort.size());
}

int EchoMain(const std::string& spec) {
  const Json json = Json::parse(spec);
  Server server;
  const grpc::Slice answer(std::string(json.at("answer_bytes"), 'x'));
  server.answer = grpc::ByteBuffer(&answer, 1);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      "127.0.0.1:0", Credentials(std::string(json.at("identity"))), &port);
  builder.RegisterAsyncGenericService(&server.service);
  for (size_t i = 0; i < app::Config().threads; ++i) {
    server.queues.push_back(builder.AddCompletionQueue());
  }
  const std::unique_ptr<grpc::Server> running = builder.BuildAndStart();
  if (running == nullptr || port == 0) return 1;
  for (size_t i = 0; i < kSlots; ++i) {
    new Slot(server, *server.queues[i % server.queues.size()]);
  }
  std::vector<std::thread> threads;
  for (const auto& queue : server.queues) {
    threads.emplace_back([&queue = *queue] { Poll(queue); });
  }
  std::cout << kPort << port << std::endl;
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace hizo::bench
