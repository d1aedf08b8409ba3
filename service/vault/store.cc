#include "service/vault/store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/vault/row_keys.h"
#include "service/vault/undo.h"
#include "service/vault/witnessed.h"
#include "storage/key_bytes.h"

namespace hizo::vault {
namespace {

// The meta row of the data store: which store it is the other half of.
constexpr char kDataFormat = 1;

std::string DataMeta(const base::StoreId& id) {
  return kDataFormat + std::string(id.bytes());
}

// The table has checked the number.
crypto::Suite SuiteOf(const policy::TenantSpec& tenant) {
  return crypto::SuiteFromNumber(tenant.suite).value_or(crypto::kFirstSuite);
}

// Classes that end, of tenants without records, have none of before they were
// to: PeriodEnds need not look.
absl::Status NoteEndingClasses(storage::Engine& data,
                               const Store::Policy& policy) {
  storage::Batch batch;
  for (const policy::TenantSpec& tenant : policy.access.tenants()) {
    storage::KeyWriter records(base::kSpaceRecord);
    records.U32(static_cast<uint32_t>(tenant.id));
    ASSIGN_OR_RETURN(const auto rows, data.Scan(storage::PrefixRange(
                                          std::move(records).Take(), 1)));
    if (!rows.empty()) continue;
    for (const policy::ClassSpec& spec : policy.catalogue.classes()) {
      if (!spec.ends.has_value()) continue;
      const std::string key = EntryEndPrefix(tenant.id, spec.number);
      ASSIGN_OR_RETURN(const auto noted, data.Get(key));
      if (!noted.has_value()) batch.Put(key, EntryEndRowValue());
    }
  }
  return batch.empty() ? absl::OkStatus() : data.Commit(batch);
}

// What the log is called, and the key that signs it.
std::string OriginOf(const Store::Parts& parts) { return "hizo/" + parts.name; }

// A log that is shorter than the anchor says, or other than what it vouches
// for, has lost its end or was put back from an older copy.
absl::Status CheckAnchor(const storage::Engine& data, const audit::Log& log,
                         const storage::Anchor& anchor) {
  const storage::Anchor::Head& head = anchor.head();
  if (head.size == 0) return absl::OkStatus();
  if (log.head().size < head.size) {
    return absl::FailedPreconditionError(
        "the audit log is behind its anchor: entries are missing");
  }
  crypto::Digest root{};
  if (head.root.size() != root.size()) {
    return absl::DataLossError("the anchor holds no root");
  }
  std::ranges::copy(head.root, root.begin());
  ASSIGN_OR_RETURN(const bool extends, audit::Extends(data, head.size, root));
  if (!extends) {
    return absl::FailedPreconditionError(
        "the audit log is not the one that its anchor vouches for");
  }
  return absl::OkStatus();
}

// Whose bundles are taken in: this store's own, and those of the trusted.
std::vector<std::string> Trusted(const Store::Options& options,
                                 const std::string& own) {
  std::vector<std::string> keys = options.trusted_vaults;
  keys.push_back(own);
  return keys;
}

}  // namespace

absl::StatusOr<base::StoreId> Store::Create(const Parts& parts) {
  RETURN_IF_ERROR(crypto::RequireSuite(parts.suite, parts.aes));
  ASSIGN_OR_RETURN(const auto present, parts.data.Get(MetaKey()));
  if (present.has_value()) {
    return absl::AlreadyExistsError("there is a store here already");
  }
  ASSIGN_OR_RETURN(const base::StoreId id,
                   StoreKeys::Create(parts.keys, parts.slots, parts.suite));
  storage::Batch batch;
  batch.RequireAbsent(MetaKey());
  batch.Put(MetaKey(), DataMeta(id));
  RETURN_IF_ERROR(parts.data.Commit(batch));
  return id;
}

absl::Status Store::CheckSuites(crypto::Suite store, crypto::AesSupport aes,
                                const policy::AccessTable& access) {
  RETURN_IF_ERROR(crypto::RequireSuite(store, aes));
  for (const policy::TenantSpec& tenant : access.tenants()) {
    RETURN_IF_ERROR(crypto::RequireSuite(SuiteOf(tenant), aes));
    // What such a store is made for: nothing in it is of another suite.
    if (store == crypto::kAesSuite && SuiteOf(tenant) != store) {
      return absl::FailedPreconditionError(
          "a store of cipher suite 2 takes tenants of suite 2 only");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(
    const Parts& parts, std::unique_ptr<storage::Anchor> anchor,
    const Policy& policy, const base::Clock& clock, const Options& options) {
  RETURN_IF_ERROR(CheckSuites(parts.suite, parts.aes, policy.access));
  ASSIGN_OR_RETURN(auto store_keys,
                   StoreKeys::Open(parts.keys, parts.slots, parts.suite));
  ASSIGN_OR_RETURN(const auto meta, parts.data.Get(MetaKey()));
  if (meta.has_value() && !meta->empty() && meta->front() > kDataFormat) {
    return absl::FailedPreconditionError(
        "the data store is of a format that this version does not know");
  }
  if (meta != DataMeta(store_keys->store_id())) {
    return absl::FailedPreconditionError(
        "the data store and the keys store are not of one store");
  }
  std::vector<TenantSuite> tenants;
  for (const policy::TenantSpec& tenant : policy.access.tenants()) {
    tenants.push_back({tenant.id, SuiteOf(tenant)});
  }
  RETURN_IF_ERROR(store_keys->Prepare(parts.keys, tenants));
  const std::string origin = OriginOf(parts);
  ASSIGN_OR_RETURN(
      auto log, audit::Log::Open(parts.data, origin,
                                 crypto::NoteSigner(
                                     origin, store_keys->AuditSigningSeed())));
  RETURN_IF_ERROR(CheckAnchor(parts.data, *log, *anchor));
  std::vector<uint64_t> unwitnessed;
  if (parts.witness != nullptr) {
    ASSIGN_OR_RETURN(unwitnessed, CheckWitness(parts.data, *log, *parts.witness,
                                               options.witness_override));
  }
  RETURN_IF_ERROR(CheckMark(parts.keys, parts.data));
  RETURN_IF_ERROR(UndoUnfinished(parts.keys, log->head().size));
  // Last, so that a store that is refused is left as it was.
  const AuditMonth month = AuditMonthOf(clock.Now());
  RETURN_IF_ERROR(store_keys->Ensure(
      parts.keys, {AuditMonthLeaf(base::TenantId::kStore, month),
                   AuditMonthLeaf(base::TenantId::kStore, month + 1)}));
  RETURN_IF_ERROR(NoteEndingClasses(parts.data, policy));
  auto store = std::unique_ptr<Store>(new Store(
      parts, {std::move(store_keys), std::move(log), std::move(anchor)}, policy,
      clock, options));
  RETURN_IF_ERROR(store->policies_.Load());
  RETURN_IF_ERROR(store->NoteRestore(parts.data));
  RETURN_IF_ERROR(store->NoteOverride(unwitnessed));
  return store;
}

absl::StatusOr<RestoreCounts> Store::Restore(
    const Parts& parts, std::unique_ptr<storage::Anchor> anchor,
    const Policy& policy, const base::Clock& clock,
    const storage::Reader& backup, storage::Engine& into) {
  ASSIGN_OR_RETURN(const auto now,
                   Open(parts, std::move(anchor), policy, clock, Options()));
  const std::string origin = OriginOf(parts);
  ASSIGN_OR_RETURN(
      const auto log,
      audit::Log::Open(
          backup, origin,
          crypto::NoteSigner(origin, now->store_keys().AuditSigningSeed())));
  return vault::Restore({parts.keys, parts.data, backup, into,
                         now->store_keys(), policy.catalogue, now->log().head(),
                         log->head()})
      .Run();
}

absl::Status Store::NoteRestore(const storage::Engine& data) {
  ASSIGN_OR_RETURN(const auto counts, RestoredCounts(data));
  if (!counts.has_value()) return absl::OkStatus();
  auto attempt = NewOwnAttempt(committer_->position(), base::TenantId::kStore,
                               policy::Action::kBackupRestore);
  const auto tell = [&](audit::Outcome outcome, base::Reason reason,
                        uint64_t records) {
    audit::Event& event = attempt->event();
    event.outcome = outcome;
    event.reason = reason;
    event.records = static_cast<uint32_t>(
        std::min<uint64_t>(records, std::numeric_limits<uint32_t>::max()));
  };
  tell(audit::Outcome::kAllowed, base::Reason::kNone, counts->records);
  attempt->BeginAnotherEvent();
  tell(audit::Outcome::kDenied, base::Reason::kSubjectNotFound,
       counts->without_key);
  attempt->BeginAnotherEvent();
  tell(audit::Outcome::kDenied, base::Reason::kConflict, counts->kept_since);
  attempt->BeginAnotherEvent();
  tell(audit::Outcome::kFailed, base::Reason::kRecordNotFound,
       counts->lost_since);
  attempt->data().Delete(RestoreMarkKey());
  return committer_->Commit(std::move(attempt));
}

// First it is in the log, then the witness forgets.
absl::Status Store::NoteOverride(const std::vector<uint64_t>& heads) {
  if (heads.empty()) return absl::OkStatus();
  auto attempt = NewOwnAttempt(committer_->position(), base::TenantId::kStore,
                               policy::Action::kAuditCheckpoint);
  attempt->event().outcome = audit::Outcome::kFailed;
  attempt->event().reason = base::Reason::kIntegrityFailure;
  attempt->event().records = static_cast<uint32_t>(heads.size());
  RETURN_IF_ERROR(committer_->Commit(std::move(attempt)));
  for (const uint64_t size : heads) {
    RETURN_IF_ERROR(witness_->SetAside(size));
  }
  return absl::OkStatus();
}

absl::Status Store::ShowWitness() {
  if (witness_ == nullptr) return absl::OkStatus();
  const audit::Head head = log_->head();
  if (head.size == 0 || head.size == witnessed_) return absl::OkStatus();
  RETURN_IF_ERROR(witness_->Show({head.size, head.checkpoint}));
  witnessed_ = head.size;
  return absl::OkStatus();
}

absl::StatusOr<size_t> Store::Tidy(const policy::AccessTable& access,
                                   base::Timestamp now) {
  size_t forgotten = 0;
  for (const policy::TenantSpec& tenant : access.tenants()) {
    for (;;) {
      auto attempt = NewOwnAttempt(committer_->position(), tenant.id,
                                   policy::Action::kStoreTidy);
      ASSIGN_OR_RETURN(const size_t count,
                       requests_.Forget(*attempt, tenant.id, now));
      if (count == 0) break;
      attempt->event().records = static_cast<uint32_t>(count);
      RETURN_IF_ERROR(committer_->Commit(std::move(attempt)));
      forgotten += count;
    }
  }
  return forgotten;
}

absl::StatusOr<size_t> Store::FinishErasures() {
  const absl::Status ended = expiry_.Run(clock_.Now()).status();
  ASSIGN_OR_RETURN(const size_t finished, erasure_runner_->Run());
  RETURN_IF_ERROR(ended);
  return finished;
}

absl::StatusOr<uint64_t> Store::PruneAudit(uint32_t keep_years) {
  const base::Timestamp now = clock_.Now();
  RETURN_IF_ERROR(pruner_.PrepareMonths(now));
  return pruner_.Run(now, keep_years);
}

Services Store::ServicesOf(const Parts& parts, const Policy& policy) const {
  return {policy.catalogue, policy.access, parts.keys, parts.data,
          *store_keys_,     user_keys_,    facts_,     gate_,
          record_store_,    index_,        requests_,  *log_};
}

Store::Store(const Parts& parts, Opened opened, const Policy& policy,
             const base::Clock& clock, const Options& options)
    : store_keys_(std::move(opened.store_keys)),
      log_(std::move(opened.log)),
      anchor_(std::move(opened.anchor)),
      user_keys_(parts.keys, *store_keys_),
      facts_(parts.data, user_keys_),
      gate_(policy.catalogue, user_keys_, facts_),
      record_store_(parts.data, user_keys_),
      index_({parts.keys, parts.data}, *store_keys_),
      requests_(parts.data, *store_keys_),
      services_(ServicesOf(parts, policy)),
      subjects_(services_),
      records_(services_, options.renews),
      credentials_(services_, options.passwords),
      audits_(services_),
      histories_(services_),
      breaches_(services_),
      consents_(services_),
      erasures_(services_),
      legal_holds_(services_),
      restrictions_(services_),
      policies_(services_, policy.parser),
      key_rotations_(services_),
      recipients_(services_),
      exports_(services_, recipients_, OriginOf(parts)),
      imports_(services_, subjects_, Trusted(options, exports_.public_key())),
      committer_(std::make_unique<Committer>(
          Committer::Store{parts.keys, parts.data, *log_, *anchor_, clock,
                           *store_keys_},
          options.committer)),
      erasure_runner_(std::make_unique<ErasureRunner>(ErasureRunner::Parts{
          {parts.keys, parts.slots, *store_keys_, *committer_, parts.replica},
          services_,
          OriginOf(parts),
          clock})),
      backups_(std::make_unique<BackupJobs>(BackupJobs::Parts{
          parts.backups, options.backups_kept, gate_, *committer_, clock})),
      purges_(std::make_unique<Purges>(
          Purges::Parts{parts.keys, parts.data, gate_, *committer_, clock})),
      expiry_(services_, *committer_),
      retentions_(std::make_unique<Retentions>(Retentions::Parts{
          services_, *committer_, *erasure_runner_, expiry_, clock})),
      pruner_(services_, *committer_, *erasure_runner_),
      renews_(options.renews),
      clock_(clock),
      witness_(parts.witness) {}

}  // namespace hizo::vault
