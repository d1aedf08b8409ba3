// Storage keys of the vault's rows (FORMAT.md). Nothing in a key was made by a
// caller: RocksDB writes keys into its manifest and log.
#ifndef HIZO_SERVICE_VAULT_ROW_KEYS_H_
#define HIZO_SERVICE_VAULT_ROW_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/policy/catalogue.h"

namespace hizo::vault {

// In the data store.
std::string FactsKey(base::TenantId tenant, base::SubjectId subject);
std::string RecordPrefix(base::TenantId tenant, base::SubjectId subject);
std::string RecordPrefix(base::TenantId tenant, base::SubjectId subject,
                         policy::ClassNumber class_number);
std::string RecordKey(base::TenantId tenant, base::SubjectId subject,
                      policy::ClassNumber class_number, base::RecordId record);
// A record key taken apart; nullopt if it is none.
struct RecordKeyParts {
  base::SubjectId subject;
  policy::ClassNumber class_number = 0;
  base::RecordId record;
};
std::optional<RecordKeyParts> ParseRecordKey(std::string_view key);
// `tag` is a 16-byte MAC.
std::string RequestKey(uint32_t day, base::TenantId tenant,
                       std::string_view tag);
// Where the rows of a day begin; they end where the next day begins.
std::string RequestPrefix(uint32_t day);
// The day of a RequestKey; nullopt for another key.
std::optional<uint32_t> RequestDay(std::string_view key);
// How long a caller has to wait; `tag` is a 16-byte MAC.
std::string CallerWaitKey(base::TenantId tenant, std::string_view tag);
// Whom a tenant's bundles may be sent to, and where all those begin; `tag` is a
// 16-byte MAC.
std::string RecipientKey(base::TenantId tenant, std::string_view tag);
std::string RecipientPrefix(base::TenantId tenant);
// The company's policy that somebody has put in force for a tenant.
std::string PolicyKey(base::TenantId tenant);
// What is known of a person's erasure.
std::string ErasureKey(base::TenantId tenant, base::SubjectId subject);
// Says that the key of a class of a person is to be renewed, and where all
// those begin; the same of a shard of the index.
std::string WornKey(base::TenantId tenant, base::SubjectId subject,
                    policy::ClassNumber class_number);
std::string WornPrefix();
// How far the renewal is. Stored; never renumber.
enum class WornStage : uint8_t {
  kWorn = 1,    // a value was replaced or deleted
  kMoving = 2,  // there is a new key, and the records go over to it
  kMoved = 3,   // the older keys are gone from the row of now
};
std::string WornRowValue(WornStage stage);
// kDataLoss for what WornRowValue does not make.
absl::StatusOr<WornStage> ParseWornRowValue(std::string_view value);
std::string WornShardKey(base::TenantId tenant, uint16_t kind, uint16_t route);
std::string WornShardPrefix();
// A WornKey or WornShardKey taken apart; nullopt for another key.
struct WornRow {
  base::TenantId tenant = base::TenantId::kStore;
  base::SubjectId subject;
  policy::ClassNumber class_number = 0;
};
std::optional<WornRow> ParseWornKey(std::string_view key);
// A shard of the index: what addresses of a kind have in common.
struct IndexShard {
  base::TenantId tenant = base::TenantId::kStore;
  uint16_t kind = 0;
  uint16_t route = 0;
};
std::optional<IndexShard> ParseWornShardKey(std::string_view key);

// Says that a record of a class is of a period (policy/retention.h), and where
// all those of a period and of a class begin.
std::string EntryEndKey(base::TenantId tenant, policy::ClassNumber class_number,
                        uint32_t period, base::SubjectId subject,
                        base::RecordId record);
std::string EntryEndPrefix(base::TenantId tenant,
                           policy::ClassNumber class_number, uint32_t period);
std::string EntryEndPrefix(base::TenantId tenant,
                           policy::ClassNumber class_number);
std::string EntryEndRowValue();
// An EntryEndKey taken apart; nullopt for another key.
struct EntryEndRow {
  base::TenantId tenant = base::TenantId::kStore;
  policy::ClassNumber class_number = 0;
  uint32_t period = 0;
  base::SubjectId subject;
  base::RecordId record;
};
std::optional<EntryEndRow> ParseEntryEndKey(std::string_view key);
// Says that a fiscal year, which goes by its last day, was one of a loss.
std::string LossYearKey(base::TenantId tenant, uint32_t period);

// An address that nobody is to advertise to; `tag` is a 16-byte MAC.
std::string SuppressionKey(base::TenantId tenant, std::string_view tag);

// How far a rotation of keys is (key_rotation.h).
std::string RotationKey();

// In the keys store.
std::string DeksKey(uint16_t bucket, base::TenantId tenant,
                    base::SubjectId subject);
// The DEKs of somebody who is being erased, and where all those begin.
std::string FenceKey(uint16_t bucket, base::TenantId tenant,
                     base::SubjectId subject);
std::string FencePrefix();
// Says on which day (days since 1970-01-01) to look what a law no longer has
// kept of somebody, and where those of a day begin.
std::string TermKey(uint32_t day, base::TenantId tenant,
                    base::SubjectId subject);
std::string TermPrefix(uint32_t day);
std::string TermRowValue();
// A TermKey taken apart; nullopt for another key.
struct TermRow {
  uint32_t day = 0;
  base::TenantId tenant = base::TenantId::kStore;
  base::SubjectId subject;
};
std::optional<TermRow> ParseTermKey(std::string_view key);
// Where the rows of a bucket begin that have it in their keys: DEKs, fences and
// names of leaves.
std::string BucketPrefix(char space, uint16_t bucket);
inline constexpr size_t kBucketPrefixSize = 1 + 2;
// A DeksKey or FenceKey taken apart; nullopt for another key.
struct PersonsRow {
  uint16_t bucket = 0;
  base::TenantId tenant = base::TenantId::kStore;
  base::SubjectId subject;
};
std::optional<PersonsRow> ParsePersonsRow(std::string_view key);
// Says that the leaf of this key lies in the bucket; with no leaf, that all
// leaves have such a row.
std::string LeafByBucketKey(uint16_t bucket, std::string_view leaf_key);
std::string LeavesByBucketMark();
// The name that chooses the bucket of a person's DEKs.
std::string DeksName(base::TenantId tenant, base::SubjectId subject);
std::string PageKey(uint8_t level, uint16_t index);
std::string IndexPrefix(uint16_t kind, base::TenantId tenant, uint16_t route,
                        std::string_view tag);
// Where the rows of a shard of the index begin.
std::string IndexShardPrefix(uint16_t kind, base::TenantId tenant,
                             uint16_t route);
// The shard of an index row, and what stands behind its tag; nullopt for
// another key.
struct IndexRowParts {
  uint16_t kind = 0;
  base::TenantId tenant = base::TenantId::kStore;
  uint16_t route = 0;
  std::string_view ending;
};
std::optional<IndexRowParts> ParseIndexKey(std::string_view key);
std::string WayBackKey(base::AuditReference reference);
std::string MetaKey();

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ROW_KEYS_H_
