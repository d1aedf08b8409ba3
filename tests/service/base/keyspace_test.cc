#include "service/base/keyspace.h"

#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::base {
namespace {

// Rows of two kinds that shared a first byte could take each other's keys.
void ExpectAllDifferent(const std::vector<char>& spaces) {
  EXPECT_EQ(std::set<char>(spaces.begin(), spaces.end()).size(), spaces.size());
}

TEST(KeyspaceTest, NoTwoKindsOfDataRowsMeet) {
  ExpectAllDifferent({kSpaceMeta, kSpaceRecord, kSpaceFacts, kSpaceRequest,
                      kSpaceKeysMark, kSpaceAuditEntry, kSpaceAuditTile,
                      kSpaceAuditHead, kSpaceAuditSummary, kSpaceAuditBySubject,
                      kSpaceAuditByActor, kSpaceAuditPruned, kSpaceErasure,
                      kSpaceCallerWait, kSpaceRestore, kSpaceWorn,
                      kSpaceWornShard});
}

TEST(KeyspaceTest, NoTwoKindsOfKeyRowsMeet) {
  ExpectAllDifferent({kSpaceMeta, kSpaceDeks, kSpacePage, kSpaceLeafKey,
                      kSpaceIndex, kSpaceWayBack, kSpaceUndo});
}

TEST(KeyspaceTest, StoredBytesStay) {
  EXPECT_EQ(kSpaceAuditEntry, 'A');
  EXPECT_EQ(kSpaceAuditTile, 'T');
  EXPECT_EQ(kSpaceAuditHead, 'H');
  EXPECT_EQ(kSpaceAuditSummary, 'S');
  EXPECT_EQ(kSpaceAuditBySubject, 's');
  EXPECT_EQ(kSpaceAuditByActor, 'a');
  EXPECT_EQ(kSpaceAuditPruned, 'p');
}

}  // namespace
}  // namespace hizo::base
