// ItemWindow: the items of one streamed answer, begun in their order, done in
// any order, handed out in their order again.
//
// It bounds what a stream holds: how many items are begun and not yet handed
// out, and, from the size of the answers so far, about how many bytes those can
// be. It knows neither gRPC nor the vault.
// Threads: one at a time; the owner has the lock.
#ifndef HIZO_SERVICE_RPC_ITEM_WINDOW_H_
#define HIZO_SERVICE_RPC_ITEM_WINDOW_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "service/rpc/method_table.h"

namespace hizo::rpc {

class ItemWindow {
 public:
  struct Options {
    size_t items_max = 64;  // begun and not handed out, at least 1
    size_t bytes_max = size_t{1} << 20U;  // of answers held, about
    size_t message_items_max = 100;       // handed out together
    size_t message_bytes_max = size_t{256} << 10U;
  };
  // A `count` that is not known yet is the largest, until End.
  ItemWindow(size_t count, const Options& options)
      : options_(options), count_(count) {}

  // The next item to begin; nullopt if there is none or no room. There is room
  // for one whenever nothing is held.
  std::optional<size_t> Begin();
  // `index` was begun and is done.
  void Done(size_t index, ItemResult result);
  // The results that come next, together as a message holds them; empty if the
  // next one is not done yet.
  std::vector<ItemResult> Take();
  // No further item begins; what is done is handed out.
  void End() { count_ = begun_; }
  // No further item begins, and what is done is not handed out any more.
  void Stop();
  // Everything was handed out; or, once stopped, nothing is in work.
  bool finished() const;

 private:
  // How many may be held, as large as they have been so far.
  size_t Room() const;

  const Options options_;
  size_t count_;
  size_t begun_ = 0;
  size_t in_work_ = 0;
  bool stopped_ = false;
  bool done_any_ = false;
  size_t largest_ = 0;  // answer so far
  size_t bytes_ = 0;    // of answers done and not handed out
  std::deque<std::optional<ItemResult>> held_;  // ends with item begun_ - 1
};

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_ITEM_WINDOW_H_
