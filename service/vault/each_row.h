// ForEachRow: all rows whose keys begin with a prefix, some at a time.
#ifndef HIZO_SERVICE_VAULT_EACH_ROW_H_
#define HIZO_SERVICE_VAULT_EACH_ROW_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "service/base/status_macros.h"
#include "storage/engine.h"

namespace hizo::vault {

// Calls `each` with every row, in their order, until it fails. What it writes
// into the same range may or may not be seen.
template <typename Each>
absl::Status ForEachRow(const storage::Reader& reader,
                        const std::string& prefix, Each each) {
  constexpr size_t kRowsAtOnce = 1000;
  storage::ScanRange range = storage::PrefixRange(prefix, kRowsAtOnce);
  for (;;) {
    ASSIGN_OR_RETURN(const auto rows, reader.Scan(range));
    for (const storage::Row& row : rows) RETURN_IF_ERROR(each(row));
    if (rows.size() < kRowsAtOnce) return absl::OkStatus();
    range.from = rows.back().key + '\0';
  }
}

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_EACH_ROW_H_
