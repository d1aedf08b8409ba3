// What the audit duty no longer has kept: keys first, then entries, in every
// copy, and that it may fail or die anywhere.
#include "service/vault/audit_pruner.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/prune.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "service/policy/retention.h"
#include "service/vault/peer_pseudonym.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::AuditReference;
using base::SubjectId;
using test::FaultyEngine;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::Not;

constexpr uint32_t kYears = 3;
constexpr char kAnns[] = "ann@example.com";
constexpr char kBobs[] = "bob@example.com";

base::Timestamp At(const std::string& day) {
  return base::Timestamp(policy::DayFromText(day).value());
}

class AuditPrunerTest : public ::testing::Test {
 protected:
  // In May 2020: Ann, who is erased in June, Bob, who stays, and 600 looks at
  // Bob. July 2021: a look at him.
  void Begin() {
    VaultFixture::Options options;
    options.amend = test::KeepTransactions;
    vault_.emplace(options);
    vault_->clock().Set(At("2020-05-10"));
    ann_ = NewPerson(*vault_, kAnns);
    bob_ = NewPerson(*vault_, kBobs);
    ann_reference_ = ReferenceOf(ann_);
    bob_reference_ = ReferenceOf(bob_);
    for (int i = 0; i < 600; ++i) Look();
    // The store's own keys of the day.
    ASSERT_THAT(Prune(), IsOkAndHolds(0U));
    vault_->clock().Set(At("2020-06-20"));
    ASSERT_THAT(Erase(*vault_, ann_), IsOk());
    ASSERT_THAT(vault_->store().FinishErasures(), IsOkAndHolds(1U));
    vault_->clock().Set(At("2021-07-01"));
    Look();
  }
  void Look() {
    ASSERT_THAT(Get(*vault_, bob_, "profile", {"full_name"}), IsOk());
  }
  AuditReference ReferenceOf(SubjectId subject) {
    return AdmitFully(*vault_, kFull, subject).grant.facts().audit_reference;
  }
  absl::StatusOr<uint64_t> Prune() {
    return vault_->store().PruneAudit(kYears);
  }
  uint64_t Pruned() {
    const auto pruned = audit::PrunedIn(vault_->data());
    EXPECT_THAT(pruned, IsOk());
    return pruned.value_or(0);
  }
  bool HasMonth(base::TenantId tenant, const std::string& day) {
    const auto leaf = vault_->store().store_keys().LeafOfNow(
        AuditMonthLeaf(tenant, AuditMonthOf(At(day))));
    EXPECT_THAT(leaf, IsOk());
    return leaf.ok() && leaf->has_value();
  }
  std::optional<SubjectId> Named(AuditReference reference) {
    return WayBack(vault_->services(), kAcme, reference);
  }
  std::optional<AuditReference> Remembered(SubjectId subject) {
    const auto record = OpenErasureRecord(
        vault_->store().store_keys(), kAcme, subject,
        test::Stored(vault_->data(), ErasureKey(kAcme, subject)));
    EXPECT_THAT(record, IsOk());
    return record->Reference();
  }
  bool IsSound() {
    const auto sound =
        audit::Extends(vault_->data(), 0, audit::TreeEdge().Root());
    return sound.ok() && *sound;
  }

  std::optional<VaultFixture> vault_;
  SubjectId ann_;
  SubjectId bob_;
  AuditReference ann_reference_;
  AuditReference bob_reference_;
};

TEST_F(AuditPrunerTest, NothingEndsBeforeItsTime) {
  Begin();
  vault_->clock().Set(At("2023-05-31"));
  EXPECT_THAT(Prune(), IsOkAndHolds(0U));
  EXPECT_TRUE(HasMonth(kAcme, "2020-05-10"));
  EXPECT_EQ(Named(ann_reference_), ann_);
  EXPECT_EQ(Named(bob_reference_), bob_);
}

TEST_F(AuditPrunerTest, AMonthEndsWhenTheDutyDoes) {
  Begin();
  vault_->clock().Set(At("2023-06-01"));
  EXPECT_THAT(Prune(), IsOkAndHolds(512U));
  EXPECT_EQ(Pruned(), 512);
  EXPECT_FALSE(HasMonth(kAcme, "2020-05-10"));
  EXPECT_FALSE(HasMonth(base::TenantId::kStore, "2020-05-10"));
  EXPECT_TRUE(HasMonth(kAcme, "2020-06-10"));
  const audit::Event event = vault_->LastEvent();
  EXPECT_EQ(event.action, Action::kAuditPrune);
  EXPECT_EQ(event.records, 2);
  EXPECT_EQ(event.actor, "hizod");
  EXPECT_TRUE(IsSound());
  EXPECT_THAT(Prune(), IsOkAndHolds(0U));
}

TEST_F(AuditPrunerTest, WhoStillHasEntriesIsStillNamed) {
  Begin();
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  // Ann by her erasure of June 2020, Bob because he is there.
  EXPECT_EQ(Named(ann_reference_), ann_);
  EXPECT_EQ(Remembered(ann_), ann_reference_);
  EXPECT_EQ(Named(bob_reference_), bob_);
  EXPECT_EQ(
      MonthOfWayBack(test::Stored(vault_->keys(), WayBackKey(ann_reference_))),
      AuditMonthOf(At("2020-06-20")));
}

TEST_F(AuditPrunerTest, WithTheLastEntryTheWayToWhoWasErasedEnds) {
  Begin();
  const std::string before =
      test::Stored(vault_->keys(), WayBackKey(ann_reference_));
  const std::string erasure_before =
      test::Stored(vault_->data(), ErasureKey(kAcme, ann_));
  vault_->clock().Set(At("2023-07-01"));
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_EQ(Named(ann_reference_), std::nullopt);
  EXPECT_EQ(Remembered(ann_), std::nullopt);
  EXPECT_EQ(Named(bob_reference_), bob_);
  // Copies of before are of no use either, with every key of now.
  const StoreKeys& keys = vault_->store().store_keys();
  EXPECT_THAT(OpenWayBack(keys, kAcme, ann_reference_, before), Not(IsOk()));
  const auto copy = OpenErasureRecord(keys, kAcme, ann_, erasure_before);
  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(copy->Reference(), std::nullopt);
  // What is known of the erasure is still told, without a name in the log.
  EXPECT_THAT(GetErasure(*vault_, ann_), IsOk());
  EXPECT_EQ(vault_->LastEvent().subject, std::nullopt);
}

TEST_F(AuditPrunerTest, OldRowsOfItsKeyOpenNoMore) {
  Begin();
  const std::string leaf =
      StoreKeys::LeafKey(AuditMonthLeaf(kAcme, AuditMonthOf(At("2020-05-01"))));
  const std::string before = test::Stored(vault_->keys(), leaf);
  const StoreKeys& keys = vault_->store().store_keys();
  ASSERT_THAT(keys.UnwrapLeaf(*keys.tree(), leaf, before), IsOk());
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_THAT(keys.UnwrapLeaf(*keys.tree(), leaf, before), Not(IsOk()));
  EXPECT_THAT(vault_->keys().Get(leaf), IsOkAndHolds(std::nullopt));
}

TEST_F(AuditPrunerTest, AddressesOfThatMonthAreNamedNoMore) {
  Begin();
  const StoreKeys& keys = vault_->store().store_keys();
  EXPECT_NE(PeerPseudonym(keys, "192.0.2.1", At("2020-05-10")), kPeerUnnamed);
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_EQ(PeerPseudonym(keys, "192.0.2.1", At("2020-05-10")), kPeerUnnamed);
  EXPECT_NE(PeerPseudonym(keys, "192.0.2.1", At("2023-06-01")), kPeerUnnamed);
  EXPECT_NE(PeerPseudonym(keys, "192.0.2.1", At("2023-07-01")), kPeerUnnamed);
}

TEST_F(AuditPrunerTest, QueriesWorkBeforeAndAfter) {
  Begin();
  const auto count = [this] {
    const Call call = vault_->CallOf(test::kAuditor, Action::kAuditQuery,
                                     test::kSecurityAudit);
    QueryAuditInput input;
    input.subject = bob_;
    input.page_size = 500;
    input.filter.action = Action::kRecordGet;
    size_t events = 0;
    do {
      const auto page = vault_->Run(call, [&](Attempt& attempt) {
        return vault_->store().audits().Query(attempt, call, input);
      });
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      events += page->events.size();
      input.page_token = page->next_page_token;
    } while (!input.page_token.empty());
    return events;
  };
  EXPECT_EQ(count(), 601);
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  // Of the first 512 two are of people that were made.
  EXPECT_EQ(count(), 601 - 510);
}

TEST_F(AuditPrunerTest, ProofsOfWhatIsGoneAreRefusedByTheirReason) {
  Begin();
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  const Call call =
      vault_->CallOf(test::kAuditor, Action::kAuditProve, test::kSecurityAudit);
  const auto prove = [&](uint64_t sequence) {
    return vault_->Run(call, [&](Attempt& attempt) {
      return vault_->store().audits().ProveInclusion(attempt, call, sequence,
                                                     0);
    });
  };
  EXPECT_THAT(prove(5), test::HasReason(base::Reason::kRecordNotFound));
  EXPECT_THAT(prove(550), IsOk());
  const auto consistent = vault_->Run(call, [&](Attempt& attempt) {
    return vault_->store().audits().ProveConsistency(attempt, call, 100, 0);
  });
  EXPECT_THAT(consistent, IsOk());
}

TEST_F(AuditPrunerTest, IsOpenedAgain) {
  Begin();
  vault_->clock().Set(At("2023-06-01"));
  ASSERT_THAT(Prune(), IsOk());
  ASSERT_THAT(vault_->Reopen(), IsOk());
  EXPECT_EQ(Pruned(), 512);
  EXPECT_EQ(Named(bob_reference_), bob_);
  EXPECT_TRUE(IsSound());
}

// Whatever commit fails, nothing was pruned whose keys are there, and the next
// run ends it, in this process or the next.
TEST_F(AuditPrunerTest, MayDieAnywhere) {
  bool finished = false;
  for (size_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 40);
    for (const bool of_keys : {true, false}) {
      for (const auto when : {FaultyEngine::When::kBeforeApplied,
                              FaultyEngine::When::kAfterApplied}) {
        Begin();
        vault_->clock().Set(At("2023-06-01"));
        FaultyEngine& engine = of_keys ? vault_->keys() : vault_->data();
        engine.FailCommit(nth, when, absl::UnknownError("injected"));
        const bool done = Prune().ok();
        if (of_keys) finished = done;
        ASSERT_THAT(vault_->Reopen(), IsOk());
        EXPECT_TRUE(Pruned() == 0 || !HasMonth(kAcme, "2020-05-10"));
        EXPECT_EQ(Named(ann_reference_), ann_);
        EXPECT_EQ(Named(bob_reference_), bob_);
        ASSERT_THAT(Prune(), IsOk());
        EXPECT_EQ(Pruned(), 512);
        EXPECT_FALSE(HasMonth(kAcme, "2020-05-10"));
        EXPECT_EQ(Named(ann_reference_), ann_);
        EXPECT_EQ(Named(bob_reference_), bob_);
        EXPECT_TRUE(IsSound());
      }
    }
  }
}

TEST_F(AuditPrunerTest, SomebodyOfWhomALawHasSomethingKeptStaysNamed) {
  VaultFixture::Options options;
  options.amend = test::KeepTransactions;
  vault_.emplace(options);
  vault_->clock().Set(At("2020-05-10"));
  ann_ = NewPerson(*vault_, kAnns);
  ann_reference_ = ReferenceOf(ann_);
  ASSERT_THAT(Put(*vault_, ann_, InvoiceOf(5400, "2020-05-01")), IsOk());
  ASSERT_THAT(Erase(*vault_, ann_), IsOk());
  ASSERT_THAT(vault_->store().FinishErasures(), IsOkAndHolds(1U));
  vault_->clock().Set(At("2024-01-01"));
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_EQ(Named(ann_reference_), ann_);
  EXPECT_EQ(Remembered(ann_), ann_reference_);
  // Until that ends too, and its end is no longer to be told.
  vault_->clock().Set(At("2029-01-01"));
  ASSERT_THAT(vault_->store().FinishErasures(), IsOkAndHolds(1U));
  EXPECT_EQ(vault_->LastEvent().subject, ann_reference_);
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_EQ(Named(ann_reference_), ann_);
  vault_->clock().Set(At("2032-03-01"));
  ASSERT_THAT(Prune(), IsOk());
  EXPECT_EQ(Named(ann_reference_), std::nullopt);
  EXPECT_EQ(Remembered(ann_), std::nullopt);
}

TEST_F(AuditPrunerTest, AMonthThatWasNotServedLeavesAddressesWithoutAName) {
  Begin();
  vault_->clock().Set(At("2022-01-05"));
  const StoreKeys& keys = vault_->store().store_keys();
  EXPECT_EQ(PeerPseudonym(keys, "192.0.2.1", vault_->clock().Now()),
            kPeerUnnamed);
  ASSERT_THAT(vault_->Reopen(), IsOk());
  EXPECT_NE(PeerPseudonym(vault_->store().store_keys(), "192.0.2.1",
                          vault_->clock().Now()),
            kPeerUnnamed);
}

}  // namespace
}  // namespace hizo::vault
