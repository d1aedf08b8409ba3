// Export: the log as it leaves the vault, to be verified by whoever has its
// signed head and nothing else.
//
// Entries of other tenants leave as their leaf hashes: the tree is the same,
// and nothing is told. Those that say what was pruned leave as they are. What
// is damaged leaves as it is, so that whoever verifies can say where. Threads:
// may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_EXPORT_H_
#define HIZO_SERVICE_AUDIT_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "storage/engine.h"

namespace hizo::audit {

struct ExportedEntry {
  // kEntry: the entry; kLeaf: its leaf hash, of one that is another tenant's
  // or cannot be read; kGone: there is none.
  enum class Form : uint8_t { kEntry, kLeaf, kGone };
  Form form = Form::kGone;
  std::string bytes;
};

// Entries that lie in one tile, and their leaf hashes as the tree has them; of
// a tile that is not full, or damaged, as the entries have them, with zeros for
// one that is gone.
struct ExportedTile {
  std::vector<ExportedEntry> entries;
  std::vector<crypto::Digest> hashes;
};

// The entries of `span`, of one tile of a log of `log_size` entries, for
// `tenant`.
absl::StatusOr<ExportedTile> ExportTile(const storage::Reader& reader,
                                        uint64_t log_size, const Span& span,
                                        base::TenantId tenant);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_EXPORT_H_
