// What a configuration may be, and should not.
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "service/app/config.h"

namespace hizo::app {
namespace {

using Path = std::filesystem::path;

constexpr size_t kPasswordCostAdvised = 12;
constexpr std::chrono::milliseconds kHashTimeMin{50};
constexpr std::chrono::milliseconds kHashTimeMax{500};

// The device that `path` lies on, or would lie on once it is made.
std::optional<dev_t> DeviceOf(Path path) {
  struct stat info {};
  while (stat(path.c_str(), &info) != 0) {
    if (path == path.parent_path()) return std::nullopt;
    path = path.parent_path();
  }
  return info.st_dev;
}

void WarnOfPlaces(const Config& config, std::vector<std::string>& warnings) {
  const std::optional<dev_t> data = DeviceOf(config.storage_data_dir);
  const std::optional<dev_t> keys = DeviceOf(config.storage_keys_dir);
  const auto shares = [&](const Path& path) {
    const std::optional<dev_t> device = DeviceOf(path);
    return device.has_value() && (device == data || device == keys);
  };
  if (std::any_of(config.slots.begin(), config.slots.end(), shares)) {
    warnings.emplace_back(
        "slots: a root slot is on the device of the data or keys: whoever "
        "takes that disk or its snapshots can read everything");
  }
  if (config.slots.size() == 1) {
    warnings.emplace_back(
        "slots: there is only one root slot: if it is lost, so is everything");
  }
  const std::optional<dev_t> backups = DeviceOf(config.backup_dir);
  if (!config.backup_dir.empty() && backups.has_value() && backups == data) {
    warnings.emplace_back(
        "backup.dir: it is on the device of the data: what takes that disk "
        "takes the backups as well");
  }
  if (!config.replica_dir.empty() && shares(config.replica_dir)) {
    warnings.emplace_back(
        "replica.dir: it is on the device of the data or keys: what takes that "
        "disk takes the replica as well");
  }
  const auto goes_back = [&](const std::string& name, const std::string& what) {
    warnings.push_back(
        name +
        ": it is on the device of the data or keys: whoever puts "
        "back an older copy of that disk puts back the " +
        what + " as well");
  };
  if (!config.witness_dir.empty() && shares(config.witness_dir)) {
    goes_back("witness.dir", "witness");
  }
  if (shares(config.anchor)) goes_back("anchor", "anchor");
}

}  // namespace

std::vector<std::string> Warnings(const Config& config) {
  std::vector<std::string> warnings;
  WarnOfPlaces(config, warnings);
  struct stat info {};
  if (stat(config.tls_key.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    warnings.emplace_back("tls.key: others than its owner may read it");
  }
  if (config.password_cost < kPasswordCostAdvised) {
    warnings.emplace_back(
        "password.cost: under 12, stolen hashes are cheaper to guess");
  }
  if (!config.memory_require_lock) {
    warnings.emplace_back(
        "memory.require_lock: off, keys may be written to swap");
  }
  return warnings;
}

std::string PasswordTimeWarning(const Config& config,
                                std::chrono::nanoseconds took) {
  // Chosen for speed, and known to whoever chose it.
  if (config.password_test_cost) return "";
  const bool fast = took < kHashTimeMin;
  if (!fast && took <= kHashTimeMax) return "";
  return "password.cost " + std::to_string(config.password_cost) + " takes " +
         std::to_string(took / std::chrono::milliseconds(1)) + " ms here; " +
         (fast ? "under 50 ms stolen hashes are cheap to guess"
               : "over 500 ms signing in is slow and a few calls keep the "
                 "threads busy");
}

}  // namespace hizo::app
