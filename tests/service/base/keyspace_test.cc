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
                      kSpaceAuditHead, kSpaceAuditBySubject,
                      kSpaceAuditByActor});
}

TEST(KeyspaceTest, NoTwoKindsOfKeyRowsMeet) {
  ExpectAllDifferent({kSpaceMeta, kSpaceDeks, kSpacePage, kSpaceLeafKey,
                      kSpaceIndex, kSpaceWayBack, kSpaceUndo});
}

TEST(KeyspaceTest, StoredBytesStay) {
  EXPECT_EQ(kSpaceAuditEntry, 'A');
  EXPECT_EQ(kSpaceAuditTile, 'T');
  EXPECT_EQ(kSpaceAuditHead, 'H');
  EXPECT_EQ(kSpaceAuditBySubject, 's');
  EXPECT_EQ(kSpaceAuditByActor, 'a');
}

}  // namespace
}  // namespace hizo::base
