// Whether the log is one that its witness knows.
//
// Threads: called once, at start.
#ifndef HIZO_SERVICE_VAULT_WITNESSED_H_
#define HIZO_SERVICE_VAULT_WITNESSED_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/log.h"
#include "storage/engine.h"
#include "storage/witness.h"

namespace hizo::vault {

// The sizes of the heads that the witness has seen and the log does not
// continue: none, if all is well. What the log does not sign is none of them.
// kFailedPrecondition, with a text for the operator, if there are any and
// `override_size` is not the largest of them; kUnavailable if the witness
// cannot be asked.
absl::StatusOr<std::vector<uint64_t>> CheckWitness(
    const storage::Engine& data, const audit::Log& log,
    const storage::Witness& witness, std::optional<uint64_t> override_size);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_WITNESSED_H_
