// Hostile bytes as an exported audit log.
#include <cstdint>
#include <sstream>
#include <string>

#include "service/cli/audit_file.h"
#include "service/cli/audit_file_format.h"
#include "tests/fuzz/require.h"

namespace hizo::cli {
namespace {

using fuzz::Require;

// The key of the files in the corpus that are as they were written: one of 3
// entries, one of 260.
constexpr char kVerifier[] =
    "hizo/fuzz+5454a195+ARYpgjo7XiheBcad0ZZFLnK3x+zgZ2Rosz3heABhyQ39";

void ReadAsFile(const std::string& bytes) {
  std::istringstream in(bytes);
  const AuditVerdict verdict = VerifyAuditFile(in, kVerifier, {});
  Require(verdict.verified != (verdict.text != ""), "a refusal says why");
  Require(!verdict.verified || verdict.entries == 3 || verdict.entries == 260,
          "nobody forges a head");
  Require(!verdict.verified || !verdict.first_bad.has_value(),
          "what is verified is not bad anywhere");
}

void ReadAsTile(const std::string& bytes) {
  const auto tile = DecodeTile(bytes);
  if (!tile.has_value()) return;
  Require(EncodeTile(*tile) == bytes, "a tile has one encoding");
}

}  // namespace
}  // namespace hizo::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  hizo::cli::ReadAsFile(bytes);
  hizo::cli::ReadAsTile(bytes);
  return 0;
}
