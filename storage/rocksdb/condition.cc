#include "storage/rocksdb/condition.h"

namespace hizo::storage {

absl::Status Condition::CheckAlive() const {
  if (!failed_) return absl::OkStatus();
  return absl::UnavailableError("the store has failed and must be reopened");
}

absl::Status Condition::Check() const {
  absl::Status status = CheckAlive();
  if (!status.ok() || !full_) return status;
  return absl::ResourceExhaustedError("no space is left for the store");
}

}  // namespace hizo::storage
