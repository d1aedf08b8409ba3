#include "service/vault/period_ends.h"

#include <algorithm>
#include <future>
#include <limits>
#include <utility>

#include "crypto/record_cipher.h"
#include "service/audit/event.h"
#include "service/base/keyspace.h"
#include "service/base/pii.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/each_row.h"
#include "storage/key_bytes.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using base::TenantId;

constexpr size_t kRowsAtOnce = 4096;
constexpr size_t kEntriesPerStep = audit::kWritesPerEventMax;
constexpr size_t kLeavesPerSeal = 128;
// Others who write there make a step go wrong so often at most.
constexpr int kConflictsMax = 8;

// The class's entries have been looked through since it is to end: a row where
// those of the first period would begin.
std::string AdoptedKey(TenantId tenant, policy::ClassNumber class_number) {
  return EntryEndPrefix(tenant, class_number);
}

std::string TenantPrefix(char space, TenantId tenant) {
  storage::KeyWriter key(space);
  key.U32(static_cast<uint32_t>(tenant));
  return std::move(key).Take();
}

bool IsConflict(const absl::Status& status) {
  return base::ReasonOf(status) == Reason::kConflict;
}

void Add(const PeriodEnds::Counts& more, PeriodEnds::Counts& to) {
  to.periods += more.periods;
  to.entries += more.entries;
  to.held += more.held;
}

}  // namespace

absl::StatusOr<PeriodEnds::Counts> PeriodEnds::Run(base::Timestamp now,
                                                   std::optional<TenantId> only,
                                                   const Progress& progress) {
  counts_ = {};
  progress_ = progress == nullptr ? nullptr : &progress;
  for (const policy::TenantSpec& tenant : services_.access.tenants()) {
    if (only.has_value() && tenant.id != *only) continue;
    for (const policy::ClassSpec& spec : services_.catalogue.classes()) {
      RETURN_IF_ERROR(RunClass({tenant.id, &spec, now}));
      if (!GoesOn()) return counts_;
    }
  }
  return counts_;
}

absl::Status PeriodEnds::RunClass(const Of& of) {
  left_.clear();
  const policy::ClassNumber number = of.spec->number;
  if (!of.spec->ends.has_value()) {
    // Should it be to end again, what is written meanwhile is found.
    const std::string adopted = AdoptedKey(of.tenant, number);
    ASSIGN_OR_RETURN(const auto row, services_.data.Get(adopted));
    if (!row.has_value()) return absl::OkStatus();
    auto attempt = NewOwnAttempt(committer_.position(), of.tenant,
                                 policy::Action::kStoreTidy);
    attempt->data().Delete(adopted);
    return committer_.Commit(std::move(attempt));
  }
  RETURN_IF_ERROR(Adopt(of));
  storage::ScanRange range =
      storage::PrefixRange(EntryEndPrefix(of.tenant, number), 1);
  range.from += '\0';
  while (GoesOn()) {
    ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(range));
    if (rows.empty()) break;
    const auto entry = ParseEntryEndKey(rows.front().key);
    if (!entry.has_value()) return absl::DataLossError("a period is damaged");
    const auto last = policy::LastDayOf(entry->period);
    if (!last.has_value()) return absl::DataLossError("a period is damaged");
    ASSIGN_OR_RETURN(const bool over, services_.records.periods().IsOver(
                                          of.tenant, *of.spec, *last, of.now));
    if (over) RETURN_IF_ERROR(EndRows(of, entry->period));
    range.from = EntryEndPrefix(of.tenant, number, entry->period + 1);
  }
  return GoesOn() ? EndKeys(of) : absl::OkStatus();
}

absl::Status PeriodEnds::EndRows(const Of& of, uint32_t period) {
  storage::ScanRange range = storage::PrefixRange(
      EntryEndPrefix(of.tenant, of.spec->number, period), kRowsAtOnce);
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto rows, services_.data.Scan(range));
    more = rows.size() == kRowsAtOnce;
    std::vector<EntryEndRow> entries;
    for (const storage::Row& row : rows) {
      const auto entry = ParseEntryEndKey(row.key);
      if (!entry.has_value()) return absl::DataLossError("a period is damaged");
      entries.push_back(*entry);
      range.from = row.key + '\0';
    }
    ASSIGN_OR_RETURN(const bool done, EndPage(of, entries));
    if (!done) left_.insert(period);
    if (!GoesOn()) {
      left_.insert(period);
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PeriodEnds::EndPage(const Of& of,
                                         std::span<const EntryEndRow> rows) {
  std::vector<std::span<const EntryEndRow>> parts;
  for (size_t at = 0; at < rows.size(); at += parts.back().size()) {
    size_t end = at + 1;
    while (end < rows.size() && end - at < kEntriesPerStep &&
           rows[end].subject == rows[at].subject) {
      ++end;
    }
    parts.push_back(rows.subspan(at, end - at));
  }
  bool done = true;
  for (int i = 0; !parts.empty(); ++i) {
    if (i == kConflictsMax) return false;
    std::vector<std::promise<absl::Status>> told(parts.size());
    std::vector<Counts> counts(parts.size());
    absl::Status status;
    size_t submitted = 0;
    for (; submitted < parts.size(); ++submitted) {
      auto step = StepFor(of, parts[submitted]);
      status = step.status();
      if (!status.ok()) break;
      counts[submitted] = step->counts;
      std::promise<absl::Status>& tell = told[submitted];
      if (step->attempt == nullptr) {
        tell.set_value(absl::OkStatus());
        continue;
      }
      committer_.Submit(
          std::move(step->attempt),
          [&tell](std::unique_ptr<Attempt>, const Committer::Result& result) {
            tell.set_value(result.status);
          });
    }
    std::vector<std::span<const EntryEndRow>> again;
    for (size_t k = 0; k < submitted; ++k) {
      const absl::Status of_step = told[k].get_future().get();
      if (of_step.ok()) Add(counts[k], counts_);
      if (IsConflict(of_step)) {
        again.push_back(parts[k]);
      } else {
        status.Update(of_step);
      }
    }
    RETURN_IF_ERROR(status);
    parts = std::move(again);
  }
  return done;
}

absl::StatusOr<PeriodEnds::Step> PeriodEnds::StepFor(
    const Of& of, std::span<const EntryEndRow> rows) const {
  Step step;
  step.attempt = NewOwnAttempt(committer_.position(), of.tenant,
                               policy::Action::kRetentionExpire);
  step.attempt->data().MayUseReserve();
  const SubjectId subject = rows.front().subject;
  ASSIGN_OR_RETURN(
      const EntryOwner person,
      owners_.Find(*step.attempt, of.tenant, of.spec->number, subject));
  step.attempt->event().subject = person.reference;
  PeriodKeys period_keys;
  for (const EntryEndRow& entry : rows) {
    RETURN_IF_ERROR(AddEntry(entry, person, period_keys, step));
  }
  step.attempt->event().records =
      static_cast<uint32_t>(step.attempt->event().writes.size());
  step.attempt->AlsoChanges(RecordPrefix(of.tenant, subject, of.spec->number));
  if (!step.attempt->writes()) step.attempt.reset();
  return step;
}

absl::Status PeriodEnds::AddEntry(const EntryEndRow& entry,
                                  const EntryOwner& person,
                                  PeriodKeys& period_keys, Step& step) const {
  Attempt& attempt = *step.attempt;
  const auto& [tenant, number, period, subject, record] = entry;
  const std::string key = RecordKey(tenant, subject, number, record);
  const std::string end_key =
      EntryEndKey(tenant, number, period, subject, record);
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, key));
  if (!row.has_value()) {
    attempt.data().Delete(end_key);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto sealed, crypto::SealedRow::Parse(*row));
  // It is of another period by now.
  if (sealed.period() != period && sealed.period() != 0) {
    attempt.data().Delete(end_key);
    return absl::OkStatus();
  }
  audit::RowWrite write{number, record, sealed.version(), {}};
  const bool blocked = person.block != EntryBlock::kNone;
  if (blocked && sealed.period() == 0) {
    ++step.counts.held;
    return absl::OkStatus();
  }
  const bool has_keys = person.keys.Generations(number) > 0;
  if (blocked && has_keys) {
    ASSIGN_OR_RETURN(
        const crypto::Key* period_key,
        period_keys.Find(services_.records.periods(), tenant, number, period));
    if (period_key != nullptr) {
      ASSIGN_OR_RETURN(
          std::string renewed,
          services_.user_keys.Renewed(person.keys, {subject, number, record},
                                      sealed, period_key, 0, nullptr));
      std::ranges::copy(crypto::CommitmentOf(renewed),
                        write.commitment.begin());
      attempt.data().Put(key, std::move(renewed));
      attempt.event().writes.push_back(write);
      ++step.counts.held;
      return absl::OkStatus();
    }
  }
  attempt.data().Delete(key);
  attempt.data().Delete(end_key);
  ++write.version;
  attempt.event().writes.push_back(write);
  ++step.counts.entries;
  // It was held, under no key but the person's.
  if (sealed.period() == 0 && has_keys) {
    attempt.data().Put(WornKey(tenant, subject, number),
                       WornRowValue(WornStage::kWorn));
  }
  return absl::OkStatus();
}

absl::Status PeriodEnds::EndKeys(const Of& of) {
  const policy::ClassNumber number = of.spec->number;
  const size_t period_at =
      StoreKeys::LeafKey(PeriodLeaf(of.tenant, number, 0)).size() -
      sizeof(uint32_t);
  storage::ScanRange range{
      .from = StoreKeys::LeafKey(PeriodLeaf(of.tenant, number, 0)),
      .until = StoreKeys::LeafKey(
          PeriodLeaf(of.tenant, number, std::numeric_limits<uint32_t>::max())),
      .limit = kRowsAtOnce};
  std::vector<Leaf> ended;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(const auto rows, services_.keys.Scan(range));
    more = rows.size() == kRowsAtOnce;
    for (const storage::Row& row : rows) {
      range.from = row.key + '\0';
      storage::KeyReader reader(std::string_view(row.key).substr(
          std::min(period_at, row.key.size())));
      const auto period = reader.U32();
      const auto last = policy::LastDayOf(period.value_or(0));
      if (!last.has_value()) return absl::DataLossError("a period is damaged");
      ASSIGN_OR_RETURN(const bool over,
                       services_.records.periods().IsOver(of.tenant, *of.spec,
                                                          *last, of.now));
      if (over && !left_.contains(*period)) {
        services_.records.periods().Forget(of.tenant, number, *period);
        ended.push_back(PeriodLeaf(of.tenant, number, *period));
      }
    }
  }
  for (size_t at = 0; at < ended.size(); at += kLeavesPerSeal) {
    const size_t count = std::min(kLeavesPerSeal, ended.size() - at);
    const auto first = ended.begin() + static_cast<ptrdiff_t>(at);
    RETURN_IF_ERROR(
        runner_.End({first, first + static_cast<ptrdiff_t>(count)}));
    counts_.periods += count;
  }
  return absl::OkStatus();
}

absl::Status PeriodEnds::Adopt(const Of& of) {
  const std::string adopted = AdoptedKey(of.tenant, of.spec->number);
  ASSIGN_OR_RETURN(const auto mark, services_.data.Get(adopted));
  if (mark.has_value()) return absl::OkStatus();
  for (const char space : {base::kSpaceFacts, base::kSpaceErasure}) {
    RETURN_IF_ERROR(ForEachRow(
        services_.data, TenantPrefix(space, of.tenant),
        [&](const storage::Row& row) -> absl::Status {
          const auto subject = SubjectId::FromBytes(
              std::string_view(row.key).substr(1 + sizeof(uint32_t)));
          if (!subject.has_value()) {
            return absl::DataLossError("the key of a person is damaged");
          }
          return AdoptOf(of, *subject);
        }));
  }
  auto attempt = NewOwnAttempt(committer_.position(), of.tenant,
                               policy::Action::kStoreTidy);
  attempt->data().Put(adopted, EntryEndRowValue());
  return committer_.Commit(std::move(attempt));
}

absl::Status PeriodEnds::AdoptOf(const Of& of, SubjectId subject) {
  std::string after = RecordPrefix(of.tenant, subject, of.spec->number);
  for (int conflicts = 0;;) {
    std::string next = after;
    ASSIGN_OR_RETURN(auto attempt, AdoptSome(of, subject, next));
    if (next == after) return absl::OkStatus();
    if (attempt->writes()) {
      const absl::Status status = committer_.Commit(std::move(attempt));
      if (IsConflict(status) && ++conflicts < kConflictsMax) continue;
      RETURN_IF_ERROR(status);
    }
    after = std::move(next);
  }
}

absl::StatusOr<std::unique_ptr<Attempt>> PeriodEnds::AdoptSome(
    const Of& of, SubjectId subject, std::string& after) const {
  auto attempt = NewOwnAttempt(committer_.position(), of.tenant,
                               policy::Action::kStoreTidy);
  const std::string prefix = RecordPrefix(of.tenant, subject, of.spec->number);
  storage::ScanRange range = storage::PrefixRange(prefix, kEntriesPerStep);
  range.from = after + '\0';
  range.bytes = RecordStore::kListBytesMax;
  ASSIGN_OR_RETURN(const auto rows,
                   attempt->Scan(services_.data, range, prefix));
  if (rows.empty()) return attempt;
  ASSIGN_OR_RETURN(const EntryOwner person,
                   owners_.Find(*attempt, of.tenant, of.spec->number, subject));
  attempt->event().subject = person.reference;
  for (const storage::Row& row : rows) {
    after = row.key;
    RETURN_IF_ERROR(AdoptRow(of, person, row, *attempt));
  }
  attempt->event().records =
      static_cast<uint32_t>(attempt->event().writes.size());
  return attempt;
}

absl::Status PeriodEnds::AdoptRow(const Of& of, const EntryOwner& person,
                                  const storage::Row& row,
                                  Attempt& attempt) const {
  const auto place = ParseRecordKey(row.key);
  if (!place.has_value()) return base::Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(const auto sealed, crypto::SealedRow::Parse(row.value));
  // Those in grace are looked at when they are to end.
  if (sealed.period() != 0 || person.keys.Generations(of.spec->number) == 0) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const auto opener,
      services_.user_keys.OpenerOf(person.keys, *place, sealed, nullptr));
  const ValueOf value_of =
      [&](policy::FieldNumber number) -> absl::StatusOr<std::optional<Value>> {
    ASSIGN_OR_RETURN(auto opened, opener.Field(sealed, number));
    if (!opened.has_value()) return std::nullopt;
    const base::Pii plaintext(*std::move(opened));
    ASSIGN_OR_RETURN(Value value, DecodeValue(plaintext.Reveal()));
    return value;
  };
  ASSIGN_OR_RETURN(const auto last,
                   PeriodOfContent(*of.spec, place->record, value_of));
  if (!last.has_value()) return absl::OkStatus();
  const uint32_t period = policy::PeriodOf(*last);
  attempt.data().Put(EntryEndKey(of.tenant, place->class_number, period,
                                 place->subject, place->record),
                     EntryEndRowValue());
  const Periods& periods = services_.records.periods();
  ASSIGN_OR_RETURN(const bool over,
                   periods.IsOver(of.tenant, *of.spec, *last, of.now));
  // What is over stays under the person's key alone: it goes, or is held.
  if (over) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const crypto::Key key,
      periods.FindOrMake(attempt, of.tenant, place->class_number, period));
  ASSIGN_OR_RETURN(std::string renewed,
                   services_.user_keys.Renewed(person.keys, *place, sealed,
                                               nullptr, period, &key));
  audit::RowWrite write{
      place->class_number, place->record, sealed.version(), {}};
  std::ranges::copy(crypto::CommitmentOf(renewed), write.commitment.begin());
  attempt.event().writes.push_back(write);
  attempt.data().Put(row.key, std::move(renewed));
  // Older copies of it open under the person's key.
  attempt.data().Put(WornKey(of.tenant, place->subject, place->class_number),
                     WornRowValue(WornStage::kWorn));
  return absl::OkStatus();
}

}  // namespace hizo::vault
