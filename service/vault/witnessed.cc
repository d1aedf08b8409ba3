#include "service/vault/witnessed.h"

#include <ranges>
#include <string>

#include "crypto/checkpoint.h"
#include "service/base/status_macros.h"

namespace hizo::vault {
namespace {

absl::StatusOr<bool> Continues(const storage::Engine& data,
                               const audit::Log& log,
                               const storage::Witness::Seen& seen) {
  const auto head = crypto::OpenCheckpoint(seen.note, log.verifier_key());
  if (!head.ok() || head->tree.size != seen.size) {
    return absl::FailedPreconditionError(
        "the witness has a head of " + std::to_string(seen.size) +
        " entries that this store did not sign: it is another store's folder, "
        "or somebody has been at it");
  }
  if (log.head().size < seen.size) return false;
  return audit::Extends(data, seen.size, head->tree.root);
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> CheckWitness(
    const storage::Engine& data, const audit::Log& log,
    const storage::Witness& witness, std::optional<uint64_t> override_size) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> sizes, witness.Sizes());
  std::vector<uint64_t> against;
  // From the newest on: what it continues continues all before it.
  for (const uint64_t size : std::views::reverse(sizes)) {
    ASSIGN_OR_RETURN(const storage::Witness::Seen seen, witness.Read(size));
    ASSIGN_OR_RETURN(const bool continues, Continues(data, log, seen));
    if (continues) break;
    against.push_back(size);
  }
  if (against.empty() || override_size == against.front()) return against;
  return absl::FailedPreconditionError(
      "the audit log does not continue what its witness has seen: it has " +
      std::to_string(log.head().size) + " entries, the witness a head of " +
      std::to_string(against.front()) +
      ". Somebody put back an older copy, cut the log or forked it. Only if "
      "you "
      "know why, start once with --witness.override=" +
      std::to_string(against.front()) + ", which the log records");
}

}  // namespace hizo::vault
