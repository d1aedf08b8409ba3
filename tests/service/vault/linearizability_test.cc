// Reads that race what people say, and policies that are put in force: every
// history of calls has an order in which each answer is the one that the calls
// before it make right, and no call comes before one that had been answered
// when it was begun. The log has that order, so it is checked and not looked
// for.
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/vault/policies.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using base::Reason;
using policy::PolicySource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What a call does to the person, or asks of them.
enum class Kind {
  kReadMarketing,  // which needs consent
  kReadSupport,    // which some policies do not have
  kConsent,
  kWithdraw,
  kRestrict,
  kLift,
  kActivate,
  kCancel,
};

struct Done {
  Kind kind = Kind::kReadMarketing;
  uint64_t begun = 0;     // ticks
  uint64_t answered = 0;  // 0: it never was
  size_t place = 0;       // in the log
  Reason told = Reason::kNone;
  uint32_t version = 0;       // of the policy that decided, as the log says
  std::string clause = {};    // likewise
  bool has_support = false;   // kActivate: the policy's
  uint32_t next_version = 0;  // kActivate: the policy's
};
using History = std::vector<Done>;

// What is true of the person after some of the calls.
struct State {
  bool consented = false;
  bool withdrawn = false;
  bool restricted = false;
  bool cancelled = false;
  bool has_support = true;
  uint32_t version = 3;
};

Reason Expected(const State& state, Kind kind) {
  if (kind == Kind::kReadSupport) {
    if (!state.has_support || state.cancelled) {
      return Reason::kPurposeNotAllowed;
    }
    return state.restricted ? Reason::kProcessingRestricted : Reason::kNone;
  }
  if (state.withdrawn) return Reason::kConsentWithdrawn;
  if (state.cancelled) return Reason::kPurposeNotAllowed;
  if (state.consented) return Reason::kNone;
  return state.restricted ? Reason::kProcessingRestricted
                          : Reason::kConsentRequired;
}

void Change(const Done& done, State& state) {
  if (done.told != Reason::kNone) return;
  switch (done.kind) {
    case Kind::kConsent:
      state.consented = true;
      state.withdrawn = false;
      break;
    case Kind::kCancel:
      state.cancelled = true;
      [[fallthrough]];  // it withdraws
    case Kind::kWithdraw:
      state.withdrawn = state.withdrawn || state.consented;
      state.consented = false;
      break;
    case Kind::kRestrict:
      state.restricted = true;
      break;
    case Kind::kLift:
      state.restricted = false;
      break;
    case Kind::kActivate:
      state.has_support = done.has_support;
      state.version = done.next_version;
      break;
    default:
      break;
  }
}

bool IsRead(Kind kind) {
  return kind == Kind::kReadMarketing || kind == Kind::kReadSupport;
}

// What is wrong with a history; nothing if it has such an order.
std::vector<std::string> Violations(History history) {
  std::vector<std::string> wrong;
  std::ranges::sort(history, {}, &Done::place);
  // Whoever comes later in the log was not answered before who comes earlier
  // was begun.
  uint64_t latest_begun = 0;
  for (const Done& done : history) {
    if (done.answered <= latest_begun) {
      wrong.push_back("out of order at " + std::to_string(done.place));
    }
    latest_begun = std::max(latest_begun, done.begun);
  }
  State state;
  for (const Done& done : history) {
    const std::string at = " at " + std::to_string(done.place);
    if (IsRead(done.kind)) {
      if (done.told != Expected(state, done.kind)) {
        wrong.push_back("told " + std::string(base::NameOf(done.told)) + at);
      }
      if (done.version != state.version) wrong.push_back("version" + at);
      const bool support = done.kind == Kind::kReadSupport;
      const std::string clause = !support            ? "2.3"
                                 : state.has_support ? "2.2"
                                                     : "";
      if (done.clause != clause) wrong.push_back("clause" + at);
    }
    Change(done, state);
  }
  return wrong;
}

Done Made(Kind kind, uint64_t begun, uint64_t answered, size_t place,
          Reason told) {
  return {kind,
          begun,
          answered,
          place,
          told,
          3,
          kind == Kind::kReadSupport ? "2.2" : "2.3"};
}

TEST(HistoryCheckTest, AHistoryThatIsOneIsAccepted) {
  EXPECT_THAT(
      Violations(
          {Made(Kind::kReadMarketing, 1, 2, 0, Reason::kConsentRequired),
           Made(Kind::kConsent, 3, 6, 1, Reason::kNone),
           Made(Kind::kReadMarketing, 4, 5, 2, Reason::kNone),
           Made(Kind::kWithdraw, 7, 8, 3, Reason::kNone),
           Made(Kind::kReadMarketing, 9, 10, 4, Reason::kConsentWithdrawn)}),
      IsEmpty());
}

TEST(HistoryCheckTest, AnAnswerFromBeforeAnAcknowledgedChangeIsFound) {
  // In the log it stands before the withdrawal, which had been answered.
  EXPECT_THAT(Violations({Made(Kind::kConsent, 1, 2, 0, Reason::kNone),
                          Made(Kind::kReadMarketing, 5, 6, 1, Reason::kNone),
                          Made(Kind::kWithdraw, 3, 4, 2, Reason::kNone)}),
              ElementsAre(HasSubstr("out of order")));
  // In the log it stands after it.
  EXPECT_THAT(Violations({Made(Kind::kConsent, 1, 2, 0, Reason::kNone),
                          Made(Kind::kWithdraw, 3, 4, 1, Reason::kNone),
                          Made(Kind::kReadMarketing, 3, 6, 2, Reason::kNone)}),
              ElementsAre(HasSubstr("told NONE")));
}

TEST(HistoryCheckTest, AnEntryOfAnotherPolicyIsFound) {
  Done activation = Made(Kind::kActivate, 1, 2, 0, Reason::kNone);
  activation.next_version = 4;
  activation.has_support = true;
  const Done read = Made(Kind::kReadSupport, 3, 4, 1, Reason::kNone);
  EXPECT_THAT(Violations({activation, read}), ElementsAre("version at 1"));
}

class LinearizabilityTest : public CompanyVault {
 protected:
  using UseCase = std::function<absl::Status(Attempt&, const vault::Call&)>;

  // As dispatch does: the policy is pinned for the use case, who lost a race
  // runs once more and then gives up. Written down unless it gave up.
  Reason Serve(Done done, policy::Action action, policy::PurposeNumber purpose,
               const UseCase& use_case) {
    const base::RequestId id = NewRequest();
    done.begun = ++ticks_;
    for (int run = 0; run < 2; ++run) {
      Call call = vault_.CallOf(kFull, action, purpose);
      auto attempt = vault_.NewAttempt(call);
      attempt->event().request = id;
      absl::Status status;
      {
        const PolicyTable::Pin pin =
            vault_.store().policies().table().InForce(*attempt, test::kAcme);
        call.company = pin.get();
        status = use_case(*attempt, call);
      }
      attempt->Conclude(status);
      const absl::Status committed = vault_.Commit(std::move(attempt)).status;
      if (base::ReasonOf(committed) == Reason::kConflict) continue;
      EXPECT_THAT(committed, test::IsOk());
      done.answered = ++ticks_;
      done.told = base::ReasonOf(status);
      const std::lock_guard lock(mutex_);
      history_[id] = done;
      return done.told;
    }
    return Reason::kConflict;
  }
  Reason Read(Kind kind) {
    return Serve(
        {kind}, policy::Action::kRecordGet,
        kind == Kind::kReadMarketing ? test::kMarketing : test::kSupport,
        [this](Attempt& attempt, const Call& call) {
          return ReadIn(attempt, call);
        });
  }
  // Until it was not given up.
  void Insist(const std::function<Reason()>& serve) {
    while (serve() == Reason::kConflict) {
    }
  }
  void Consent() {
    Insist([this] {
      vault_.clock().Advance(std::chrono::microseconds(1));
      return Serve({Kind::kConsent}, policy::Action::kConsentRecord,
                   test::kService, [this](Attempt& attempt, const Call& call) {
                     return vault_.store()
                         .consents()
                         .Record(attempt, call, ConsentTo("marketing"))
                         .status();
                   });
    });
  }
  void TakeBack() {
    Insist([this] {
      return Serve({Kind::kWithdraw}, policy::Action::kConsentWithdraw,
                   test::kService, [this](Attempt& attempt, const Call& call) {
                     return vault_.store()
                         .consents()
                         .Withdraw(attempt, call, ann_, "marketing")
                         .status();
                   });
    });
  }
  void SetRestriction(bool on) {
    Insist([this, on] {
      return Serve(
          {on ? Kind::kRestrict : Kind::kLift},
          on ? policy::Action::kRestrictionSet
             : policy::Action::kRestrictionLift,
          test::kService, [this, on](Attempt& attempt, const Call& call) {
            const Restrictions& all = vault_.store().restrictions();
            return on ? all.Set(attempt, call, ann_,
                                RestrictionGround::kUnlawful)
                            .status()
                      : all.Lift(attempt, call, ann_,
                                 RestrictionGround::kUnlawful, ProofOf('n'))
                            .status();
          });
    });
  }
  void Activate(uint32_t version, const policy::PolicyTexts& texts,
                bool has_support) {
    Insist([&] {
      Done done{Kind::kActivate};
      done.has_support = has_support;
      done.next_version = version;
      const Reason told =
          Serve(done, policy::Action::kPolicyActivate, test::kService,
                [&](Attempt& attempt, const Call& call) {
                  return vault_.store()
                      .policies()
                      .Activate(attempt, call, texts)
                      .status();
                });
      // Somebody may still be reading under all the others.
      return told == Reason::kOverloaded ? Reason::kConflict : told;
    });
  }
  void EndAccount() {
    Insist([this] {
      return Serve({Kind::kCancel}, policy::Action::kSubjectCancel,
                   test::kService, [this](Attempt& attempt, const Call& call) {
                     return vault_.store()
                         .subjects()
                         .Cancel(attempt, call, ann_)
                         .status();
                   });
    });
  }
  // All that was answered, with what the log says of it.
  History Written() {
    History all;
    const auto events = vault_.Events();
    for (size_t place = 0; place < events.size(); ++place) {
      const audit::Event& event = events[place];
      if (!event.request.has_value()) continue;
      const auto found = history_.find(*event.request);
      if (found == history_.end()) {
        ADD_FAILURE() << "of a call that was given up";
        continue;
      }
      Done done = found->second;
      done.place = place;
      done.version = event.policy_version;
      done.clause = event.clause;
      all.push_back(done);
    }
    EXPECT_EQ(all.size(), history_.size());
    return all;
  }

 private:
  base::RequestId NewRequest() {
    std::string bytes(base::RequestId::kSize, '\0');
    uint64_t number = ++requests_;
    for (size_t i = bytes.size(); number > 0; number >>= 8) {
      bytes[--i] = static_cast<char>(number & 0xff);
    }
    return *base::RequestId::FromBytes(bytes);
  }

  std::atomic<uint64_t> ticks_{0};
  std::atomic<uint64_t> requests_{0};
  std::mutex mutex_;
  std::map<base::RequestId, Done> history_;
};

TEST_F(LinearizabilityTest, ReadsThatRaceChangesAreInOneOrderWithThem) {
  constexpr int kReaders = 3;
  constexpr int kRounds = 60;
  std::vector<std::pair<policy::PolicyTexts, bool>> policies;
  for (uint32_t version = 4; version < 4 + kRounds; ++version) {
    PolicySource source = test::VaultPolicySource();
    source.version = version;
    const bool has_support = version % 2 == 1;
    if (!has_support) {
      std::erase_if(source.purposes,
                    [](const auto& of) { return of.id == "support"; });
      std::erase_if(source.uses,
                    [](const auto& of) { return of.id == "support"; });
    }
    policies.emplace_back(vault_.FilesOf(source), has_support);
  }
  std::atomic<int> changing{3};
  std::vector<std::thread> threads;
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] {
      int left = kRounds;  // some are made after the last change
      while (changing > 0 || left-- > 0) {
        Read(i % 2 == 0 ? Kind::kReadMarketing : Kind::kReadSupport);
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) {
      Consent();
      TakeBack();
    }
    Consent();
    EndAccount();
    --changing;
  });
  threads.emplace_back([&] {
    for (int i = 0; i < kRounds; ++i) SetRestriction(i % 2 == 0);
    --changing;
  });
  threads.emplace_back([&] {
    for (uint32_t i = 0; i < kRounds; ++i) {
      Activate(4 + i, policies[i].first, policies[i].second);
    }
    --changing;
  });
  for (std::thread& thread : threads) thread.join();
  const History history = Written();
  EXPECT_THAT(Violations(history), IsEmpty());
  // Both answers were given of both, or nothing was raced.
  std::map<std::pair<Kind, Reason>, int> told;
  for (const Done& done : history) ++told[{done.kind, done.told}];
  EXPECT_GT((told[{Kind::kReadMarketing, Reason::kConsentWithdrawn}]), 0);
  EXPECT_GT((told[{Kind::kReadSupport, Reason::kPurposeNotAllowed}]), 0);
  EXPECT_GT(history.size(), static_cast<size_t>(4 * kRounds));
}

}  // namespace
}  // namespace hizo::vault
