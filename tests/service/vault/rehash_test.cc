// What becomes of a password after it was set: hashes that are taken over and
// made anew, passwords that are changed, taken away, unlocked.
#include <fstream>
#include <string>

#include "crypto/breached_list.h"
#include "crypto/normalise.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/vault/credentials.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using base::SubjectId;
using std::string_literals::operator""s;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kAuthentication;
using test::kNobody;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Openwall crypt_blowfish 1.3, wrapper.c: "U*U" and "U*U*", at cost 5.
constexpr char kHashOfU[] =
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr char kHashCutAt72[] =
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
constexpr char kLongPassword[] =
    "0123456789abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "chars after 72 are ignored";

class RehashTest : public ::testing::Test {
 protected:
  RehashTest() {
    vault_.passwords().cost = 5;
    EXPECT_THAT(vault_.Reopen(), IsOk());
  }

  Call CallOf(Action action, const char* actor = kFull) {
    return vault_.CallOf(actor, action, kAuthentication);
  }
  template <typename UseCase>
  auto Do(const Call& call, UseCase use_case) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return use_case(vault_.store().credentials(), attempt);
    });
  }
  absl::Status Set(const std::string& password) {
    const Call call = CallOf(Action::kCredentialSet);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Set(attempt, call, ann_, Pii(password));
    });
  }
  absl::Status Import(const std::string& hash, const char* actor = kFull) {
    const Call call = CallOf(Action::kCredentialImport, actor);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Import(attempt, call, ann_, Pii(hash));
    });
  }
  absl::StatusOr<bool> Change(const std::string& present,
                              const std::string& fresh, SubjectId subject,
                              const char* actor = kFull) {
    const Call call = CallOf(Action::kCredentialChange, actor);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Change(attempt, call, subject, Pii(present), Pii(fresh));
    });
  }
  absl::Status Revoke(SubjectId subject, const char* actor = kFull) {
    const Call call = CallOf(Action::kCredentialRevoke, actor);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Revoke(attempt, call, subject);
    });
  }
  absl::StatusOr<CredentialState> State(SubjectId subject,
                                        const char* actor = kFull) {
    const Call call = CallOf(Action::kCredentialGet, actor);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Get(attempt, call, subject);
    });
  }
  absl::StatusOr<CredentialState> Unlock(SubjectId subject,
                                         const char* actor = kFull) {
    const Call call = CallOf(Action::kCredentialUnlock, actor);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Unlock(attempt, call, subject);
    });
  }
  absl::StatusOr<uint32_t> RotatePepper() {
    const Call call = CallOf(Action::kCredentialRotatePepper);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.RotatePepper(attempt, call);
    });
  }
  absl::StatusOr<std::optional<SubjectId>> VerifyIn(
      Attempt& attempt, const Call& call, const std::string& password) {
    return vault_.store().credentials().Verify(attempt, call, {ann_, "", Pii()},
                                               Pii(password));
  }
  // Whether it was taken for right.
  bool Verify(const std::string& password) {
    const Call call = CallOf(Action::kCredentialVerify);
    const auto verified = vault_.Run(call, [&](Attempt& attempt) {
      return VerifyIn(attempt, call, password);
    });
    EXPECT_THAT(verified, IsOk());
    return verified.ok() && verified->has_value();
  }
  // What is stored, as the next call would read it.
  crypto::StoredHash Hash() {
    const Call call = CallOf(Action::kCredentialVerify);
    const auto attempt = vault_.NewAttempt(call);
    Ask ask;
    ask.subject = ann_;
    ask.classes.set(policy::kClassCredential);
    const auto grant = vault_.services().gate.Admit(*attempt, call, ask);
    EXPECT_THAT(grant, IsOk());
    const CredentialHashes hashes(vault_.catalogue(), vault_.services().records,
                                  vault_.services().user_keys);
    const auto present = hashes.Read(*attempt, *grant);
    EXPECT_THAT(present, IsOk());
    return *(*present)->hash;
  }
  size_t RowsWritten() { return vault_.LastEvent().writes.size(); }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(RehashTest, LeavesAHashThatIsMadeAsNewOnesAre) {
  ASSERT_THAT(Set("right"), IsOk());
  const std::string before = Hash().bcrypt;
  EXPECT_TRUE(Verify("right"));
  EXPECT_EQ(Hash().bcrypt, before);
  EXPECT_EQ(RowsWritten(), 0U);
}

TEST_F(RehashTest, FollowsTheCostUpAndDown) {
  ASSERT_THAT(Set("right"), IsOk());
  for (const int cost : {6, 4}) {
    vault_.passwords().cost = cost;
    ASSERT_THAT(vault_.Reopen(), IsOk());
    EXPECT_FALSE(Verify("wrong"));
    EXPECT_NE(Hash().cost, cost);
    EXPECT_TRUE(Verify("right"));
    EXPECT_EQ(Hash().cost, cost);
    EXPECT_TRUE(Verify("right"));
    EXPECT_FALSE(Verify("wrong"));
  }
}

TEST_F(RehashTest, MovesToTheNewestPepperAndReadsOlderOnes) {
  ASSERT_THAT(Set("right"), IsOk());
  EXPECT_THAT(RotatePepper(), IsOkAndHolds(2U));
  EXPECT_THAT(RotatePepper(), IsOkAndHolds(3U));
  EXPECT_EQ(Hash().pepper_id, 1U);
  EXPECT_FALSE(Verify("wrong"));
  EXPECT_EQ(Hash().pepper_id, 1U);
  EXPECT_TRUE(Verify("right"));
  EXPECT_EQ(Hash().pepper_id, 3U);
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_TRUE(Verify("right"));
}

TEST_F(RehashTest, IsAnErrorWhereThePepperIsLost) {
  ASSERT_THAT(Set("right"), IsOk());
  ASSERT_THAT(RotatePepper(), IsOk());
  test::Remove(vault_.keys(), StoreKeys::LeafKey(PepperLeaf(kAcme, 1)));
  const Call call = CallOf(Action::kCredentialVerify);
  EXPECT_THAT(vault_.Run(call,
                         [&](Attempt& attempt) {
                           return VerifyIn(attempt, call, "right");
                         }),
              HasReason(Reason::kIntegrityFailure));
}

TEST_F(RehashTest, LosesToAPasswordThatWasSetMeanwhile) {
  ASSERT_THAT(Import(kHashOfU), IsOk());
  const Call call = CallOf(Action::kCredentialVerify);
  auto slower = vault_.NewAttempt(call);
  EXPECT_THAT(VerifyIn(*slower, call, "U*U"), IsOkAndHolds(ann_));
  slower->Conclude(absl::OkStatus());
  ASSERT_THAT(Set("a new one"), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(slower)).status,
              HasReason(Reason::kConflict));
  EXPECT_FALSE(Verify("U*U"));
  EXPECT_TRUE(Verify("a new one"));
}

TEST_F(RehashTest, OfTwoSignInsAtOnceOneIsRunAgainAndBothAreRight) {
  ASSERT_THAT(Import(kHashOfU), IsOk());
  const Call call = CallOf(Action::kCredentialVerify);
  auto slower = vault_.NewAttempt(call);
  EXPECT_THAT(VerifyIn(*slower, call, "U*U"), IsOkAndHolds(ann_));
  slower->Conclude(absl::OkStatus());
  EXPECT_TRUE(Verify("U*U"));
  EXPECT_THAT(vault_.Commit(std::move(slower)).status,
              HasReason(Reason::kConflict));
  EXPECT_TRUE(Verify("U*U"));
  EXPECT_EQ(RowsWritten(), 0U);
}

TEST_F(RehashTest, MakesAnImportedHashLikeOthersAtTheFirstSignIn) {
  ASSERT_THAT(Import(kHashOfU), IsOk());
  EXPECT_EQ(Hash().scheme, 0);
  EXPECT_FALSE(Verify("U*U*"));
  EXPECT_EQ(Hash().scheme, 0);
  EXPECT_TRUE(Verify("U*U"));
  EXPECT_EQ(Hash().scheme, 1);
  EXPECT_EQ(Hash().bcrypt.substr(0, 7), "$2b$05$");
  EXPECT_TRUE(Verify("U*U"));
  EXPECT_FALSE(Verify("U*U*"));
}

TEST_F(RehashTest, EndsTheCutAt72WithTheFirstSignIn) {
  ASSERT_THAT(Import(kHashCutAt72), IsOk());
  EXPECT_TRUE(Verify(kLongPassword));
  EXPECT_FALSE(Verify(std::string(kLongPassword) + "!"));
  EXPECT_FALSE(Verify(std::string(kLongPassword).substr(0, 72)));
}

TEST_F(RehashTest, TakesNothingThatStandsBehindNul) {
  ASSERT_THAT(Import(kHashOfU), IsOk());
  EXPECT_FALSE(Verify("U*U\0anything"s));
  EXPECT_FALSE(Verify("U*U\0"s));
  EXPECT_EQ(Hash().scheme, 0);
}

class ImportTest : public RehashTest {};

TEST_F(ImportTest, TakesAllThreeNamesOfTheSameHash) {
  for (const char* name : {"$2a$", "$2b$", "$2y$"}) {
    ASSERT_THAT(Import(name + std::string(kHashOfU).substr(4)), IsOk());
    EXPECT_TRUE(Verify("U*U")) << name;
  }
}

TEST_F(ImportTest, MakesTheSaltCanonical) {
  std::string hash = kHashCutAt72;
  hash[28] = 'v';  // the same two bits
  hash.back() = 'j';
  ASSERT_THAT(Import(hash), IsOk());
  EXPECT_EQ(Hash().bcrypt, kHashCutAt72);
  EXPECT_TRUE(Verify(kLongPassword));
}

TEST_F(ImportTest, SaysWhatIsWrongWithAHashAndChangesNothing) {
  ASSERT_THAT(Set("right"), IsOk());
  const std::string tail = std::string(kHashOfU).substr(6);
  for (const std::string& hash :
       {""s, "$2x$05"s + tail, "$2$05"s + tail, "$2b$5" + tail, "$2b$0x" + tail,
        "v1$1$"s + kHashOfU, kHashOfU + "."s, "$6$rounds=999999999$salt$hash"s,
        "$y$j9T$salt$hash"s, "5f4dcc3b5aa765d61d8327deb882cf99"s, "right"s}) {
    EXPECT_THAT(Import(hash), HasReason(Reason::kHashUnsupported)) << hash;
  }
  for (const char* cost : {"00", "03", "06", "14", "31", "99"}) {
    EXPECT_THAT(Import("$2b$"s + cost + tail),
                HasReason(Reason::kHashCostRefused))
        << cost;
  }
  EXPECT_TRUE(Verify("right"));
}

TEST_F(ImportTest, IsForThoseWhoMayOnly) {
  EXPECT_THAT(Import(kHashOfU, kNobody), HasReason(Reason::kCallerNotEntitled));
  EXPECT_FALSE(State(ann_)->has_password);
}

TEST_F(ImportTest, BringsNoOldHashBackWhenARequestIsRepeated) {
  const auto import = [&](const std::string& hash) {
    Call call = CallOf(Action::kCredentialImport);
    call.request = RequestOf(1);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Import(attempt, call, ann_, Pii(hash));
    });
  };
  ASSERT_THAT(import(kHashOfU), IsOk());
  ASSERT_THAT(Set("right"), IsOk());
  EXPECT_THAT(import(kHashOfU), IsOk());
  EXPECT_TRUE(Verify("right"));
}

class ChangeTest : public RehashTest {
 protected:
  ChangeTest() { EXPECT_THAT(Set("right"), IsOk()); }
};

TEST_F(ChangeTest, SetsTheNewOneAgainstThePresentOne) {
  EXPECT_THAT(Change("right", "another", ann_), IsOkAndHolds(true));
  EXPECT_FALSE(Verify("right"));
  EXPECT_TRUE(Verify("another"));
}

TEST_F(ChangeTest, ChangesNothingAgainstAnythingElse) {
  EXPECT_THAT(Change("wrong", "another", ann_), IsOkAndHolds(false));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kPasswordWrong);
  EXPECT_THAT(Change("right", "another", NewSubjectId()), IsOkAndHolds(false));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kSubjectNotFound);
  EXPECT_THAT(Change("right", "another", NewPerson(vault_, "b@example.com")),
              IsOkAndHolds(false));
  EXPECT_THAT(Change("right", "another", ann_, test::kOtherFull),
              IsOkAndHolds(false));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(ChangeTest, CountsGuesses) {
  for (size_t i = 0; i < kFreeGuesses; ++i) {
    EXPECT_THAT(Change("wrong", "another", ann_), IsOkAndHolds(false));
  }
  EXPECT_THAT(Change("right", "another", ann_), IsOkAndHolds(false));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kLockedOut);
  EXPECT_FALSE(Verify("right"));
  vault_.clock().Advance(kWaitFirst);
  EXPECT_THAT(Change("right", "another", ann_), IsOkAndHolds(true));
  EXPECT_EQ(State(ann_)->wrong_guesses, 0U);
}

TEST_F(ChangeTest, RefusesWhatIsNoPasswordAndWhoMayNot) {
  EXPECT_THAT(Change("right", "", ann_), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Change("", "another", ann_), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Change("right", std::string(4097, 'x'), ann_),
              HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Change("right", "", ann_, kNobody),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_TRUE(Verify("right"));
}

TEST_F(ChangeTest, IsDoneOnceForOneRequest) {
  const auto change = [&](const std::string& present,
                          const std::string& fresh) {
    Call call = CallOf(Action::kCredentialChange);
    call.request = RequestOf(1);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Change(attempt, call, ann_, Pii(present), Pii(fresh));
    });
  };
  EXPECT_THAT(change("wrong", "another"), IsOkAndHolds(false));
  EXPECT_THAT(change("right", "another"), IsOkAndHolds(true));
  EXPECT_THAT(change("right", "another"), IsOkAndHolds(true));
  EXPECT_TRUE(Verify("another"));
}

class RevokeTest : public RehashTest {};

TEST_F(RevokeTest, LeavesNobodyAPassword) {
  ASSERT_THAT(Set("right"), IsOk());
  EXPECT_FALSE(Verify("wrong"));
  ASSERT_THAT(Revoke(ann_), IsOk());
  EXPECT_FALSE(Verify("right"));
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kPasswordWrong);
  const auto rows = vault_.data().Scan(storage::PrefixRange(
      RecordPrefix(kAcme, ann_, policy::kClassCredential), 10));
  EXPECT_THAT(*rows, IsEmpty());
  ASSERT_THAT(Set("another"), IsOk());
  EXPECT_TRUE(Verify("another"));
}

TEST_F(RevokeTest, TakesNoLaterPasswordAwayWhenARequestIsRepeated) {
  const auto revoke = [&] {
    Call call = CallOf(Action::kCredentialRevoke);
    call.request = RequestOf(1);
    return Do(call, [&](const Credentials& of, Attempt& attempt) {
      return of.Revoke(attempt, call, ann_);
    });
  };
  ASSERT_THAT(Set("right"), IsOk());
  ASSERT_THAT(revoke(), IsOk());
  ASSERT_THAT(Set("another"), IsOk());
  EXPECT_THAT(revoke(), IsOk());
  EXPECT_TRUE(Verify("another"));
}

TEST_F(RevokeTest, IsNoErrorWhereThereIsNone) {
  EXPECT_THAT(Revoke(ann_), IsOk());
  EXPECT_EQ(RowsWritten(), 0U);
  EXPECT_THAT(Revoke(NewSubjectId()), HasReason(Reason::kSubjectNotFound));
  ASSERT_THAT(Set("right"), IsOk());
  EXPECT_THAT(Revoke(ann_, kNobody), HasReason(Reason::kCallerNotEntitled));
  EXPECT_TRUE(Verify("right"));
}

class UnlockTest : public RehashTest {
 protected:
  UnlockTest() { EXPECT_THAT(Set("right"), IsOk()); }
};

TEST_F(UnlockTest, TellsOfGuessesAndForgetsThem) {
  EXPECT_EQ(State(ann_)->wrong_guesses, 0U);
  EXPECT_TRUE(State(ann_)->has_password);
  for (size_t i = 0; i < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  const auto locked = State(ann_);
  ASSERT_THAT(locked, IsOk());
  EXPECT_EQ(locked->wrong_guesses, kFreeGuesses);
  EXPECT_EQ(locked->wait_until, vault_.clock().Now() + kWaitFirst);
  EXPECT_FALSE(Verify("right"));
  const auto before = Unlock(ann_);
  ASSERT_THAT(before, IsOk());
  EXPECT_EQ(before->wait_until, locked->wait_until);
  EXPECT_EQ(State(ann_)->wrong_guesses, 0U);
  EXPECT_EQ(State(ann_)->wait_until, std::nullopt);
  EXPECT_TRUE(Verify("right"));
}

TEST_F(UnlockTest, IsForThoseWhoMayAndPeopleWhoAreThere) {
  for (size_t i = 0; i < kFreeGuesses; ++i) EXPECT_FALSE(Verify("wrong"));
  EXPECT_THAT(Unlock(ann_, kNobody), HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(State(ann_, kNobody), HasReason(Reason::kCallerNotEntitled));
  EXPECT_FALSE(Verify("right"));
  EXPECT_THAT(Unlock(NewSubjectId()), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(State(NewSubjectId()), HasReason(Reason::kSubjectNotFound));
  EXPECT_FALSE(State(NewPerson(vault_, "b@example.com"))->has_password);
}

class BreachedTest : public RehashTest {
 protected:
  BreachedTest() {
    const auto file = scratch_.path() / "breached";
    auto writer = crypto::BreachedListWriter::Create(file);
    const auto password = crypto::NormalisePassword("caf\xC3\xA9");
    EXPECT_THAT(writer->Add(crypto::BreachedPrefix(*password)), IsOk());
    EXPECT_THAT(writer->Finish(), IsOkAndHolds(1U));
    list_ = *crypto::BreachedList::Open(file);
    vault_.passwords().breached = list_.get();
    EXPECT_THAT(vault_.Reopen(), IsOk());
  }
  ~BreachedTest() override { vault_.Close(); }

  test::ScratchDirectory scratch_;
  std::unique_ptr<crypto::BreachedList> list_;
};

TEST_F(BreachedTest, IsNobodysNewPasswordInWhateverWayItIsTyped) {
  ASSERT_THAT(Set("right"), IsOk());
  for (const char* typed : {"caf\xC3\xA9", "cafe\xCC\x81"}) {
    EXPECT_THAT(Set(typed), HasReason(Reason::kPasswordBreached));
    EXPECT_THAT(Change("right", typed, ann_),
                HasReason(Reason::kPasswordBreached));
  }
  EXPECT_EQ(vault_.LastEvent().reason, Reason::kPasswordBreached);
  EXPECT_THAT(Set("cafe"), IsOk());
  EXPECT_TRUE(Verify("cafe"));
}

TEST_F(BreachedTest, IsStillRightForWhoHasIt) {
  vault_.passwords().breached = nullptr;
  ASSERT_THAT(vault_.Reopen(), IsOk());
  ASSERT_THAT(Set("caf\xC3\xA9"), IsOk());
  vault_.passwords().breached = list_.get();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  EXPECT_TRUE(Verify("caf\xC3\xA9"));
}

}  // namespace
}  // namespace hizo::vault
