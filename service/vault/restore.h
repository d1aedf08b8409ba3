// Restore: records come back from a backup, everything else stays as it is.
//
// A new data store is made of two: records and remembered requests from the
// backup; facts, erasures, passwords and consents, the audit log and all other
// rows from the store of now, so that nothing that was decided since goes back.
// A record comes back only if its key is alive: who was erased since has none.
// What was taken away since (whole records, fields, values that people are
// found by) is read from the log, and is as it is now.
//
// It is an act on stores that nobody serves. The new store says of itself that
// it is whole only with its last batch; the next Store::Open writes into the
// log what came back, before anybody is served. Nothing of the present stores
// is changed, so that whatever was interrupted is begun again.
//
// Threads: one thread at a time.
#ifndef HIZO_SERVICE_VAULT_RESTORE_H_
#define HIZO_SERVICE_VAULT_RESTORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/audit/log.h"
#include "service/policy/catalogue.h"
#include "service/vault/deks_row.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

struct RestoreCounts {
  uint64_t records = 0;      // that came back from the backup
  uint64_t people = 0;       // whose they are
  uint64_t without_key = 0;  // rows left out: their person or key is gone
  uint64_t kept_since = 0;   // writes since the backup that are not taken back
  uint64_t lost_since = 0;   // records of before that are there no more
  bool operator==(const RestoreCounts&) const = default;
};

class Restore {
 public:
  struct Parts {
    const storage::Engine& keys;
    const storage::Reader& now;     // the data store that is replaced
    const storage::Reader& backup;  // an earlier state of it
    storage::Engine& into;          // empty
    const StoreKeys& store_keys;
    const policy::Catalogue& catalogue;
    audit::Head head_now;
    audit::Head head_of_backup;
  };
  explicit Restore(const Parts& parts) : parts_(parts) {}

  // Fills `into`. kFailedPrecondition if the backup is not an earlier state of
  // the same store; kDataLoss if a row of either is damaged; then `into` is not
  // whole and is to be thrown away.
  absl::StatusOr<RestoreCounts> Run();

 private:
  absl::Status CheckBackup() const;
  absl::Status CopySpacesOfNow();
  absl::Status Copy(const storage::Reader& from, std::string first,
                    const std::string& until);
  // One step over the records of both, in the order of their keys.
  absl::Status MergeRecords();
  // `present` is the same record as it is now; nullptr if there is none.
  absl::Status TakeFromBackup(const storage::Row& row,
                              const storage::Row* present);
  absl::StatusOr<bool> HasLiveKey(const storage::Row& row);
  // Into deks_: all that the person has, those in grace included.
  absl::Status ReadDeks(const std::string& key, base::TenantId tenant,
                        const base::SubjectId& subject);
  // What the log tells of the time since the backup.
  absl::Status ReplaySince();
  absl::Status Replay(const audit::Event& event);
  bool ComesFromNow(const audit::Event& event,
                    const audit::RowWrite& write) const;
  absl::Status CountLost();
  absl::Status PutRecord(const storage::Row& row);
  absl::Status Put(std::string key, std::string value);
  absl::Status FlushIfFull();
  absl::Status Flush();

  const Parts parts_;
  storage::Batch batch_;
  RestoreCounts counts_;
  std::string deks_key_;  // of the person looked at last
  std::vector<WrappedDek> deks_;
  std::map<std::string, bool> periods_;  // by leaf: whether it is there
  std::string last_with_;  // deks_key_ of the person who got records last
};

// Whether `data` was filled by Restore and the log does not say so yet.
// kFailedPrecondition if it was filled in part; kDataLoss if that row is
// damaged.
absl::StatusOr<std::optional<RestoreCounts>> RestoredCounts(
    const storage::Reader& data);
// The row that says so.
std::string RestoreMarkKey();

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RESTORE_H_
