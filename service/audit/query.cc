#include "service/audit/query.h"

#include <algorithm>
#include <utility>

#include "service/audit/rows.h"
#include "service/audit/tree.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

constexpr size_t kRowsPerScanMin = 50;
constexpr size_t kRowsPerScanMax = 250;
constexpr size_t kSequenceSize = 8;

// The sequence numbers from `begin` up to but without `end`.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// The first of `size` events whose time is `time` or later; `size` if none is.
// Times never go back.
absl::StatusOr<uint64_t> FirstAt(const storage::Reader& reader, uint64_t size,
                                 base::Timestamp time) {
  Span span{0, size};
  while (span.begin < span.end) {
    const uint64_t middle = span.begin + (span.end - span.begin) / 2;
    ASSIGN_OR_RETURN(const Event event, ReadEvent(reader, middle));
    if (event.time < time) {
      span.begin = middle + 1;
    } else {
      span.end = middle;
    }
  }
  return span.begin;
}

absl::StatusOr<Span> SpanOf(const storage::Reader& reader, uint64_t size,
                            const Filter& filter) {
  Span span{0, size};
  if (filter.start.has_value()) {
    ASSIGN_OR_RETURN(span.begin, FirstAt(reader, size, *filter.start));
  }
  if (filter.end.has_value()) {
    ASSIGN_OR_RETURN(span.end, FirstAt(reader, size, *filter.end));
  }
  return span;
}

template <typename T>
bool Admits(const std::optional<T>& wanted, const T& value) {
  return !wanted.has_value() || *wanted == value;
}

bool Matches(const Filter& filter, const Event& event) {
  return Admits(filter.tenant, event.tenant) &&
         (!filter.subject.has_value() || filter.subject == event.subject) &&
         Admits(filter.actor, event.actor) &&
         Admits(filter.action, event.action) &&
         Admits(filter.outcome, event.outcome);
}

// Cursor walks over the sequence numbers that an index, or the entries
// themselves, name within a span.
class Cursor {
 public:
  Cursor(const storage::Reader& reader, const Filter& filter, Order order,
         Span span)
      : reader_(reader), filter_(filter), order_(order), span_(span) {}

  // The next events in order, at most `limit`; empty at the end. What was
  // returned stays in the span until it is passed.
  absl::StatusOr<std::vector<Found>> Next(size_t limit) {
    if (span_.begin >= span_.end) return std::vector<Found>();
    ASSIGN_OR_RETURN(const std::vector<storage::Row> rows,
                     reader_.Scan({.from = KeyOf(span_.begin),
                                   .until = KeyOf(span_.end),
                                   .limit = limit,
                                   .reverse = order_ == Order::kNewestFirst}));
    std::vector<Found> found;
    found.reserve(rows.size());
    for (const storage::Row& row : rows) {
      ASSIGN_OR_RETURN(found.emplace_back(), Read(row));
    }
    if (!indexed() && !IsUnbroken(found, limit)) {
      return absl::DataLossError("an audit entry is gone");
    }
    return found;
  }

  // Takes everything up to `sequence` off the span.
  void Pass(uint64_t sequence) {
    if (order_ == Order::kNewestFirst) {
      span_.end = sequence;
    } else {
      span_.begin = sequence + 1;
    }
  }
  std::optional<uint64_t> position() const {
    if (span_.begin >= span_.end) return std::nullopt;
    return order_ == Order::kNewestFirst ? span_.end - 1 : span_.begin;
  }

 private:
  bool indexed() const {
    return filter_.subject.has_value() || filter_.actor.has_value();
  }
  // Whether these are all entries of the span from its beginning in order.
  bool IsUnbroken(const std::vector<Found>& found, size_t limit) const {
    for (size_t i = 0; i < found.size(); ++i) {
      const uint64_t expected =
          order_ == Order::kNewestFirst ? span_.end - 1 - i : span_.begin + i;
      if (found[i].sequence != expected) return false;
    }
    return found.size() == std::min<uint64_t>(limit, span_.end - span_.begin);
  }

  std::string KeyOf(uint64_t sequence) const {
    if (filter_.subject.has_value()) {
      return SubjectIndexKey(*filter_.subject, sequence);
    }
    if (filter_.actor.has_value()) {
      return ActorIndexKey(*filter_.actor, sequence);
    }
    return EntryKey(sequence);
  }

  absl::StatusOr<Found> Read(const storage::Row& row) const {
    if (row.key.size() != KeyOf(0).size()) {
      return absl::DataLossError("a row of the audit log is damaged");
    }
    const std::string_view key = row.key;
    storage::KeyReader tail(key.substr(key.size() - kSequenceSize));
    Found found{.sequence = *tail.U64(), .event = {}};
    ASSIGN_OR_RETURN(found.event, indexed() ? ReadEvent(reader_, found.sequence)
                                            : Decode(row.value));
    return found;
  }

  const storage::Reader& reader_;
  const Filter& filter_;
  const Order order_;
  Span span_;
};

}  // namespace

absl::StatusOr<Page> Query(const storage::Reader& reader, uint64_t size,
                           const Filter& filter, Order order,
                           std::optional<uint64_t> from, size_t limit) {
  if (limit == 0) return absl::InvalidArgumentError("a page of no events");
  ASSIGN_OR_RETURN(Span span, SpanOf(reader, size, filter));
  if (from.has_value() && order == Order::kOldestFirst) {
    span.begin = std::max(span.begin, *from);
  } else if (from.has_value() && *from < span.end) {
    span.end = *from + 1;
  }
  const size_t rows = std::clamp(limit, kRowsPerScanMin, kRowsPerScanMax);
  Cursor cursor(reader, filter, order, span);
  Page page;
  for (size_t looked = 0; looked < kEntriesPerPageMax;) {
    ASSIGN_OR_RETURN(std::vector<Found> found,
                     cursor.Next(std::min(rows, kEntriesPerPageMax - looked)));
    if (found.empty()) return page;
    for (Found& one : found) {
      ++looked;
      cursor.Pass(one.sequence);
      if (!Matches(filter, one.event)) continue;
      page.events.push_back(std::move(one));
      if (page.events.size() == limit) break;
    }
    if (page.events.size() == limit) break;
  }
  page.next = cursor.position();
  return page;
}

}  // namespace hizo::audit
