#include "tests/integration/ledger.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/requests.h"

namespace hizo::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Found = Ledger::Found;
using Kind = Ledger::Kind;

class LedgerTest : public ::testing::Test {
 protected:
  // An event of the request; `effects` is what it wrote.
  audit::Event EventOf(const std::string& request, size_t effects) const {
    audit::Event event;
    event.request = base::ParseId<base::RequestId>(request);
    event.writes.resize(effects);
    return event;
  }
  void Answer(const std::string& request, Kind kind) {
    ledger_.Sent(request, kind);
    ledger_.Answered(request);
  }

  Ledger ledger_;
  const std::string id_ = NewUuid();
};

TEST_F(LedgerTest, AgreesWhereEverythingFits) {
  const std::string read = NewUuid();
  Answer(id_, Kind::kWrite);
  Answer(read, Kind::kRead);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 2), EventOf(read, 0)}), IsEmpty());
  EXPECT_EQ(ledger_.answered(), 2U);
  EXPECT_EQ(ledger_.unanswered(), 0U);
}

TEST_F(LedgerTest, AcceptsEitherFateOfAnUnansweredCall) {
  ledger_.Sent(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({}), IsEmpty());
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1)}), IsEmpty());
  EXPECT_EQ(ledger_.unanswered(), 1U);
}

TEST_F(LedgerTest, AcceptsARepeatThatHadNoFurtherEffect) {
  ledger_.Sent(id_, Kind::kWrite);
  ledger_.Saw(id_, Found::kDone);
  Answer(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1), EventOf(id_, 0)}), IsEmpty());
}

TEST_F(LedgerTest, MissesTheEventOfAnAnsweredCall) {
  Answer(id_, Kind::kRead);
  EXPECT_THAT(ledger_.Compare({}), ElementsAre(HasSubstr("without an event")));
}

TEST_F(LedgerTest, MissesTheEffectOfAnAnsweredWrite) {
  Answer(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 0)}),
              ElementsAre(HasSubstr("never took effect")));
}

TEST_F(LedgerTest, FindsAWriteThatTookEffectTwice) {
  Answer(id_, Kind::kWrite);
  Answer(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1), EventOf(id_, 1)}),
              ElementsAre(HasSubstr("twice")));
}

TEST_F(LedgerTest, FindsAWriteThatWasDoneWithoutAnEvent) {
  ledger_.Sent(id_, Kind::kWrite);
  ledger_.Saw(id_, Found::kDone);
  Answer(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1)}),
              ElementsAre(HasSubstr("without an event")));
}

TEST_F(LedgerTest, FindsAnEventOfAWriteThatWasNotDone) {
  ledger_.Sent(id_, Kind::kWrite);
  ledger_.Saw(id_, Found::kNotDone);
  Answer(id_, Kind::kWrite);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1), EventOf(id_, 0)}),
              ElementsAre(HasSubstr("not done")));
}

TEST_F(LedgerTest, FindsAnEventOfACallThatWasRefused) {
  ledger_.Sent(id_, Kind::kRead);
  ledger_.Refused(id_);
  EXPECT_THAT(ledger_.Compare({}), IsEmpty());
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 0)}),
              ElementsAre(HasSubstr("not made")));
}

TEST_F(LedgerTest, FindsAnEventThatNobodyAskedFor) {
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 0)}),
              ElementsAre(HasSubstr("unknown")));
}

TEST_F(LedgerTest, FindsAReadThatWrote) {
  Answer(id_, Kind::kRead);
  EXPECT_THAT(ledger_.Compare({EventOf(id_, 1)}),
              ElementsAre(HasSubstr("a read had an effect")));
}

}  // namespace
}  // namespace hizo::test
