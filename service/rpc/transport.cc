#include "service/rpc/transport.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "service/base/reason.h"
#include "service/rpc/caller.h"
#include "service/rpc/endpoint.h"
#include "service/rpc/grpc_status.h"
#include "service/rpc/item_window.h"

namespace hizo::rpc {
namespace {

using base::Reason;

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

}  // namespace

// A Slot serves one call after another: it waits for one, reads, has messages
// served, answers, and makes way for the next Slot. gRPC knows it by address;
// it deletes itself when its last operation has come back, and the call's end.
class Transport::Slot {
 public:
  Slot(Transport& transport, grpc::ServerCompletionQueue& queue)
      : transport_(transport), queue_(queue), stream_(&context_) {
    context_.AsyncNotifyWhenDone(&end_);
    transport_.service_.RequestCall(&context_, &stream_, &queue_, &queue_,
                                    &operation_);
  }

  // What gRPC gives back.
  struct Tag {
    enum class Of : uint8_t { kOperation, kEnd };
    Slot* slot;
    Of of;
    void Proceed(bool ok) const {
      return of == Of::kEnd ? slot->Ended() : slot->Proceed(ok);
    }
  };

  // Whether nobody waits for the answer any more.
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // What became of item `index`.
  void ItemDone(size_t index, const absl::Status& status, std::string answer) {
    if (admitted_ && shape() == Shape::kClientStream) {
      return MessageDone(index, status, std::move(answer));
    }
    if (items_.body_of) return AskedItemDone(index, status, std::move(answer));
    if (IsPaged()) return PageDone(status, answer);
    Finish(status, std::move(answer));
  }

  // The peer has kept it waiting for too long. Only while it waits.
  void TimeOut() {
    waits_ = false;
    timed_out_ = true;
    context_.TryCancel();
  }

 private:
  enum class Step { kAccept, kRead, kWrite, kFinish };

  // An operation came back.
  void Proceed(bool ok) {
    if (step_ != Step::kAccept) EndWait();
    switch (step_) {
      case Step::kAccept:
        return ok ? Accepted() : Retire();
      case Step::kRead:
        transport_.connections_.ReadEnded(peer_);
        switch (shape()) {
          case Shape::kUnary:
            return UnaryRead(ok);
          case Shape::kClientStream:
            return StreamRead(ok);
          case Shape::kServerStream:
            return AskRead(ok);
        }
        return;
      case Step::kWrite:
        return Written(ok);
      case Step::kFinish:
        return Retire();
    }
  }

  // On the thread of its queue, as Proceed: one of them at a time.
  void Ended() {
    cancelled_.store(context_.IsCancelled(), std::memory_order_relaxed);
    ended_call_ = true;
    if (retired_) delete this;
  }

  Shape shape() const {
    return method_ == nullptr ? Shape::kUnary : method_->shape;
  }

  // Of a client's stream: what became of message `index`.
  void MessageDone(size_t index, const absl::Status& status,
                   std::string answer) {
    bool read = false;
    bool finish = false;
    {
      const base::MutexLock lock(mutex_);
      results_[index] = {status, std::move(answer)};
      --in_work_;
      read = paused_;
      paused_ = false;
      finish = ended_ && in_work_ == 0;
    }
    if (read) Read();
    if (finish) FinishStream();
  }

  void Accepted() {
    method_ = transport_.parts_.methods.Find(context_.method());
    actor_ = PeerSpiffeId(*context_.auth_context());
    peer_ = ParsePeer(context_.peer()).value_or(Endpoint());
    admitted_ = transport_.load_.Begin(actor_);
    if (admitted_ && method_ != nullptr) return Read();
    transport_.connections_.CallBegan(peer_);
    Serve(0, "", admitted_ ? Reason::kNone : Reason::kOverloaded);
  }

  // Before an operation that takes as long as the peer likes.
  void BeginWait(Step step) {
    step_ = step;
    const auto now = std::chrono::steady_clock::now();
    const base::MutexLock lock(transport_.waiting_mutex_);
    waiting_ = transport_.waiting_.insert(transport_.waiting_.end(),
                                          Waiting{this, now});
    waits_ = true;
  }

  void EndWait() {
    const base::MutexLock lock(transport_.waiting_mutex_);
    if (waits_) transport_.waiting_.erase(waiting_);
    waits_ = false;
  }

  void Read() {
    BeginWait(Step::kRead);
    transport_.connections_.ReadBegan(peer_);
    stream_.Read(&buffer_, &operation_);
  }

  // What a wait for a message has brought: its bytes, or why there are none.
  struct Received {
    std::string body;
    Reason refused = Reason::kNone;
  };
  Received Receive(bool ok) const {
    if (!ok) {
      return {"", timed_out_ ? Reason::kDeadlineExceeded
                             : Reason::kMalformedRequest};
    }
    if (buffer_.Length() > transport_.options_.message_bytes_max) {
      return {"", Reason::kTooLarge};
    }
    return {Flatten(buffer_), Reason::kNone};
  }

  void UnaryRead(bool ok) {
    Received received = Receive(ok);
    Serve(0, std::move(received.body), received.refused);
  }

  void StreamRead(bool ok) {
    size_t index = 0;
    bool more = false;
    bool finish = false;
    bool read_on = false;
    {
      const base::MutexLock lock(mutex_);
      const bool too_many =
          ok && results_.size() >= transport_.options_.stream_messages_max;
      // A stream without a message is still a call: it leaves its event.
      empty_ = !ok && results_.empty();
      if ((ok && !too_many) || empty_) {
        index = results_.size();
        results_.emplace_back();
        ++in_work_;
        more = true;
      }
      if (!ok || too_many) ended_ = true;
      cut_ = too_many;
      finish = ended_ && in_work_ == 0;
      paused_ = !ended_ && in_work_ >= transport_.options_.stream_window;
      read_on = !ended_ && !paused_;
    }
    if (finish) return FinishStream();
    if (!more) return;
    Received received = Receive(ok);
    if (read_on) Read();
    Serve(index, std::move(received.body), received.refused);
  }

  // Of a server's stream: the message that asks for the items.
  void AskRead(bool ok) {
    Received received = Receive(ok);
    if (IsPaged()) {
      page_body_ = std::move(received.body);
      return Serve(0, page_body_, received.refused);
    }
    absl::StatusOr<Items> items = received.refused == Reason::kNone
                                      ? method_->split(received.body)
                                      : base::Fail(received.refused);
    if (!items.ok()) return Serve(0, "", base::ReasonOf(items.status()));
    items_ = *std::move(items);
    ItemWindow::Options options;
    const bool sequence = items_.sequence != nullptr;
    options.items_max = sequence ? 1 : transport_.options_.stream_window;
    window_.emplace(
        sequence ? std::numeric_limits<size_t>::max() : items_.count, options);
    BeginItems();
    SendItems();
  }

  bool IsPaged() const {
    return admitted_ && method_ != nullptr && method_->follow != nullptr;
  }

  // Of a server's stream of pages: the next one is asked for once the wire took
  // this one.
  void PageDone(const absl::Status& status, const std::string& answer) {
    if (!status.ok()) return Finish(status, "");
    std::optional<std::string> next = method_->follow(page_body_, answer);
    if (!next.has_value()) return Finish(status, answer);
    page_body_ = *std::move(next);
    BeginWait(Step::kWrite);
    stream_.Write(ToBuffer(answer), &operation_);
  }

  // Only while busy_: one thread or one write at a time takes the answer
  // forward.
  void BeginItems() {
    for (;;) {
      std::optional<size_t> index;
      {
        const base::MutexLock lock(mutex_);
        index = window_->Begin();
      }
      if (!index.has_value()) return;
      Serve(*index, items_.body_of(*index), Reason::kNone);
    }
  }

  // Only while busy_. Writes what is done, or leaves that to whichever item is
  // done next.
  void SendItems() {
    std::vector<ItemResult> ready;
    bool finished = false;
    {
      const base::MutexLock lock(mutex_);
      ready = window_->Take();
      finished = window_->finished();
      busy_ = finished || !ready.empty();
      if (!busy_) return;
    }
    if (finished) items_.sequence.reset();
    if (ready.empty()) {
      return FinishWith(ToGrpcStatus(failed_, transport_.parts_.catalogue));
    }
    const grpc::ByteBuffer message = ToBuffer(method_->summarise(ready));
    if (finished) {
      BeginWait(Step::kFinish);
      stream_.WriteAndFinish(message, grpc::WriteOptions(), grpc::Status::OK,
                             &operation_);
    } else {
      BeginWait(Step::kWrite);
      stream_.Write(message, &operation_);
    }
  }

  void AskedItemDone(size_t index, const absl::Status& status,
                     std::string answer) {
    {
      const base::MutexLock lock(mutex_);
      const Sequence* sequence = items_.sequence.get();
      if (sequence != nullptr && !status.ok()) {
        failed_ = status;
        window_->Stop();
      } else if (sequence != nullptr && sequence->ended()) {
        window_->End();
      }
      window_->Done(index, {status, std::move(answer)});
      if (busy_) return;
      busy_ = true;
    }
    SendItems();
  }

  // The wire took a message, so that further items may begin; or the caller
  // has gone.
  void Written(bool ok) {
    transport_.connections_.Advanced(peer_);
    if (IsPaged()) {
      return ok ? Serve(0, page_body_, Reason::kNone)
                : FinishWith(grpc::Status::CANCELLED);
    }
    if (!ok) {
      const base::MutexLock lock(mutex_);
      window_->Stop();
    }
    BeginItems();
    SendItems();
  }

  void Serve(size_t index, std::string body, Reason refused);

  void FinishStream() {
    if (cut_) return Finish(base::Fail(Reason::kTooLarge), "");
    if (empty_) return Finish(results_.front().status, "");
    Finish(absl::OkStatus(), method_->summarise(results_));
  }

  void Finish(const absl::Status& status, std::string answer) {
    const grpc::Status out = ToGrpcStatus(status, transport_.parts_.catalogue);
    if (!out.ok()) return FinishWith(out);
    BeginWait(Step::kFinish);
    stream_.WriteAndFinish(ToBuffer(answer), grpc::WriteOptions(), out,
                           &operation_);
  }

  void FinishWith(const grpc::Status& status) {
    BeginWait(Step::kFinish);
    stream_.Finish(status, &operation_);
  }

  void Retire();

  Transport& transport_;
  grpc::ServerCompletionQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer buffer_;
  const Method* method_ = nullptr;
  std::string actor_;
  Endpoint peer_;
  Step step_ = Step::kAccept;
  Tag operation_{this, Tag::Of::kOperation};
  Tag end_{this, Tag::Of::kEnd};
  bool admitted_ = false;    // counted in the transport's load
  bool ended_call_ = false;  // gRPC has said so
  bool retired_ = false;     // and only waits for that
  std::atomic<bool> cancelled_{false};
  // Under the transport's waiting_mutex_.
  std::list<Waiting>::iterator waiting_;
  bool waits_ = false;
  bool timed_out_ = false;

  base::Mutex mutex_;
  // Of a client's stream: what became of each message so far, how many are in
  // work.
  std::vector<ItemResult> results_;
  size_t in_work_ = 0;
  bool paused_ = false;  // no Read is under way until a message is done
  bool ended_ = false;   // no more messages will come
  bool cut_ = false;     // because there were too many
  bool empty_ = false;   // there was none
  // Of a server's stream: what was asked for, and what is held of it.
  Items items_;
  std::optional<ItemWindow> window_;
  bool busy_ = true;       // somebody takes the answer forward
  std::string page_body_;  // what asks for the page in work
  absl::Status failed_;    // of a sequence: what ended it
};

// An Item is one of those that a Slot's call consists of.
class Transport::Item final : public Exchange {
 public:
  Item(Slot& slot, size_t index, Request request)
      : Exchange(std::move(request)), slot_(slot), index_(index) {}
  void Answer(const absl::Status& status, std::string answer) override {
    slot_.ItemDone(index_, status, std::move(answer));
  }
  bool cancelled() const override { return slot_.cancelled(); }

 private:
  Slot& slot_;
  const size_t index_;
};

void Transport::Slot::Serve(size_t index, std::string body, Reason refused) {
  transport_.parts_.dispatch.Serve(std::make_unique<Item>(
      *this, index,
      Exchange::Request{method_, actor_, std::move(body),
                        std::chrono::time_point_cast<std::chrono::microseconds>(
                            context_.deadline()),
                        refused, items_.sequence.get(), index}));
}

void Transport::Slot::Retire() {
  Transport& transport = transport_;
  if (step_ == Step::kFinish) {
    if (admitted_) transport.load_.End(actor_);
    new Slot(transport, queue_);
    retired_ = true;
    if (ended_call_) delete this;
    return;
  }
  // Its wait was called off: the server is closing, and no call will end.
  delete this;
  const base::MutexLock lock(transport.mutex_);
  --transport.slots_;
  transport.changed_.notify_all();
}

Transport::Transport(const Parts& parts, const Options& options,
                     Connections& connections)
    : parts_(parts),
      options_(options),
      connections_(connections),
      load_(options.calls_per_caller) {}

Transport::~Transport() { Stop(); }

void Transport::Register(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(&service_);
  for (size_t i = 0; i < options_.threads; ++i) {
    queues_.push_back(builder.AddCompletionQueue());
  }
}

void Transport::Start() {
  {
    const base::MutexLock lock(mutex_);
    slots_ = options_.calls_max;
  }
  for (size_t i = 0; i < options_.calls_max; ++i) {
    new Slot(*this, *queues_[i % queues_.size()]);
  }
  for (const auto& queue : queues_) {
    threads_.emplace_back([this, &queue = *queue] { Poll(queue); });
  }
}

void Transport::Poll(grpc::ServerCompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  for (;;) {
    const auto next =
        queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kIdle);
    if (next == grpc::CompletionQueue::TIMEOUT) {
      if (options_.when_idle) options_.when_idle();
      if (!queue.Next(&tag, &ok)) return;
    } else if (next == grpc::CompletionQueue::SHUTDOWN) {
      return;
    }
    static_cast<const Slot::Tag*>(tag)->Proceed(ok);
  }
}

void Transport::CancelIdle() {
  const auto since = std::chrono::steady_clock::now() - options_.idle;
  const base::MutexLock lock(waiting_mutex_);
  while (!waiting_.empty() && waiting_.front().since <= since) {
    Slot& slot = *waiting_.front().slot;
    waiting_.pop_front();
    slot.TimeOut();
  }
}

void Transport::Stop() {
  if (threads_.empty()) return;
  {
    const base::MutexLock lock(mutex_);
    while (slots_ > 0) changed_.wait(mutex_);
  }
  for (const auto& queue : queues_) queue->Shutdown();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace hizo::rpc
