#include "tests/service/rpc/dispatch_world.h"

#include <memory>
#include <utility>

namespace hizo::rpc {
namespace {

class InboxExchange final : public Exchange {
 public:
  InboxExchange(Request request, Inbox& inbox)
      : Exchange(std::move(request)), inbox_(inbox) {}
  void Answer(const absl::Status& status, std::string answer) override {
    inbox_.Put({status, std::move(answer)});
  }
  bool cancelled() const override { return inbox_.abandoned(); }

 private:
  Inbox& inbox_;
};

}  // namespace

void Inbox::Put(Answered answered) {
  // Told under the lock: whoever waits may end this object at once.
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(answered_.has_value()) << "answered twice";
  answered_ = std::move(answered);
  changed_.notify_all();
}

Answered Inbox::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return answered_.has_value(); });
  return *answered_;
}

bool Inbox::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_.has_value();
}

Method MethodOf(Run run, Lane lane) {
  Method method;
  method.path = "/hizo.v1.RecordService/GetRecord";
  method.action = policy::Action::kRecordGet;
  method.lane = lane;
  method.run = std::move(run);
  return method;
}

PoolFiller::PoolFiller(base::WorkerPool& pool, size_t queue_max) {
  EXPECT_TRUE(pool.Submit([this] {
    begun_.count_down();
    release_.wait();
    ended_.count_down();
  }));
  begun_.wait();
  for (size_t i = 0; i < queue_max; ++i) EXPECT_TRUE(pool.Submit([] {}));
}

PoolFiller::~PoolFiller() {
  release_.count_down();
  ended_.wait();
}

DispatchWorld::DispatchWorld(const test::VaultFixture::Options& options,
                             std::chrono::nanoseconds pace)
    : vault_(options),
      limits_(vault_.Policy().access, kMissesPerMinute),
      passwords_({.threads = 1, .queue_max = kPoolQueueMax}),
      reruns_({.threads = 1, .queue_max = kPoolQueueMax}),
      pacer_(pace),
      dispatch_({vault_.catalogue(), vault_.Policy().access,
                 vault_.store().policies().table(), vault_.clock(),
                 vault_.store().committer(), limits_, passwords_, reruns_,
                 pacer_}) {}

Exchange::Request DispatchWorld::RequestOf(const Method* method) {
  Exchange::Request request;
  request.method = method;
  request.actor = test::kFull;
  request.body = "body";
  return request;
}

void DispatchWorld::Serve(Exchange::Request request, Inbox& inbox) {
  dispatch_.Serve(std::make_unique<InboxExchange>(std::move(request), inbox));
}

Answered DispatchWorld::Call(Exchange::Request request) {
  Inbox inbox;
  Serve(std::move(request), inbox);
  return inbox.Wait();
}

Answered DispatchWorld::Call(Run run) {
  const Method method = MethodOf(std::move(run));
  return Call(RequestOf(&method));
}

}  // namespace hizo::rpc
