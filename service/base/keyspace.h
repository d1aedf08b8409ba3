// The first byte of every storage key, all in one place, so that no two kinds
// of row can meet. Stored; never renumber. Key parts and values:
// service/vault/FORMAT.md and service/audit/FORMAT.md.
#ifndef HIZO_SERVICE_BASE_KEYSPACE_H_
#define HIZO_SERVICE_BASE_KEYSPACE_H_

namespace hizo::base {

// In both stores.
inline constexpr char kSpaceMeta = 'M';

// In the data store.
inline constexpr char kSpaceRecord = 'R';
inline constexpr char kSpaceFacts = 'F';
inline constexpr char kSpaceRequest = 'Q';
inline constexpr char kSpaceKeysMark = 'N';
inline constexpr char kSpaceErasure = 'Z';
inline constexpr char kSpaceCallerWait = 'W';
inline constexpr char kSpaceRestore = 'V';
inline constexpr char kSpaceWorn = 'w';
inline constexpr char kSpaceWornShard = 'x';
inline constexpr char kSpaceRotation = 'r';
inline constexpr char kSpaceRecipient = 't';
inline constexpr char kSpacePolicy = 'c';
inline constexpr char kSpaceEntryEnd = 'j';
inline constexpr char kSpaceLossYear = 'y';
inline constexpr char kSpaceSuppression = 'o';
inline constexpr char kSpaceAuditEntry = 'A';
inline constexpr char kSpaceAuditTile = 'T';
inline constexpr char kSpaceAuditHead = 'H';
inline constexpr char kSpaceAuditSummary = 'S';
inline constexpr char kSpaceAuditBySubject = 's';
inline constexpr char kSpaceAuditByActor = 'a';
inline constexpr char kSpaceAuditPruned = 'p';

// In the keys store.
inline constexpr char kSpaceDeks = 'K';
inline constexpr char kSpacePage = 'P';
inline constexpr char kSpaceLeafKey = 'L';
inline constexpr char kSpaceIndex = 'X';
inline constexpr char kSpaceWayBack = 'B';
inline constexpr char kSpaceUndo = 'U';
inline constexpr char kSpaceFence = 'E';
inline constexpr char kSpaceLeafByBucket = 'b';
inline constexpr char kSpaceTerm = 'D';

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_KEYSPACE_H_
