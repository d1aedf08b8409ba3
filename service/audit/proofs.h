// Proofs: that an entry is in the log, and that the log continues an earlier
// head (RFC 6962 2.1.1 and 2.1.2), read from tiles.
//
// `edge` is that of the log as it is, which has at least the entries of the
// tree that is proved. A proof reads some dozens of tiles, however long the log
// is. It proves nothing of what it was read from: who asks for it checks it
// (crypto/merkle.h).
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_PROOFS_H_
#define HIZO_SERVICE_AUDIT_PROOFS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "service/audit/tree.h"
#include "storage/engine.h"

namespace hizo::audit {

using Proof = std::vector<crypto::Digest>;

// That entry `index` is among the first `size`. kInvalidArgument unless
// index < size <= edge.size(); kDataLoss if rows are missing or damaged.
absl::StatusOr<Proof> InclusionProof(const storage::Reader& reader,
                                     const TreeEdge& edge, uint64_t size,
                                     uint64_t index);
// That the first `newer` entries begin with the first `older`.
// kInvalidArgument unless older <= newer <= edge.size().
absl::StatusOr<Proof> ConsistencyProof(const storage::Reader& reader,
                                       const TreeEdge& edge, uint64_t newer,
                                       uint64_t older);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_PROOFS_H_
