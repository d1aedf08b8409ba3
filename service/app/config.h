// Config: what hizod is told.
//
// One table of settings (config.cc) serves the YAML file, the flags that
// override it and the help text. In the file the parts of a dotted name are
// nested maps; as a flag `storage.data_dir` is `--storage.data-dir`. Relative
// paths are taken from where they were written: the file's folder, or for a
// flag the working directory.
//
// Threads: value type.
#ifndef HIZO_SERVICE_APP_CONFIG_H_
#define HIZO_SERVICE_APP_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace hizo::app {

using Path = std::filesystem::path;

// Config: every field is a setting of the same name; the values here are the
// defaults. Checked: paths are absolute, numbers within their bounds.
struct Config {
  std::string listen = "localhost:7443";  // host:port; port 0 chooses one
  std::string store_name = "main";        // part of the audit log's name
  size_t store_suite = 1;                 // cipher suite, crypto/FORMAT.md 1
  Path storage_data_dir;
  Path storage_keys_dir;
  size_t storage_cache_mb = 64;
  std::vector<Path> slots;
  Path slot_passphrase_file;  // empty: slots hold the root in the clear
  Path anchor;
  Path witness_dir;      // empty: no witness
  Path witness_command;  // empty: none
  size_t witness_seconds = 60;
  size_t witness_override = 0;  // 0: nothing is overridden
  size_t audit_keep_years = 7;
  Path backup_dir;  // empty: no backups
  size_t backup_keep = 7;
  size_t backup_mb_per_second = 100;
  Path replica_dir;                  // empty: no replica
  std::vector<Path> bundle_trusted;  // public keys of other vaults
  Path tls_cert;
  Path tls_key;
  Path tls_client_ca;
  size_t tls_reload_seconds = 10;
  Path catalogue;
  Path access;
  size_t password_cost = 12;
  bool password_test_cost = false;
  Path password_breached_file;  // empty: none
  size_t password_threads = 2;
  size_t password_queue = 64;
  size_t renew_minutes = 24 * 60;  // 0: never
  size_t purge_hours = 24;         // 0: never
  size_t commit_queue = 4096;
  bool memory_require_lock = true;
  size_t max_message_bytes = 1024 * 1024;
  size_t misses_per_minute = 6000;
  size_t connections_max = 1024;
  size_t connections_per_address = 256;
  size_t connections_streams = 128;
  size_t connections_handshake_seconds = 5;
  size_t connections_keepalive_seconds = 60;
  size_t connections_keepalive_timeout_seconds = 20;
  size_t connections_idle_seconds = 900;
  size_t connections_age_seconds = 3600;
  size_t connections_age_grace_seconds = 300;
  size_t calls_per_caller = 256;
  size_t calls_idle_seconds = 30;
  size_t threads = 2;  // that serve calls
  bool reflection = false;
};

// Override is a setting given on the command line. A list is given as several
// overrides of one name, which together replace the file's.
struct Override {
  std::string name;  // "storage.data_dir"
  std::string value;
};

// Reads `file`, applies `overrides` and checks the whole. kInvalidArgument or
// kNotFound, with a text for the operator that names the setting and, where it
// came from the file, its line.
absl::StatusOr<Config> LoadConfig(const Path& file,
                                  const std::vector<Override>& overrides);

// What works but deserves a look, one sentence each: slots on the device of
// the data, a single slot, keys that others may read, test settings.
std::vector<std::string> Warnings(const Config& config);

// What is to be said where a password hash takes `took`; empty if nothing is.
std::string PasswordTimeWarning(const Config& config,
                                std::chrono::nanoseconds took);

// SettingHelp describes one setting for people.
struct SettingHelp {
  std::string name;           // "storage.data_dir"
  std::string flag;           // "--storage.data-dir"
  std::string default_value;  // empty: none
  std::string text;
};
std::vector<SettingHelp> Settings();

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_CONFIG_H_
