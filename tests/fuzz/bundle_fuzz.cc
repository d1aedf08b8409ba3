// Hostile bytes as a bundle, as the archive in one, as its manifest and its
// documents. What the corpus holds was made with the keys below.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/age.h"
#include "crypto/minisign.h"
#include "service/bundle/documents.h"
#include "service/bundle/manifest.h"
#include "service/bundle/reader.h"
#include "service/bundle/refusal.h"
#include "service/bundle/values.h"
#include "tests/fuzz/require.h"

namespace hizo::bundle {
namespace {

using fuzz::Require;

// Of the published age vectors.
constexpr char kIdentity[] =
    "AGE-SECRET-KEY-"
    "1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

const crypto::MinisignSigner& Signer() {
  static const crypto::MinisignSigner kSigner(
      crypto::Key::CopyOf(std::string(crypto::Key::kSize, 'k')));
  return kSigner;
}

void ReadFile(std::string file) {
  crypto::AgeOpeners openers;
  openers.identities.push_back(*crypto::AgeIdentity::Parse(kIdentity));
  openers.work_factor_max = 4;
  bool given = false;
  const auto verified = ReadBundle(
      [&]() -> absl::StatusOr<std::string> {
        return std::exchange(given, true) ? std::string() : file;
      },
      std::move(openers), Signer().public_key(),
      [](const Member& member) {
        Require(IsMemberName(member.name), "members have plain names");
        Require(member.content.size() <= kMemberSizeMax,
                "members are of bounded size");
        return absl::OkStatus();
      });
  if (!verified.ok()) {
    Require(RefusalOf(verified.status()).has_value(), "refused for a reason");
    return;
  }
  // Nobody signs but who has the key: it is the one that stands in the corpus.
  Require(verified->manifest.about.subject == kSubject, "nobody forges one");
}

// Anybody can encrypt to a public key.
void ReadArchive(std::string_view archive) {
  const crypto::AgeRecipient recipient =
      crypto::AgeIdentity::Parse(kIdentity)->recipient();
  auto writer = *crypto::AgeWriter::ForRecipients({&recipient, 1});
  std::string file;
  writer.Write(archive, file);
  writer.Finish(file);
  ReadFile(std::move(file));
}

void ReadDocuments(std::string_view bytes) {
  const auto manifest = ParseManifest(bytes);
  Require(!manifest.ok() || ToJson(*manifest) == bytes,
          "a manifest has one spelling");
  for (const auto& records :
       {ReadProfile(bytes, kSubject), ReadPart(bytes, kSubject)}) {
    if (!records.ok()) {
      Require(RefusalOf(records.status()).has_value(), "refused for a reason");
      continue;
    }
    for (const Record& record : *records) {
      for (const Field& field : record.fields) {
        Require(IsValue(field.json.Reveal()), "values are values");
      }
    }
  }
  (void)SubjectOf(bytes);
  if (IsValue(bytes)) (void)DisplayOf(bytes);
  (void)AddressOf(bytes);
  (void)MoneyOf(bytes);
  const std::string cell = CsvCell(bytes);
  Require(cell.empty() || std::string_view("=+-@\t\r").find(cell.front()) ==
                              std::string_view::npos,
          "no cell begins a formula");
}

}  // namespace
}  // namespace hizo::bundle

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hizo::bundle::ReadFile(std::string(bytes));
  hizo::bundle::ReadArchive(bytes);
  hizo::bundle::ReadDocuments(bytes);
  return 0;
}
