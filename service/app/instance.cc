#include "service/app/instance.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "crypto/minisign.h"
#include "crypto/password_hash.h"
#include "crypto/secret.h"
#include "crypto/suite.h"
#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/logging.h"
#include "service/app/policy_file.h"
#include "service/app/rebuild.h"
#include "service/app/restore.h"
#include "service/base/status_macros.h"
#include "service/rpc/convert.h"
#include "storage/anchor.h"

namespace hizo::app {
namespace {

// Password hashing must not take the processor from calls that wait for it.
constexpr int kPasswordNice = 19;
constexpr size_t kRerunQueueMax = 256;
constexpr size_t kTrustedKeyMax = 4096;
constexpr std::chrono::seconds kStopGrace{10};
constexpr std::chrono::hours kTidyInterval{1};
// What an earlier process had not come to.
constexpr std::chrono::minutes kRenewAfterStart{1};
// Whoever is erased within it shares a seal.
constexpr std::chrono::seconds kSealInterval{1};
// Beyond the calls that may be in work, messages of streams wait too.
constexpr size_t kCallsMax = 1024;

rpc::ConnectionLimits LimitsOf(const Config& config) {
  const auto seconds = [](size_t count) { return std::chrono::seconds(count); };
  rpc::ConnectionLimits limits;
  limits.all = config.connections_max;
  limits.per_address = config.connections_per_address;
  limits.streams_max = config.connections_streams;
  limits.handshake = seconds(config.connections_handshake_seconds);
  limits.keepalive = seconds(config.connections_keepalive_seconds);
  limits.keepalive_timeout =
      seconds(config.connections_keepalive_timeout_seconds);
  limits.idle = seconds(config.connections_idle_seconds);
  limits.age = seconds(config.connections_age_seconds);
  limits.age_grace = seconds(config.connections_age_grace_seconds);
  return limits;
}

// A slot that does not open the store is missed when the others are lost.
void WarnOfSlots(const Config& config, const vault::RootSlots& slots,
                 const vault::StoreKeys& keys) {
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto roots = slots[i]->Read(keys.store_id().bytes());
    std::string why(roots.status().message());
    if (roots.ok()) {
      const bool current = std::ranges::any_of(
          *roots, [&](const auto& root) { return root.epoch == keys.epoch(); });
      if (current) continue;
      why = "the root slot holds no root of this store's epoch";
    }
    LogText(Level::kWarning, "slot", config.slots[i].string() + ": " + why);
  }
}

}  // namespace

crypto::Suite SuiteOf(const Config& config) {
  return crypto::SuiteFromNumber(config.store_suite)
      .value_or(crypto::kFirstSuite);
}

absl::StatusOr<Declared> ReadDeclared(const Config& config) {
  Declared declared;
  ASSIGN_OR_RETURN(auto catalogue, ReadCatalogue(config.catalogue));
  ASSIGN_OR_RETURN(declared.catalogue,
                   policy::Catalogue::Create(std::move(catalogue)));
  ASSIGN_OR_RETURN(auto access, ReadAccess(config.access));
  ASSIGN_OR_RETURN(declared.policies,
                   CompilePolicies(*declared.catalogue, access));
  ASSIGN_OR_RETURN(declared.access,
                   policy::AccessTable::Create(access, *declared.catalogue));
  RETURN_IF_ERROR(vault::Store::CheckSuites(
      SuiteOf(config), crypto::AesOfThisProcessor(), *declared.access));
  return declared;
}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Start(
    const Config& config, Engines engines, const base::Clock& clock) {
  RETURN_IF_ERROR(CheckNoRestore(config));
  RETURN_IF_ERROR(CheckNoRebuild(config));
  ASSIGN_OR_RETURN(Declared declared, ReadDeclared(config));
  auto instance = std::unique_ptr<Instance>(
      new Instance(config, std::move(engines), clock, std::move(declared)));
  RETURN_IF_ERROR(instance->Open());
  RETURN_IF_ERROR(instance->Serve());
  return instance;
}

Instance::Instance(const Config& config, Engines engines,
                   const base::Clock& clock, Declared declared)
    : config_(config),
      clock_(clock),
      engines_(std::move(engines)),
      declared_(std::move(declared)),
      started_(clock.Now()) {}

absl::Status Instance::Open() {
  ASSIGN_OR_RETURN(slots_, OpenSlots(config_));
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::StoreKeys::IdOf(*engines_.keys));
  ASSIGN_OR_RETURN(auto anchor, storage::Anchor::Open(config_.anchor,
                                                      std::string(id.bytes()),
                                                      /*create=*/false));
  vault::Store::Options options;
  options.backups_kept = config_.backup_keep;
  options.renews = config_.renew_minutes > 0;
  RETURN_IF_ERROR(OpenBreached());
  RETURN_IF_ERROR(OpenWitness());
  if (config_.witness_override != 0) {
    options.witness_override = config_.witness_override;
  }
  ASSIGN_OR_RETURN(options.trusted_vaults, ReadTrusted());
  options.passwords.cost = static_cast<int>(config_.password_cost);
  options.passwords.breached = breached_.get();
  options.passwords.misses_per_minute =
      static_cast<uint32_t>(config_.misses_per_minute);
  options.committer.queue_max = config_.commit_queue;
  ASSIGN_OR_RETURN(
      store_,
      vault::Store::Open(
          {engines_.Keys(), engines_.Data(), slots_, config_.store_name,
           SuiteOf(config_), crypto::AesOfThisProcessor(),
           engines_.backups.get(), witness_.get(), engines_.replica.get()},
          std::move(anchor), PolicyOf(declared_), clock_, options));
  WarnOfSlots(config_, slots_, store_->store_keys());
  TellPolicies();
  // Before anybody is served. Who cannot be sealed now stays behind the fence.
  FinishErasures();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Instance::ReadTrusted() const {
  std::vector<std::string> keys;
  for (const auto& path : config_.bundle_trusted) {
    std::ifstream file(path, std::ios::binary);
    std::string key(kTrustedKeyMax, '\0');
    file.read(key.data(), static_cast<std::streamsize>(key.size()));
    key.resize(static_cast<size_t>(file.gcount()));
    if (!crypto::IsMinisignKey(key)) {
      return absl::FailedPreconditionError(
          "bundle.trusted: no public key of minisign: " + path.string());
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

absl::Status Instance::OpenBreached() {
  if (config_.password_breached_file.empty()) return absl::OkStatus();
  auto list = crypto::BreachedList::Open(config_.password_breached_file);
  if (!list.ok()) {
    return absl::FailedPreconditionError(
        "password.breached_file " + config_.password_breached_file.string() +
        ": " + std::string(list.status().message()) +
        "; `hizo password build-list` makes one");
  }
  breached_ = *std::move(list);
  return absl::OkStatus();
}

absl::Status Instance::OpenWitness() {
  if (config_.witness_dir.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(witness_, storage::Witness::Open(config_.witness_dir,
                                                    config_.witness_command));
  return absl::OkStatus();
}

absl::Status Instance::Serve() {
  // Certificates are good or not by the system's time, whatever the clock says:
  // who checks them on the other side knows only that.
  ASSIGN_OR_RETURN(const TlsSet tls,
                   ReadTls(config_, base::SystemClock().Now()));
  passwords_.emplace(
      base::WorkerPool::Options{.threads = config_.password_threads,
                                .queue_max = config_.password_queue,
                                .nice = kPasswordNice,
                                .rests = true,
                                .when_idle = crypto::WipeStack});
  MeasurePasswords();
  pacer_.emplace(rpc::Pacer::StepFor(hash_time_));
  reruns_.emplace(base::WorkerPool::Options{.threads = 1,
                                            .queue_max = kRerunQueueMax,
                                            .when_idle = crypto::WipeStack});
  ASSIGN_OR_RETURN(methods_, rpc::MakeMethods(*store_, *declared_.catalogue,
                                              [this] { return ReadStatus(); }));
  limits_.emplace(*declared_.access,
                  static_cast<uint32_t>(config_.misses_per_minute));
  dispatch_.emplace(rpc::Dispatch::Parts{
      *declared_.catalogue, *declared_.access, store_->policies().table(),
      clock_, store_->committer(), *limits_, *passwords_, *reruns_, *pacer_});
  tls_.emplace(config_, tls, [this](rpc::TlsFiles files) {
    server_->ReplaceTls(std::move(files));
  });
  rpc::Server::Options options;
  options.listen = config_.listen;
  options.tls = tls.files;
  options.reflection = config_.reflection;
  options.message_bytes_max = config_.max_message_bytes;
  options.connections = LimitsOf(config_);
  options.transport.threads = config_.threads;
  options.transport.calls_max = kCallsMax;
  options.transport.calls_per_caller = config_.calls_per_caller;
  // What values of people calls have left on a thread's stack.
  options.transport.when_idle = crypto::WipeStack;
  options.transport.idle = std::chrono::seconds(config_.calls_idle_seconds);
  ASSIGN_OR_RETURN(server_, rpc::Server::Start(
                                {{*methods_, *dispatch_, *declared_.catalogue},
                                 *declared_.access,
                                 *store_,
                                 clock_},
                                options));
  keeping_up_ = std::thread([this] { KeepUp(); });
  // Reckoned here: whoever is told that it runs may move the clock at once.
  sealing_ = std::thread([this, start = clock_.Now()] { SealErasures(start); });
  server_->SetServing(rpc::Server::Health::kServing);
  return absl::OkStatus();
}

void Instance::MeasurePasswords() {
  hash_time_ = crypto::MeasureHashTime(static_cast<int>(config_.password_cost));
  const std::string warning = PasswordTimeWarning(config_, hash_time_);
  if (!warning.empty()) LogText(Level::kWarning, "password", warning);
}

void Instance::Tidy() {
  const auto forgotten = store_->Tidy(*declared_.access, clock_.Now());
  if (forgotten.ok() && *forgotten > 0) {
    Log(Level::kInfo, "tidied",
        {{"requests", static_cast<int64_t>(*forgotten)}});
  }
  const auto pruned =
      store_->PruneAudit(static_cast<uint32_t>(config_.audit_keep_years));
  if (!pruned.ok()) LogText(Level::kWarning, "audit", "older entries stay");
}

// Warns of a trouble when it begins or becomes another.
void Instance::Warn(Level level, const char* event, const std::string& what,
                    const absl::Status& status) {
  const std::string trouble(status.message());
  {
    const base::MutexLock lock(mutex_);
    if (std::exchange(troubles_[event], trouble) == trouble) return;
  }
  if (!status.ok()) LogText(level, event, what + trouble);
}

void Instance::ShowWitness() {
  Warn(Level::kError, "witness",
       "the head was not shown: ", store_->ShowWitness());
}

void Instance::KeepUp() {
  const auto interval = std::chrono::seconds(
      std::min(config_.tls_reload_seconds, config_.witness_dir.empty()
                                               ? config_.tls_reload_seconds
                                               : config_.witness_seconds));
  auto tidy_at = std::chrono::steady_clock::now();
  auto witness_at = tidy_at;
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= tidy_at) {
      tidy_at = now + kTidyInterval;
      Tidy();
    }
    if (now >= witness_at) {
      witness_at = now + std::chrono::seconds(config_.witness_seconds);
      ShowWitness();
    }
    tls_->Look(base::SystemClock().Now());
    if (StoppingBefore(std::chrono::steady_clock::now() + interval)) return;
  }
}

bool Instance::StoppingBefore(std::chrono::steady_clock::time_point until) {
  const base::MutexLock lock(mutex_);
  while (!stopping_ &&
         changed_.wait_until(mutex_, until) != std::cv_status::timeout) {
  }
  return stopping_;
}

void Instance::FinishErasures() {
  const auto finished = store_->FinishErasures();
  Warn(Level::kWarning, "erasure",
       "people wait to be sealed: ", finished.status());
  if (finished.ok() && *finished > 0) {
    Log(Level::kInfo, "sealed",
        {{"people", static_cast<int64_t>(*finished)},
         {"epoch", static_cast<int64_t>(store_->store_keys().epoch())}});
  }
}

void Instance::Renew() {
  const auto renewed = store_->Renew();
  Warn(Level::kWarning, "renewal", "older copies stay: ", renewed.status());
  if (renewed.ok() && *renewed > 0) {
    Log(Level::kInfo, "renewed",
        {{"keys", static_cast<int64_t>(*renewed)},
         {"epoch", static_cast<int64_t>(store_->store_keys().epoch())}});
  }
}

void Instance::RotateKeys() {
  absl::StatusOr<bool> more = true;
  bool any = false;
  while (more.ok() && *more) {
    more = store_->RotateKeys();
    any |= more.ok() && *more;
    if (StoppingBefore(std::chrono::steady_clock::now())) return;
    // Whoever is erased meanwhile does not wait for the end of it.
    if (any) FinishErasures();
  }
  Warn(Level::kWarning, "rotation", "keys wait to be rotated: ", more.status());
  if (any && more.ok()) {
    Log(Level::kInfo, "rotated",
        {{"epoch", static_cast<int64_t>(store_->store_keys().epoch())}});
  }
}

void Instance::CatchUpReplica() {
  if (engines_.replica == nullptr || engines_.replica->CheckInStep().ok()) {
    return;
  }
  const std::string id(store_->store_keys().store_id().bytes());
  const absl::Status status = engines_.replica->CatchUp(id, ending_);
  Warn(Level::kError, "replica", "the replica is behind: ", status);
  if (status.ok()) {
    Log(Level::kInfo, "replica_in_step",
        {{"rows", static_cast<int64_t>(engines_.replica->compared())}});
  }
}

void Instance::EndPeriods() {
  const base::Timestamp now = clock_.Now();
  if (policy::DayOf(now) == periods_ended_) return;
  const auto ended = store_->EndPeriods(now, [this](const auto&) {
    return !StoppingBefore(std::chrono::steady_clock::now());
  });
  Warn(Level::kWarning, "retention", "entries wait to end: ", ended.status());
  if (!ended.ok()) return;
  periods_ended_ = policy::DayOf(now);
  if (*ended == vault::PeriodEnds::Counts()) return;
  Log(Level::kInfo, "ended",
      {{"periods", static_cast<int64_t>(ended->periods)},
       {"entries", static_cast<int64_t>(ended->entries)},
       {"held", static_cast<int64_t>(ended->held)}});
}

void Instance::SealErasures(base::Timestamp start) {
  base::Timestamp renew_at = start + kRenewAfterStart;
  base::Timestamp purge_at = start + std::chrono::hours(config_.purge_hours);
  while (!StoppingBefore(std::chrono::steady_clock::now() + kSealInterval)) {
    CatchUpReplica();
    FinishErasures();
    RotateKeys();
    EndPeriods();
    const base::Timestamp now = clock_.Now();
    if (config_.purge_hours > 0 && now >= purge_at) {
      purge_at = now + std::chrono::hours(config_.purge_hours);
      store_->purges().BeginOwn();
    }
    if (!store_->renews() || now < renew_at) continue;
    renew_at = now + std::chrono::minutes(config_.renew_minutes);
    Renew();
  }
}

Instance::~Instance() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  ending_ = true;
  changed_.notify_all();
  if (keeping_up_.joinable()) keeping_up_.join();
  if (sealing_.joinable()) sealing_.join();
  // Every call is answered before what serves it goes.
  if (server_ != nullptr) server_->Stop(kStopGrace);
  // Its last head: whatever is put back later is older.
  if (store_ != nullptr) ShowWitness();
}

}  // namespace hizo::app
