#include "service/vault/store.h"

#include <algorithm>
#include <future>
#include <utility>

#include "service/base/status_macros.h"
#include "service/vault/row_keys.h"
#include "service/vault/undo.h"

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
  RETURN_IF_ERROR(CheckMark(parts.keys, parts.data));
  RETURN_IF_ERROR(UndoUnfinished(parts.keys, log->head().size));
  return std::unique_ptr<Store>(new Store(
      parts, {std::move(store_keys), std::move(log), std::move(anchor)}, policy,
      clock, options));
}

absl::StatusOr<size_t> Store::Tidy(const policy::AccessTable& access,
                                   base::Timestamp now) {
  size_t forgotten = 0;
  for (const policy::TenantSpec& tenant : access.tenants()) {
    for (;;) {
      audit::Event event;
      event.tenant = tenant.id;
      event.actor = "hizod";
      event.action = policy::Action::kStoreTidy;
      event.outcome = audit::Outcome::kAllowed;
      event.reason = base::Reason::kNone;
      auto attempt =
          std::make_unique<Attempt>(committer_->position(), std::move(event));
      ASSIGN_OR_RETURN(const size_t count,
                       requests_.Forget(*attempt, tenant.id, now));
      if (count == 0) break;
      attempt->event().records = static_cast<uint32_t>(count);
      std::promise<absl::Status> done;
      committer_->Submit(
          std::move(attempt),
          [&done](std::unique_ptr<Attempt>, const Committer::Result& result) {
            done.set_value(result.status);
          });
      RETURN_IF_ERROR(done.get_future().get());
      forgotten += count;
    }
  }
  return forgotten;
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
      records_(services_),
      credentials_(services_, options.password_cost),
      audits_(services_),
      consents_(services_),
      erasures_(services_),
      committer_(std::make_unique<Committer>(
          Committer::Store{parts.keys, parts.data, *log_, *anchor_, clock,
                           *store_keys_},
          options.committer)),
      erasure_runner_(std::make_unique<ErasureRunner>(ErasureRunner::Parts{
          {parts.keys, parts.slots, *store_keys_, *committer_},
          services_,
          OriginOf(parts),
          clock})) {}

}  // namespace hizo::vault
