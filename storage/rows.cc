#include "storage/rows.h"

#include <utility>

namespace hizo::storage {
namespace {

constexpr size_t kRowsAtOnce = 2000;
constexpr size_t kBytesAtOnce = 4 * 1024 * 1024;

}  // namespace

Rows::Rows(const Reader& reader, std::string from, std::string until)
    : reader_(reader), from_(std::move(from)), until_(std::move(until)) {}

absl::StatusOr<Row*> Rows::Peek() {
  if (next_ == rows_.size() && !ended_) {
    auto rows = reader_.Scan({.from = from_,
                              .until = until_,
                              .limit = kRowsAtOnce,
                              .bytes = kBytesAtOnce});
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    next_ = 0;
    ended_ = rows_.empty();
    if (!ended_) from_ = rows_.back().key + '\0';
  }
  return next_ == rows_.size() ? nullptr : &rows_[next_];
}

}  // namespace hizo::storage
