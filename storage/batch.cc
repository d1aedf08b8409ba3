#include <iterator>
#include <utility>

#include "storage/engine.h"

namespace hizo::storage {
namespace {

// Appends `from` to `to` without copying what its elements hold.
template <typename T>
void MoveAll(std::vector<T>& from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()),
            std::make_move_iterator(from.end()));
}

}  // namespace

void Batch::Put(std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  writes_.push_back({std::move(key), std::move(value)});
}

void Batch::Delete(std::string key) {
  bytes_ += key.size();
  writes_.push_back({std::move(key), std::nullopt});
}

void Batch::RequireAbsent(std::string key) {
  bytes_ += key.size();
  preconditions_.push_back({std::move(key), std::nullopt});
}

void Batch::RequireValue(std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  preconditions_.push_back({std::move(key), std::move(value)});
}

void Batch::Append(Batch&& other) {
  MoveAll(other.writes_, writes_);
  MoveAll(other.preconditions_, preconditions_);
  bytes_ += other.bytes_;
  other = Batch();
}

ScanRange PrefixRange(std::string_view prefix, size_t limit) {
  // The first key after all that begin with `prefix`: the prefix with its last
  // byte counted up, bytes that cannot be counted up dropped.
  std::string until(prefix);
  while (!until.empty() && until.back() == '\xFF') until.pop_back();
  if (!until.empty()) ++until.back();
  return {
      .from = std::string(prefix), .until = std::move(until), .limit = limit};
}

}  // namespace hizo::storage
