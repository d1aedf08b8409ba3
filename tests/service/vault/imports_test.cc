// Bundles taken in: what one vault hands out another holds, byte for byte, and
// what no vault handed out nobody holds.
#include "service/vault/imports.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "crypto/age.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "service/bundle/documents.h"
#include "service/bundle/reader.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Pii;
using base::Reason;
using test::HasReason;
using test::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kPiece = 7;  // records

// A bundle, opened.
struct Opened {
  bundle::Verified verified;
  std::map<std::string, std::string> members;
};

Opened ExportOf(VaultFixture& vault, base::SubjectId subject) {
  crypto::AgeOpeners openers;
  openers.identities.push_back(crypto::AgeIdentity::Random());
  auto made = vault.store()
                  .exports()
                  .Begin({subject, bundle::Selection::kAccess,
                          bundle::Language::kEnglish,
                          openers.identities.front().recipient().ToText()})
                  .value();
  std::string file;
  bool last = false;
  for (size_t index = 0; !last; ++index) {
    const Call call = FullCall(vault, Action::kExportBundle);
    const auto chunk = vault.Run(call, [&](Attempt& attempt) {
      return made->Next(attempt, call, index);
    });
    EXPECT_THAT(chunk, IsOk());
    if (!chunk.ok()) return {};
    file += chunk->bytes;
    last = chunk->last;
  }
  Opened opened;
  bool given = false;
  opened.verified =
      bundle::ReadBundle(
          [&]() -> absl::StatusOr<std::string> {
            return std::exchange(given, true) ? std::string() : file;
          },
          std::move(openers), vault.store().exports().public_key(),
          [&](const bundle::Member& member) {
            opened.members[member.name] = member.content;
            return absl::OkStatus();
          })
          .value();
  return opened;
}

// What the records of a bundle say, without what each vault names itself.
std::vector<std::string> ContentOf(const Opened& opened) {
  std::vector<std::string> content;
  for (const auto& [name, bytes] : opened.members) {
    const auto records =
        bundle::RecordsOf(opened.verified.manifest, {name, bytes});
    EXPECT_THAT(records, IsOk());
    if (!records.ok()) continue;
    for (const bundle::Record& record : *records) {
      std::string text = record.record_class;
      if (record.event_time.has_value()) {
        text += " " + bundle::TimeText(*record.event_time);
      }
      for (const bundle::Field& field : record.fields) {
        text += "\n" + field.name + "=" + std::string(field.json.Reveal());
      }
      content.push_back(std::move(text));
    }
  }
  return content;
}

ImportPiece PieceOf(const Opened& opened, const std::string& member) {
  ImportPiece piece;
  piece.manifest = opened.verified.manifest_json;
  piece.signature = opened.verified.signature;
  piece.member = member;
  piece.content = opened.members.at(member);
  return piece;
}

absl::StatusOr<ImportedPiece> Take(VaultFixture& vault, const Call& call,
                                   const ImportPiece& piece) {
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().imports().Take(attempt, call, piece);
  });
}
absl::StatusOr<ImportedPiece> Take(VaultFixture& vault,
                                   const ImportPiece& piece) {
  return Take(vault, FullCall(vault, Action::kExportImport), piece);
}

// As `hizo bundle import` does. A request id for each piece, if `first_id` is
// not 0.
absl::StatusOr<base::SubjectId> ImportAll(VaultFixture& vault,
                                          const Opened& opened,
                                          uint8_t first_id = 0) {
  const auto next = [&vault, &first_id](const ImportPiece& piece) {
    Call call = FullCall(vault, Action::kExportImport);
    if (first_id != 0) call.request = RequestOf(first_id++);
    call.body = piece.member;
    return Take(vault, call, piece);
  };
  const auto made = next(PieceOf(opened, bundle::kProfileName));
  if (!made.ok()) return made.status();
  for (const auto& [name, content] : opened.members) {
    if (!name.ends_with(".ndjson") || name.starts_with("access-")) continue;
    const auto records = static_cast<size_t>(std::ranges::count(content, '\n'));
    for (size_t at = 0; at < records; at += kPiece) {
      ImportPiece piece = PieceOf(opened, name);
      piece.subject = made->subject;
      piece.first = at;
      piece.count = std::min(kPiece, records - at);
      const auto taken = next(piece);
      if (!taken.ok()) return taken.status();
    }
  }
  return made->subject;
}

Value AddressOf(std::mt19937& random) {
  Address address;
  address.country = "JP";
  if (random() % 2 == 0) address.postal_code = Pii("100-0001");
  if (random() % 2 == 0) address.region = Pii("東京都");
  for (size_t i = 0; i < random() % 4; ++i) address.lines.emplace_back("1-1");
  return address;
}

// Somebody with values of every kind, drawn by lot.
std::vector<NewRecord> RandomPerson(std::mt19937& random) {
  const auto maybe = [&random] { return random() % 3 != 0; };
  std::vector<NewRecord> records;
  records.push_back(RecordOf(
      "account", {{"email", "p" + std::to_string(random()) + "@example.com"}}));
  if (maybe()) records.back().fields.push_back({"plan", TextOf("paid")});
  NewRecord profile =
      RecordOf("profile", {{"full_name", "佐藤 \"T\" \\ & <b>"}});
  const auto add = [&](const char* name, Value value) {
    if (maybe()) profile.fields.push_back({name, std::move(value)});
  };
  add("birth_date", TextOf("1990-02-28"));
  add("address", AddressOf(random));
  add("note", TextOf("=1+1\n\ttab, \"quote\"; end"));
  add("newsletter", random() % 2 == 0);
  add("points", static_cast<int64_t>(random()) - (int64_t{1} << 31));
  add("photo", Blob{Pii(std::string("\0\xff\x80", 3))});
  add("settings",
      Json{Pii(random() % 2 == 0 ? R"({"a":[1,2.5]})" : R"({ "a" : 1e3 })")});
  add("last_seen", base::FromMicros(1'700'000'000'123'456));
  records.push_back(std::move(profile));
  if (maybe()) {
    NewRecord billing = RecordOf("billing", {{"card_last4", "4242"}});
    billing.fields.push_back({"balance", Money{"JPY", -100}});
    records.push_back(std::move(billing));
  }
  const size_t payments = random() % 30;
  for (size_t i = 0; i < payments; ++i) {
    NewRecord payment =
        PaymentOf(static_cast<int64_t>(random()),
                  base::FromMicros(1'700'000'000'000'000 +
                                   static_cast<int64_t>(random() % 1'000'000)));
    if (maybe()) payment.fields.push_back({"item", TextOf("@SUM(A1)")});
    records.push_back(std::move(payment));
  }
  return records;
}

class ImportsTest : public ::testing::Test {
 protected:
  static VaultFixture::Options Trusting(const VaultFixture& other) {
    VaultFixture::Options options;
    options.trusted_vaults = {
        const_cast<VaultFixture&>(other).store().exports().public_key()};
    return options;
  }
  VaultFixture from_;
  VaultFixture to_{Trusting(from_)};
};

// Round trip: out of one vault, into an empty one, out of that again.
TEST_F(ImportsTest, WhatComesOutGoesInAndComesOutTheSame) {
  std::mt19937 random(20'261'126);
  for (int round = 0; round < 40; ++round) {
    const auto person = Create(from_, RandomPerson(random));
    ASSERT_THAT(person, IsOk());
    const Opened first = ExportOf(from_, person->subject);
    const auto imported = ImportAll(to_, first);
    ASSERT_THAT(imported, IsOk()) << "round " << round;
    const Opened second = ExportOf(to_, *imported);
    EXPECT_EQ(ContentOf(first), ContentOf(second)) << "round " << round;
    EXPECT_EQ(first.verified.manifest.records,
              second.verified.manifest.records);
    // Another vault, another person, another signature.
    EXPECT_NE(first.verified.manifest.about.subject,
              second.verified.manifest.about.subject);
  }
}

TEST_F(ImportsTest, ARepeatChangesNothing) {
  std::mt19937 random(7);
  const auto person = Create(from_, RandomPerson(random));
  const Opened bundle = ExportOf(from_, person->subject);
  const auto once = ImportAll(to_, bundle, 1);
  ASSERT_THAT(once, IsOk());
  const auto twice = ImportAll(to_, bundle, 1);
  ASSERT_THAT(twice, IsOk());
  EXPECT_EQ(*once, *twice);
  EXPECT_EQ(ContentOf(ExportOf(to_, *once)), ContentOf(bundle));
}

TEST_F(ImportsTest, RefusesVaultsThatNobodyTrusts) {
  const base::SubjectId ann = NewPerson(to_, "ann@example.com");
  // The first vault trusts itself only.
  EXPECT_THAT(Take(from_, PieceOf(ExportOf(to_, ann), bundle::kProfileName)),
              HasReason(Reason::kIntegrityFailure));
  // The other one trusts itself, too.
  ImportPiece own = PieceOf(ExportOf(to_, ann), bundle::kProfileName);
  EXPECT_THAT(Take(to_, own), HasReason(Reason::kAlreadyExists));
}

class HostilePieceTest : public ImportsTest {
 protected:
  HostilePieceTest() {
    ann_ = NewPerson(from_, "ann@example.com");
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(Put(from_, ann_, PaymentOf(i, from_.clock().Now())), IsOk());
    }
    bundle_ = ExportOf(from_, ann_);
    bob_ = NewPerson(to_, "bob@example.com");
    piece_ = PieceOf(bundle_, "transaction-0001.ndjson");
    piece_.subject = bob_;
    piece_.count = 3;
  }
  void ExpectRefused(const ImportPiece& piece, Reason reason) {
    const size_t before = RowsOfData();
    EXPECT_THAT(Take(to_, piece), HasReason(reason));
    EXPECT_NE(to_.LastEvent().outcome, audit::Outcome::kAllowed);
    EXPECT_EQ(RowsOfData(), before);
  }
  size_t RowsOfData() { return ContentOf(ExportOf(to_, bob_)).size(); }
  base::SubjectId ann_;
  base::SubjectId bob_;
  Opened bundle_;
  ImportPiece piece_;
};

TEST_F(HostilePieceTest, IsGoodToBeginWith) {
  const auto taken = Take(to_, piece_);
  ASSERT_THAT(taken, IsOk());
  EXPECT_EQ(taken->records, 3U);
  EXPECT_THAT(to_.LastEvent().writes, SizeIs(3));
  EXPECT_EQ(to_.LastEvent().action, Action::kExportImport);
}

TEST_F(HostilePieceTest, RefusesWhatWasChanged) {
  ImportPiece piece = piece_;
  piece.content = absl::StrReplaceAll(piece.content, {{"JPY", "USD"}});
  ASSERT_NE(piece.content, piece_.content);
  ExpectRefused(piece, Reason::kIntegrityFailure);
  piece = piece_;
  piece.manifest = absl::StrReplaceAll(piece.manifest, {{"acme", "evil"}});
  ASSERT_NE(piece.manifest, piece_.manifest);
  ExpectRefused(piece, Reason::kIntegrityFailure);
  piece = piece_;
  piece.signature.back() = 'x';
  ExpectRefused(piece, Reason::kIntegrityFailure);
  piece = piece_;
  piece.signature.clear();
  ExpectRefused(piece, Reason::kIntegrityFailure);
}

TEST_F(HostilePieceTest, RefusesAMemberOfAnotherBundle) {
  const base::SubjectId eve = NewPerson(from_, "eve@example.com");
  ASSERT_THAT(Put(from_, eve, PaymentOf(9, from_.clock().Now())), IsOk());
  ImportPiece piece = piece_;
  piece.content = ExportOf(from_, eve).members.at("transaction-0001.ndjson");
  piece.count = 1;
  ExpectRefused(piece, Reason::kIntegrityFailure);
  piece = piece_;
  piece.member = "transaction-0002.ndjson";
  ExpectRefused(piece, Reason::kIntegrityFailure);
  // A member that is there, under another's name.
  piece = piece_;
  piece.member = bundle::kProfileName;
  ExpectRefused(piece, Reason::kIntegrityFailure);
}

TEST_F(HostilePieceTest, RefusesRecordsThatAreNotThere) {
  for (const auto& [first, count] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 0}, {0, 4}, {3, 1}, {4, 1}, {1, UINT64_MAX}, {UINT64_MAX, 1}}) {
    ImportPiece piece = piece_;
    piece.first = first;
    piece.count = count;
    ExpectRefused(piece, Reason::kValueInvalid);
  }
}

TEST_F(HostilePieceTest, TakesAProfileForNobodyAndASeriesForSomebody) {
  ImportPiece series = piece_;
  series.subject.reset();
  ExpectRefused(series, Reason::kValueInvalid);
  ImportPiece profile = PieceOf(bundle_, bundle::kProfileName);
  profile.subject = bob_;
  ExpectRefused(profile, Reason::kValueInvalid);
  ImportPiece page = PieceOf(bundle_, "index.html");
  page.subject = bob_;
  page.count = 1;
  ExpectRefused(page, Reason::kValueInvalid);
}

TEST_F(HostilePieceTest, WritesNothingToWhoIsNotThere) {
  piece_.subject = NewSubjectId();
  ExpectRefused(piece_, Reason::kSubjectNotFound);
}

TEST_F(HostilePieceTest, RefusesWhoMayNot) {
  EXPECT_THAT(
      Take(to_, to_.CallOf(test::kClerk, Action::kExportImport, kService),
           piece_),
      HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(to_.LastEvent().outcome, audit::Outcome::kDenied);
  // They learn nothing of whether the piece is good.
  piece_.signature.clear();
  EXPECT_THAT(
      Take(to_, to_.CallOf(test::kClerk, Action::kExportImport, kService),
           piece_),
      HasReason(Reason::kCallerNotEntitled));
}

}  // namespace
}  // namespace hizo::vault
