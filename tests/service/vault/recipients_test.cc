// Whom bundles may be sent to: registered once, changed only on purpose, and as
// it was written or not at all.
#include "service/vault/recipients.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "crypto/bech32.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "tests/service/vault/bundles.h"

namespace hizo::vault {
namespace {

using base::Reason;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::RowsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kShop[] = "other-shop";

// Well-formed keys of age that are points of small order (0, 1, two of order 8,
// p - 1, p, p + 1): what is sealed to them opens without a key.
std::vector<std::string> KeysOpenToAll() {
  const auto little_endian = [](uint8_t first, uint8_t middle, uint8_t last) {
    std::string point(32, static_cast<char>(middle));
    point.front() = static_cast<char>(first);
    point.back() = static_cast<char>(last);
    return point;
  };
  std::vector<std::string> keys;
  for (const std::string& point :
       {little_endian(0, 0, 0), little_endian(1, 0, 0),
        std::string(
            "\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a"
            "\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00",
            32),
        std::string(
            "\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b"
            "\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57",
            32),
        little_endian(0xec, 0xff, 0x7f), little_endian(0xed, 0xff, 0x7f),
        little_endian(0xee, 0xff, 0x7f)}) {
    keys.push_back(crypto::ToBech32("age", point));
  }
  return keys;
}

class RecipientsTest : public ::testing::Test {
 protected:
  RecipientInput Input(std::string name = kShop) const {
    return RecipientOf(std::move(name), shop_);
  }
  RecipientInput OtherKey() const { return RecipientOf(kShop, other_); }
  absl::StatusOr<std::vector<Recipient>> List(const Call& call) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().recipients().List(attempt, call);
    });
  }
  absl::StatusOr<std::vector<Recipient>> List() {
    return List(RecipientCall(vault_, Action::kRecipientList));
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto all = List();
    EXPECT_THAT(all, IsOk());
    if (!all.ok()) return names;
    for (const Recipient& one : *all) names.push_back(one.name);
    return names;
  }
  std::vector<storage::Row> Rows() const {
    return RowsOf(const_cast<RecipientsTest*>(this)->vault_.data(),
                  base::kSpaceRecipient);
  }

  VaultFixture vault_;
  const crypto::AgeIdentity shop_ = crypto::AgeIdentity::Random();
  const crypto::AgeIdentity other_ = crypto::AgeIdentity::Random();
};

TEST_F(RecipientsTest, AreRegisteredUnderTheirNames) {
  const auto shop = Register(vault_, Input());
  ASSERT_THAT(shop, IsOk());
  EXPECT_TRUE(shop->changed);
  EXPECT_FALSE(shop->repeated);
  RecipientInput agency = RecipientOf("agency", other_);
  agency.kind = RecipientKind::kAgent;
  ASSERT_THAT(Register(vault_, agency), IsOk());
  const auto all = List();
  ASSERT_THAT(all, IsOk());
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[0].name, "agency");
  EXPECT_EQ((*all)[0].kind, RecipientKind::kAgent);
  EXPECT_EQ((*all)[1].name, kShop);
  EXPECT_EQ((*all)[1].key, shop_.recipient());
  EXPECT_EQ((*all)[1].agreement, "art20/2026-07");
  EXPECT_EQ((*all)[1].registered, vault_.clock().Now());
  EXPECT_EQ((*all)[1].etag, shop->etag);
  EXPECT_EQ(vault_.LastEvent().records, 2U);
}

TEST_F(RecipientsTest, AreStillThereAfterARestart) {
  const auto before = Register(vault_, Input());
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(vault_.Reopen(), IsOk());
  const auto all = List();
  ASSERT_THAT(all, IsOk());
  ASSERT_THAT(*all, SizeIs(1));
  EXPECT_EQ(all->front().etag, before->etag);
}

TEST_F(RecipientsTest, TheSameAgainChangesNothing) {
  const auto first = Register(vault_, Input());
  const auto rows = Rows();
  vault_.clock().Advance(std::chrono::hours(1));
  const auto again = Register(vault_, Input());
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->etag, first->etag);
  ASSERT_THAT(Rows(), SizeIs(1));
  EXPECT_EQ(Rows().front().value, rows.front().value);
}

TEST_F(RecipientsTest, AnotherKeyOfANameIsPutInOnPurposeOnly) {
  const auto first = Register(vault_, Input());
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Register(vault_, OtherKey()), HasReason(Reason::kAlreadyExists));
  RecipientInput wrong = OtherKey();
  wrong.etag = "0123456789abcdef";
  EXPECT_THAT(Register(vault_, wrong), HasReason(Reason::kEtagMismatch));
  EXPECT_EQ(List()->front().key, shop_.recipient());
  RecipientInput right = OtherKey();
  right.etag = first->etag;
  const auto replaced = Register(vault_, right);
  ASSERT_THAT(replaced, IsOk());
  EXPECT_TRUE(replaced->changed);
  EXPECT_NE(replaced->etag, first->etag);
  EXPECT_EQ(List()->front().key, other_.recipient());
  // The first etag is of nothing any more.
  RecipientInput back = Input();
  back.etag = first->etag;
  EXPECT_THAT(Register(vault_, back), HasReason(Reason::kEtagMismatch));
}

TEST_F(RecipientsTest, AnotherAgreementOrKindIsAChangeToo) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  RecipientInput agreement = Input();
  agreement.agreement = "art20/2027-01";
  EXPECT_THAT(Register(vault_, agreement), HasReason(Reason::kAlreadyExists));
  RecipientInput kind = Input();
  kind.kind = RecipientKind::kAuthority;
  EXPECT_THAT(Register(vault_, kind), HasReason(Reason::kAlreadyExists));
}

TEST_F(RecipientsTest, ANewOneHasNoEtagYet) {
  RecipientInput input = Input();
  input.etag = "0123456789abcdef";
  EXPECT_THAT(Register(vault_, input), HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(RecipientsTest, AreRemoved) {
  const auto first = Register(vault_, Input());
  const Call call = RecipientCall(vault_, Action::kRecipientRemove);
  EXPECT_THAT(RemoveRecipient(vault_, call, kShop, "0123456789abcdef"),
              HasReason(Reason::kEtagMismatch));
  EXPECT_THAT(RemoveRecipient(vault_, call, kShop, first->etag),
              IsOkAndHolds(false));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(RemoveRecipient(vault_, kShop),
              HasReason(Reason::kRecipientUnknown));
  // Then the name is free for another key.
  EXPECT_THAT(Register(vault_, OtherKey()), IsOk());
}

// Sent twice by a client that got no answer, or kept and sent again later.
TEST_F(RecipientsTest, ARepeatedRequestHasOneEffect) {
  Call add = RecipientCall(vault_, Action::kRecipientRegister);
  add.request = RequestOf(1);
  add.body = "add";
  const auto first = Register(vault_, add, Input());
  ASSERT_THAT(first, IsOk());
  Call remove = RecipientCall(vault_, Action::kRecipientRemove);
  remove.request = RequestOf(2);
  remove.body = "remove";
  ASSERT_THAT(RemoveRecipient(vault_, remove, kShop), IsOkAndHolds(false));
  const auto again = Register(vault_, add, Input());
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->etag, first->etag);
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_THAT(Register(vault_, OtherKey()), IsOk());
  EXPECT_THAT(RemoveRecipient(vault_, remove, kShop), IsOkAndHolds(true));
  EXPECT_THAT(Names(), ElementsAre(kShop));
  add.body = "another body";
  EXPECT_THAT(Register(vault_, add, Input()),
              HasReason(Reason::kRequestIdReused));
}

TEST_F(RecipientsTest, RefusesWhatIsNotSafeAndNothingElse) {
  std::string upper = shop_.recipient().ToText();
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  std::string mistyped = shop_.recipient().ToText();
  mistyped.back() = mistyped.back() == 'q' ? 'p' : 'q';
  for (const std::string& key :
       {std::string(), std::string("age1"), upper, mistyped, shop_.ExposeText(),
        std::string("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"),
        std::string("https://other-shop.example/key")}) {
    RecipientInput input = Input();
    input.key = key;
    EXPECT_THAT(Register(vault_, input), HasReason(Reason::kRecipientUnsafe))
        << key;
  }
  for (const std::string& key : KeysOpenToAll()) {
    RecipientInput input = Input();
    input.key = key;
    EXPECT_THAT(Register(vault_, input), HasReason(Reason::kRecipientUnsafe))
        << key;
  }
  // The company itself is nobody else.
  EXPECT_THAT(Register(vault_, Input("acme")),
              HasReason(Reason::kRecipientUnsafe));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(RecipientsTest, RefusesWhatIsNoLabel) {
  for (const std::string& name :
       {std::string(), std::string("Shop"), std::string("1shop"),
        std::string("-shop"), std::string("other shop"), std::string("a\nb"),
        std::string("店"), std::string("a\0b", 3), std::string(65, 'a')}) {
    EXPECT_THAT(Register(vault_, Input(name)), HasReason(Reason::kValueInvalid))
        << name;
  }
  for (const std::string& agreement :
       {std::string(), std::string("of last May"), std::string("<b>"),
        std::string(kAgreementSizeMax + 1, 'a')}) {
    RecipientInput input = Input();
    input.agreement = agreement;
    EXPECT_THAT(Register(vault_, input), HasReason(Reason::kValueInvalid));
  }
  RecipientInput kindless = Input();
  kindless.kind.reset();
  EXPECT_THAT(Register(vault_, kindless), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Register(vault_, Input("card-4111-1111-1111-1111")),
              HasReason(Reason::kFieldForbidden));
  EXPECT_THAT(Register(vault_, Input(std::string(64, 'a'))), IsOk());
}

TEST_F(RecipientsTest, AreABoundedNumber) {
  for (size_t i = 0; i < kRecipientsMax; ++i) {
    ASSERT_THAT(Register(vault_, Input("shop-" + std::to_string(i))), IsOk());
  }
  EXPECT_THAT(Register(vault_, Input("one-more")),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(*List(), SizeIs(kRecipientsMax));
  // Of one that is there everything goes on.
  EXPECT_THAT(Register(vault_, Input("shop-7")), IsOk());
  ASSERT_THAT(RemoveRecipient(vault_, "shop-7"), IsOk());
  EXPECT_THAT(Register(vault_, Input("one-more")), IsOk());
}

TEST_F(RecipientsTest, AreRefusedToWhoMayNot) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  for (const char* caller : {test::kClerk, test::kMaskedOnly, test::kNobody}) {
    const auto call = [&](Action action) {
      return vault_.CallOf(caller, action, kService);
    };
    EXPECT_THAT(Register(vault_, call(Action::kRecipientRegister), Input("x")),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(RemoveRecipient(vault_, call(Action::kRecipientRemove), kShop),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(List(call(Action::kRecipientList)),
                HasReason(Reason::kCallerNotEntitled));
  }
  EXPECT_THAT(Names(), ElementsAre(kShop));
}

TEST_F(RecipientsTest, EachTenantHasItsOwn) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  const Call theirs =
      vault_.CallOf(test::kOtherFull, Action::kRecipientRegister, kService);
  ASSERT_THAT(Register(vault_, theirs, OtherKey()), IsOk());
  ASSERT_THAT(RemoveRecipient(vault_,
                              vault_.CallOf(test::kOtherFull,
                                            Action::kRecipientRemove, kService),
                              kShop),
              IsOk());
  EXPECT_EQ(List()->front().key, shop_.recipient());
}

TEST_F(RecipientsTest, TheLogTellsWhoAndWhichKey) {
  const auto first = Register(vault_, Input());
  const audit::Event added = vault_.LastEvent();
  EXPECT_EQ(added.action, Action::kRecipientRegister);
  ASSERT_TRUE(added.recipient.has_value());
  EXPECT_EQ(added.recipient->name, kShop);
  EXPECT_EQ(added.recipient->key, crypto::Sha256(shop_.recipient().point()));
  EXPECT_TRUE(added.recipient->authorisation.is_nil());
  RecipientInput replacing = OtherKey();
  replacing.etag = first->etag;
  ASSERT_THAT(Register(vault_, replacing), IsOk());
  EXPECT_EQ(vault_.LastEvent().recipient->key,
            crypto::Sha256(other_.recipient().point()));
  ASSERT_THAT(RemoveRecipient(vault_, kShop), IsOk());
  EXPECT_EQ(vault_.LastEvent().recipient->name, kShop);
}

// What somebody wrote who was refused has no place in the log.
TEST_F(RecipientsTest, ARefusedNameIsNotInTheLog) {
  RecipientInput input = Input("taro-sato");
  input.key = KeysOpenToAll().front();
  EXPECT_THAT(Register(vault_, input), Not(IsOk()));
  EXPECT_FALSE(vault_.LastEvent().recipient.has_value());
  EXPECT_THAT(RemoveRecipient(vault_, "taro-sato"), Not(IsOk()));
  EXPECT_FALSE(vault_.LastEvent().recipient.has_value());
}

TEST_F(RecipientsTest, TheRowIsSealed) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  const storage::Row row = Rows().front();
  for (const std::string& clear :
       {std::string(kShop), std::string("art20"), shop_.recipient().point()}) {
    EXPECT_THAT(row.key + row.value, Not(HasSubstr(clear)));
  }
}

TEST_F(RecipientsTest, ARowThatWasTamperedWithIsNone) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  const storage::Row row = Rows().front();
  for (size_t i = 0; i < row.value.size(); i += 5) {
    std::string bad = row.value;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    test::Overwrite(vault_.data(), row.key, bad);
    EXPECT_THAT(List(), HasReason(Reason::kIntegrityFailure)) << i;
  }
  test::Overwrite(vault_.data(), row.key, row.value.substr(0, 40));
  EXPECT_THAT(Register(vault_, Input()), HasReason(Reason::kIntegrityFailure));
  test::Overwrite(vault_.data(), row.key, row.value);
  EXPECT_THAT(Names(), ElementsAre(kShop));
}

// The other key would open what is meant for this one.
TEST_F(RecipientsTest, ARowOfAnotherNameOrTenantIsNone) {
  ASSERT_THAT(Register(vault_, Input()), IsOk());
  const storage::Row shop = Rows().front();
  ASSERT_THAT(RemoveRecipient(vault_, kShop), IsOk());
  ASSERT_THAT(Register(vault_, RecipientOf("other", other_)), IsOk());
  const storage::Row other = Rows().front();
  test::Overwrite(vault_.data(), other.key, shop.value);
  EXPECT_THAT(List(), HasReason(Reason::kIntegrityFailure));
  test::Overwrite(vault_.data(), other.key, other.value);
  const Call theirs =
      vault_.CallOf(test::kOtherFull, Action::kRecipientRegister, kService);
  ASSERT_THAT(Register(vault_, theirs, Input()), IsOk());
  const storage::Row globex = Rows().back();
  ASSERT_NE(globex.key, other.key);
  test::Overwrite(vault_.data(), other.key, globex.value);
  EXPECT_THAT(List(), HasReason(Reason::kIntegrityFailure));
}

TEST_F(RecipientsTest, OfTwoWhoTakeANameAtOnceOneDoes) {
  const Call call = RecipientCall(vault_, Action::kRecipientRegister);
  auto slow = vault_.NewAttempt(call);
  const auto late = vault_.store().recipients().Register(*slow, call, Input());
  ASSERT_THAT(late, IsOk());
  ASSERT_THAT(Register(vault_, OtherKey()), IsOk());
  slow->Conclude(late.status());
  EXPECT_EQ(base::ReasonOf(vault_.Commit(std::move(slow)).status),
            Reason::kConflict);
  EXPECT_EQ(List()->front().key, other_.recipient());
}

TEST_F(RecipientsTest, OfTwoWhoTakeTheLastPlaceOneDoes) {
  for (size_t i = 1; i < kRecipientsMax; ++i) {
    ASSERT_THAT(Register(vault_, Input("shop-" + std::to_string(i))), IsOk());
  }
  const Call call = RecipientCall(vault_, Action::kRecipientRegister);
  auto slow = vault_.NewAttempt(call);
  const auto late =
      vault_.store().recipients().Register(*slow, call, Input("late"));
  ASSERT_THAT(late, IsOk());
  ASSERT_THAT(Register(vault_, Input("early")), IsOk());
  slow->Conclude(late.status());
  EXPECT_EQ(base::ReasonOf(vault_.Commit(std::move(slow)).status),
            Reason::kConflict);
  EXPECT_THAT(*List(), SizeIs(kRecipientsMax));
}

// Nothing is registered without its event, and no event tells of what is not.
TEST_F(RecipientsTest, AreRegisteredWithTheirEventOrNotAtAll) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  const size_t before = vault_.Events().size();
  EXPECT_THAT(Register(vault_, Input()), Not(IsOk()));
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(vault_.Events().size(), before);
  EXPECT_THAT(Register(vault_, Input()), IsOk());
}

}  // namespace
}  // namespace hizo::vault
