// Config: where the vault is and who asks.
//
// Settings come from a YAML file and from flags of the same names; a flag wins.
// Unknown keys, keys given twice and values that are not plain text are
// refused. Threads: value types.
#ifndef HIZO_SERVICE_CLI_CONFIG_H_
#define HIZO_SERVICE_CLI_CONFIG_H_

#include <array>
#include <chrono>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace hizo::cli {

struct Setting {
  const char* name;
  const char* help;
};
inline constexpr std::array<Setting, 6> kSettings = {{
    {"address", "host:port of the vault"},
    {"ca", "PEM file of the authorities that the vault's certificate is from"},
    {"cert", "PEM file of the client certificate"},
    {"key", "PEM file of the client certificate's key"},
    {"purpose", "why the call is made, a purpose of the vault's catalogue"},
    {"timeout", "how long to wait for an answer, such as 10s or 500ms"},
}};

// Settings by name, as they were written.
using Settings = std::map<std::string, std::string>;

struct Config {
  std::string address;
  std::string ca;
  std::string cert;
  std::string key;
  std::string purpose;
  std::chrono::milliseconds timeout;
};

// Settings of a YAML file. Relative paths in it start at the file's folder. An
// absent file is an error.
absl::StatusOr<Settings> ReadSettings(const std::string& path);

// The file that is read if none is named; empty if it does not exist.
std::string DefaultConfigPath();

// Joins both, flags over file; every setting but `timeout` is required, an
// empty one counts as not given.
absl::StatusOr<Config> MakeConfig(const Settings& file, const Settings& flags);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_CONFIG_H_
