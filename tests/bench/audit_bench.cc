// Questions to a log of many entries, and its verification elsewhere.
#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crypto/merkle.h"
#include "crypto/signed_note.h"
#include "service/audit/export.h"
#include "service/audit/log.h"
#include "service/audit/proofs.h"
#include "service/audit/query.h"
#include "service/cli/audit_file.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/disk_ceiling.h"

namespace hizo::bench {
namespace {

constexpr char kOrigin[] = "hizo/bench";
constexpr size_t kBatch = 5000;
// How many entries a person has: for a million, 20,000 people.
constexpr size_t kEntriesPerPerson = 50;
constexpr size_t kActors = 20;
constexpr size_t kPage = 50;
constexpr double kMicrosPerMilli = 1000;
constexpr double kPageGoalMillis = 20;
constexpr double kProofGoalMillis = 2;
constexpr double kVerifyGoal = 1'000'000;
constexpr double kBytesGoal = 250;
constexpr base::TenantId kTenant{1};

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

std::string ActorOf(size_t number) {
  return "spiffe://hizo.example/acme/" + std::to_string(number % kActors);
}

base::AuditReference PersonOf(size_t number) {
  return *base::AuditReference::FromBytes(
      Filler(number, base::AuditReference::kSize));
}

// As usual reads leave them: of anybody, by anybody, a few fields.
audit::Event EventOf(size_t number, size_t people) {
  audit::Event event;
  event.tenant = kTenant;
  event.actor = ActorOf(number * 7);
  event.action = policy::Action::kRecordGet;
  event.outcome = audit::Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  event.purpose = 1;
  event.catalogue_version = 3;
  event.subject = PersonOf(number * 2654435761U % people);
  event.fields = {201, 202, 203, 204};
  event.view = policy::View::kPlain;
  event.records = 1;
  return event;
}

// A log of `people` * kEntriesPerPerson entries.
class LongLog {
 public:
  explicit LongLog(size_t people)
      : people_(people),
        log_(Require(audit::Log::Open(
            store_.engine(), kOrigin,
            crypto::NoteSigner(kOrigin, crypto::Key::Random())))) {
    for (size_t made = 0; made < people * kEntriesPerPerson; made += kBatch) {
      Append(made);
    }
  }

  size_t size() const { return log_->head().size; }
  audit::Head head() const { return log_->head(); }
  audit::TreeEdge edge() const { return log_->edge(); }
  const storage::Engine& engine() { return store_.engine(); }
  const std::string& key() const { return log_->verifier_key(); }
  size_t people() const { return people_; }
  // That were written for an entry: itself, its index rows, its part of tiles.
  double bytes_per_entry() const {
    return static_cast<double>(bytes_) / static_cast<double>(size());
  }

 private:
  void Append(size_t made) {
    std::vector<audit::Event> events;
    for (size_t i = 0; i < kBatch; ++i) {
      events.push_back(EventOf(made + i, people_));
    }
    std::vector<audit::Event*> pointers;
    for (audit::Event& event : events) pointers.push_back(&event);
    const base::Timestamp now{std::chrono::milliseconds(made)};
    auto staged = Require(log_->Stage(pointers, now));
    const absl::Status status = store_.engine().Commit(staged.batch);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    bytes_ += staged.batch.bytes();
    log_->Advance(std::move(staged));
  }

  const size_t people_;
  BareStore store_;
  std::unique_ptr<audit::Log> log_;
  size_t bytes_ = 0;
};

Figure Timed(const std::string& name, const Sample& sample, double goal_millis,
             const LongLog& log) {
  return {name,
          sample.p50_us / kMicrosPerMilli,
          "ms",
          goal_millis,
          sample.p50_us,
          sample.p99_us,
          1,
          "goal; a log of " + std::to_string(log.size()) + " entries"};
}

Sample FirstPages(LongLog& log, double seconds, const auto& filter_of) {
  return Repeat({1, seconds}, [&](size_t, size_t turn) {
    audit::Filter filter = filter_of(turn);
    filter.tenant = kTenant;
    Require(audit::Query(log.engine(), log.size(), filter,
                         audit::Order::kNewestFirst, std::nullopt, kPage));
  });
}

Sample Proofs(LongLog& log, double seconds) {
  const size_t size = log.size();
  const audit::TreeEdge edge = log.edge();
  return Repeat({1, seconds}, [&](size_t, size_t turn) {
    Require(audit::InclusionProof(log.engine(), edge, size,
                                  turn * 2654435761U % size));
  });
}

std::string Exported(LongLog& log) {
  std::ostringstream out;
  cli::AuditFileWriter writer(out, log.head().checkpoint);
  for (uint64_t at = 0; at < log.size(); at += cli::kAuditTile) {
    const audit::Span span{
        at, std::min<uint64_t>(at + cli::kAuditTile, log.size())};
    auto tile =
        Require(audit::ExportTile(log.engine(), log.size(), span, kTenant));
    for (size_t i = 0; i < tile.entries.size(); ++i) {
      writer.Add(
          {cli::AuditFileEntry::Form::kEntry, std::move(tile.entries[i].bytes)},
          tile.hashes[i]);
    }
  }
  writer.Finish();
  return std::move(out).str();
}

Sample Verifications(const std::string& file, LongLog& log, double seconds) {
  Sample sample = Repeat({1, seconds}, [&](size_t, size_t) {
    std::istringstream in(file);
    const auto verdict = cli::VerifyAuditFile(in, log.key(), {});
    if (!verdict.verified) throw std::runtime_error(verdict.text);
  });
  sample.per_second *= static_cast<double>(log.size());
  return sample;
}

}  // namespace

Figures AuditQuery(const Settings& settings) {
  Say("audit_query: writing " +
      std::to_string(settings.people * kEntriesPerPerson) + " entries");
  LongLog log(settings.people);
  Say("audit_query: pages of one person, one caller, one hour");
  const auto by_person = [&log](size_t turn) {
    audit::Filter filter;
    filter.subject = PersonOf(turn % log.people());
    return filter;
  };
  const auto by_actor = [](size_t turn) {
    audit::Filter filter;
    filter.actor = ActorOf(turn);
    return filter;
  };
  const auto by_time = [&log](size_t turn) {
    audit::Filter filter;
    filter.end =
        base::Timestamp{std::chrono::milliseconds(turn * 104729 % log.size())};
    return filter;
  };
  const double seconds = settings.seconds;
  Figures figures = {
      Timed("audit_query_subject", FirstPages(log, seconds, by_person),
            kPageGoalMillis, log),
      Timed("audit_query_actor", FirstPages(log, seconds, by_actor),
            kPageGoalMillis, log),
      Timed("audit_query_time", FirstPages(log, seconds, by_time),
            kPageGoalMillis, log),
      Timed("audit_query_proof", Proofs(log, seconds), kProofGoalMillis, log)};
  Say("audit_query: exporting, and verifying what was exported");
  const Sample verified = Verifications(Exported(log), log, seconds);
  figures.push_back({"audit_query_verify", verified.per_second, "entries/s",
                     kVerifyGoal, verified.p50_us, verified.p99_us, 1,
                     "goal; us are of the whole log"});
  figures.push_back({"audit_query_bytes", log.bytes_per_entry(), "bytes",
                     kBytesGoal, std::nullopt, std::nullopt, 1,
                     "goal; written for an entry, uncompressed"});
  return figures;
}

}  // namespace hizo::bench
