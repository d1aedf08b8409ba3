// Query: reading the log by subject, actor, action, outcome and time.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_QUERY_H_
#define HIZO_SERVICE_AUDIT_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/event.h"
#include "storage/engine.h"

namespace hizo::audit {

// Filter: all that is set must hold.
struct Filter {
  std::optional<base::TenantId> tenant;
  std::optional<base::AuditReference> subject;
  std::optional<std::string> actor;
  std::optional<policy::Action> action;
  std::optional<Outcome> outcome;
  std::optional<base::Timestamp> start;  // inclusive
  std::optional<base::Timestamp> end;    // exclusive
};

struct Found {
  uint64_t sequence = 0;
  Event event;
};
struct Page {
  std::vector<Found> events;
  // Where the next page begins; nullopt once the end was reached.
  std::optional<uint64_t> next;
};

// At most `limit` events among the first `size` of the log, newest first or
// oldest first, from position `from` (inclusive; nullopt: from the first in
// that order). Looks at no more than kEntriesPerPageMax entries, so that a
// page may be short, even empty, before the end. Uses the index of the
// subject, else of the actor, else the order of time. kDataLoss if an entry
// is missing or damaged; kInvalidArgument for a limit of 0.
inline constexpr size_t kEntriesPerPageMax = 5000;
enum class Order : uint8_t { kNewestFirst, kOldestFirst };
absl::StatusOr<Page> Query(const storage::Reader& reader, uint64_t size,
                           const Filter& filter, Order order,
                           std::optional<uint64_t> from, size_t limit);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_QUERY_H_
