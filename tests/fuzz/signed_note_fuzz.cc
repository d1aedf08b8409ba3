// Hostile bytes as a note, as a verifier key and as a text to sign.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/normalise.h"
#include "crypto/signed_note.h"
#include "tests/fuzz/require.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

// The published note that stands in the corpus.
constexpr char kVerifier[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr char kText[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";

void ReadAsNote(std::string_view bytes) {
  const absl::StatusOr<std::string> text = OpenNote(bytes, kVerifier);
  if (text.ok()) {
    Require(*text == kText, "nobody forges a note");
    return;
  }
  Require(
      absl::IsInvalidArgument(text.status()) || absl::IsDataLoss(text.status()),
      "two statuses refuse");
}

void ReadAsKey(std::string_view bytes) {
  Require(!OpenNote("text\n\n", bytes).ok(), "no signature, no note");
}

bool MayStandInANote(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') return false;
  }
  return text.size() < 100'000 && NormaliseText(text).ok();
}

void SignAndOpen(std::string_view bytes) {
  static const NoteSigner signer("fuzz", Key::Random());
  const std::string text = std::string(bytes) + "\n";
  const absl::StatusOr<std::string> opened =
      OpenNote(signer.Sign(text), signer.verifier_key());
  Require(opened.ok() == MayStandInANote(bytes), "text alone is signed");
  Require(!opened.ok() || *opened == text, "what was signed comes back");
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hizo::crypto::ReadAsNote(bytes);
  hizo::crypto::ReadAsKey(bytes);
  hizo::crypto::SignAndOpen(bytes.substr(0, 90'000));
  return 0;
}
