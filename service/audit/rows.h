// Rows: where the log's rows lie and how one is read, for the units of audit/
// only (FORMAT.md). The keys of entries and tiles are in tree.h.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_AUDIT_ROWS_H_
#define HIZO_SERVICE_AUDIT_ROWS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/audit/event.h"
#include "storage/engine.h"

namespace hizo::audit {

// The first key that lies behind all entries.
std::string EntriesEnd();
// Index rows have no value; the sequence number ends their keys.
std::string SubjectIndexKey(const base::AuditReference& subject,
                            uint64_t sequence);
// The first key that lies behind all of them.
std::string SubjectIndexEnd();
std::string ActorIndexKey(std::string_view actor, uint64_t sequence);

// kDataLoss if the entry is missing or damaged.
absl::StatusOr<Event> ReadEvent(const storage::Reader& reader,
                                uint64_t sequence);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_ROWS_H_
