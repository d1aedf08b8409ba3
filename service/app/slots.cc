// The configured slots.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/root_slot.h"
#include "service/app/stores.h"
#include "service/base/status_macros.h"
#include "storage/files.h"

namespace hizo::app {
namespace {

using Path = std::filesystem::path;

constexpr std::string_view kSetting = "slot_passphrase_file: ";

absl::Status Refused(const Path& path, std::string_view why) {
  return absl::FailedPreconditionError(std::string(kSetting) + path.string() +
                                       " " + std::string(why));
}

// Straight into locked memory.
absl::StatusOr<crypto::Secret> ReadSecret(const Path& path) {
  const storage::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.valid() || fstat(file.get(), &info) != 0) {
    return Refused(path, "cannot be read");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Refused(path, "may be read by others than its owner");
  }
  if (info.st_size <= 0 ||
      info.st_size > static_cast<off_t>(crypto::Secret::kSizeMax)) {
    return Refused(path, "is empty or too large");
  }
  crypto::Secret text(static_cast<size_t>(info.st_size));
  if (read(file.get(), text.ExposeMutable().data(), text.size()) !=
      info.st_size) {
    return Refused(path, "cannot be read");
  }
  return text;
}

absl::StatusOr<std::unique_ptr<crypto::SlotPassphrases>> PassphrasesOf(
    const crypto::Secret& lines) {
  auto passphrases = crypto::SlotPassphrases::FromLines(lines);
  if (passphrases.ok()) return passphrases;
  return absl::FailedPreconditionError(
      std::string(kSetting) + std::string(passphrases.status().message()));
}

}  // namespace

absl::StatusOr<vault::RootSlots> OpenSlots(const Config& config) {
  std::optional<crypto::Secret> lines;
  if (!config.slot_passphrase_file.empty()) {
    ASSIGN_OR_RETURN(lines, ReadSecret(config.slot_passphrase_file));
  }
  vault::RootSlots slots;
  for (const Path& path : config.slots) {
    std::unique_ptr<crypto::SlotPassphrases> passphrases;
    if (lines.has_value()) {
      ASSIGN_OR_RETURN(passphrases, PassphrasesOf(*lines));
    }
    slots.push_back(
        std::make_unique<crypto::FileRootSlot>(path, std::move(passphrases)));
  }
  return slots;
}

}  // namespace hizo::app
