// Whole bundles: good ones come back, every hostile one is refused for what is
// wrong with it.
#include "service/bundle/reader.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/bundle/documents.h"
#include "service/bundle/refusal.h"
#include "tests/service/bundle/raw_tar.h"
#include "tests/service/bundle/sample.h"
#include "tests/testing/status_matchers.h"

namespace hizo::bundle {
namespace {

using test::IsOk;
using test::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

class ReaderTest : public ::testing::Test {
 protected:
  std::optional<Refusal> WhyNot(const std::string& file) {
    return RefusalOf(Read(keys_, file).status());
  }
  std::optional<Refusal> WhyNotArchive(const std::string& archive) {
    return WhyNot(Encrypt(keys_, archive));
  }
  // The archive as members, to be put together otherwise.
  std::vector<std::string> Split(const std::string& archive) {
    std::vector<std::string> members;
    for (size_t at = 0; at + 1024 < archive.size();) {
      const size_t size = std::stoul(archive.substr(at + 124, 11), nullptr, 8);
      const size_t whole = 512 + (size + 511) / 512 * 512;
      members.push_back(archive.substr(at, whole));
      at += whole;
    }
    return members;
  }
  std::string Join(const std::vector<std::string>& members) {
    std::string archive;
    for (const std::string& member : members) archive += member;
    return archive + TarEnd();
  }
  std::vector<std::string> SampleMembers() {
    return Split(Decrypt(keys_, MakeSample(keys_).file));
  }

  const Keys keys_;
  const std::string folder_ = "hizo-bundle-" + std::string(kSampleId);
};

TEST_F(ReaderTest, GivesBackWhatWasWritten) {
  std::vector<Member> members;
  const auto read = Read(keys_, MakeSample(keys_).file, &members);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->manifest.about.subject, kSampleSubject);
  EXPECT_EQ(read->manifest.about.created, SampleAbout().created);
  EXPECT_EQ(read->manifest.records.at("transaction"), 3U);
  EXPECT_EQ(read->manifest.records.at("profile"), 1U);
  const std::vector<Piece> pieces = SamplePieces();
  ASSERT_EQ(members.size(), pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(members[i].name, pieces[i].name);
    EXPECT_EQ(members[i].content, pieces[i].content);
    EXPECT_THAT(RecordsOf(read->manifest, members[i]), IsOk());
  }
}

// The vault that is trusted has signed it, and it is refused all the same.
TEST_F(ReaderTest, RefusesWhatItsAuditLogDoesNotShow) {
  About about = SampleAbout();
  about.proof->entry = "entry 8";
  EXPECT_EQ(WhyNot(Make(keys_, SamplePieces(), about).file),
            Refusal::kUnproved);
  about = SampleAbout();
  about.checkpoint = SampleCheckpoint(about.origin, 13);
  EXPECT_EQ(WhyNot(Make(keys_, SamplePieces(), about).file),
            Refusal::kUnproved);
  about = SampleAbout();
  about.proof.reset();  // of whom nothing was asked before
  EXPECT_EQ(WhyNot(Make(keys_, SamplePieces(), about).file), std::nullopt);
}

TEST_F(ReaderTest, TakesPiecesOfAnySize) {
  const std::string file = MakeSample(keys_).file;
  for (const size_t piece : {size_t{1}, size_t{511}, size_t{1} << 30}) {
    EXPECT_THAT(
        ReadBundle(BytesOf(file, piece), keys_.Openers(), keys_.public_key(),
                   [](const Member&) { return absl::OkStatus(); }),
        IsOk());
  }
}

TEST_F(ReaderTest, SignsTheWholeFileToo) {
  const Made made = MakeSample(keys_);
  EXPECT_THAT(crypto::CheckMinisign(keys_.public_key(),
                                    crypto::MinisignHash::Of(made.file),
                                    made.signature),
              IsOk());
}

TEST_F(ReaderTest, HoldsNothingInTheClear) {
  const std::string file = MakeSample(keys_).file;
  for (const char* text : {"tsato", "profile.json", kSampleSubject}) {
    EXPECT_THAT(file, Not(HasSubstr(text)));
  }
}

TEST_F(ReaderTest, ACloneWritesTheSameBundle) {
  Writer writer(keys_.NewWriter(), SampleAbout());
  std::string out;
  writer.Add("a.json", "{}", Kind::kOther, out);
  Writer clone = writer.Clone();
  std::string other = out;
  writer.Finish(keys_.signer(), out);
  const std::string signature = clone.Finish(keys_.signer(), other);
  EXPECT_EQ(out, other);
  EXPECT_THAT(crypto::CheckMinisign(keys_.public_key(),
                                    crypto::MinisignHash::Of(other), signature),
              IsOk());
}

TEST_F(ReaderTest, RefusesAnotherRecipient) {
  EXPECT_EQ(WhyNot(MakeSample(Keys()).file), Refusal::kOtherRecipient);
}

TEST_F(ReaderTest, RefusesAnotherSigner) {
  const Keys other;
  const auto read = ReadBundle(BytesOf(MakeSample(keys_).file), keys_.Openers(),
                               other.public_key(),
                               [](const Member&) { return absl::OkStatus(); });
  EXPECT_EQ(RefusalOf(read.status()), Refusal::kOtherSigner);
}

TEST_F(ReaderTest, RefusesEveryCut) {
  const std::string file = MakeSample(keys_, 0).file;
  for (size_t size = 0; size < file.size(); size += 97) {
    EXPECT_TRUE(WhyNot(file.substr(0, size)).has_value()) << size;
  }
  EXPECT_EQ(WhyNot(file.substr(0, file.size() - 1)), Refusal::kCutOrChanged);
  EXPECT_EQ(WhyNot(file.substr(0, 10)), Refusal::kNotEncrypted);
  EXPECT_EQ(WhyNot(""), Refusal::kNotEncrypted);
}

TEST_F(ReaderTest, RefusesFlippedBitsEverywhere) {
  const std::string file = MakeSample(keys_, 0).file;
  for (size_t i = 0; i < file.size(); i += 53) {
    std::string bad = file;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    EXPECT_TRUE(WhyNot(bad).has_value()) << i;
  }
}

// Somebody with the recipient's public key encrypts anew what they changed.
TEST_F(ReaderTest, RefusesFlippedBitsOfTheArchive) {
  const std::string archive = Decrypt(keys_, MakeSample(keys_, 0).file);
  for (size_t i = 0; i < archive.size(); i += 211) {
    std::string bad = archive;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    EXPECT_TRUE(WhyNotArchive(bad).has_value()) << i;
  }
}

TEST_F(ReaderTest, RefusesAnotherOrder) {
  std::vector<std::string> members = SampleMembers();
  std::swap(members[1], members[2]);
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherOrder);
}

TEST_F(ReaderTest, RefusesAMissingAndAnAddedMember) {
  std::vector<std::string> members = SampleMembers();
  members.erase(members.begin() + 2);
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherMembers);
  members = SampleMembers();
  members.insert(members.begin() + 1,
                 TarMember(folder_, "extra", SampleAbout().created, "x"));
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherMembers);
}

TEST_F(ReaderTest, RefusesASwappedMember) {
  std::vector<std::string> members = SampleMembers();
  members[2] =
      TarMember(folder_, "contact.vcf", SampleAbout().created, "BEGIN:VCARD");
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherContent);
  members = SampleMembers();
  std::vector<Record> none;
  members[0] = TarMember(folder_, kProfileName, SampleAbout().created,
                         ProfileJson(SampleAbout(), none));
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherContent);
}

TEST_F(ReaderTest, RefusesAForgedSignature) {
  // By another key that says that it is this one.
  std::vector<std::string> members = SampleMembers();
  const std::string changed = members[members.size() - 2];
  std::string manifest = changed.substr(512);
  manifest.resize(manifest.find_last_of('\n') + 1);
  const std::string forged = absl::StrReplaceAll(
      manifest, {{"\"tenant\": \"acme\"", "\"tenant\": \"evil\""}});
  ASSERT_NE(forged, manifest);
  members[members.size() - 2] =
      TarMember(folder_, kManifestName, SampleAbout().created, forged);
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kForged);
}

TEST_F(ReaderTest, RefusesABundleSignedBySomebodyElse) {
  std::vector<std::string> members = SampleMembers();
  const crypto::MinisignSigner other(crypto::Key::Random());
  std::string manifest = members[members.size() - 2].substr(512);
  manifest.resize(manifest.find_last_of('\n') + 1);
  members.back() =
      TarMember(folder_, kSignatureName, SampleAbout().created,
                other.Sign(crypto::MinisignHash::Of(manifest), "hizo bundle"));
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kOtherSigner);
}

TEST_F(ReaderTest, RefusesWhatIsUnsigned) {
  std::vector<std::string> members = SampleMembers();
  const std::string signature = members.back();
  members.pop_back();
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kUnsigned);
  members.pop_back();
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kUnsigned);
  members.push_back(signature);
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kUnsigned);
}

TEST_F(ReaderTest, RefusesWhatComesAfterTheManifest) {
  std::vector<std::string> members = SampleMembers();
  std::rotate(members.begin(), members.begin() + 1, members.end());
  EXPECT_EQ(WhyNotArchive(Join(members)), Refusal::kUnsigned);
}

TEST_F(ReaderTest, RefusesPathsLinksDevicesAndDoubles) {
  const std::vector<std::string> good = SampleMembers();
  const auto with = [&](const RawEntry& entry) {
    std::vector<std::string> members = good;
    members.insert(members.begin() + 1, RawMember(entry));
    return WhyNotArchive(Join(members));
  };
  EXPECT_EQ(with({.path = folder_ + "/../x", .content = "x"}),
            Refusal::kStrangeMember);
  EXPECT_EQ(with({.path = "/etc/x", .content = "x"}), Refusal::kStrangeMember);
  EXPECT_EQ(with({.path = folder_ + "/x", .type = '2', .link = "/etc/passwd"}),
            Refusal::kStrangeMember);
  EXPECT_EQ(with({.path = folder_ + "/x", .type = '3'}),
            Refusal::kStrangeMember);
  EXPECT_EQ(with({.path = folder_ + "/profile.json", .content = "x"}),
            Refusal::kRepeatedMember);
  EXPECT_EQ(with({.path = folder_ + "/x", .size = "77777777777"}),
            Refusal::kTooLarge);
}

TEST_F(ReaderTest, RefusesAnotherSchema) {
  std::vector<Piece> pieces = SamplePieces();
  pieces[0].content = absl::StrReplaceAll(
      pieces[0].content, {{"profile-1.json", "profile-9.json"}});
  EXPECT_EQ(WhyNot(Make(keys_, pieces).file), Refusal::kUnknownSchema);
}

// Even if it was signed: a vault that mixes people is not believed.
TEST_F(ReaderTest, RefusesRecordsOfSomebodyElse) {
  std::vector<Piece> pieces = SamplePieces();
  for (Piece& piece : pieces) {
    if (piece.kind != Kind::kSeries) continue;
    piece.content =
        absl::StrReplaceAll(piece.content, {{kSampleSubject, kOtherSubject}});
  }
  EXPECT_EQ(WhyNot(Make(keys_, pieces).file), Refusal::kOtherPerson);
  for (Piece& piece : pieces) {
    piece.content =
        absl::StrReplaceAll(piece.content, {{kSampleSubject, kOtherSubject}});
  }
  EXPECT_EQ(WhyNot(Make(keys_, pieces).file), Refusal::kOtherPerson);
}

TEST_F(ReaderTest, RefusesCountsThatAreNotThere) {
  Writer writer(keys_.NewWriter(), SampleAbout());
  Made made;
  for (const Piece& piece : SamplePieces()) {
    writer.Add(piece.name, piece.content, piece.kind, made.file);
  }
  writer.manifest().records["transaction"] = 1'000;
  writer.Finish(keys_.signer(), made.file);
  EXPECT_EQ(WhyNot(made.file), Refusal::kOtherContent);
}

TEST_F(ReaderTest, RefusesAFolderOfAnotherBundle) {
  std::string archive;
  for (const std::string& member : SampleMembers()) {
    std::string content = member.substr(512);
    content.resize(std::stoul(member.substr(124, 11), nullptr, 8));
    const std::string path = member.substr(0, member.find('\0'));
    archive += TarMember("hizo-bundle-other", path.substr(path.find('/') + 1),
                         SampleAbout().created, content);
  }
  EXPECT_EQ(WhyNotArchive(archive + TarEnd()), Refusal::kOtherMembers);
}

// What the manifest says of sources is what the records say.
TEST_F(ReaderTest, CountsWhatThePersonDidNotProvide) {
  const About about = SampleAbout();
  std::vector<Record> records = SampleRecords();
  records[0].fields[0].source = Source::kObserved;
  std::vector<Piece> pieces = SamplePieces();
  pieces[0].content = ProfileJson(about, records);
  const auto read = Read(keys_, Make(keys_, pieces).file);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->manifest.sources.at("observed"), 1U);
  for (const std::map<std::string, uint64_t>& sources :
       {std::map<std::string, uint64_t>{},
        {{"observed", 2}},
        {{"derived", 1}},
        {{"observed", 1}, {"derived", 1}}}) {
    Writer writer(keys_.NewWriter(), about);
    std::string file;
    writer.Add(kProfileName, pieces[0].content, Kind::kProfile, file);
    for (const Record& record : records) {
      ++writer.manifest().records[record.record_class];
    }
    writer.manifest().sources = sources;
    writer.Finish(keys_.signer(), file);
    EXPECT_EQ(WhyNot(file), Refusal::kOtherContent);
  }
}

TEST_F(ReaderTest, GivesBackAnErrorOfItsTaker) {
  const auto read = ReadBundle(
      BytesOf(MakeSample(keys_).file), keys_.Openers(), keys_.public_key(),
      [](const Member&) { return absl::CancelledError("enough"); });
  EXPECT_THAT(read, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ReaderTest, TakesRecordsOnlyOfListedMembers) {
  std::vector<Member> members;
  const auto read = Read(keys_, MakeSample(keys_).file, &members);
  ASSERT_THAT(read, IsOk());
  Member other = members[0];
  other.content += "\n";
  EXPECT_EQ(RefusalOf(RecordsOf(read->manifest, other).status()),
            Refusal::kOtherContent);
  other.name = "unknown";
  EXPECT_EQ(RefusalOf(RecordsOf(read->manifest, other).status()),
            Refusal::kOtherMembers);
}

TEST(RefusalTest, EachHasANameAndAText) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::kOtherPerson); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_TRUE(names.insert(NameOf(refusal)).second);
    EXPECT_EQ(RefusalOf(Refuse(refusal)), refusal);
    EXPECT_FALSE(Refuse(refusal).message().empty());
  }
  EXPECT_EQ(RefusalOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(RefusalOf(absl::DataLossError("x")), std::nullopt);
}

}  // namespace
}  // namespace hizo::bundle
