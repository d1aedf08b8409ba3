#include "service/cli/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "absl/time/time.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"

namespace hizo::cli {
namespace {

constexpr size_t kConfigBytesMax = 64 * 1024;
constexpr char kTimeoutDefault[] = "10s";
constexpr absl::Duration kTimeoutMax = absl::Hours(1);

bool IsSetting(const std::string& name) {
  return std::ranges::any_of(
      kSettings, [&](const Setting& setting) { return name == setting.name; });
}

bool IsPath(const std::string& name) {
  return name == "ca" || name == "cert" || name == "key";
}

absl::StatusOr<Settings> SettingsOf(const YAML::Node& root,
                                    const std::filesystem::path& folder) {
  Settings settings;
  if (root.IsNull()) return settings;
  if (!root.IsMap()) return UsageError("the configuration is not a map");
  for (const auto& item : root) {
    if (!item.first.IsScalar() || !IsSetting(item.first.Scalar())) {
      return UsageError("the configuration has an unknown key in line " +
                        std::to_string(item.first.Mark().line + 1));
    }
    const std::string& name = item.first.Scalar();
    if (!item.second.IsScalar()) {
      return UsageError("the configuration's " + name + " is not plain text");
    }
    std::string value = item.second.Scalar();
    if (IsPath(name) && !value.empty()) value = folder / value;
    if (!settings.emplace(name, std::move(value)).second) {
      return UsageError("the configuration has " + name + " twice");
    }
  }
  return settings;
}

absl::StatusOr<std::chrono::milliseconds> ParseTimeout(
    const std::string& text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(text, &timeout) || timeout < absl::Milliseconds(1) ||
      timeout > kTimeoutMax) {
    return UsageError("timeout is not a duration from 1ms to 1h, such as 10s");
  }
  return absl::ToChronoMilliseconds(timeout);
}

}  // namespace

absl::StatusOr<Settings> ReadSettings(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kConfigBytesMax));
  try {
    return SettingsOf(YAML::Load(text),
                      std::filesystem::path(path).parent_path());
  } catch (const YAML::Exception& error) {
    return UsageError("the configuration is not YAML: line " +
                      std::to_string(error.mark.line + 1));
  }
}

std::string DefaultConfigPath() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes it while this runs.
  const char* home = std::getenv("HOME");
  if (home == nullptr) return {};
  const auto path = std::filesystem::path(home) / ".config" / "hizo.yaml";
  std::error_code error;
  return std::filesystem::exists(path, error) ? path.string() : std::string();
}

absl::StatusOr<Config> MakeConfig(const Settings& file, const Settings& flags) {
  Settings all = {{"timeout", kTimeoutDefault}};
  for (const Settings* source : {&file, &flags}) {
    for (const auto& [name, value] : *source) {
      if (!value.empty()) all[name] = value;
    }
  }
  for (const Setting& setting : kSettings) {
    if (all[setting.name].empty()) {
      return UsageError(std::string("--") + setting.name +
                        " is in neither the flags nor the configuration");
    }
  }
  ASSIGN_OR_RETURN(const auto timeout, ParseTimeout(all["timeout"]));
  return Config{.address = all["address"],
                .ca = all["ca"],
                .cert = all["cert"],
                .key = all["key"],
                .purpose = all["purpose"],
                .timeout = timeout};
}

}  // namespace hizo::cli
