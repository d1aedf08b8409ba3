// DataCheck: whether the rows of people, and the policies of tenants, are those
// that the log says were written last.
//
// A row that was put back from an older copy opens as it did then: nothing in
// it is wrong. But the entry of each write carries what the row was sealed to
// (its commitment), so a row that is not the one of the last write is found
// here, and so are one that was never written and one that is missing.
//
// One person is in memory at a time. It reads a store that does not change.
// Threads: one object from one thread.
#ifndef HIZO_SERVICE_VAULT_DATA_CHECK_H_
#define HIZO_SERVICE_VAULT_DATA_CHECK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/event.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "service/policy/access_table.h"
#include "service/vault/store_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

// A row that is not as the log says.
struct DataFinding {
  enum class What : uint8_t {
    kOther,    // not what the last write left: an older one, or another
    kUnknown,  // no write of it is in the log
    kMissing,  // it was written and not removed
  };
  What what = What::kOther;
  base::AuditReference subject;
  policy::ClassNumber class_number = 0;
  base::RecordId record;
  // The entry of the last write; nullopt if there is none.
  std::optional<uint64_t> entry;
};

// A tenant's policy that is not the one that was activated last.
struct PolicyFinding {
  DataFinding::What what = DataFinding::What::kOther;
  base::TenantId tenant = base::TenantId::kStore;
  std::optional<uint64_t> entry;  // of that activation
};

struct DataVerdict {
  uint64_t people = 0;
  uint64_t rows = 0;
  std::vector<DataFinding> findings;  // the first kFindingsMax
  std::vector<PolicyFinding> policies;
  uint64_t wrong = 0;  // how many there are, of both
};

class DataCheck {
 public:
  static constexpr size_t kFindingsMax = 100;
  struct Parts {
    const storage::Reader& keys;
    const storage::Reader& data;
    const StoreKeys& store_keys;
    const policy::AccessTable& access;
    uint64_t log_size = 0;
  };
  explicit DataCheck(const Parts& parts) : parts_(parts) {}

  // kDataLoss if the log or a way back is damaged. A row whose last write is in
  // a part of the log that was pruned is counted and not judged.
  absl::StatusOr<DataVerdict> Run();

 private:
  // By class and record: what the last write left, and its entry.
  struct Written {
    audit::RowWrite write;
    uint64_t entry = 0;
  };
  using Last =
      std::map<std::pair<policy::ClassNumber, base::RecordId>, Written>;

  absl::Status CheckPolicy(base::TenantId tenant);
  // nullopt if the log has none.
  absl::StatusOr<std::optional<audit::Found>> LastActivation(
      base::TenantId tenant) const;
  absl::Status CheckPerson(base::AuditReference reference,
                           std::string_view sealed_way_back);
  absl::StatusOr<Last> LastWrites(base::TenantId tenant,
                                  base::AuditReference reference) const;
  absl::Status CheckRows(base::TenantId tenant, base::SubjectId subject,
                         base::AuditReference reference, Last last);
  void CheckRow(base::AuditReference reference, policy::ClassNumber number,
                base::RecordId record, std::string_view row, Last& last);
  void Note(const DataFinding& finding);

  const Parts parts_;
  DataVerdict verdict_;
  uint64_t pruned_ = 0;  // entries
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_DATA_CHECK_H_
