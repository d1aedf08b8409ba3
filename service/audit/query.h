// Query: reading the log by who, whom, what, why and when.
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
#include "service/policy/catalogue.h"
#include "storage/engine.h"

namespace hizo::audit {

// The fields of a class, which an entry names by their numbers alone.
struct FieldsOfClass {
  policy::ClassNumber number = 0;
  std::vector<policy::FieldNumber> fields;  // ascending
};

// Filter: all that is set must hold.
struct Filter {
  std::optional<base::TenantId> tenant;
  std::optional<base::AuditReference> subject;
  std::optional<std::string> actor;
  // Any of these, where who asks names several; an empty list is nobody.
  std::optional<std::vector<std::string>> actors;
  std::optional<policy::Action> action;
  std::optional<Outcome> outcome;
  std::optional<base::Reason> reason;
  std::optional<policy::PurposeNumber> purpose;
  std::optional<policy::PurposeNumber> other_than_purpose;
  // A field of the class was asked for, or a record of it written.
  std::optional<FieldsOfClass> of_class;
  std::optional<policy::FieldNumber> field;
  std::optional<base::Timestamp> start;  // inclusive
  std::optional<base::Timestamp> end;    // exclusive
  std::optional<uint64_t> first;         // sequence number, inclusive
};
// Whether all but the times and `first` hold.
bool Matches(const Filter& filter, const Event& event);

// The sequence numbers from `begin` up to but without `end`.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
};
// Those of the first `size` entries, but the pruned ones, whose times and
// numbers `filter` admits.
// kDataLoss if an entry is missing or damaged.
absl::StatusOr<Span> SpanOf(const storage::Reader& reader, uint64_t size,
                            const Filter& filter);

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
// that order). Looks at no more than kEntriesPerPageMax entries and summaries,
// so that a page may be short, even empty, before the end. Uses the index of
// the subject, else of the actor, else the order of time and the summaries of
// blocks of entries. kDataLoss if an entry
// is missing or damaged; kInvalidArgument for a limit of 0.
inline constexpr size_t kEntriesPerPageMax = 5000;
enum class Order : uint8_t { kNewestFirst, kOldestFirst };
absl::StatusOr<Page> Query(const storage::Reader& reader, uint64_t size,
                           const Filter& filter, Order order,
                           std::optional<uint64_t> from, size_t limit);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_QUERY_H_
