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
#include "service/vault/audits.h"
#include "service/vault/committer.h"
#include "service/vault/consents.h"
#include "service/vault/credentials.h"
#include "service/vault/erasure_runner.h"
#include "service/vault/erasures.h"
#include "service/vault/records.h"
#include "service/vault/services.h"
#include "service/vault/subjects.h"
#include "storage/anchor.h"
#include "storage/engine.h"

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
  };
  struct Options {
    int password_cost = 12;
    Committer::Options committer;
  };
  struct Policy {
    const policy::Catalogue& catalogue;
    const policy::AccessTable& access;
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
  // log is behind its anchor, or a suite does not fit the store or the
  // processor; kDataLoss if one is damaged.
  static absl::StatusOr<std::unique_ptr<Store>> Open(
      const Parts& parts, std::unique_ptr<storage::Anchor> anchor,
      const Policy& policy, const base::Clock& clock, const Options& options);

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Forgets requests whose time has passed, each step an Attempt of its own
  // with its audit event; waits for the disk. How many were forgotten.
  absl::StatusOr<size_t> Tidy(const policy::AccessTable& access,
                              base::Timestamp now);

  // Seals and finishes all erasures that were acknowledged; waits for slots and
  // disk. How many people were finished. On an error the others stay fenced,
  // and the next call goes on.
  absl::StatusOr<size_t> FinishErasures() { return erasure_runner_->Run(); }
  absl::StatusOr<size_t> WaitingErasures() const {
    return erasure_runner_->Waiting();
  }

  Committer& committer() { return *committer_; }
  const Subjects& subjects() const { return subjects_; }
  const Records& records() const { return records_; }
  const Credentials& credentials() const { return credentials_; }
  const Audits& audits() const { return audits_; }
  const Consents& consents() const { return consents_; }
  const Erasures& erasures() const { return erasures_; }
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
  Consents consents_;
  Erasures erasures_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<ErasureRunner> erasure_runner_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_STORE_H_
