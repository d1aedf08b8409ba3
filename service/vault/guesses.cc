#include "service/vault/guesses.h"

#include <algorithm>
#include <utility>

#include "service/base/status_macros.h"
#include "service/vault/record_writer.h"
#include "service/vault/row_keys.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

// More than are ever kept: guesses at the same time can add some each.
constexpr size_t kListedMax = 128;

}  // namespace

std::optional<base::Timestamp> WaitUntil(size_t wrong, base::Timestamp last,
                                         base::Timestamp now) {
  if (wrong < kFreeGuesses) return std::nullopt;
  const size_t doublings = std::min(wrong, kGuessesKept) - kFreeGuesses;
  const auto wait = std::min<std::chrono::seconds>(
      kWaitFirst * (int64_t{1} << doublings), kWaitMax);
  const base::Timestamp until = std::min(last, now) + wait;
  if (until <= now) return std::nullopt;
  return until;
}

// Leaves when the attempt that holds it is over.
class Guesses::UnderWay final : public Attempt::Held {
 public:
  UnderWay(const Guesses& guesses, std::string who)
      : guesses_(guesses), who_(std::move(who)) {}
  ~UnderWay() override {
    const base::MutexLock lock(guesses_.mutex_);
    const auto found = guesses_.under_way_.find(who_);
    if (--found->second == 0) guesses_.under_way_.erase(found);
  }

 private:
  const Guesses& guesses_;
  const std::string who_;
};

std::unique_ptr<Attempt::Held> Guesses::Enter(const AccessGrant& grant,
                                              size_t& others) const {
  std::string who = DeksName(grant.tenant(), grant.subject());
  {
    const base::MutexLock lock(mutex_);
    others = under_way_[who]++;
  }
  return std::make_unique<UnderWay>(*this, std::move(who));
}

absl::StatusOr<Guesses::Known> Guesses::Look(const AccessGrant& grant) const {
  // All but the hash, whose record has no id.
  ASSIGN_OR_RETURN(auto listing,
                   records_.Glance(grant, policy::kClassCredential,
                                   base::RecordId(), kListedMax));
  Known known;
  known.rows = std::move(listing.entries);
  return known;
}

absl::StatusOr<Guesses::Tally> Guesses::Count(const Known& known,
                                              base::Timestamp now) {
  Tally tally;
  for (const RecordStore::Listed& row : known.rows) {
    ASSIGN_OR_RETURN(const auto time, row.record.EventTime());
    // One that lies far ahead is of a clock that was wrong.
    if (!time.has_value() || now - *time > kGuessCounts ||
        *time - now > kWaitMax) {
      continue;
    }
    ++tally.wrong;
    tally.last = std::max(tally.last, *time);
  }
  return tally;
}

absl::StatusOr<Guesses::Known> Guesses::Begin(Attempt& attempt,
                                              const AccessGrant& grant,
                                              base::Timestamp now) const {
  // Counted before the rows are read: one that ends meanwhile is among them.
  size_t others = 0;
  attempt.Hold(Enter(grant, others));
  ASSIGN_OR_RETURN(Known known, Look(grant));
  known.under_way = others;
  ASSIGN_OR_RETURN(const Tally tally, Count(known, now));
  known.in_wait = WaitUntil(tally.wrong, tally.last, now).has_value();
  known.crowded_out =
      others > 0 && WaitUntil(tally.wrong + others, now, now).has_value();
  return known;
}

absl::Status Guesses::NoteWrong(Attempt& attempt, const AccessGrant& grant,
                                const Known& known, base::Timestamp now) const {
  RecordChange change;
  change.put.push_back({kEventTimeField, EncodeValue(now, Source::kProvided)});
  const RecordName name{policy::kClassCredential, NewRecordId(now, 0)};
  RETURN_IF_ERROR(
      records_.Write(attempt, grant, name, nullptr, change).status());
  for (size_t i = 0; i + kGuessesKept <= known.rows.size(); ++i) {
    records_.Remove(attempt, grant, known.rows[i].name, known.rows[i].record);
  }
  return absl::OkStatus();
}

void Guesses::Forget(Attempt& attempt, const AccessGrant& grant,
                     const Known& known) const {
  for (const RecordStore::Listed& row : known.rows) {
    records_.Remove(attempt, grant, row.name, row.record);
  }
}

absl::Status Guesses::Forget(Attempt& attempt, const AccessGrant& grant) const {
  ASSIGN_OR_RETURN(const Known known, Look(grant));
  Forget(attempt, grant, known);
  return absl::OkStatus();
}

}  // namespace hizo::vault
