// What people have said about the use of their data, in the bundles that they
// are handed, and in no one else's.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/statements.h"
#include "service/vault/export_report.h"
#include "tests/service/vault/bundles.h"
#include "tests/service/vault/company_vault.h"

namespace hizo::vault {
namespace {

using bundle::Selection;
using test::IsOk;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOffers[] = "marketing";

class BundledStatementsTest : public CompanyVault {
 protected:
  Opened Of(Selection selection) {
    const auto handed =
        Hand(vault_, {ann_, selection, bundle::Language::kEnglish,
                      identity_.recipient().ToText()});
    EXPECT_THAT(handed, IsOk());
    if (!handed.ok()) return {};
    auto opened = OpenWith(identity_, *handed);
    EXPECT_THAT(opened, IsOk());
    return opened.ok() ? *std::move(opened) : Opened();
  }
  const crypto::AgeIdentity identity_ = crypto::AgeIdentity::Random();
};

TEST_F(BundledStatementsTest, AreToldAsTheyWereMade) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  const std::string given = bundle::TimeText(vault_.clock().Now());
  Wait();
  ASSERT_THAT(Withdraw(kOffers), IsOk());
  const std::string withdrawn = bundle::TimeText(vault_.clock().Now());
  Wait();
  ASSERT_THAT(Object({.purpose = "", .direct_marketing = true}), IsOk());
  for (const Selection selection :
       {Selection::kPortability, Selection::kAccess}) {
    const Opened opened = Of(selection);
    EXPECT_THAT(opened.members.at("consents.json"),
                AllOf(HasSubstr(R"("purpose": "marketing")"),
                      HasSubstr(R"("channel": "web")"),
                      HasSubstr("\"given\": \"" + given),
                      HasSubstr("\"withdrawn\": \"" + withdrawn),
                      HasSubstr(base::ToText(ProofOf('e')))));
    EXPECT_EQ(opened.members.at("consents.schema.json"),
              bundle::ConsentsSchema());
    EXPECT_THAT(
        opened.verified.manifest.members,
        AllOf(Contains(Field(&bundle::Listed::name, "consents.json")),
              Contains(Field(&bundle::Listed::name, "consents.schema.json"))));
    EXPECT_THAT(opened.members.at("index.html"),
                AllOf(HasSubstr("What you have agreed and objected to"),
                      HasSubstr("Direct marketing as such")));
  }
}

TEST_F(BundledStatementsTest, AreThereOfWhoSaidNothing) {
  const Opened opened = Of(Selection::kPortability);
  EXPECT_THAT(opened.members.at("consents.json"),
              HasSubstr("\"consents\": []"));
  EXPECT_THAT(opened.members.at("index.html"),
              Not(HasSubstr("What you have agreed")));
}

// What was said to one company is nothing that another may rest on.
TEST_F(BundledStatementsTest, AreNotSentToAnotherCompany) {
  ASSERT_THAT(Record(ConsentTo(kOffers)), IsOk());
  ASSERT_THAT(Register(vault_, RecipientOf("other-shop", identity_)), IsOk());
  const auto handed = Hand(vault_, TransmissionOf(ann_, "other-shop"));
  ASSERT_THAT(handed, IsOk());
  const auto opened = OpenWith(identity_, *handed);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->members.count("consents.json"), 0U);
  EXPECT_THAT(opened->all, Not(HasSubstr("What you have agreed")));
}

TEST_F(BundledStatementsTest, EveryWordHasAName) {
  Statements said;
  for (const Channel channel :
       {Channel::kWeb, Channel::kApp, Channel::kEmail, Channel::kPhone,
        Channel::kPaper, Channel::kInPerson}) {
    Consent consent;
    consent.purpose = kService;
    consent.channel = channel;
    said.consents.push_back(consent);
  }
  for (const ObjectionGround ground :
       {ObjectionGround::kNone, ObjectionGround::kCompelling,
        ObjectionGround::kLegalClaims, ObjectionGround::kPublicInterest}) {
    Objection objection;
    objection.purpose = 63;  // of no catalogue any more
    objection.state = ground == ObjectionGround::kNone
                          ? ObjectionState::kOpen
                          : ObjectionState::kRejected;
    objection.ground = ground;
    said.objections.push_back(objection);
  }
  for (const RestrictionGround ground :
       {RestrictionGround::kAccuracyContested, RestrictionGround::kUnlawful,
        RestrictionGround::kNeededForClaims,
        RestrictionGround::kObjectionPending}) {
    said.restrictions.push_back({ground, vault_.clock().Now()});
  }
  bundle::About about;
  const std::string json =
      bundle::ConsentsJson(about, StatementsOf(vault_.catalogue(), said));
  for (const char* word :
       {"\"web\"", "\"app\"", "\"email\"", "\"phone\"", "\"paper\"",
        "\"in_person\"", "\"service\"", "\"A purpose.\"", "\"open\"",
        "\"rejected\"", "\"compelling\"", "\"legal_claims\"",
        "\"public_interest\"", "\"purpose_63\"", "\"accuracy_contested\"",
        "\"unlawful\"", "\"needed_for_claims\"", "\"objection_pending\""}) {
    EXPECT_THAT(json, HasSubstr(word));
  }
}

}  // namespace
}  // namespace hizo::vault
