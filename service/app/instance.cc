#include "service/app/instance.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <system_error>
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
#include "service/app/restore.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/rpc/convert.h"
#include "storage/anchor.h"
#include "storage/rocksdb/backups.h"
#include "storage/rocksdb/engine.h"

namespace hizo::app {
namespace {

// Password hashing must not take the processor from calls that wait for it.
constexpr int kPasswordNice = 19;
constexpr size_t kRerunQueueMax = 256;
constexpr size_t kTrustedKeyMax = 4096;
constexpr size_t kBytesPerMegabyte = 1024 * 1024;
// What is waiting in RocksDB is kept small beside the cache.
constexpr size_t kWriteBufferBytes = 32 * kBytesPerMegabyte;
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

absl::Status MakeDirectories(const Config& config) {
  std::vector<Path> directories{config.storage_data_dir,
                                config.storage_keys_dir,
                                config.anchor.parent_path()};
  for (const Path& slot : config.slots) {
    directories.push_back(slot.parent_path());
  }
  for (const Path& directory : directories) {
    std::error_code error;
    const bool made = std::filesystem::create_directories(directory, error);
    if (error) {
      return absl::UnavailableError("cannot make " + directory.string());
    }
    if (made) {
      std::filesystem::permissions(directory, std::filesystem::perms::owner_all,
                                   error);
    }
  }
  return absl::OkStatus();
}

// Whether `store` holds no rows but those of `spaces`, which ascend.
bool HoldsOnly(const storage::Engine& store, std::string_view spaces) {
  storage::ScanRange between{.from = "", .until = "", .limit = 1};
  for (const char space : spaces) {
    between.until = std::string(1, space);
    const auto rows = store.Scan(between);
    if (!rows.ok() || !rows->empty()) return false;
    between.from = std::string(1, static_cast<char>(space + 1));
  }
  between.until.clear();
  const auto rows = store.Scan(between);
  return rows.ok() && rows->empty();
}

// An --init that died on its way leaves slots and stores that nobody was ever
// in, and no anchor, which is made last. From its first start on a store has
// other rows. Slots are only removed by people.
bool IsUnfinished(const Config& config) {
  std::error_code ignored;
  if (std::filesystem::exists(config.anchor, ignored)) return false;
  const auto engines = OpenEngines(config, Opening::kExisting, nullptr);
  const std::string meta(1, base::kSpaceMeta);
  return engines.ok() && HoldsOnly(*engines->data, meta) &&
         HoldsOnly(*engines->keys, meta + base::kSpacePage);
}

absl::Status CheckNothingIsThere(const Config& config) {
  std::error_code ignored;
  std::vector<Path> made = config.slots;
  made.push_back(config.anchor);
  const auto present = std::ranges::find_if(made, [&](const Path& path) {
    return std::filesystem::exists(path, ignored);
  });
  if (present == made.end()) return absl::OkStatus();
  if (!IsUnfinished(config)) {
    return absl::AlreadyExistsError(present->string() +
                                    " is there already; nothing was changed");
  }
  std::string remains = config.storage_data_dir.string() + " and " +
                        config.storage_keys_dir.string();
  for (const Path& slot : config.slots) remains += ", " + slot.string();
  return absl::FailedPreconditionError(
      "an earlier --init did not finish; nobody was ever in what it left: "
      "remove " +
      remains + " and run it again");
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

absl::StatusOr<Engines> OpenEngines(const Config& config, Opening opening,
                                    std::function<void(std::string_view)> log) {
  storage::RocksDbOptions options;
  options.create = opening == Opening::kNew;
  options.log = std::move(log);
  options.write_buffer_bytes = kWriteBufferBytes;
  // Half each: every call reads one row of keys and one or two of data.
  options.block_cache_bytes = config.storage_cache_mb * kBytesPerMegabyte / 2;
  Engines engines;
  options.directory = config.storage_keys_dir;
  ASSIGN_OR_RETURN(engines.keys, storage::OpenRocksDb(options));
  options.directory = config.storage_data_dir;
  ASSIGN_OR_RETURN(engines.data, storage::OpenRocksDb(options));
  if (!config.backup_dir.empty()) {
    storage::RocksDbBackupOptions backups;
    backups.directory = config.backup_dir;
    backups.create = true;
    backups.bytes_per_second = config.backup_mb_per_second * kBytesPerMegabyte;
    ASSIGN_OR_RETURN(engines.backups,
                     storage::OpenRocksDbBackups(engines.data.get(), backups));
  }
  return engines;
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

absl::Status InitStore(const Config& config) {
  RETURN_IF_ERROR(
      crypto::RequireSuite(SuiteOf(config), crypto::AesOfThisProcessor()));
  RETURN_IF_ERROR(CheckNothingIsThere(config));
  RETURN_IF_ERROR(MakeDirectories(config));
  ASSIGN_OR_RETURN(const Engines engines,
                   OpenEngines(config, Opening::kNew, nullptr));
  for (const Path& path : config.slots) {
    RETURN_IF_ERROR(crypto::FileRootSlot(path).Create());
  }
  ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::Store::Create({*engines.keys, *engines.data, slots,
                                         config.store_name, SuiteOf(config)}));
  return storage::Anchor::Open(config.anchor, std::string(id.bytes()),
                               /*create=*/true)
      .status();
}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Start(
    const Config& config, Engines engines, const base::Clock& clock) {
  RETURN_IF_ERROR(CheckNoRestore(config));
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
      store_, vault::Store::Open(
                  {*engines_.keys, *engines_.data, slots_, config_.store_name,
                   SuiteOf(config_), crypto::AesOfThisProcessor(),
                   engines_.backups.get(), witness_.get()},
                  std::move(anchor), {*declared_.catalogue, *declared_.access},
                  clock_, options));
  WarnOfSlots(config_, slots_, store_->store_keys());
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
      *declared_.catalogue, *declared_.access, clock_, store_->committer(),
      *limits_, *passwords_, *reruns_, *pacer_});
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

void Instance::SealErasures(base::Timestamp start) {
  base::Timestamp renew_at = start + kRenewAfterStart;
  base::Timestamp purge_at = start + std::chrono::hours(config_.purge_hours);
  while (!StoppingBefore(std::chrono::steady_clock::now() + kSealInterval)) {
    FinishErasures();
    RotateKeys();
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
  changed_.notify_all();
  if (keeping_up_.joinable()) keeping_up_.join();
  if (sealing_.joinable()) sealing_.join();
  // Every call is answered before what serves it goes.
  if (server_ != nullptr) server_->Stop(kStopGrace);
  // Its last head: whatever is put back later is older.
  if (store_ != nullptr) ShowWitness();
}

}  // namespace hizo::app
