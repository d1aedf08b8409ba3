// Scenarios 39 to 41 of the requirements: taking data along and being told all
// of it, with other people's data in between, and to another company.
#include <string>
#include <utility>

#include "crypto/bech32.h"
#include "crypto/minisign.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/bundle/refusal.h"
#include "tests/service/vault/bundles.h"

namespace hizo::vault {
namespace {

using base::Reason;
using bundle::Selection;
using policy::Export;
using policy::FieldSpec;
using test::HasReason;
using test::IsOk;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

ExportInput InputOf(base::SubjectId subject, Selection selection,
                    const std::string& key) {
  return {subject, selection, bundle::Language::kEnglish, key};
}

FieldSpec Field(policy::FieldNumber number, std::string name, Export kind) {
  FieldSpec field;
  field.number = number;
  field.class_number = static_cast<policy::ClassNumber>(number / 100);
  field.name = std::move(name);
  field.size_max = 4096;
  field.export_kind = kind;
  field.purposes.set(kService);
  return field;
}

policy::ClassSpec Series(policy::ClassNumber number, std::string name) {
  policy::ClassSpec spec;
  spec.number = number;
  spec.name = std::move(name);
  spec.series = true;
  return spec;
}

NewRecord EventOf(std::string record_class, const TextFields& fields) {
  NewRecord record = RecordOf(std::move(record_class), fields);
  record.event_time = base::FromMicros(1'700'000'000'000'000);
  return record;
}

class BundleScenariosTest : public ::testing::Test {
 protected:
  // i7relay's logs of usage: kept on a contract, and for the legitimate
  // interest of security. iotone's posts: the person's own, and other people's.
  static VaultFixture::Options Options() {
    VaultFixture::Options options;
    options.amend = [](policy::CatalogueSource& source) {
      source.classes.push_back(Series(8, "usage"));
      source.classes.push_back(Series(10, "social"));
      FieldSpec calls = Field(801, "call_count", Export::kPortable);
      calls.source = policy::Source::kObserved;
      source.fields.push_back(std::move(calls));
      FieldSpec address = Field(802, "ip_address", Export::kAccessOnly);
      address.source = policy::Source::kObserved;
      address.interest_only = true;
      source.fields.push_back(std::move(address));
      source.fields.push_back(
          Field(1001, "own_timeline_item", Export::kPortable));
      source.fields.push_back(
          Field(1002, "third_party_timeline_item", Export::kNever));
      FieldSpec token = Field(303, "payment_token", Export::kNever);
      token.sensitivity = policy::Sensitivity::kCredential;
      source.fields.push_back(std::move(token));
    };
    return options;
  }
  BundleScenariosTest() : vault_(Options()) {
    ann_ = NewPerson(vault_, "ann@example.com");
  }
  Opened Of(Selection selection) {
    const auto handed =
        Hand(vault_, InputOf(ann_, selection, identity_.recipient().ToText()));
    EXPECT_THAT(handed, IsOk());
    auto opened = OpenWith(identity_, *handed);
    EXPECT_THAT(opened, IsOk());
    return opened.ok() ? *std::move(opened) : Opened();
  }
  static auto Withheld(const std::string& field, const std::string& why,
                       uint64_t count) {
    return Contains(AllOf(::testing::Field(&bundle::Withheld::field, field),
                          ::testing::Field(&bundle::Withheld::why, why),
                          ::testing::Field(&bundle::Withheld::count, count)));
  }

  VaultFixture vault_;
  const crypto::AgeIdentity identity_ = crypto::AgeIdentity::Random();
  base::SubjectId ann_;
};

TEST_F(BundleScenariosTest, Scenario39PortabilityAgainstAccess) {
  ASSERT_THAT(Put(vault_, ann_,
                  EventOf("usage", {{"call_count", "12"},
                                    {"ip_address", "203.0.113.7"}})),
              IsOk());
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("billing", {{"payment_token", "tok_secret"}})),
      IsOk());
  ASSERT_THAT(Get(vault_, ann_, "profile", {"full_name"}), IsOk());

  const Opened portable = Of(Selection::kPortability);
  EXPECT_THAT(portable.all,
              AllOf(HasSubstr("Ann Other"), HasSubstr(R"("call_count":"12")"),
                    Not(HasSubstr("203.0.113.7"))));
  EXPECT_THAT(portable.verified.manifest.withheld,
              Withheld("usage.ip_address", "interest_only", 1));
  EXPECT_THAT(portable.all,
              HasSubstr(R"("sources":{"call_count":"observed"})"));
  EXPECT_EQ(portable.members.count("access-report.json"), 0U);

  const Opened access = Of(Selection::kAccess);
  EXPECT_THAT(access.all, AllOf(HasSubstr("Ann Other"),
                                HasSubstr(R"("ip_address":"203.0.113.7")")));
  // Who was given something, how long it is kept, what for.
  const std::string& report = access.members.at("access-report.json");
  EXPECT_THAT(report,
              AllOf(HasSubstr("\"recipients\""), HasSubstr(kFull),
                    HasSubstr("\"retention\""), HasSubstr("\"purposes\"")));
  // Secrets are described in both and shown in neither.
  for (const Opened& opened : {portable, access}) {
    EXPECT_THAT(opened.all, Not(HasSubstr("tok_secret")));
    EXPECT_THAT(opened.verified.manifest.withheld,
                Withheld("billing.payment_token", "secret", 1));
  }
}

TEST_F(BundleScenariosTest, Scenario40PortabilityWithThirdPartyPosts) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Put(vault_, ann_,
                    EventOf("social", {{"own_timeline_item",
                                        "my post " + std::to_string(i)}})),
                IsOk());
  }
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(
        Put(vault_, ann_,
            EventOf("social", {{"third_party_timeline_item",
                                "what Bob wrote " + std::to_string(i)}})),
        IsOk());
  }
  for (const Selection selection :
       {Selection::kPortability, Selection::kAccess}) {
    const Opened opened = Of(selection);
    // The owner's are whole.
    for (const char* post : {"my post 0", "my post 1", "my post 2"}) {
      EXPECT_THAT(opened.members.at("social-0001.ndjson"), HasSubstr(post));
    }
    EXPECT_EQ(opened.verified.manifest.records.at("social"), 3U);
    // Of the others', how many there are.
    EXPECT_THAT(opened.all, Not(HasSubstr("what Bob wrote")));
    EXPECT_THAT(opened.verified.manifest.withheld,
                Withheld("social.third_party_timeline_item", "third_party", 5));
  }
}

TEST_F(BundleScenariosTest, Scenario41DirectTransmissionToAnotherCompany) {
  // The other company's vault trusts ours; its key is registered here.
  VaultFixture::Options theirs = Options();
  theirs.trusted_vaults = {vault_.store().exports().public_key()};
  VaultFixture other(theirs);
  const crypto::AgeIdentity company = crypto::AgeIdentity::Random();
  ASSERT_THAT(
      Put(vault_, ann_, RecordOf("billing", {{"payment_token", "tok_secret"}})),
      IsOk());
  // Nobody is refused but whom it would not be safe to send to, with the
  // reason: a key that is none, or that everybody has.
  for (const std::string& unsafe :
       {std::string(), std::string("-"), std::string("http://company.example"),
        crypto::ToBech32("age", std::string(32, '\0'))}) {
    RecipientInput input = RecipientOf("new-company", company);
    input.key = unsafe;
    EXPECT_THAT(Register(vault_, input), HasReason(Reason::kRecipientUnsafe));
  }
  EXPECT_THAT(Hand(vault_, TransmissionOf(ann_, "new-company")),
              HasReason(Reason::kRecipientUnknown));
  ASSERT_THAT(Register(vault_, RecipientOf("new-company", company)), IsOk());

  const auto handed = Hand(vault_, TransmissionOf(ann_, "new-company"));
  ASSERT_THAT(handed, IsOk());
  // The receipt is of what is sent, and stands in the log beside to whom.
  EXPECT_EQ(handed->receipt, crypto::Sha256(handed->file));
  ASSERT_TRUE(vault_.LastEvent().recipient.has_value());
  EXPECT_EQ(vault_.LastEvent().recipient->name, "new-company");
  EXPECT_EQ(vault_.LastEvent().recipient->file, *handed->receipt);
  // Whoever carries it reads nothing.
  EXPECT_EQ(bundle::RefusalOf(OpenWith(identity_, *handed).status()),
            bundle::Refusal::kOtherRecipient);
  // The company verifies it, and takes the person in.
  EXPECT_THAT(crypto::CheckMinisign(handed->public_key,
                                    crypto::MinisignHash::Of(handed->file),
                                    handed->signature),
              IsOk());
  const auto opened = OpenWith(company, *handed);
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened->all, AllOf(HasSubstr("ann@example.com"),
                                 Not(HasSubstr("tok_secret"))));
  ImportPiece piece;
  piece.manifest = opened->verified.manifest_json;
  piece.signature = opened->verified.signature;
  piece.member = "profile.json";
  piece.content = opened->members.at("profile.json");
  const Call call = FullCall(other, Action::kExportImport);
  EXPECT_THAT(other.Run(call,
                        [&](Attempt& attempt) {
                          return other.store().imports().Take(attempt, call,
                                                              piece);
                        }),
              IsOk());
  const auto found = Find(other, "account.email", "ann@example.com");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->size(), 1U);
}

}  // namespace
}  // namespace hizo::vault
