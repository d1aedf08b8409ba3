#include "service/audit/scope.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/audit/rows.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

constexpr size_t kRowsPerScan = 100;

struct IndexRow {
  base::AuditReference subject;
  uint64_t sequence = 0;
};

absl::StatusOr<IndexRow> Parse(std::string_view key) {
  storage::KeyReader in(key);
  in.Space();
  const auto subject = in.Bytes(base::AuditReference::kSize);
  const auto sequence = in.U64();
  if (!sequence.has_value()) {
    return absl::DataLossError("a row of the audit log is damaged");
  }
  return IndexRow{*base::AuditReference::FromBytes(*subject), *sequence};
}

// What a call showed, by what its event says.
uint64_t Counts::*KindOf(const Event& event) {
  if (event.outcome == Outcome::kDenied) return &Counts::denied;
  if (event.outcome == Outcome::kFailed) return &Counts::other;
  switch (event.view) {
    case policy::View::kPlain:
      return &Counts::revealed;
    case policy::View::kMasked:
      return &Counts::masked;
    case policy::View::kNone:
      break;
  }
  return &Counts::other;
}

void Count(const Filter& filter, uint64_t sequence, const Event& event,
           Exposure& exposure) {
  const auto kind = KindOf(event);
  if (exposure.calls == Counts()) {
    exposure.entries.begin = sequence;
    exposure.first_time = event.time;
  }
  exposure.entries.end = sequence + 1;
  exposure.last_time = event.time;
  ++(exposure.calls.*kind);
  for (const policy::FieldNumber field : event.fields) {
    if (filter.of_class.has_value() &&
        !std::ranges::binary_search(filter.of_class->fields, field)) {
      continue;
    }
    ++(exposure.fields[field].*kind);
  }
}

// Walk goes through the index by subject, from person to person, and skips
// what lies outside the span.
class Walk {
 public:
  Walk(const storage::Reader& reader, const Span& span,
       const base::AuditReference& from)
      : reader_(reader),
        span_(span),
        next_(SubjectIndexKey(from, span.begin)) {}

  // The next row within the span; nullopt at the end.
  absl::StatusOr<std::optional<IndexRow>> Next() {
    for (;;) {
      if (at_ == rows_.size()) {
        ASSIGN_OR_RETURN(rows_, reader_.Scan({.from = next_,
                                              .until = SubjectIndexEnd(),
                                              .limit = kRowsPerScan}));
        at_ = 0;
        looked_ += rows_.size();
        if (rows_.empty()) return std::nullopt;
      }
      const std::string& key = rows_[at_++].key;
      ASSIGN_OR_RETURN(const IndexRow row, Parse(key));
      next_ = key + '\0';
      if (row.sequence >= span_.begin && row.sequence < span_.end) return row;
      SkipFrom(row);
    }
  }
  size_t looked() const { return looked_; }

 private:
  // To the next row that may lie within the span. What was read already is
  // passed over there, what is further away is sought.
  void SkipFrom(const IndexRow& row) {
    next_ = row.sequence < span_.begin
                ? SubjectIndexKey(row.subject, span_.begin)
                : SubjectIndexKey(row.subject, UINT64_MAX);
    while (at_ < rows_.size() && rows_[at_].key < next_) ++at_;
  }

  const storage::Reader& reader_;
  const Span span_;
  std::string next_;  // key
  std::vector<storage::Row> rows_;
  size_t at_ = 0;
  size_t looked_ = 0;
};

bool HasAny(const Exposure& exposure) { return exposure.calls != Counts(); }

}  // namespace

absl::StatusOr<ScopePage> Scope(const storage::Reader& reader, const Span& span,
                                const Filter& filter,
                                std::optional<base::AuditReference> from,
                                size_t limit) {
  if (limit == 0) return absl::InvalidArgumentError("a page of nobody");
  ScopePage page;
  if (span.begin >= span.end) return page;
  Walk walk(reader, span, from.value_or(base::AuditReference()));
  std::optional<Exposure> person;
  for (;;) {
    ASSIGN_OR_RETURN(const auto row, walk.Next());
    if (person.has_value() &&
        (!row.has_value() || row->subject != person->subject)) {
      if (HasAny(*person)) page.subjects.push_back(*std::move(person));
      person.reset();
      if (row.has_value() &&
          (page.subjects.size() == limit || walk.looked() >= kScopeRowsMax)) {
        page.next = row->subject;
        return page;
      }
    }
    if (!row.has_value()) return page;
    if (!person.has_value()) {
      person.emplace();
      person->subject = row->subject;
    }
    ASSIGN_OR_RETURN(const Event event, ReadEvent(reader, row->sequence));
    if (event.subject != row->subject) {
      return absl::DataLossError("a row of the audit log is damaged");
    }
    if (Matches(filter, event)) Count(filter, row->sequence, event, *person);
  }
}

}  // namespace hizo::audit
