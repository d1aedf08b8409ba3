// Instance: a whole vault in this process, from its configuration: engines,
// slots, anchor, store, pools and server, made in that order and ended in the
// other.
//
// Threads: one thread starts and stops it; the getters may be called from any.
#ifndef HIZO_SERVICE_APP_INSTANCE_H_
#define HIZO_SERVICE_APP_INSTANCE_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/breached_list.h"
#include "service/app/config.h"
#include "service/app/logging.h"
#include "service/app/stores.h"
#include "service/app/tls_watch.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/base/worker_pool.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/policy/retention.h"
#include "service/rpc/dispatch.h"
#include "service/rpc/methods.h"
#include "service/rpc/pacer.h"
#include "service/rpc/server.h"
#include "service/vault/store.h"
#include "storage/witness.h"

namespace hizo::app {

// What an operator declared: the catalogue and who may do what.
struct Declared {
  std::unique_ptr<const policy::Catalogue> catalogue;
  std::vector<std::unique_ptr<const policy::CompanyPolicy>> policies;
  std::unique_ptr<const policy::AccessTable> access;  // points to policies
};
absl::StatusOr<Declared> ReadDeclared(const Config& config);
// What a store is opened with; refers to `declared`.
vault::Store::Policy PolicyOf(const Declared& declared);

class Instance {
 public:
  // Starts serving; returns when ready. On an error nothing is left running.
  static absl::StatusOr<std::unique_ptr<Instance>> Start(
      const Config& config, Engines engines, const base::Clock& clock);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  int port() const { return server_->port(); }
  // False once the process must end and the store be reopened.
  bool healthy() const { return store_->committer().healthy(); }
  vault::Store& store() { return *store_; }

 private:
  Instance(const Config& config, Engines engines, const base::Clock& clock,
           Declared declared);
  absl::Status Open();
  absl::Status OpenBreached();
  absl::Status OpenWitness();
  absl::StatusOr<std::vector<std::string>> ReadTrusted() const;
  absl::Status Serve();
  // How long a hash takes here; warns where that is too short or too long.
  void MeasurePasswords();
  // Says which policy each tenant is decided by.
  void TellPolicies() const;
  v1::GetStatusResponse ReadStatus() const;
  // The background thread: looks at the TLS files, and tidies each hour.
  void KeepUp();
  void Tidy();
  void ShowWitness();
  // Another one: seals and finishes erasures soon after they were acknowledged.
  void SealErasures(base::Timestamp start);
  void FinishErasures();
  void Renew();
  void RotateKeys();
  // Brings the replica into step, if there is one and it is behind.
  void CatchUpReplica();
  // Ends entries whose period is over, once a day and after the start.
  void EndPeriods();
  void Warn(Level level, const char* event, const std::string& what,
            const absl::Status& status);
  // Waits until then, or until it is time to end, which it tells.
  bool StoppingBefore(std::chrono::steady_clock::time_point until);

  const Config config_;
  const base::Clock& clock_;
  Engines engines_;
  Declared declared_;
  vault::RootSlots slots_;
  base::Timestamp started_;
  std::unique_ptr<crypto::BreachedList> breached_;
  std::unique_ptr<storage::Witness> witness_;
  std::unique_ptr<vault::Store> store_;
  std::chrono::nanoseconds hash_time_{0};
  std::optional<base::WorkerPool> passwords_;
  std::optional<base::WorkerPool> reruns_;
  std::optional<rpc::Pacer> pacer_;
  std::optional<vault::MissLimits> limits_;
  std::optional<rpc::MethodTable> methods_;
  std::optional<rpc::Dispatch> dispatch_;
  std::unique_ptr<rpc::Server> server_;
  std::optional<TlsWatch> tls_;
  base::Mutex mutex_;
  base::Condition changed_;
  bool stopping_ HIZO_GUARDED_BY(mutex_) = false;
  // What was logged last of each, by its event.
  std::map<std::string, std::string> troubles_ HIZO_GUARDED_BY(mutex_);
  std::atomic<bool> ending_ = false;
  std::thread keeping_up_;
  policy::Day periods_ended_{};  // on which day; of sealing_ only
  std::thread sealing_;
};

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_INSTANCE_H_
