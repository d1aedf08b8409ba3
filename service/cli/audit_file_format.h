// The bytes of an exported audit log (FORMAT.md), for audit_file only.
//
// Threads: value types.
#ifndef HIZO_SERVICE_CLI_AUDIT_FILE_FORMAT_H_
#define HIZO_SERVICE_CLI_AUDIT_FILE_FORMAT_H_

#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/cli/audit_file.h"

namespace hizo::cli {

inline constexpr std::string_view kAuditMagic = "hizo-audit-1\n";

// A part of a file: what it is, and its bytes.
enum class AuditPart : char {
  kCheckpoint = 'C',
  kTile = 'T',
  kRoots = 'R',
  kEnd = 'Z',
};
struct AuditFilePart {
  AuditPart part = AuditPart::kEnd;
  std::string bytes;
};

std::string EncodePart(AuditPart part, std::string_view bytes);
std::string EncodeTile(const AuditFileTile& tile);
std::string EncodeRoots(const std::vector<crypto::Digest>& roots);

bool ReadMagic(std::istream& in);
// nullopt at the end of the file, within a part too, and for what is none.
std::optional<AuditFilePart> ReadPart(std::istream& in);
// nullopt for what is no tile; one that has more or fewer entries than hashes
// is.
std::optional<AuditFileTile> DecodeTile(std::string_view bytes);
std::optional<std::vector<crypto::Digest>> DecodeRoots(std::string_view bytes);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_AUDIT_FILE_FORMAT_H_
