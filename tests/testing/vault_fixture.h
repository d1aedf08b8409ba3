// VaultFixture: a whole vault to test against, with everything real but the
// clock: engines in memory or RocksDB, each inside a FaultyEngine, a root slot
// and an anchor as files in a scratch directory, a small catalogue and callers
// who may do much, little or nothing.
//
//   VaultFixture vault;
//   const auto call = vault.CallOf(kFull, policy::Action::kRecordGet,
//   kService); const auto shown = vault.Run(call, [&](vault::Attempt& attempt)
//   {
//     return vault.store().records().Get(attempt, call, input);
//   });
//
// Threads: Run, Commit, Submit and the getters may be called concurrently.
// Lifetime: whatever it hands out by reference ends at Close and Reopen.
#ifndef HIZO_TESTS_TESTING_VAULT_FIXTURE_H_
#define HIZO_TESTS_TESTING_VAULT_FIXTURE_H_

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "service/audit/event.h"
#include "service/vault/services.h"
#include "service/vault/store.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/faulty_engine.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {

inline constexpr policy::PurposeNumber kService = 1;
inline constexpr policy::PurposeNumber kSupport = 2;
inline constexpr policy::PurposeNumber kBilling = 3;
inline constexpr policy::PurposeNumber kMarketing = 5;
inline constexpr policy::PurposeNumber kAuthentication = 7;
inline constexpr policy::PurposeNumber kTaxAudit = 10;
inline constexpr policy::PurposeNumber kSecurityAudit = 14;
inline constexpr policy::PurposeNumber kLegalClaim = 19;

inline constexpr base::TenantId kAcme{1};
inline constexpr base::TenantId kGlobex{2};

// Everything about people, plainly, for every purpose but the audit's.
inline constexpr char kFull[] = "spiffe://acme.example/full";
// Reads everything for support, masked.
inline constexpr char kMaskedOnly[] = "spiffe://acme.example/masked-only";
// Puts and reads profile.full_name and account.phone for billing.
inline constexpr char kClerk[] = "spiffe://acme.example/clerk";
inline constexpr char kAuditor[] = "spiffe://acme.example/auditor";
// Configured, without a role.
inline constexpr char kNobody[] = "spiffe://acme.example/nobody";
// The same as kFull and kAuditor in another tenant.
inline constexpr char kOtherFull[] = "spiffe://globex.example/full";
inline constexpr char kOtherAuditor[] = "spiffe://globex.example/auditor";

// Classes account, profile, billing, transaction (a series) and credential
// (internal), numbered as crypto/FORMAT.md says, with fields of every type.
policy::CatalogueSource VaultCatalogueSource();
// Has transactions kept for kTaxAudit, seven years from two months after the
// end of their fiscal year on March 31. Each must have an `invoice_date`.
void KeepTransactions(policy::CatalogueSource& source);
// A series `usage` of API calls, which end 90 days after their day; one that is
// `marked` stays, and none stays for more `days` than it says.
void LogUsage(policy::CatalogueSource& source);
policy::AccessSource VaultAccessSource();
// A policy for that catalogue, in version 3: service and authentication on a
// contract, support on a legitimate interest, marketing on consent; billing, a
// tax audit and legal claims by law. Cancelling withdraws.
policy::PolicySource VaultPolicySource();

// Reads a policy out of an overlay that is a number: VaultPolicySource in that
// version. Any other is refused.
absl::StatusOr<policy::PolicySource> VaultPolicyOf(
    const policy::PolicyTexts& texts);
// Such files.
policy::PolicyTexts VaultPolicyTexts(uint32_t version);

// What became of an Attempt, and what a receipt made of its answer.
struct Committed {
  absl::Status status;
  std::unique_ptr<vault::Attempt> attempt;
  bool receipt = false;
  std::string answer;
};

// Pending waits for the committer to be done with one Attempt. Alive until it
// is.
class Pending {
 public:
  vault::Committer::Done Done();
  Committed Wait();
  bool done() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Committed> committed_;
};

class VaultFixture {
 public:
  enum class Engines { kMemory, kRocksDb };
  struct Options {
    Engines engines = Engines::kMemory;
    vault::Committer::Options committer;
    // Cipher suites of the store and of its tenants.
    crypto::Suite store_suite = crypto::kFirstSuite;
    crypto::Suite tenant_suite = crypto::kFirstSuite;
    // Opens or makes the engine of a directory; empty: as `engines` says.
    std::function<absl::StatusOr<std::unique_ptr<storage::Engine>>(
        const std::filesystem::path& directory, bool create)>
        open = nullptr;
    // How many root slots, and what each is wrapped in; empty: in nothing.
    size_t slots = 1;
    std::function<std::unique_ptr<crypto::RootSlot>(
        std::unique_ptr<crypto::RootSlot>)>
        wrap_slot = nullptr;
    // Public keys of other vaults whose bundles are taken in.
    std::vector<std::string> trusted_vaults = {};
    // Changes the catalogue before it is made; empty: as it is.
    std::function<void(policy::CatalogueSource&)> amend = nullptr;
    // Of the engines that `open` gives; outlives this. nullptr: there is none.
    const storage::Replica* replica = nullptr;
    // The policy of kAcme; nullopt: it has none.
    std::optional<policy::PolicySource> company = std::nullopt;
    // Where everything lies, left behind at the end; empty: in a directory that
    // is removed. What is there already is opened as Reopen would.
    std::filesystem::path directory = {};
  };
  VaultFixture() : VaultFixture(Options()) {}
  explicit VaultFixture(const Options& options);  // throws if it cannot
  VaultFixture(const VaultFixture&) = delete;
  VaultFixture& operator=(const VaultFixture&) = delete;
  ~VaultFixture();

  // Ends the store as the end of the process does; engines stay open.
  void Close();
  // Close, and gives the engines up as well.
  void CloseEngines();
  // Close, and the start of the next process: faults are forgotten and RocksDB
  // is opened anew.
  absl::Status Reopen();
  // Reopen, with all tenants' suite another one.
  absl::Status ReopenInSuite(crypto::Suite tenants);
  // Reopen, with another catalogue.
  absl::Status ReopenAmended(
      std::function<void(policy::CatalogueSource&)> amend);
  // Reopen, with another policy of kAcme.
  absl::Status ReopenUnder(policy::PolicySource company);

  // In force from the next Reopen on.
  vault::Credentials::Options& passwords() { return passwords_; }

  vault::Store& store() { return *store_; }
  const vault::Services& services() const;
  FakeClock& clock() { return clock_; }
  FaultyEngine& keys() { return *keys_; }
  FaultyEngine& data() { return *data_; }
  const vault::RootSlots& slots() const { return slots_; }
  std::filesystem::path anchor_file() const;
  const std::filesystem::path& directory() const {
    return scratch_.has_value() ? scratch_->path() : options_.directory;
  }
  vault::Store::Parts Parts();
  vault::Store::Policy Policy() const;
  // Files that are read as `source`, from now on; what they say is theirs
  // alone.
  policy::PolicyTexts FilesOf(policy::PolicySource source);
  // Has them not be read any more.
  void Forget(const policy::PolicyTexts& texts) { files_.erase(texts.overlay); }
  // Opens the engines and slots as Reopen would, with `anchor`.
  absl::StatusOr<std::unique_ptr<vault::Store>> OpenWith(
      std::unique_ptr<storage::Anchor> anchor);

  const policy::Catalogue& catalogue() const { return *catalogue_; }
  // Both must exist.
  const policy::FieldSpec& Field(std::string_view full_name) const;
  const policy::TenantSpec& Tenant(base::TenantId id) const;

  // A call of now by a principal that is configured, decided by the policy in
  // force now: to be used before a fourth one is activated.
  vault::Call CallOf(std::string_view actor, policy::Action action,
                     policy::PurposeNumber purpose) const;
  std::unique_ptr<vault::Attempt> NewAttempt(const vault::Call& call);
  void Submit(std::unique_ptr<vault::Attempt> attempt, Pending& pending);
  Committed Commit(std::unique_ptr<vault::Attempt> attempt);

  // Runs a use case, which takes an Attempt& and returns Status or StatusOr,
  // as dispatch does, but once. The committer's error if it could not be
  // recorded, whatever the use case said.
  template <typename UseCase>
  auto Run(const vault::Call& call, UseCase use_case)
      -> decltype(use_case(std::declval<vault::Attempt&>())) {
    std::unique_ptr<vault::Attempt> attempt = NewAttempt(call);
    auto answer = use_case(*attempt);
    attempt->Conclude(StatusOf(answer));
    const absl::Status committed = Commit(std::move(attempt)).status;
    if (!committed.ok()) return committed;
    return answer;
  }

  // What is durably recorded, oldest first.
  std::vector<audit::Event> Events() const;
  audit::Event LastEvent() const;

 private:
  struct Components;
  // In memory, they live as long as this does.
  bool on_disk() const;
  void OpenEngines(bool create);
  void Declare(crypto::Suite tenants);
  static constexpr int kPasswordCost = 4;
  Options options_;
  vault::Credentials::Options passwords_{.cost = kPasswordCost};
  std::optional<ScratchDirectory> scratch_;
  FakeClock clock_;
  std::unique_ptr<const policy::Catalogue> catalogue_;
  std::unique_ptr<const policy::CompanyPolicy> company_;
  std::map<std::string, policy::PolicySource> files_;  // by overlay
  std::unique_ptr<const policy::AccessTable> access_;
  vault::RootSlots slots_;
  std::unique_ptr<FaultyEngine> keys_;
  std::unique_ptr<FaultyEngine> data_;
  std::unique_ptr<vault::Store> store_;
  std::unique_ptr<Components> components_;
};

// Rows looked at and edited behind the vault's back. The key must be there.
std::string Stored(const storage::Reader& reader, const std::string& key);
void Overwrite(storage::Engine& engine, const std::string& key,
               const std::string& value);
void Remove(storage::Engine& engine, const std::string& key);
// Every row whose key begins with `space` (service/base/keyspace.h).
std::vector<storage::Row> RowsOf(const storage::Reader& reader, char space);

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_VAULT_FIXTURE_H_
