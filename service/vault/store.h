// Store: everything of one vault that is open: two engines, key tree, audit
// log, anchor, committer, and the use cases over them.
//
// Opening is where a store that is not whole is refused: a root that no slot
// holds, stores that are not of one pair, a log that does not fit its head, a
// log behind its anchor. Nothing is served before all of it holds.
//
// Threads: the use cases and the committer may be used concurrently. Lifetime:
// engines, slots, catalogue and clock outlive it.
#ifndef HIZO_SERVICE_VAULT_STORE_H_
#define HIZO_SERVICE_VAULT_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/root_slot.h"
#include "crypto/suite.h"
#include "service/audit/log.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_history.h"
#include "service/vault/audit_pruner.h"
#include "service/vault/audits.h"
#include "service/vault/backup_jobs.h"
#include "service/vault/breach_scope.h"
#include "service/vault/committer.h"
#include "service/vault/consents.h"
#include "service/vault/credentials.h"
#include "service/vault/erasure_runner.h"
#include "service/vault/erasures.h"
#include "service/vault/expiry.h"
#include "service/vault/exports.h"
#include "service/vault/imports.h"
#include "service/vault/key_rotation.h"
#include "service/vault/legal_holds.h"
#include "service/vault/policies.h"
#include "service/vault/purges.h"
#include "service/vault/recipients.h"
#include "service/vault/records.h"
#include "service/vault/restore.h"
#include "service/vault/restrictions.h"
#include "service/vault/retentions.h"
#include "service/vault/services.h"
#include "service/vault/subjects.h"
#include "storage/anchor.h"
#include "storage/backups.h"
#include "storage/engine.h"
#include "storage/replica.h"
#include "storage/witness.h"

namespace hizo::vault {

using RootSlots = std::vector<std::unique_ptr<crypto::RootSlot>>;

class Store {
 public:
  struct Parts {
    storage::Engine& keys;
    storage::Engine& data;
    const RootSlots& slots;
    std::string name;                           // the log is called hizo/<name>
    crypto::Suite suite = crypto::kFirstSuite;  // that the store is made in
    // What this processor has; a test may say otherwise.
    crypto::AesSupport aes = crypto::AesOfThisProcessor();
    storage::Backups* backups = nullptr;  // of `data`; none are configured
    storage::Witness* witness = nullptr;  // of the log; none is configured
    // Of `keys` and `data`, which then are its engines; none is configured.
    const storage::Replica* replica = nullptr;
  };
  struct Options {
    Credentials::Options passwords;
    size_t backups_kept = 7;
    bool renews = true;
    // The size of the newest head that the witness has seen and the log need
    // not continue; nullopt: it must continue all.
    std::optional<uint64_t> witness_override;
    // Public keys, as of minisign, of other vaults whose bundles are taken in.
    std::vector<std::string> trusted_vaults = {};
    Committer::Options committer;
  };
  struct Policy {
    const policy::Catalogue& catalogue;
    const policy::AccessTable& access;
    // Reads a company's policy out of its files; without it none is activated.
    policy::PolicyParser parser = nullptr;
  };

  // Makes a new store in two empty engines and empty slots; its id, for the
  // anchor. kAlreadyExists if there is one, kFailedPrecondition if the
  // processor cannot do its suite.
  static absl::StatusOr<base::StoreId> Create(const Parts& parts);

  // Whether a store made in `store` may serve those tenants in their suites on
  // a processor with `aes`; kFailedPrecondition, with a text for the operator,
  // if not.
  static absl::Status CheckSuites(crypto::Suite store, crypto::AesSupport aes,
                                  const policy::AccessTable& access);

  // Opens a store. kFailedPrecondition if the pieces are not of one store, the
  // log is behind its anchor or its witness, or a suite does not fit the store
  // or the processor, or the policy that was activated for a tenant is none any
  // more; kDataLoss if one is damaged. If records were restored, that is in the
  // log once this returns.
  static absl::StatusOr<std::unique_ptr<Store>> Open(
      const Parts& parts, std::unique_ptr<storage::Anchor> anchor,
      const Policy& policy, const base::Clock& clock, const Options& options);

  // Fills `into`, an empty data store, with the records of `backup` and all
  // else of the store of `parts`, which opens as by Open (restore.h). Nothing
  // of the latter is changed.
  static absl::StatusOr<RestoreCounts> Restore(
      const Parts& parts, std::unique_ptr<storage::Anchor> anchor,
      const Policy& policy, const base::Clock& clock,
      const storage::Reader& backup, storage::Engine& into);

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Forgets requests whose time has passed, each step an Attempt of its own
  // with its audit event; waits for the disk. How many were forgotten.
  absl::StatusOr<size_t> Tidy(const policy::AccessTable& access,
                              base::Timestamp now);

  // Ends what a law no longer has kept, and seals and finishes all erasures
  // that were acknowledged; waits for slots and disk. How many people were
  // finished. On an error the others stay fenced, and the next call goes on.
  absl::StatusOr<size_t> FinishErasures();
  // Ends entries of everybody whose period is over at `now` (period_ends.h);
  // waits for slots and disk. On an error the next call goes on.
  absl::StatusOr<PeriodEnds::Counts> EndPeriods(
      base::Timestamp now, const PeriodEnds::Progress& progress) {
    return retentions_->EndPeriods(now, progress);
  }
  // Gives new keys to what had values replaced or deleted, so that older copies
  // of them die; waits for slots and disk. How many classes of people and
  // shards of the index. On an error the next call goes on.
  absl::StatusOr<size_t> Renew() { return erasure_runner_->Renew(); }
  absl::StatusOr<size_t> WaitingRenewals() const {
    return erasure_runner_->WaitingRenewals();
  }
  // Gives fresh keys to the next part of the tree while a rotation is under
  // way; waits for slots and disk. Whether there is more to come.
  absl::StatusOr<bool> RotateKeys() { return erasure_runner_->Rotate(); }
  // Whether somebody calls Renew: then what is deleted does not stay in
  // backups.
  bool renews() const { return renews_; }
  absl::StatusOr<size_t> WaitingErasures() const {
    return erasure_runner_->Waiting();
  }

  // Ends the entries of the log, and before them the keys of what they tell of,
  // whose months have been over for so many years (audit_pruner.h); waits for
  // slots and disk. How many entries. On an error the next call goes on.
  absl::StatusOr<uint64_t> PruneAudit(uint32_t keep_years);

  // Shows the head of the log to the witness, if there is one; waits for its
  // folder.
  absl::Status ShowWitness();

  Committer& committer() { return *committer_; }
  const Subjects& subjects() const { return subjects_; }
  const Records& records() const { return records_; }
  const Credentials& credentials() const { return credentials_; }
  const Audits& audits() const { return audits_; }
  const AccessHistories& histories() const { return histories_; }
  const BreachScopes& breaches() const { return breaches_; }
  const Consents& consents() const { return consents_; }
  const Erasures& erasures() const { return erasures_; }
  const Exports& exports() const { return exports_; }
  const Imports& imports() const { return imports_; }
  const Recipients& recipients() const { return recipients_; }
  const KeyRotations& key_rotations() const { return key_rotations_; }
  BackupJobs& backups() const { return *backups_; }
  Purges& purges() const { return *purges_; }
  Retentions& retentions() const { return *retentions_; }
  const LegalHolds& legal_holds() const { return legal_holds_; }
  const Restrictions& restrictions() const { return restrictions_; }
  const Policies& policies() const { return policies_; }
  const AccessGate& gate() const { return gate_; }
  const policy::AccessTable& access() const { return services_.access; }
  const audit::Log& log() const { return *log_; }
  const StoreKeys& store_keys() const { return *store_keys_; }

 private:
  struct Opened {
    std::unique_ptr<StoreKeys> store_keys;
    std::unique_ptr<audit::Log> log;
    std::unique_ptr<storage::Anchor> anchor;
  };
  Store(const Parts& parts, Opened opened, const Policy& policy,
        const base::Clock& clock, const Options& options);
  // Writes into the log what came back from a backup, if something did.
  absl::Status NoteRestore(const storage::Engine& data);
  // Writes into the log which heads its witness is to forget, and has it forget
  // them.
  absl::Status NoteOverride(const std::vector<uint64_t>& heads);
  Services ServicesOf(const Parts& parts, const Policy& policy) const;

  std::unique_ptr<StoreKeys> store_keys_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<storage::Anchor> anchor_;
  UserKeys user_keys_;
  FactsStore facts_;
  AccessGate gate_;
  RecordStore record_store_;
  SubjectIndex index_;
  Requests requests_;
  Services services_;
  Subjects subjects_;
  Records records_;
  Credentials credentials_;
  Audits audits_;
  AccessHistories histories_;
  BreachScopes breaches_;
  Consents consents_;
  Erasures erasures_;
  LegalHolds legal_holds_;
  Restrictions restrictions_;
  Policies policies_;
  KeyRotations key_rotations_;
  Recipients recipients_;
  Exports exports_;
  Imports imports_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<ErasureRunner> erasure_runner_;
  std::unique_ptr<BackupJobs> backups_;
  std::unique_ptr<Purges> purges_;
  Expiry expiry_;
  std::unique_ptr<Retentions> retentions_;
  AuditPruner pruner_;
  const bool renews_;
  const base::Clock& clock_;
  storage::Witness* const witness_;
  uint64_t witnessed_ = 0;  // size of the head that it was shown last
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_STORE_H_
