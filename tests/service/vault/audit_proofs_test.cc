// What the vault proves of its log, and what it lets out to be verified.
#include <algorithm>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "service/vault/audits.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::kAuditor;
using test::kOtherAuditor;
using test::kSecurityAudit;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Form = audit::ExportedEntry::Form;

class AuditProofsTest : public ::testing::Test {
 protected:
  Call CallBy(const char* actor, Action action) const {
    return vault_.CallOf(actor, action, kSecurityAudit);
  }
  absl::StatusOr<LogProof> Prove(uint64_t sequence, uint64_t size = 0,
                                 const char* actor = kAuditor) {
    const Call call = CallBy(actor, Action::kAuditProve);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().audits().ProveInclusion(attempt, call, sequence,
                                                    size);
    });
  }
  absl::StatusOr<LogProof> ProveGrowth(uint64_t older, uint64_t newer = 0) {
    const Call call = CallBy(kAuditor, Action::kAuditProve);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().audits().ProveConsistency(attempt, call, older,
                                                      newer);
    });
  }
  absl::StatusOr<ExportedAudit> Export(uint64_t first, uint64_t size = 0,
                                       const char* actor = kAuditor) {
    const Call call = CallBy(actor, Action::kAuditExport);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().audits().Export(attempt, call, {first, size});
    });
  }
  // What the log's key has signed.
  crypto::MerkleRoot Signed(const std::optional<Checkpoint>& checkpoint) {
    if (!checkpoint.has_value()) {
      ADD_FAILURE() << "no checkpoint";
      return {};
    }
    const auto opened =
        crypto::OpenCheckpoint(checkpoint->note, checkpoint->verifier_key);
    EXPECT_THAT(opened, IsOk());
    return opened.ok() ? opened->tree : crypto::MerkleRoot();
  }

  VaultFixture vault_;
  const base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");  // 0
  const base::SubjectId bob_ = NewPersonOfGlobex(vault_, "bob@example.com");
};

TEST_F(AuditProofsTest, AnEntryIsProvedAgainstTheSignedHead) {
  const auto proof = Prove(0);
  ASSERT_THAT(proof, IsOk());
  EXPECT_EQ(proof->tree_size, 2U);
  EXPECT_TRUE(ProvesInclusion(proof->hashes, Signed(proof->checkpoint), 0,
                              crypto::LeafHash(proof->entry)));
  const auto event = audit::Decode(proof->entry);
  ASSERT_THAT(event, IsOk());
  EXPECT_EQ(event->action, Action::kSubjectCreate);
  EXPECT_EQ(vault_.LastEvent().action, Action::kAuditProve);
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kAllowed);
}

TEST_F(AuditProofsTest, AnEntryIsProvedInASmallerTree) {
  ASSERT_THAT(Prove(0), IsOk());
  const auto proof = Prove(0, 2);
  ASSERT_THAT(proof, IsOk());
  EXPECT_EQ(proof->tree_size, 2U);
  EXPECT_FALSE(proof->checkpoint.has_value());  // the head has gone on
}

TEST_F(AuditProofsTest, NobodyGetsAnEntryOfAnotherTenant) {
  EXPECT_THAT(Prove(1), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Prove(1, 0, kOtherAuditor), IsOk());
  EXPECT_THAT(Prove(0, 0, kOtherAuditor), HasReason(Reason::kRecordNotFound));
}

TEST_F(AuditProofsTest, WhatIsNotThereIsRefused) {
  EXPECT_THAT(Prove(99), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Prove(UINT64_MAX), HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Prove(0, 99), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(ProveGrowth(99), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(ProveGrowth(2, 1), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(ProveGrowth(0, 99), HasReason(Reason::kValueInvalid));
}

TEST_F(AuditProofsTest, TheLogContinuesEveryHeadItHad) {
  std::vector<crypto::MerkleRoot> heads;
  for (int i = 0; i < 20; ++i) {
    const audit::Head head = vault_.store().log().head();
    heads.push_back({head.size, head.root});
    NewPerson(vault_, std::to_string(i) + "@example.com");
  }
  for (const crypto::MerkleRoot& head : heads) {
    const auto proof = ProveGrowth(head.size);
    ASSERT_THAT(proof, IsOk());
    const crypto::MerkleRoot now = Signed(proof->checkpoint);
    EXPECT_TRUE(ProvesConsistency(proof->hashes, head, now));
    EXPECT_FALSE(ProvesConsistency(proof->hashes,
                                   {head.size, crypto::LeafHash("fork")}, now));
  }
}

TEST_F(AuditProofsTest, WhoMayNotAskIsRefusedAndRecorded) {
  const Call call = vault_.CallOf(test::kFull, Action::kAuditProve, kService);
  const auto proof = vault_.Run(call, [&](Attempt& attempt) {
    return vault_.store().audits().ProveInclusion(attempt, call, 0, 0);
  });
  EXPECT_THAT(proof, HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
}

TEST_F(AuditProofsTest, TheExportMakesTheSignedRoot) {
  for (int i = 0; i < 600; ++i) ASSERT_THAT(Prove(0), IsOk());
  crypto::MerklePeaks peaks;
  crypto::MerkleRoot signed_root;
  uint64_t size = 0;
  uint64_t shown = 0;
  do {
    const auto page = Export(peaks.size(), size);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->first, peaks.size());
    if (size == 0) signed_root = Signed(page->checkpoint);
    size = page->size;
    for (const crypto::Digest& hash : page->entries.hashes) peaks.Append(hash);
    shown += static_cast<uint64_t>(std::ranges::count(
        page->entries.entries, Form::kEntry, &audit::ExportedEntry::form));
  } while (peaks.size() < size);
  EXPECT_EQ(size, 602U);
  EXPECT_EQ(peaks.Root(), signed_root.root);
  EXPECT_EQ(shown, 601U);  // all but that of globex
}

TEST_F(AuditProofsTest, AnExportHidesOtherTenants) {
  const auto page = Export(0);
  ASSERT_THAT(page, IsOk());
  ASSERT_THAT(page->entries.entries, SizeIs(2));
  EXPECT_EQ(page->entries.entries[0].form, Form::kEntry);
  EXPECT_EQ(page->entries.entries[1].form, Form::kLeaf);
  EXPECT_THAT(page->entries.entries[1].bytes, SizeIs(32));
  EXPECT_EQ(vault_.LastEvent().records, 2U);
}

TEST_F(AuditProofsTest, AnExportEndsWhereItIsAskedTo) {
  ASSERT_THAT(Export(0), IsOk());
  const auto page = Export(0, 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->entries.entries, SizeIs(1));
  EXPECT_FALSE(page->checkpoint.has_value());
  EXPECT_THAT(Export(1, 1)->entries.entries, IsEmpty());
  EXPECT_THAT(Export(2, 1), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Export(0, 99), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Export(UINT64_MAX), HasReason(Reason::kValueInvalid));
}

TEST_F(AuditProofsTest, ADamagedEntryIsNotProved) {
  const auto entry = vault_.data().Get(audit::EntryKey(0));
  test::Overwrite(vault_.data(), audit::EntryKey(0), "damaged");
  EXPECT_THAT(Prove(0), HasReason(Reason::kIntegrityFailure));
  test::Remove(vault_.data(), audit::EntryKey(0));
  EXPECT_THAT(Prove(0), HasReason(Reason::kIntegrityFailure));
  // The export gives it as it is, for whoever looks where it is damaged.
  const auto page = Export(0, 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->entries.entries[0].form, Form::kGone);
  test::Overwrite(vault_.data(), audit::EntryKey(0), **entry);
  EXPECT_THAT(Prove(0), IsOk());
}

}  // namespace
}  // namespace hizo::vault
