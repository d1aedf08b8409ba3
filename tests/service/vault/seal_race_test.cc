// Reads, writes, look-ups and sign-ups that go on while people are erased: who
// was acknowledged as erased is not seen again, everybody else always is.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using ::testing::ElementsAre;

constexpr int kReads = 10'000;
constexpr int kErased = 60;

std::string EmailOf(int i) {
  return "race" + std::to_string(i) + "@example.com";
}

// As dispatch does: what lost a race runs again.
template <typename Ask>
auto Insist(Ask ask) {
  auto answer = ask();
  while (base::ReasonOf(test::StatusOf(answer)) == Reason::kConflict) {
    answer = ask();
  }
  return answer;
}

class SealRaceTest : public ::testing::Test {
 protected:
  SealRaceTest() {
    for (int i = 0; i < 2 * kErased; ++i) {
      people_.push_back(NewPerson(vault_, EmailOf(i)));
    }
  }
  // Who has an odd number stays.
  void EraseTheEven() {
    for (int i = 0; i < 2 * kErased; i += 2) {
      ASSERT_THAT(Insist([&] { return Erase(vault_, people_[i]); }), IsOk());
      acknowledged_.store(i + 1, std::memory_order_release);
      if (i % 8 == 0) {
        ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
      }
    }
    ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
    over_.store(true);
  }
  void ReadAll() {
    for (int n = 0; n < kReads || !over_.load(); ++n) {
      const int i = n % (2 * kErased);
      const bool erased =
          i % 2 == 0 && i < acknowledged_.load(std::memory_order_acquire);
      const auto shown = Insist(
          [&] { return Get(vault_, people_[i], "profile", {"full_name"}); });
      if (i % 2 == 1) {
        ASSERT_THAT(shown, IsOk());
      } else if (erased) {
        ASSERT_THAT(shown, HasReason(Reason::kSubjectNotFound));
      } else if (!shown.ok()) {
        ASSERT_THAT(shown, HasReason(Reason::kSubjectNotFound));
      }
    }
  }
  void WriteAndFind() {
    for (int n = 0; !over_.load(); ++n) {
      const int i = n % (2 * kErased);
      const bool erased =
          i % 2 == 0 && i < acknowledged_.load(std::memory_order_acquire);
      const auto put = Insist([&] {
        return Put(vault_, people_[i],
                   RecordOf("profile", {{"full_name", "Written Again"}}));
      });
      const auto found =
          Insist([&] { return Find(vault_, "account.email", EmailOf(i)); });
      if (i % 2 == 1) {
        ASSERT_THAT(put, IsOk());
        ASSERT_THAT(found, IsOkAndHolds(ElementsAre(people_[i])));
      } else if (erased) {
        ASSERT_THAT(put, HasReason(Reason::kSubjectNotFound));
        ASSERT_THAT(found, HasReason(Reason::kSubjectNotFound));
      }
    }
  }
  void SignUp() {
    for (int n = 0; !over_.load(); ++n) {
      const std::string email = "new" + std::to_string(n) + "@example.com";
      const auto created = Insist([&] {
        return Create(vault_,
                      RecordsOf(RecordOf("account", {{"email", email}}),
                                RecordOf("profile", {{"full_name", "New"}})));
      });
      ASSERT_THAT(created, IsOk());
      newcomers_.push_back(created->subject);
    }
  }

  VaultFixture vault_;
  std::vector<SubjectId> people_;
  std::vector<SubjectId> newcomers_;
  std::atomic<int> acknowledged_{0};
  std::atomic<bool> over_{false};
};

TEST_F(SealRaceTest, NobodyErasedIsSeenAndNobodyElseIsMissed) {
  std::thread reader([this] { ReadAll(); });
  std::thread writer([this] { WriteAndFind(); });
  std::thread registrar([this] { SignUp(); });
  EraseTheEven();
  over_.store(true);
  reader.join();
  writer.join();
  registrar.join();
  ASSERT_THAT(vault_.Reopen(), IsOk());
  for (int i = 0; i < 2 * kErased; ++i) {
    const auto shown = Get(vault_, people_[i], "profile", {"full_name"});
    if (i % 2 == 1) {
      EXPECT_THAT(shown, IsOk());
    } else {
      EXPECT_THAT(shown, HasReason(Reason::kSubjectNotFound));
      EXPECT_TRUE(VerifyErasure(vault_, people_[i])->erased());
    }
  }
  for (size_t n = 0; n < newcomers_.size(); ++n) {
    ASSERT_THAT(Get(vault_, newcomers_[n], "profile", {"full_name"}), IsOk());
    ASSERT_THAT(Find(vault_, "account.email",
                     "new" + std::to_string(n) + "@example.com"),
                IsOkAndHolds(ElementsAre(newcomers_[n])));
  }
}

// The writer has decided and wrapped by the keys of before when the fence and
// the seal come.
TEST_F(SealRaceTest, WhatWasDecidedBeforeTheFenceDoesNotGoThrough) {
  const Call call = FullCall(vault_, Action::kRecordPut);
  auto attempt = vault_.NewAttempt(call);
  PutRecordInput input;
  input.subject = people_[0];
  input.record = RecordOf("profile", {{"full_name", "Too Late"}});
  const auto written =
      vault_.store().records().Put(*attempt, call, std::move(input));
  ASSERT_THAT(written, IsOk());
  attempt->Conclude(absl::OkStatus());
  ASSERT_THAT(Erase(vault_, people_[0]), IsOk());
  EXPECT_THAT(vault_.Commit(std::move(attempt)).status,
              HasReason(Reason::kConflict));
}

TEST_F(SealRaceTest, WhoWritesIntoAHeldBucketWaitsAndAllOthersGoOn) {
  const uint16_t held =
      vault_.store().store_keys().tree()->BucketOf(DeksName(kAcme, people_[0]));
  BucketSet buckets;
  buckets.set(held);
  vault_.store().committer().Hold(buckets);
  const Call call = FullCall(vault_, Action::kErasureExecute);
  auto attempt = vault_.NewAttempt(call);
  ASSERT_THAT(vault_.store().erasures().Execute(*attempt, call, people_[0], {}),
              IsOk());
  attempt->Conclude(absl::OkStatus());
  test::Pending waiting;
  vault_.Submit(std::move(attempt), waiting);
  // Later ones are through, so it was looked at.
  ASSERT_THAT(Get(vault_, people_[0], "profile", {"full_name"}), IsOk());
  ASSERT_THAT(Put(vault_, people_[1],
                  RecordOf("profile", {{"full_name", "Meanwhile"}})),
              IsOk());
  EXPECT_FALSE(waiting.done());
  vault_.store().committer().Release();
  EXPECT_THAT(waiting.Wait().status, IsOk());
  EXPECT_THAT(Get(vault_, people_[0], "profile", {"full_name"}),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(SealRaceTest, ASignUpWrappedByTheKeysOfBeforeRunsAgain) {
  const Call call = FullCall(vault_, Action::kSubjectCreate);
  std::vector<std::unique_ptr<Attempt>> attempts;
  for (int i = 0; i < 2000; ++i) {  // some of them lie in a resealed bucket
    attempts.push_back(vault_.NewAttempt(call));
    ASSERT_THAT(vault_.store().subjects().Create(
                    *attempts.back(), call,
                    RecordsOf(RecordOf("profile", {{"full_name", "New"}}))),
                IsOk());
    attempts.back()->Conclude(absl::OkStatus());
  }
  for (const SubjectId subject : people_) {
    ASSERT_THAT(Erase(vault_, subject), IsOk());
  }
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  for (auto& attempt : attempts) vault_.Commit(std::move(attempt));
  ASSERT_THAT(vault_.Reopen(), IsOk());
  // Whoever got in can be opened.
  for (const storage::Row& row :
       test::RowsOf(vault_.keys(), base::kSpaceDeks)) {
    const auto person = ParsePersonsRow(row.key);
    ASSERT_TRUE(person.has_value());
    ASSERT_THAT(Get(vault_, person->subject, "profile", {"full_name"}), IsOk());
  }
}

}  // namespace
}  // namespace hizo::vault
