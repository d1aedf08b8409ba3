#include "service/app/instance.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "crypto/secret.h"
#include "crypto/suite.h"
#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/logging.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "service/rpc/convert.h"
#include "storage/anchor.h"
#include "storage/rocksdb/engine.h"

namespace hizo::app {
namespace {

// Password hashing must not take the processor from calls that wait for it.
constexpr int kPasswordNice = 19;
constexpr size_t kRerunQueueMax = 256;
constexpr size_t kBytesPerMegabyte = 1024 * 1024;
// What is waiting in RocksDB is kept small beside the cache.
constexpr size_t kWriteBufferBytes = 32 * kBytesPerMegabyte;
constexpr std::chrono::seconds kStopGrace{10};
constexpr std::chrono::hours kTidyInterval{1};
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

crypto::Suite SuiteOf(const Config& config) {
  return crypto::SuiteFromNumber(config.store_suite)
      .value_or(crypto::kFirstSuite);
}

vault::RootSlots SlotsOf(const Config& config) {
  vault::RootSlots slots;
  for (const Path& path : config.slots) {
    slots.push_back(std::make_unique<crypto::FileRootSlot>(path));
  }
  return slots;
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
  return engines;
}

absl::StatusOr<Declared> ReadDeclared(const Config& config) {
  Declared declared;
  ASSIGN_OR_RETURN(auto catalogue, ReadCatalogue(config.catalogue));
  ASSIGN_OR_RETURN(declared.catalogue,
                   policy::Catalogue::Create(std::move(catalogue)));
  ASSIGN_OR_RETURN(const auto access, ReadAccess(config.access));
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
  const vault::RootSlots slots = SlotsOf(config);
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::Store::Create({*engines.keys, *engines.data, slots,
                                         config.store_name, SuiteOf(config)}));
  return storage::Anchor::Open(config.anchor, std::string(id.bytes()),
                               /*create=*/true)
      .status();
}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Start(
    const Config& config, Engines engines, const base::Clock& clock) {
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
      slots_(SlotsOf(config)),
      started_(clock.Now()) {}

absl::Status Instance::Open() {
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::StoreKeys::IdOf(*engines_.keys));
  ASSIGN_OR_RETURN(auto anchor, storage::Anchor::Open(config_.anchor,
                                                      std::string(id.bytes()),
                                                      /*create=*/false));
  vault::Store::Options options;
  options.password_cost = static_cast<int>(config_.password_cost);
  options.committer.queue_max = config_.commit_queue;
  ASSIGN_OR_RETURN(store_,
                   vault::Store::Open({*engines_.keys, *engines_.data, slots_,
                                       config_.store_name, SuiteOf(config_)},
                                      std::move(anchor),
                                      {*declared_.catalogue, *declared_.access},
                                      clock_, options));
  WarnOfSlots(config_, slots_, store_->store_keys());
  // Before anybody is served. Who cannot be sealed now stays behind the fence.
  FinishErasures();
  return absl::OkStatus();
}

absl::Status Instance::Serve() {
  // Certificates are good or not by the system's time, whatever the clock says:
  // who checks them on the other side knows only that.
  ASSIGN_OR_RETURN(const TlsSet tls,
                   ReadTls(config_, base::SystemClock().Now()));
  passwords_.emplace(base::WorkerPool::Options{
      config_.password_threads, config_.password_queue, kPasswordNice});
  reruns_.emplace(base::WorkerPool::Options{1, kRerunQueueMax, 0});
  ASSIGN_OR_RETURN(methods_, rpc::MakeMethods(*store_, *declared_.catalogue,
                                              [this] { return ReadStatus(); }));
  limits_.emplace(*declared_.access,
                  static_cast<uint32_t>(config_.misses_per_minute));
  dispatch_.emplace(rpc::Dispatch::Parts{
      *declared_.catalogue, *declared_.access, clock_, store_->committer(),
      *limits_, *passwords_, *reruns_});
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
  options.transport.idle = std::chrono::seconds(config_.calls_idle_seconds);
  ASSIGN_OR_RETURN(server_, rpc::Server::Start(
                                {{*methods_, *dispatch_, *declared_.catalogue},
                                 *declared_.access,
                                 *store_,
                                 clock_},
                                options));
  keeping_up_ = std::thread([this] { KeepUp(); });
  sealing_ = std::thread([this] { SealErasures(); });
  server_->SetServing(rpc::Server::Health::kServing);
  return absl::OkStatus();
}

void Instance::Tidy() {
  const auto forgotten = store_->Tidy(*declared_.access, clock_.Now());
  if (forgotten.ok() && *forgotten > 0) {
    Log(Level::kInfo, "tidied",
        {{"requests", static_cast<int64_t>(*forgotten)}});
  }
}

void Instance::KeepUp() {
  const auto interval = std::chrono::seconds(config_.tls_reload_seconds);
  auto tidy_at = std::chrono::steady_clock::now();
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= tidy_at) {
      tidy_at = now + kTidyInterval;
      Tidy();
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
  const std::string trouble(finished.status().message());
  if (!finished.ok() && trouble != erasures_trouble_) {
    LogText(Level::kWarning, "erasure", "people wait to be sealed: " + trouble);
  }
  erasures_trouble_ = trouble;
  if (finished.ok() && *finished > 0) {
    Log(Level::kInfo, "sealed",
        {{"people", static_cast<int64_t>(*finished)},
         {"epoch", static_cast<int64_t>(store_->store_keys().epoch())}});
  }
}

void Instance::SealErasures() {
  while (!StoppingBefore(std::chrono::steady_clock::now() + kSealInterval)) {
    FinishErasures();
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
}

v1::GetStatusResponse Instance::ReadStatus() const {
  v1::GetStatusResponse status;
  status.set_version(HIZO_VERSION);
  status.set_store(base::ToText(store_->store_keys().store_id()));
  *status.mutable_start_time() = rpc::FromTimestamp(started_);
  status.set_audit_events(static_cast<int64_t>(store_->log().head().size));
  status.set_anchored_events(
      static_cast<int64_t>(store_->committer().anchored()));
  status.set_healthy_slots(
      static_cast<int32_t>(store_->store_keys().healthy_slots()));
  status.set_slots(static_cast<int32_t>(slots_.size()));
  status.set_key_epoch(static_cast<int64_t>(store_->store_keys().epoch()));
  status.set_memory_locked(crypto::GetSlabStatus().locked);
  status.set_commit_queue(static_cast<int32_t>(store_->committer().queued()));
  const TlsWatch::Status tls = tls_->status();
  *status.mutable_certificate_expire_time() = rpc::FromTimestamp(tls.expires);
  status.set_certificate_reload_failures(static_cast<int64_t>(tls.failures));
  status.set_password_queue(static_cast<int32_t>(passwords_->queued()));
  return status;
}

}  // namespace hizo::app
