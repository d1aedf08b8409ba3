// Rows: the rows of a range one by one, read some at a time.
//
//   Rows rows(snapshot, "a", "b");
//   for (;;) {
//     auto row = rows.Peek();
//     if (!row.ok()) return row.status();
//     if (*row == nullptr) break;
//     ...
//     rows.Pop();
//   }
//
// Threads: one thread at a time. Lifetime: the reader outlives it.
#ifndef HIZO_STORAGE_ROWS_H_
#define HIZO_STORAGE_ROWS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace hizo::storage {

class Rows {
 public:
  // Those with from <= key < until; an empty `until` is the end.
  Rows(const Reader& reader, std::string from, std::string until);

  // The next one, which may be moved from; nullptr at the end. Errors as those
  // of Scan.
  absl::StatusOr<Row*> Peek();
  void Pop() { ++next_; }

 private:
  const Reader& reader_;
  std::string from_;
  const std::string until_;
  std::vector<Row> rows_;
  size_t next_ = 0;
  bool ended_ = false;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ROWS_H_
