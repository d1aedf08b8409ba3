// Bundles sent to registered recipients at people's word: readable there only,
// on record with whom they went to, and over as soon as anything changes.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/minisign.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/bundle/refusal.h"
#include "tests/service/vault/audit_reports.h"
#include "tests/service/vault/bundles.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kShop[] = "other-shop";
constexpr crypto::Digest kNoFile{};

class TransmissionsTest : public ::testing::Test {
 protected:
  TransmissionsTest() {
    ann_ = NewPerson(vault_, "ann@example.com");
    const auto registered = Register(vault_, RecipientOf(kShop, shop_));
    EXPECT_THAT(registered, IsOk());
    etag_ = registered.ok() ? registered->etag : "";
  }
  ExportInput Input() const { return TransmissionOf(ann_, kShop); }
  std::unique_ptr<BundleExport> Begin() {
    return vault_.store().exports().Begin(Input()).value();
  }
  absl::StatusOr<ExportChunk> Next(BundleExport& made, size_t index) {
    return NextChunk(vault_, made, index, Action::kExportTransmit);
  }
  absl::StatusOr<ExportChunk> NextBy(const char* caller, BundleExport& made) {
    const Call call = vault_.CallOf(caller, Action::kExportTransmit, kService);
    return vault_.Run(
        call, [&](Attempt& attempt) { return made.Next(attempt, call, 0); });
  }
  // The events of the last bundle.
  std::vector<audit::Event> Sent() const {
    std::vector<audit::Event> sent;
    for (const audit::Event& event : vault_.Events()) {
      if (event.action == Action::kExportTransmit) sent.push_back(event);
    }
    return sent;
  }
  // Enough for several chunks.
  void PutMuch() {
    for (int i = 0; i < 300; ++i) {
      NewRecord record = PaymentOf(i, vault_.clock().Now());
      record.fields.push_back({"item", TextOf(std::string(3000, 'x'))});
      ASSERT_THAT(Put(vault_, ann_, std::move(record)), IsOk());
      vault_.clock().Advance(std::chrono::milliseconds(2));
    }
  }

  VaultFixture vault_;
  const crypto::AgeIdentity shop_ = crypto::AgeIdentity::Random();
  const crypto::AgeIdentity other_ = crypto::AgeIdentity::Random();
  base::SubjectId ann_;
  std::string etag_;
};

TEST_F(TransmissionsTest, AreForTheRecipientAlone) {
  const auto handed = Hand(vault_, Input());
  ASSERT_THAT(handed, IsOk());
  EXPECT_EQ(handed->receipt, crypto::Sha256(handed->file));
  EXPECT_THAT(crypto::CheckMinisign(handed->public_key,
                                    crypto::MinisignHash::Of(handed->file),
                                    handed->signature),
              IsOk());
  EXPECT_EQ(bundle::RefusalOf(OpenWith(other_, *handed).status()),
            bundle::Refusal::kOtherRecipient);
  const auto opened = OpenWith(shop_, *handed);
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened->all, HasSubstr("ann@example.com"));
}

TEST_F(TransmissionsTest, HoldWhatMayBeTakenElsewhereAndNoMore) {
  ASSERT_THAT(Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  const auto handed = Hand(vault_, Input());
  ASSERT_THAT(handed, IsOk());
  const auto opened = OpenWith(shop_, *handed);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->verified.manifest.about.selection,
            bundle::Selection::kPortability);
  EXPECT_THAT(opened->all, Not(HasSubstr("\"4242\"")));
  // Nor who had asked what of her.
  for (const auto& [name, content] : opened->members) {
    EXPECT_THAT(name, Not(HasSubstr("access-"))) << name;
    EXPECT_THAT(content, Not(HasSubstr(kFull))) << name;
  }
  EXPECT_FALSE(opened->verified.manifest.about.proof.has_value());
  EXPECT_THAT(opened->verified.manifest_json, Not(HasSubstr("\"entry\"")));
  ExportInput access = Input();
  access.selection = bundle::Selection::kAccess;
  EXPECT_THAT(Hand(vault_, access), HasReason(Reason::kValueInvalid));
}

TEST_F(TransmissionsTest, AreOnRecordWithTheRecipientAndTheReceipt) {
  PutMuch();
  const auto handed = Hand(vault_, Input());
  ASSERT_THAT(handed, IsOk());
  const std::vector<audit::Event> sent = Sent();
  ASSERT_GT(sent.size(), 2U);
  ASSERT_THAT(sent, SizeIs(handed->chunks));
  for (const audit::Event& event : sent) {
    EXPECT_EQ(event.outcome, audit::Outcome::kAllowed);
    ASSERT_TRUE(event.recipient.has_value());
    EXPECT_EQ(event.recipient->name, kShop);
    EXPECT_EQ(event.recipient->key, crypto::Sha256(shop_.recipient().point()));
    EXPECT_EQ(event.recipient->authorisation, AuthorisationOf('a'));
    EXPECT_EQ(event.recipient->file,
              &event == &sent.back() ? *handed->receipt : kNoFile);
  }
}

TEST_F(TransmissionsTest, AreRefusedForANameThatIsNotRegistered) {
  for (const std::string& name :
       {std::string("nobody"), std::string(), std::string("Other-Shop"),
        shop_.recipient().ToText(), std::string("taro sato")}) {
    EXPECT_THAT(Hand(vault_, TransmissionOf(ann_, name)),
                HasReason(Reason::kRecipientUnknown))
        << name;
    // Nor is what was written in the log.
    EXPECT_FALSE(vault_.LastEvent().recipient.has_value());
    EXPECT_EQ(vault_.LastEvent().reason, Reason::kRecipientUnknown);
  }
  const Call theirs =
      vault_.CallOf(test::kOtherFull, Action::kRecipientRegister, kService);
  ASSERT_THAT(Register(vault_, theirs, RecipientOf("theirs", other_)), IsOk());
  EXPECT_THAT(Hand(vault_, TransmissionOf(ann_, "theirs")),
              HasReason(Reason::kRecipientUnknown));
}

TEST_F(TransmissionsTest, NeedThePersonsWord) {
  ExportInput input = Input();
  input.transmission->authorisation = {};
  EXPECT_THAT(Hand(vault_, input), HasReason(Reason::kValueInvalid));
}

// Who may not send learns neither who is there nor who is registered.
TEST_F(TransmissionsTest, AreRefusedToWhoMayNot) {
  for (const char* caller : {test::kClerk, test::kMaskedOnly, test::kNobody}) {
    EXPECT_THAT(NextBy(caller, *Begin()),
                HasReason(Reason::kCallerNotEntitled));
    const auto unknown =
        vault_.store().exports().Begin(TransmissionOf(ann_, "nobody")).value();
    EXPECT_THAT(NextBy(caller, *unknown),
                HasReason(Reason::kCallerNotEntitled));
  }
  EXPECT_THAT(NextBy(test::kOtherFull, *Begin()),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(TransmissionsTest, EndWhenTheRecipientIsRemoved) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  ASSERT_THAT(RemoveRecipient(vault_, kShop), IsOk());
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kRecipientUnknown));
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kRecipientUnknown));
}

TEST_F(TransmissionsTest, EndWhenTheKeyIsReplaced) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  RecipientInput replacing = RecipientOf(kShop, other_);
  replacing.etag = etag_;
  ASSERT_THAT(Register(vault_, replacing), IsOk());
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kConflict));
  // A new one is for the new key.
  const auto handed = Hand(vault_, Input());
  ASSERT_THAT(handed, IsOk());
  EXPECT_THAT(OpenWith(other_, *handed), IsOk());
  EXPECT_THAT(OpenWith(shop_, *handed), Not(IsOk()));
}

TEST_F(TransmissionsTest, GoOnUnderAnotherAgreement) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  RecipientInput renewed = RecipientOf(kShop, shop_);
  renewed.agreement = "art20/2027-01";
  renewed.etag = etag_;
  ASSERT_THAT(Register(vault_, renewed), IsOk());
  EXPECT_THAT(Next(*made, 1), IsOk());
}

TEST_F(TransmissionsTest, EndWhenThePersonIsErased) {
  PutMuch();
  const auto made = Begin();
  const auto first = Next(*made, 0);
  ASSERT_THAT(first, IsOk());
  ASSERT_FALSE(first->last);
  ASSERT_THAT(Erase(vault_, ann_), IsOk());
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kSubjectNotFound));
  // What came until then is no bundle.
  Handed part;
  part.file = first->bytes;
  part.public_key = vault_.store().exports().public_key();
  EXPECT_THAT(OpenWith(shop_, part), Not(IsOk()));
}

TEST_F(TransmissionsTest, EndWhenTheRowIsTamperedWith) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  const auto row = test::RowsOf(vault_.data(), base::kSpaceRecipient).front();
  std::string bad = row.value;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  test::Overwrite(vault_.data(), row.key, bad);
  EXPECT_THAT(Next(*made, 1), HasReason(Reason::kIntegrityFailure));
  EXPECT_THAT(Next(*Begin(), 0), HasReason(Reason::kIntegrityFailure));
}

// An attempt that lost a race runs again.
TEST_F(TransmissionsTest, AChunkMadeAgainCountsOnceInTheReceipt) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  auto chunk = Next(*made, 0);
  std::string file;
  size_t index = 0;
  while (chunk.ok() && !chunk->last) {
    file += chunk->bytes;
    EXPECT_FALSE(chunk->receipt.has_value());
    ++index;
    ASSERT_THAT(Next(*made, index), IsOk());
    chunk = Next(*made, index);
  }
  ASSERT_THAT(chunk, IsOk());
  file += chunk->bytes;
  EXPECT_EQ(chunk->receipt, crypto::Sha256(file));
}

TEST_F(TransmissionsTest, AnOrdinaryExportHasNoReceipt) {
  ExportInput input;
  input.subject = ann_;
  input.recipient = other_.recipient().ToText();
  const auto handed = Hand(vault_, input);
  ASSERT_THAT(handed, IsOk());
  EXPECT_FALSE(handed->receipt.has_value());
  EXPECT_FALSE(vault_.LastEvent().recipient.has_value());
}

// GDPR 15(1)(c), long after the recipient is gone. Whoever carried the file
// could not read it.
TEST_F(TransmissionsTest, ThePersonIsToldToWhom) {
  ASSERT_THAT(Hand(vault_, Input()), IsOk());
  ASSERT_THAT(Hand(vault_, Input()), IsOk());
  ASSERT_THAT(RemoveRecipient(vault_, kShop), IsOk());
  ExportInput report;
  report.subject = ann_;
  report.selection = bundle::Selection::kAccess;
  report.recipient = other_.recipient().ToText();
  const auto handed = Hand(vault_, report);
  ASSERT_THAT(handed, IsOk());
  const auto opened = OpenWith(other_, *handed);
  ASSERT_THAT(opened, IsOk());
  const std::string& told = opened->members.at("access-report.json");
  EXPECT_THAT(told, AllOf(HasSubstr("\"recipients\": []"),
                          HasSubstr("\"recipient\": \"other-shop\""),
                          HasSubstr("\"bundles\": 2")));
  EXPECT_THAT(opened->members.at("access-history-0001.ndjson"),
              AllOf(HasSubstr(R"("action":"export.transmit")"),
                    HasSubstr(R"("recipient":"other-shop")")));
  AccessHistoryInput asked;
  asked.subject = ann_;
  const auto history = ReadHistory(vault_, asked);
  ASSERT_THAT(history, IsOk());
  const auto entry = std::ranges::find(
      history->entries, Action::kExportTransmit, &HistoryEntry::action);
  ASSERT_NE(entry, history->entries.end());
  EXPECT_EQ(entry->recipient, kShop);
  EXPECT_THAT(entry->what, HasSubstr("as you had asked"));
}

TEST_F(TransmissionsTest, APartAloneIsToldAsNoBundle) {
  PutMuch();
  const auto made = Begin();
  ASSERT_THAT(Next(*made, 0), IsOk());
  ExportInput report;
  report.subject = ann_;
  report.selection = bundle::Selection::kAccess;
  report.recipient = other_.recipient().ToText();
  const auto opened = OpenWith(other_, Hand(vault_, report).value());
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT(opened->members.at("access-report.json"),
              AllOf(HasSubstr("\"recipient\": \"other-shop\""),
                    HasSubstr("\"bundles\": 0")));
}

}  // namespace
}  // namespace hizo::vault
