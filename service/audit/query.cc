#include "service/audit/query.h"

#include <algorithm>
#include <utility>

#include "service/audit/prune.h"
#include "service/audit/rows.h"
#include "service/audit/summary.h"
#include "service/audit/tree.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

constexpr size_t kRowsPerScanMin = 50;
constexpr size_t kRowsPerScanMax = 250;
constexpr size_t kSequenceSize = 8;
// So many entries are read in one go where a named one comes on so many.
constexpr size_t kCloseMin = 8;
constexpr uint64_t kCloseFactor = 3;

// The first event of `span` whose time is `time` or later; its end if none is.
// Times never go back.
absl::StatusOr<uint64_t> FirstAt(const storage::Reader& reader, Span span,
                                 base::Timestamp time) {
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

absl::Status Gone() { return absl::DataLossError("an audit entry is gone"); }

template <typename T>
bool Admits(const std::optional<T>& wanted, const T& value) {
  return !wanted.has_value() || *wanted == value;
}

bool Concerns(const FieldsOfClass& of, const Event& event) {
  const auto is_of_class = [&of](policy::FieldNumber field) {
    return std::ranges::binary_search(of.fields, field);
  };
  return std::ranges::any_of(event.fields, is_of_class) ||
         std::ranges::find(event.writes, of.number, &RowWrite::class_number) !=
             event.writes.end();
}

// Cursor walks over the sequence numbers that an index, or the entries
// themselves, name within a span.
class Cursor {
 public:
  Cursor(const storage::Reader& reader, const Filter& filter, Order order,
         Span span)
      : reader_(reader), filter_(filter), order_(order), span_(span) {}

  // Passes blocks in which nothing can match, at most `limit`; how many.
  absl::StatusOr<size_t> SkipBlocks(size_t limit) {
    size_t skipped = 0;
    while (!indexed() && skipped < limit && AtBlock()) {
      const uint64_t block = FirstOfBlock() / kBlockSize;
      ASSIGN_OR_RETURN(const std::optional<std::string> summary,
                       reader_.Get(SummaryKey(block)));
      if (!summary.has_value() ||
          BlockSummary::Decode(*summary).MayMatch(filter_)) {
        break;
      }
      Pass(order_ == Order::kNewestFirst ? FirstOfBlock()
                                         : FirstOfBlock() + kBlockSize - 1);
      ++skipped;
    }
    return skipped;
  }

  // The next events in order, at most `limit`; empty at the end. What was
  // returned stays in the span until it is passed.
  absl::StatusOr<std::vector<Found>> Next(size_t limit) {
    if (span_.begin >= span_.end) return std::vector<Found>();
    // No further than to where the next summary is looked at.
    if (!indexed()) limit = std::min<uint64_t>(limit, ToBlock());
    ASSIGN_OR_RETURN(const std::vector<storage::Row> rows,
                     reader_.Scan({.from = KeyOf(span_.begin),
                                   .until = KeyOf(span_.end),
                                   .limit = limit,
                                   .reverse = order_ == Order::kNewestFirst}));
    ASSIGN_OR_RETURN(std::vector<Found> found,
                     indexed() ? ReadNamed(rows) : ReadEntries(rows));
    if (!indexed() && !IsUnbroken(found, limit)) {
      return Gone();
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
  // Whether a block as a whole comes next, and where it begins.
  bool AtBlock() const {
    if (span_.end - span_.begin < kBlockSize || span_.begin >= span_.end) {
      return false;
    }
    return (order_ == Order::kNewestFirst ? span_.end : span_.begin) %
               kBlockSize ==
           0;
  }
  uint64_t FirstOfBlock() const {
    return order_ == Order::kNewestFirst ? span_.end - kBlockSize : span_.begin;
  }
  // How far it is to the next block.
  uint64_t ToBlock() const {
    return order_ == Order::kNewestFirst
               ? (span_.end - 1) % kBlockSize + 1
               : kBlockSize - span_.begin % kBlockSize;
  }

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

  // The number that ends the key of a row of the span.
  absl::StatusOr<uint64_t> SequenceOf(const storage::Row& row) const {
    if (row.key.size() != KeyOf(0).size()) {
      return absl::DataLossError("a row of the audit log is damaged");
    }
    const std::string_view key = row.key;
    storage::KeyReader tail(key.substr(key.size() - kSequenceSize));
    return *tail.U64();
  }

  absl::StatusOr<std::vector<Found>> ReadEntries(
      const std::vector<storage::Row>& rows) const {
    std::vector<Found> found;
    found.reserve(rows.size());
    for (const storage::Row& row : rows) {
      ASSIGN_OR_RETURN(const uint64_t sequence, SequenceOf(row));
      ASSIGN_OR_RETURN(Event event, Decode(row.value));
      found.push_back({sequence, std::move(event)});
    }
    return found;
  }

  // What rows of an index name. Entries that lie close together are read in one
  // go: a look-up for each takes several times as long.
  absl::StatusOr<std::vector<Found>> ReadNamed(
      const std::vector<storage::Row>& rows) const {
    std::vector<Found> found;
    found.reserve(rows.size());
    for (const storage::Row& row : rows) {
      ASSIGN_OR_RETURN(found.emplace_back().sequence, SequenceOf(row));
    }
    if (found.size() < kCloseMin) return ReadEach(std::move(found));
    const uint64_t first =
        std::min(found.front().sequence, found.back().sequence);
    const uint64_t last =
        std::max(found.front().sequence, found.back().sequence);
    if (last - first >= kCloseFactor * found.size()) {
      return ReadEach(std::move(found));
    }
    ASSIGN_OR_RETURN(const std::vector<storage::Row> entries,
                     reader_.Scan({.from = EntryKey(first),
                                   .until = EntryKey(last + 1),
                                   .limit = last - first + 1}));
    if (entries.size() != last - first + 1) {
      return Gone();
    }
    for (Found& one : found) {
      const storage::Row& entry = entries[one.sequence - first];
      if (entry.key != EntryKey(one.sequence)) {
        return Gone();
      }
      ASSIGN_OR_RETURN(one.event, Decode(entry.value));
    }
    return found;
  }

  absl::StatusOr<std::vector<Found>> ReadEach(std::vector<Found> found) const {
    for (Found& one : found) {
      ASSIGN_OR_RETURN(one.event, ReadEvent(reader_, one.sequence));
    }
    return found;
  }

  const storage::Reader& reader_;
  const Filter& filter_;
  const Order order_;
  Span span_;
};

}  // namespace

bool Matches(const Filter& filter, const Event& event) {
  return Admits(filter.tenant, event.tenant) &&
         (!filter.subject.has_value() || filter.subject == event.subject) &&
         Admits(filter.actor, event.actor) &&
         (!filter.actors.has_value() ||
          std::ranges::find(*filter.actors, event.actor) !=
              filter.actors->end()) &&
         Admits(filter.action, event.action) &&
         Admits(filter.outcome, event.outcome) &&
         Admits(filter.reason, event.reason) &&
         Admits(filter.purpose, event.purpose) &&
         filter.other_than_purpose != event.purpose &&
         (!filter.of_class.has_value() || Concerns(*filter.of_class, event)) &&
         (!filter.field.has_value() ||
          std::ranges::binary_search(event.fields, *filter.field));
}

absl::StatusOr<Span> SpanOf(const storage::Reader& reader, uint64_t size,
                            const Filter& filter) {
  ASSIGN_OR_RETURN(const uint64_t pruned, PrunedIn(reader));
  const Span all{std::min(pruned, size), size};
  Span span = all;
  if (filter.start.has_value()) {
    ASSIGN_OR_RETURN(span.begin, FirstAt(reader, all, *filter.start));
  }
  if (filter.first.has_value())
    span.begin = std::max(span.begin, *filter.first);
  if (filter.end.has_value()) {
    ASSIGN_OR_RETURN(span.end, FirstAt(reader, all, *filter.end));
  }
  return span;
}

namespace {

absl::StatusOr<Page> QueryOnce(const storage::Reader& reader, uint64_t size,
                               const Filter& filter, Order order,
                               std::optional<uint64_t> from, size_t limit) {
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
    ASSIGN_OR_RETURN(const size_t skipped,
                     cursor.SkipBlocks(kEntriesPerPageMax - looked));
    looked += skipped;
    if (looked == kEntriesPerPageMax) break;
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

}  // namespace

absl::StatusOr<Page> Query(const storage::Reader& reader, uint64_t size,
                           const Filter& filter, Order order,
                           std::optional<uint64_t> from, size_t limit) {
  if (limit == 0) return absl::InvalidArgumentError("a page of no events");
  ASSIGN_OR_RETURN(const uint64_t before, PrunedIn(reader));
  absl::StatusOr<Page> page =
      QueryOnce(reader, size, filter, order, from, limit);
  if (page.ok() || !absl::IsDataLoss(page.status())) return page;
  // What is gone may have been pruned just then.
  ASSIGN_OR_RETURN(const uint64_t after, PrunedIn(reader));
  if (after == before) return page;
  return QueryOnce(reader, size, filter, order, from, limit);
}

}  // namespace hizo::audit
