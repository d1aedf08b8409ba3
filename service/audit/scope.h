// Scope: whom a breach touched. Everybody of whom the log tells something
// within a window, with what was seen of each: exact, and however many they
// are, one person at a time.
//
// It walks the index by subject, so a person's entries lie together and nothing
// has to be remembered of the others.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_SCOPE_H_
#define HIZO_SERVICE_AUDIT_SCOPE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "storage/engine.h"

namespace hizo::audit {

// How many calls showed values, showed masks, were refused, or did something
// else (found, wrote, checked, or failed).
struct Counts {
  uint64_t revealed = 0;
  uint64_t masked = 0;
  uint64_t denied = 0;
  uint64_t other = 0;
  bool operator==(const Counts&) const = default;
};

// What happened to one person within the window.
struct Exposure {
  base::AuditReference subject;
  Counts calls;
  std::map<policy::FieldNumber, Counts> fields;
  // Its first and last entry.
  Span entries;  // `end` is behind the last one
  base::Timestamp first_time;
  base::Timestamp last_time;
};

struct ScopePage {
  std::vector<Exposure> subjects;  // in the order of their references
  // Where the next page begins; nullopt once everybody was looked at.
  std::optional<base::AuditReference> next;
};

// Everybody from reference `from` on (nullopt: from the first one) to whom an
// entry within `span` applies that `filter` admits; its times, `first` and
// subject are not looked at. At most `limit` people; looks no further once it
// has looked at kScopeRowsMax index rows, but always at one person as a whole.
// Where `filter` names a class, only its fields are told. kDataLoss if a row is
// missing or damaged.
inline constexpr size_t kScopeRowsMax = 5000;
absl::StatusOr<ScopePage> Scope(const storage::Reader& reader, const Span& span,
                                const Filter& filter,
                                std::optional<base::AuditReference> from,
                                size_t limit);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_SCOPE_H_
