#include "service/cli/audit_file_prune.h"

#include <array>
#include <cstddef>

#include "hizo/v1/options.pb.h"
#include "service/cli/audit_file.h"

namespace hizo::cli {
namespace {

// As service/audit/FORMAT.md has them.
constexpr char kVersion = 1;
constexpr size_t kTags = 16;
constexpr size_t kTenant = 2;
constexpr size_t kActor = 3;
constexpr size_t kAction = 4;
constexpr size_t kOutcome = 5;
constexpr size_t kRecords = 12;
constexpr uint64_t kAllowed = 1;

constexpr size_t kNumberSizeMax = 8;

uint64_t Number(std::string_view bytes) {
  if (bytes.size() > kNumberSizeMax) return 0;
  uint64_t number = 0;
  for (const char byte : bytes) {
    number = number << 8U | static_cast<uint8_t>(byte);
  }
  return number;
}

}  // namespace

uint64_t PrunedBy(std::string_view entry) {
  if (entry.empty() || entry[0] != kVersion) return 0;
  entry.remove_prefix(1);
  std::array<std::string_view, kTags> parts;
  constexpr size_t kHeaderSize = 3;
  while (!entry.empty()) {
    if (entry.size() < kHeaderSize) return 0;
    const auto tag = static_cast<uint8_t>(entry[0]);
    const uint64_t size = Number(entry.substr(1, 2));
    entry.remove_prefix(kHeaderSize);
    if (tag >= kTags || entry.size() < size) return 0;
    parts[tag] = entry.substr(0, size);
    entry.remove_prefix(size);
  }
  const bool says = Number(parts[kTenant]) == 0 && parts[kActor] == "hizod" &&
                    Number(parts[kAction]) == v1::ACTION_AUDIT_PRUNE &&
                    Number(parts[kOutcome]) == kAllowed;
  // Full tiles (part 12 is a number of four bytes at most).
  return says ? Number(parts[kRecords]) * kAuditTile : 0;
}

}  // namespace hizo::cli
