#include "service/audit/rows.h"

#include <optional>

#include "crypto/digest.h"
#include "service/audit/tree.h"
#include "service/base/keyspace.h"
#include "service/base/status_macros.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

// Short, so that index rows are; long enough never to meet by accident.
constexpr size_t kActorHashSize = 16;

}  // namespace

std::string EntriesEnd() {
  return storage::PrefixRange(std::string(1, base::kSpaceAuditEntry), 1).until;
}

std::string SubjectIndexKey(const base::AuditReference& subject,
                            uint64_t sequence) {
  return storage::KeyWriter(base::kSpaceAuditBySubject)
      .Bytes(subject.bytes())
      .U64(sequence)
      .Take();
}

std::string SubjectIndexEnd() {
  return storage::PrefixRange(std::string(1, base::kSpaceAuditBySubject), 1)
      .until;
}

std::string ActorIndexKey(std::string_view actor, uint64_t sequence) {
  const crypto::Digest hash = crypto::Sha256(actor);
  return storage::KeyWriter(base::kSpaceAuditByActor)
      .Bytes(crypto::AsBytes(hash).substr(0, kActorHashSize))
      .U64(sequence)
      .Take();
}

absl::StatusOr<Event> ReadEvent(const storage::Reader& reader,
                                uint64_t sequence) {
  ASSIGN_OR_RETURN(const std::optional<std::string> entry,
                   reader.Get(EntryKey(sequence)));
  if (!entry.has_value()) return absl::DataLossError("an audit entry is gone");
  return Decode(*entry);
}

}  // namespace hizo::audit
