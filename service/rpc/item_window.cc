#include "service/rpc/item_window.h"

#include <algorithm>
#include <utility>

namespace hizo::rpc {
namespace {

// How many begin before anything is known of the size of answers.
constexpr size_t kFirstItems = 8;

}  // namespace

size_t ItemWindow::Room() const {
  const size_t likely = done_any_
                            ? options_.bytes_max / std::max<size_t>(largest_, 1)
                            : kFirstItems;
  return std::clamp<size_t>(likely, 1, options_.items_max);
}

std::optional<size_t> ItemWindow::Begin() {
  if (stopped_ || begun_ == count_) return std::nullopt;
  if (!held_.empty() &&
      (held_.size() >= Room() || bytes_ >= options_.bytes_max)) {
    return std::nullopt;
  }
  held_.emplace_back();
  ++in_work_;
  return begun_++;
}

void ItemWindow::Done(size_t index, ItemResult result) {
  --in_work_;
  if (stopped_) return;
  done_any_ = true;
  largest_ = std::max(largest_, result.answer.size());
  bytes_ += result.answer.size();
  held_[index - (begun_ - held_.size())] = std::move(result);
}

std::vector<ItemResult> ItemWindow::Take() {
  std::vector<ItemResult> taken;
  size_t bytes = 0;
  while (!held_.empty() && held_.front().has_value() &&
         taken.size() < options_.message_items_max) {
    const size_t size = held_.front()->answer.size();
    if (!taken.empty() && bytes + size > options_.message_bytes_max) break;
    bytes += size;
    taken.push_back(*std::move(held_.front()));
    held_.pop_front();
  }
  bytes_ -= bytes;
  return taken;
}

void ItemWindow::Stop() {
  stopped_ = true;
  held_.clear();
  bytes_ = 0;
}

bool ItemWindow::finished() const {
  if (stopped_) return in_work_ == 0;
  return begun_ == count_ && held_.empty();
}

}  // namespace hizo::rpc
