#include "tests/bench/load.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "tests/testing/child_process.h"
#include "tests/testing/vault_files.h"

namespace hizo::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr char kBegin[] = "begin";
constexpr char kEnd[] = "end";
constexpr char kAnswerBytes[] = "answer_bytes";
// Before anything counts: connections are made, caches filled.
constexpr std::chrono::milliseconds kWarmUp{700};
constexpr size_t kThreadsMax = 2;
constexpr size_t kChannelsPerThread = 2;
constexpr std::chrono::seconds kPatience{60};

Json ToJson(const Load& load) {
  return {{"address", load.address},
          {"path", load.path},
          {"identity", load.identity.string()},
          {"requests", load.requests.string()},
          {"in_flight", load.in_flight},
          {"seconds", load.seconds},
          {"begun_per_second", load.begun_per_second},
          {"may_be_shed", load.may_be_shed}};
}

Load FromJson(const Json& json) {
  return {json.at("address"),
          json.at("path"),
          std::string(json.at("identity")),
          std::string(json.at("requests")),
          json.at("in_flight"),
          json.at("seconds"),
          json.value("begun_per_second", 0.0),
          json.value("may_be_shed", false)};
}

std::vector<grpc::ByteBuffer> ReadRequests(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<grpc::ByteBuffer> requests;
  uint32_t size = 0;
  while (in.read(reinterpret_cast<char*>(&size), sizeof(size))) {
    std::string bytes(size, '\0');
    in.read(bytes.data(), size);
    const grpc::Slice slice(bytes);
    requests.emplace_back(&slice, 1);
  }
  if (requests.empty()) throw std::runtime_error("there are no requests");
  return requests;
}

std::shared_ptr<grpc::Channel> Connect(const Load& load) {
  grpc::ChannelArguments arguments;
  // Otherwise channels to one address share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(
      load.address,
      grpc::SslCredentials({test::ReadFile(load.identity / "ca.pem"),
                            test::ReadFile(load.identity / "acme-full.key"),
                            test::ReadFile(load.identity / "acme-full.pem")}),
      arguments);
}

// What all threads of this process share.
struct Shared {
  explicit Shared(const Load& of)
      : load(of), requests(ReadRequests(of.requests)) {}
  const Load load;
  const std::vector<grpc::ByteBuffer> requests;
  const Clock::time_point begin = Clock::now() + kWarmUp;
  const Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(
                  std::chrono::duration<double>(load.seconds));
  std::mutex mutex;
  std::vector<double> latencies_us;
  std::vector<double> shed_us;  // latencies, of what was refused
  uint64_t answer_bytes = 0;
  std::string failure;
};

// One thread, its connections, and its share of the calls in flight.
class Worker {
 public:
  Worker(Shared& shared, size_t number, size_t threads)
      : shared_(shared),
        announces_(number == 0),
        // Apart from the other threads: no two calls about one person at once.
        first_(number * shared.requests.size() / threads),
        end_((number + 1) * shared.requests.size() / threads),
        next_(first_) {
    const size_t calls = shared.load.in_flight / threads;
    for (size_t i = 0; i < std::min(calls, kChannelsPerThread); ++i) {
      stubs_.emplace_back(Connect(shared.load));
    }
    calls_max_ = calls;
    if (shared.load.begun_per_second > 0) {
      step_ = std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(static_cast<double>(threads) /
                                        shared.load.begun_per_second));
      next_start_ = Clock::now();
      return;
    }
    for (size_t i = 0; i < calls; ++i) Start(stubs_[i % stubs_.size()]);
  }

  void Run() {
    if (step_.count() > 0) {
      RunPaced();
    } else {
      void* tag = nullptr;
      bool ok = false;
      while (in_flight_ > 0 && queue_.Next(&tag, &ok)) {
        const std::unique_ptr<Call> call = End(tag);
        if (Goes()) Start(call->stub);
      }
    }
    const std::lock_guard lock(shared_.mutex);
    shared_.shed_us.insert(shared_.shed_us.end(), shed_us_.begin(),
                           shed_us_.end());
    shared_.latencies_us.insert(shared_.latencies_us.end(),
                                latencies_us_.begin(), latencies_us_.end());
    shared_.answer_bytes += answer_bytes_;
    if (!failure_.empty()) shared_.failure = failure_;
  }

 private:
  struct Call;
  bool Goes() const { return Clock::now() < shared_.end && failure_.empty(); }

  // What came back from the queue is over.
  std::unique_ptr<Call> End(void* tag) {
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    --in_flight_;
    const Clock::time_point now = Clock::now();
    Count(*call, now);
    Announce(now);
    return call;
  }

  void RunPaced() {
    while (Goes() || in_flight_ > 0) {
      const Clock::time_point now = Clock::now();
      while (Goes() && next_start_ <= now) {
        next_start_ += step_;
        if (in_flight_ < calls_max_) Start(stubs_[turn_++ % stubs_.size()]);
      }
      void* tag = nullptr;
      bool ok = false;
      const auto wait = std::max(next_start_ - now, Clock::duration(0));
      const auto until =
          std::chrono::system_clock::now() +
          std::chrono::duration_cast<std::chrono::system_clock::duration>(wait);
      if (queue_.AsyncNext(&tag, &ok, until) ==
          grpc::CompletionQueue::GOT_EVENT) {
        End(tag);
      }
    }
  }

  struct Call {
    grpc::GenericStub& stub;
    Clock::time_point start;
    grpc::ClientContext context;
    grpc::ByteBuffer answer;
    grpc::Status status;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  };

  void Start(grpc::GenericStub& stub) {
    // gRPC holds it by address until it comes back from the queue.
    auto* call = new Call{stub, Clock::now(), {}, {}, {}, nullptr};
    call->context.set_deadline(std::chrono::system_clock::now() + kPatience);
    const grpc::ByteBuffer& request = shared_.requests[next_];
    if (++next_ == end_) next_ = first_;
    call->reader = stub.PrepareUnaryCall(&call->context, shared_.load.path,
                                         request, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
    ++in_flight_;
  }

  void Count(const Call& call, Clock::time_point now) {
    const double took =
        std::chrono::duration<double, std::micro>(now - call.start).count();
    const bool counts = now >= shared_.begin && now < shared_.end;
    if (shared_.load.may_be_shed &&
        call.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      if (counts) shed_us_.push_back(took);
      return;
    }
    if (!call.status.ok()) failure_ = call.status.error_message();
    if (!counts) return;
    latencies_us_.push_back(took);
    answer_bytes_ += call.answer.Length();
  }

  // Tells the other process what to put its own measurements around.
  void Announce(Clock::time_point now) {
    if (!announces_) return;
    if (!begun_ && now >= shared_.begin) {
      begun_ = true;
      std::cout << kBegin << std::endl;
    }
    if (!ended_ && now >= shared_.end) {
      ended_ = true;
      std::cout << kEnd << std::endl;
    }
  }

  Shared& shared_;
  const bool announces_;
  const size_t first_;  // its part of the requests
  const size_t end_;
  size_t next_;
  size_t in_flight_ = 0;
  grpc::CompletionQueue queue_;
  std::vector<grpc::GenericStub> stubs_;
  size_t calls_max_ = 0;
  Clock::duration step_{0};  // between two starts of this thread
  Clock::time_point next_start_;
  size_t turn_ = 0;
  std::vector<double> latencies_us_;
  std::vector<double> shed_us_;
  uint64_t answer_bytes_ = 0;
  std::string failure_;
  bool begun_ = false;
  bool ended_ = false;
};

Json Summary(const Shared& shared) {
  const Sample sample = SampleOf(shared.latencies_us, shared.load.seconds);
  const auto calls = static_cast<double>(shared.latencies_us.size());
  return {{"per_second", sample.per_second},
          {"p50_us", sample.p50_us},
          {"p99_us", sample.p99_us},
          {"shed", shared.shed_us.size()},
          {"shed_p99_us", Percentile(shared.shed_us, 0.99)},
          {kAnswerBytes, static_cast<double>(shared.answer_bytes) / calls}};
}

Sample SampleFrom(const Json& summary, double cpu_seconds, double seconds) {
  Sample sample;
  sample.per_second = summary.at("per_second");
  sample.p50_us = summary.at("p50_us");
  sample.p99_us = summary.at("p99_us");
  sample.cpu_us = cpu_seconds * 1e6 / (sample.per_second * seconds);
  sample.bytes = summary.at(kAnswerBytes);
  sample.shed_per_second = static_cast<double>(summary.at("shed")) / seconds;
  sample.shed_p99_us = summary.at("shed_p99_us");
  return sample;
}

}  // namespace

void WriteRequests(const std::filesystem::path& file,
                   const std::vector<std::string>& requests) {
  std::ofstream out(file, std::ios::binary);
  for (const std::string& request : requests) {
    const auto size = static_cast<uint32_t>(request.size());
    out.write(reinterpret_cast<const char*>(&size), sizeof(size));
    out << request;
  }
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

std::vector<std::string> Myself(const std::string& part,
                                const std::string& spec) {
  return {std::filesystem::read_symlink("/proc/self/exe"), part, spec};
}

Sample RunLoad(const Load& load, int server) {
  test::ChildProcess child({Myself("--load", ToJson(load).dump()), {}});
  const auto wait_for = [&child](std::string_view word) {
    const auto is_word = [word](std::string_view line) { return line == word; };
    if (!child.WaitForLine(is_word)) throw std::runtime_error(child.output());
  };
  wait_for(kBegin);
  const double cpu_before = CpuSeconds(server);
  wait_for(kEnd);
  const double cpu_after = CpuSeconds(server);
  if (child.Wait() != 0) throw std::runtime_error(child.output());
  return SampleFrom(Json::parse(child.lines().back()), cpu_after - cpu_before,
                    load.seconds);
}

int LoadMain(const std::string& spec) {
  const Load load = FromJson(Json::parse(spec));
  Shared shared(load);
  const size_t count = std::min(kThreadsMax, load.in_flight);
  std::vector<std::unique_ptr<Worker>> workers;
  for (size_t i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(shared, i, count));
  }
  std::vector<std::thread> threads;
  for (const auto& worker : workers) {
    threads.emplace_back([&worker = *worker] { worker.Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  if (!shared.failure.empty() || shared.latencies_us.empty()) {
    std::cerr << "a call failed: " << shared.failure << std::endl;
    return 1;
  }
  std::cout << Summary(shared) << std::endl;
  return 0;
}

}  // namespace hizo::bench
