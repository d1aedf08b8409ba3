#include "tests/testing/vault_fixture.h"

#include <charconv>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "crypto/digest.h"
#include "service/audit/query.h"
#include "service/vault/row_keys.h"
#include "storage/memory/engine.h"
#include "storage/rocksdb/engine.h"

namespace hizo::test {
namespace {

constexpr char kName[] = "test";
constexpr size_t kEventsMax = 5000;

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

template <typename T>
T Require(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

std::string HexDigestOf(const std::string& text) {
  const crypto::Digest digest = crypto::Sha256(text);
  const std::string_view bytes = crypto::AsBytes(digest);
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

}  // namespace

policy::PolicyTexts VaultPolicyTexts(uint32_t version) {
  return {"profile", "statutory", std::to_string(version)};
}

absl::StatusOr<policy::PolicySource> VaultPolicyOf(
    const policy::PolicyTexts& texts) {
  policy::PolicySource source = VaultPolicySource();
  const char* const end = texts.overlay.data() + texts.overlay.size();
  const auto read = std::from_chars(texts.overlay.data(), end, source.version);
  if (read.ec != std::errc() || read.ptr != end || source.version == 0) {
    return absl::InvalidArgumentError("operator:1: no version");
  }
  source.digest =
      HexDigestOf(texts.profile + '/' + texts.statutory + '/' + texts.overlay);
  return source;
}

vault::Committer::Done Pending::Done() {
  return [this](std::unique_ptr<vault::Attempt> attempt,
                const vault::Committer::Result& result) {
    Committed committed{result.status, nullptr, false, {}};
    if (result.receipt != nullptr) {
      committed.receipt = true;
      committed.answer = std::move(*attempt).Release(*result.receipt);
    }
    committed.attempt = std::move(attempt);
    // Told under the lock: whoever waits may end this object at once.
    const std::lock_guard lock(mutex_);
    committed_ = std::move(committed);
    changed_.notify_all();
  };
}

Committed Pending::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return committed_.has_value(); });
  return std::move(*committed_);
}

bool Pending::done() const {
  const std::lock_guard lock(mutex_);
  return committed_.has_value();
}

// The parts that a Store keeps to itself, once more over the same rows.
struct VaultFixture::Components {
  Components(const VaultFixture& fixture, const vault::Store& store)
      : user_keys(*fixture.keys_, store.store_keys()),
        facts(*fixture.data_, user_keys),
        gate(*fixture.catalogue_, user_keys, facts),
        records(*fixture.data_, user_keys),
        index({*fixture.keys_, *fixture.data_}, store.store_keys()),
        requests(*fixture.data_, store.store_keys()),
        services{*fixture.catalogue_,
                 *fixture.access_,
                 *fixture.keys_,
                 *fixture.data_,
                 store.store_keys(),
                 user_keys,
                 facts,
                 gate,
                 records,
                 index,
                 requests,
                 store.log()} {}

  const vault::UserKeys user_keys;
  const vault::FactsStore facts;
  const vault::AccessGate gate;
  const vault::RecordStore records;
  const vault::SubjectIndex index;
  const vault::Requests requests;
  const vault::Services services;
};

VaultFixture::VaultFixture(const Options& options) : options_(options) {
  Declare(options.tenant_suite);
  if (options_.directory.empty()) scratch_.emplace();
  const bool is_there = std::filesystem::exists(directory() / "slot");
  for (size_t i = 0; i < options_.slots; ++i) {
    const std::string name = i == 0 ? "slot" : "slot" + std::to_string(i);
    auto slot = std::make_unique<crypto::FileRootSlot>(directory() / name);
    if (!is_there) Require(slot->Create());
    slots_.push_back(options_.wrap_slot ? options_.wrap_slot(std::move(slot))
                                        : std::move(slot));
  }
  if (is_there) {
    Require(Reopen());
    return;
  }
  OpenEngines(true);
  const auto id = Require(vault::Store::Create(Parts()));
  Require(storage::Anchor::Open(anchor_file(), std::string(id.bytes()), true)
              .status());
  Require(Reopen());
}

VaultFixture::~VaultFixture() { Close(); }

void VaultFixture::Declare(crypto::Suite tenants) {
  policy::CatalogueSource declared = VaultCatalogueSource();
  if (options_.amend) options_.amend(declared);
  catalogue_ = Require(policy::Catalogue::Create(std::move(declared)));
  policy::AccessSource source = VaultAccessSource();
  for (policy::TenantSpec& tenant : source.tenants) {
    tenant.suite = crypto::NumberOf(tenants);
  }
  if (options_.company.has_value()) {
    company_ =
        Require(policy::CompanyPolicy::Create(*options_.company, *catalogue_));
    source.tenants.front().policy_of_files = company_.get();
  }
  access_ = Require(policy::AccessTable::Create(source, *catalogue_));
}

absl::Status VaultFixture::ReopenInSuite(crypto::Suite tenants) {
  Close();
  Declare(tenants);
  return Reopen();
}

absl::Status VaultFixture::ReopenUnder(policy::PolicySource company) {
  Close();
  options_.company = std::move(company);
  Declare(options_.tenant_suite);
  return Reopen();
}

absl::Status VaultFixture::ReopenAmended(
    std::function<void(policy::CatalogueSource&)> amend) {
  Close();
  options_.amend = std::move(amend);
  Declare(options_.tenant_suite);
  return Reopen();
}

void VaultFixture::OpenEngines(bool create) {
  const auto open = [&](const char* name) {
    if (options_.open) {
      return Require(options_.open(directory() / name, create));
    }
    if (options_.engines == Engines::kMemory) return storage::NewMemoryEngine();
    storage::RocksDbOptions rocksdb;
    rocksdb.directory = directory() / name;
    rocksdb.create = create;
    return Require(storage::OpenRocksDb(rocksdb));
  };
  keys_ = std::make_unique<FaultyEngine>(open("keys"));
  data_ = std::make_unique<FaultyEngine>(open("data"));
}

void VaultFixture::Close() {
  components_.reset();
  store_.reset();
}

void VaultFixture::CloseEngines() {
  Close();
  keys_.reset();
  data_.reset();
}

bool VaultFixture::on_disk() const {
  return options_.open != nullptr || options_.engines == Engines::kRocksDb;
}

absl::Status VaultFixture::Reopen() {
  Close();
  if (on_disk()) {
    CloseEngines();
    OpenEngines(false);
  }
  keys_->Restart();
  data_->Restart();
  const auto id = vault::StoreKeys::IdOf(*keys_);
  if (!id.ok()) return id.status();
  auto anchor =
      storage::Anchor::Open(anchor_file(), std::string(id->bytes()), false);
  if (!anchor.ok()) return anchor.status();
  auto store = OpenWith(*std::move(anchor));
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  components_ = std::make_unique<Components>(*this, *store_);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<vault::Store>> VaultFixture::OpenWith(
    std::unique_ptr<storage::Anchor> anchor) {
  vault::Store::Options options;
  options.passwords = passwords_;
  options.committer = options_.committer;
  options.trusted_vaults = options_.trusted_vaults;
  return vault::Store::Open(Parts(), std::move(anchor), Policy(), clock_,
                            options);
}

const vault::Services& VaultFixture::services() const {
  return components_->services;
}

std::filesystem::path VaultFixture::anchor_file() const {
  return directory() / "anchor";
}

vault::Store::Parts VaultFixture::Parts() {
  vault::Store::Parts parts{*keys_, *data_, slots_, kName,
                            options_.store_suite};
  parts.replica = options_.replica;
  return parts;
}

const policy::FieldSpec& VaultFixture::Field(std::string_view full_name) const {
  const policy::FieldSpec* field = catalogue_->FindField(full_name);
  if (field == nullptr) throw std::out_of_range("no such field");
  return *field;
}

const policy::TenantSpec& VaultFixture::Tenant(base::TenantId id) const {
  const policy::TenantSpec* tenant = access_->Tenant(id);
  if (tenant == nullptr) throw std::out_of_range("no such tenant");
  return *tenant;
}

vault::Call VaultFixture::CallOf(std::string_view actor, policy::Action action,
                                 policy::PurposeNumber purpose) const {
  const policy::Principal* principal = access_->Find(actor);
  if (principal == nullptr) throw std::out_of_range("no such principal");
  const policy::TenantSpec& tenant = Tenant(principal->tenant);
  return {*principal,
          tenant,
          action,
          purpose,
          true,
          std::nullopt,
          {},
          clock_.Now(),
          store_ == nullptr ? tenant.policy_of_files
                            : store_->policies().table().Look(tenant.id).get()};
}

vault::Store::Policy VaultFixture::Policy() const {
  return {*catalogue_, *access_,
          [this](const policy::PolicyTexts& texts)
              -> absl::StatusOr<policy::PolicySource> {
            const auto found = files_.find(texts.overlay);
            if (found != files_.end()) return found->second;
            return VaultPolicyOf(texts);
          }};
}

policy::PolicyTexts VaultFixture::FilesOf(policy::PolicySource source) {
  const std::string name = "files " + std::to_string(files_.size());
  source.digest = HexDigestOf(name);
  files_[name] = std::move(source);
  return {"profile", "statutory", name};
}

std::unique_ptr<vault::Attempt> VaultFixture::NewAttempt(
    const vault::Call& call) {
  audit::Event event;
  event.actor = call.principal.spiffe_id;
  event.tenant = call.tenant.id;
  event.action = call.action;
  event.purpose = call.purpose;
  event.request = call.request;
  event.catalogue_version = catalogue_->version();
  auto attempt = std::make_unique<vault::Attempt>(
      store_->committer().position(), std::move(event));
  attempt->ReliesOn(vault::PolicyKey(call.tenant.id));
  return attempt;
}

void VaultFixture::Submit(std::unique_ptr<vault::Attempt> attempt,
                          Pending& pending) {
  store_->committer().Submit(std::move(attempt), pending.Done());
}

Committed VaultFixture::Commit(std::unique_ptr<vault::Attempt> attempt) {
  Pending pending;
  Submit(std::move(attempt), pending);
  return pending.Wait();
}

std::vector<audit::Event> VaultFixture::Events() const {
  const uint64_t size = store_->log().head().size;
  std::vector<audit::Event> events;
  if (size == 0) return events;
  audit::Page page = Require(audit::Query(
      *data_, size, {}, audit::Order::kOldestFirst, std::nullopt, kEventsMax));
  for (audit::Found& found : page.events) {
    events.push_back(std::move(found.event));
  }
  return events;
}

audit::Event VaultFixture::LastEvent() const {
  audit::Page page =
      Require(audit::Query(*data_, store_->log().head().size, {},
                           audit::Order::kNewestFirst, std::nullopt, 1));
  return page.events.at(0).event;
}

std::string Stored(const storage::Reader& reader, const std::string& key) {
  const auto value = Require(reader.Get(key));
  if (!value.has_value()) throw std::out_of_range("no such row");
  return *value;
}

void Overwrite(storage::Engine& engine, const std::string& key,
               const std::string& value) {
  storage::Batch batch;
  batch.Put(key, value);
  Require(engine.Commit(batch));
}

void Remove(storage::Engine& engine, const std::string& key) {
  storage::Batch batch;
  batch.Delete(key);
  Require(engine.Commit(batch));
}

std::vector<storage::Row> RowsOf(const storage::Reader& reader, char space) {
  return Require(reader.Scan(storage::PrefixRange(std::string_view(&space, 1),
                                                  storage::kScanLimitMax)));
}

}  // namespace hizo::test
