// Where values came from: as the catalogue says when they are written, told in
// bundles, kept where bundles are taken in, and what may be taken elsewhere.
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/documents.h"
#include "service/vault/imports.h"
#include "tests/service/vault/bundles.h"

namespace hizo::vault {
namespace {

using bundle::Selection;
using policy::Export;
using test::IsOk;
using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// What people wrote of themselves is provided; when they were last seen is
// observed, and how many points they have the company worked out.
void Observing(policy::CatalogueSource& source) {
  for (policy::FieldSpec& field : source.fields) {
    if (field.name == "last_seen" || field.name == "item") {
      field.source = Source::kObserved;
    }
    if (field.name == "points") {
      field.source = Source::kDerived;
      field.export_kind = Export::kAccessOnly;
    }
    if (field.name == "settings") {
      field.interest_only = true;
      field.export_kind = Export::kAccessOnly;
    }
  }
}

class ProvenanceTest : public ::testing::Test {
 protected:
  ProvenanceTest() : vault_(Options()), other_(Trusting()) {
    ann_ = NewPerson(vault_, "ann@example.com");
    NewRecord profile = RecordOf("profile", {{"full_name", "Ann Other"}});
    profile.fields.push_back(
        {"last_seen", base::FromMicros(1'700'000'000'000'000)});
    profile.fields.push_back({"points", int64_t{42}});
    profile.fields.push_back({"settings", Json{base::Pii(R"({"a":1})")}});
    EXPECT_THAT(Put(vault_, ann_, std::move(profile)), IsOk());
    NewRecord payment = PaymentOf(500, vault_.clock().Now());
    payment.fields.push_back({"item", TextOf("a book")});
    EXPECT_THAT(Put(vault_, ann_, std::move(payment)), IsOk());
  }
  static VaultFixture::Options Options() {
    VaultFixture::Options options;
    options.amend = Observing;
    return options;
  }
  // Its catalogue says that all is provided, and that all may be taken along.
  VaultFixture::Options Trusting() {
    VaultFixture::Options options;
    options.trusted_vaults = {vault_.store().exports().public_key()};
    return options;
  }
  Opened Of(VaultFixture& vault, base::SubjectId subject, Selection selection) {
    const auto handed =
        Hand(vault, {subject, selection, bundle::Language::kEnglish,
                     identity_.recipient().ToText()});
    EXPECT_THAT(handed, IsOk());
    if (!handed.ok()) return {};
    auto opened = OpenWith(identity_, *handed);
    EXPECT_THAT(opened, IsOk());
    return opened.ok() ? *std::move(opened) : Opened();
  }
  // Takes a bundle into the other vault, as whom it became there.
  base::SubjectId TakeIn(const Opened& opened) {
    ImportPiece piece;
    piece.manifest = opened.verified.manifest_json;
    piece.signature = opened.verified.signature;
    piece.member = bundle::kProfileName;
    piece.content = opened.members.at(piece.member);
    const auto made = Take(piece);
    EXPECT_THAT(made, IsOk());
    if (!made.ok()) return {};
    piece.member = "transaction-0001.ndjson";
    piece.content = opened.members.at(piece.member);
    piece.subject = made->subject;
    piece.count = 1;
    EXPECT_THAT(Take(piece), IsOk());
    return made->subject;
  }
  absl::StatusOr<ImportedPiece> Take(const ImportPiece& piece) {
    const Call call = FullCall(other_, Action::kExportImport);
    return other_.Run(call, [&](Attempt& attempt) {
      return other_.store().imports().Take(attempt, call, piece);
    });
  }
  static auto Withheld(const std::string& field, const std::string& why) {
    return Contains(AllOf(::testing::Field(&bundle::Withheld::field, field),
                          ::testing::Field(&bundle::Withheld::why, why)));
  }

  VaultFixture vault_;
  VaultFixture other_;
  const crypto::AgeIdentity identity_ = crypto::AgeIdentity::Random();
  base::SubjectId ann_;
};

TEST_F(ProvenanceTest, IsToldOfWhatThePersonDidNotProvide) {
  const Opened portable = Of(vault_, ann_, Selection::kPortability);
  EXPECT_THAT(
      portable.members.at("profile.json"),
      AllOf(HasSubstr(R"("source":"provided")"),
            HasSubstr(R"("sources":{"profile.last_seen":"observed"})")));
  EXPECT_THAT(portable.members.at("transaction-0001.ndjson"),
              HasSubstr(R"("sources":{"item":"observed"})"));
  EXPECT_THAT(portable.verified.manifest.sources,
              ElementsAre(Pair("observed", 2U)));
  EXPECT_THAT(portable.members.at("index.html"),
              AllOf(HasSubstr("recorded as you used the service"),
                    HasSubstr("ご利用に伴い記録")));
}

TEST_F(ProvenanceTest, DecidesWhatMayBeTakenElsewhere) {
  const Opened portable = Of(vault_, ann_, Selection::kPortability);
  EXPECT_THAT(portable.members.at("profile.json"),
              AllOf(Not(HasSubstr("points")), Not(HasSubstr("settings"))));
  EXPECT_THAT(portable.verified.manifest.withheld,
              AllOf(Withheld("profile.points", "derived"),
                    Withheld("profile.settings", "interest_only")));
  // Of which an access report tells all, and where it came from.
  const Opened access = Of(vault_, ann_, Selection::kAccess);
  EXPECT_THAT(access.members.at("profile.json"),
              AllOf(HasSubstr(R"("points":42)"), HasSubstr(R"("settings":)"),
                    HasSubstr(R"("profile.points":"derived")")));
  EXPECT_THAT(access.verified.manifest.sources,
              ElementsAre(Pair("derived", 1U), Pair("observed", 2U)));
  EXPECT_THAT(access.members.at("access-report.json"),
              AllOf(HasSubstr(R"("source": "observed")"),
                    HasSubstr(R"("source": "derived")"),
                    HasSubstr(R"("source": "provided")")));
}

TEST_F(ProvenanceTest, IsNotToldWhereAllWasProvided) {
  const auto bob = NewPerson(vault_, "bob@example.com");
  const Opened opened = Of(vault_, bob, Selection::kAccess);
  EXPECT_THAT(opened.verified.manifest.sources, IsEmpty());
  EXPECT_THAT(opened.verified.manifest_json, Not(HasSubstr("\"sources\"")));
  EXPECT_THAT(opened.members.at("profile.json"), Not(HasSubstr("sources")));
}

// The other vault's catalogue would have called all of it provided.
TEST_F(ProvenanceTest, StaysWhatItWasInAnotherVault) {
  const auto there = TakeIn(Of(vault_, ann_, Selection::kAccess));
  const Opened access = Of(other_, there, Selection::kAccess);
  EXPECT_THAT(access.verified.manifest.sources,
              ElementsAre(Pair("derived", 1U), Pair("observed", 2U)));
  EXPECT_THAT(access.members.at("transaction-0001.ndjson"),
              HasSubstr(R"("sources":{"item":"observed"})"));
  // What was worked out is not handed on as if the person had provided it.
  const Opened portable = Of(other_, there, Selection::kPortability);
  EXPECT_THAT(portable.members.at("profile.json"), Not(HasSubstr("points")));
  EXPECT_THAT(portable.verified.manifest.withheld,
              Withheld("profile.points", "derived"));
  EXPECT_THAT(portable.verified.manifest.sources,
              ElementsAre(Pair("observed", 2U)));
}

TEST_F(ProvenanceTest, StaysWithWhatAWriteDoesNotTouch) {
  const auto there = TakeIn(Of(vault_, ann_, Selection::kAccess));
  ASSERT_THAT(PutMasked(other_, there,
                        RecordOf("profile", {{"full_name", "Ann Married"}}),
                        {"full_name"}),
              IsOk());
  EXPECT_THAT(Of(other_, there, Selection::kAccess).members.at("profile.json"),
              AllOf(HasSubstr("Ann Married"),
                    HasSubstr(R"("profile.last_seen":"observed")")));
  // What is written anew is what this catalogue says.
  NewRecord seen;
  seen.record_class = "profile";
  seen.fields.push_back({"last_seen", base::FromMicros(1'800'000'000'000'000)});
  ASSERT_THAT(PutMasked(other_, there, std::move(seen), {"last_seen"}), IsOk());
  EXPECT_THAT(Of(other_, there, Selection::kAccess).members.at("profile.json"),
              Not(HasSubstr("profile.last_seen")));
}

// Somebody else's word for it does not make an import.
TEST_F(ProvenanceTest, IsPartOfWhatIsSigned) {
  const Opened opened = Of(vault_, ann_, Selection::kAccess);
  ImportPiece piece;
  piece.manifest = opened.verified.manifest_json;
  piece.signature = opened.verified.signature;
  piece.member = bundle::kProfileName;
  piece.content = opened.members.at(piece.member);
  const std::string observed = "\"profile.last_seen\":\"observed\"";
  const size_t at = piece.content.find(observed);
  ASSERT_NE(at, std::string::npos);
  piece.content.replace(at, observed.size(),
                        "\"profile.last_seen\":\"derived\"");
  EXPECT_THAT(Take(piece), test::HasReason(base::Reason::kIntegrityFailure));
}

}  // namespace
}  // namespace hizo::vault
