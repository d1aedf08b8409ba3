#include "storage/bounds.h"

namespace hizo::storage {
namespace {

// Both kinds of entry of a batch have a key and perhaps a value.
template <typename Entry>
absl::Status CheckEntry(const Entry& entry) {
  if (entry.key.empty()) {
    return absl::InvalidArgumentError("a storage key is empty");
  }
  if (entry.key.size() > kKeySizeMax) {
    return absl::InvalidArgumentError("a storage key is too long");
  }
  if (entry.value.has_value() && entry.value->size() > kValueSizeMax) {
    return absl::InvalidArgumentError("a stored value is too long");
  }
  return absl::OkStatus();
}

template <typename Entry>
absl::Status CheckEntries(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (absl::Status status = CheckEntry(entry); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBounds(const Batch& batch) {
  absl::Status status = CheckEntries(batch.writes());
  return status.ok() ? CheckEntries(batch.preconditions()) : status;
}

absl::Status CheckBounds(const ScanRange& range) {
  if (range.limit == 0 || range.limit > kScanLimitMax) {
    return absl::InvalidArgumentError("the limit of a scan is out of bounds");
  }
  return absl::OkStatus();
}

bool IsEmpty(const ScanRange& range) {
  return !range.until.empty() && range.from >= range.until;
}

}  // namespace hizo::storage
