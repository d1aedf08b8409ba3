// What an entry of the audit log says of pruning (service/audit/FORMAT.md).
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_CLI_AUDIT_FILE_PRUNE_H_
#define HIZO_SERVICE_CLI_AUDIT_FILE_PRUNE_H_

#include <cstdint>
#include <string_view>

namespace hizo::cli {

// How many of the first entries were pruned by what `entry` tells of; 0 if that
// is something else, or no entry at all.
uint64_t PrunedBy(std::string_view entry);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_AUDIT_FILE_PRUNE_H_
