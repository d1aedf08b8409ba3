// Hostile bytes as an age file, as the header of one, and as keys.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/age.h"
#include "crypto/age_header.h"
#include "tests/fuzz/require.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

// The identity of the published vectors, which stand in the corpus.
constexpr char kIdentity[] =
    "AGE-SECRET-KEY-"
    "1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

AgeOpeners Openers() {
  AgeOpeners openers;
  openers.identities.push_back(*AgeIdentity::Parse(kIdentity));
  openers.passphrase = Secret::CopyOf("password");
  openers.work_factor_max = 10;
  return openers;
}

bool IsOfTheThree(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsDataLoss(status) ||
         absl::IsPermissionDenied(status);
}

// What comes out, and whether all of it did.
std::pair<bool, std::string> ReadFile(std::string_view bytes, size_t piece) {
  AgeReader reader(Openers());
  std::string out;
  absl::Status status;
  for (size_t at = 0; at < bytes.size() && status.ok(); at += piece) {
    status = reader.Read(bytes.substr(at, piece), out);
  }
  if (status.ok()) status = reader.Finish(out);
  Require(status.ok() || IsOfTheThree(status), "three statuses refuse");
  return {status.ok(), std::move(out)};
}

void ReadHeader(std::string_view bytes) {
  const auto header = ParseAgeHeader(bytes);
  if (!header.ok()) return;
  Require(AgeHeaderSize(bytes) == bytes.size(), "a header ends with its MAC");
  Require(bytes.starts_with(header->authenticated),
          "what is authenticated is what was read");
}

void SealAndOpen(std::string_view bytes) {
  const AgeRecipient recipient = AgeIdentity::Parse(kIdentity)->recipient();
  AgeWriter writer = *AgeWriter::ForRecipients({&recipient, 1});
  std::string file;
  writer.Write(bytes, file);
  writer.Finish(file);
  const auto [whole, out] = ReadFile(file, 70'000);
  Require(whole && out == bytes, "what was sealed comes back");
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = hizo::crypto::ReadFile(bytes, size_t{1} << 30U);
  const auto pieces = hizo::crypto::ReadFile(bytes, 7);
  hizo::fuzz::Require(whole == pieces, "pieces make no difference");
  hizo::crypto::ReadHeader(bytes);
  (void)hizo::crypto::AgeRecipient::Parse(bytes);
  (void)hizo::crypto::AgeIdentity::ParseFile(bytes);
  hizo::crypto::SealAndOpen(bytes);
  return 0;
}
