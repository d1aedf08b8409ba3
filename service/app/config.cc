#include "service/app/config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "service/app/yaml_reader.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

constexpr size_t kSlotsMax = 8;
constexpr size_t kStoreNameSizeMax = 64;
constexpr size_t kPasswordCostFloor = 10;

using Member =
    std::variant<std::string Config::*, Path Config::*,
                 std::vector<Path> Config::*, bool Config::*, size_t Config::*>;

// Setting: one line here is all that a new setting needs. Paths are required.
struct Setting {
  std::string_view name;
  Member member;
  std::string_view help;
  size_t min = 0;  // of numbers
  size_t max = 0;
  bool optional = false;  // of paths
};

constexpr Setting kSettings[] = {
    {"listen", &Config::listen, "host:port to serve on; port 0 chooses one"},
    {"store_name", &Config::store_name,
     "name of the audit log: hizo/<store_name>; final once the store is made"},
    {"store_suite", &Config::store_suite,
     "cipher suite of the store's own keys: 1, or 2 for a store of tenants of "
     "suite 2 only; final once the store is made",
     1, 2},
    {"storage.data_dir", &Config::storage_data_dir,
     "folder of the sealed records and the audit log"},
    {"storage.keys_dir", &Config::storage_keys_dir,
     "folder of the wrapped keys; not inside the data folder"},
    {"storage.cache_mb", &Config::storage_cache_mb, "MiB of memory for reading",
     8, 65536},
    {"slots", &Config::slots,
     "files that hold the root key, at most 8; outside both folders, each best "
     "on a device of its own"},
    {"slot_passphrase_file", &Config::slot_passphrase_file,
     "file of a passphrase that roots in slots are sealed with; more lines are "
     "earlier ones that only open",
     0, 0, true},
    {"anchor", &Config::anchor,
     "file that remembers the head of the audit log; outside both folders"},
    {"witness.dir", &Config::witness_dir,
     "folder of somebody else's that is shown the audit log's signed head; a "
     "log that does not continue what lies there does not start",
     0, 0, true},
    {"witness.command", &Config::witness_command,
     "program that is given each head as well, on its standard input, and ends "
     "with 0 once others have it; its argument is the number of entries",
     0, 0, true},
    {"witness.seconds", &Config::witness_seconds, "how often it is shown", 1,
     86400},
    {"witness.override", &Config::witness_override,
     "starts although the log does not continue the head of so many entries "
     "there; the log records it. To be given once",
     0, size_t{1} << 62U},
    {"audit.keep_years", &Config::audit_keep_years,
     "how long entries of the audit log are kept", 3, 100},
    {"backup.dir", &Config::backup_dir,
     "folder of backups of the data, best on another device; else none", 0, 0,
     true},
    {"backup.keep", &Config::backup_keep, "how many backups are kept", 1, 1000},
    {"backup.mb_per_second", &Config::backup_mb_per_second,
     "MiB a backup may copy in a second; 0 is no limit", 0, 100000},
    {"replica.dir", &Config::replica_dir,
     "folder, on another device, that everything is written into as well; a "
     "lost disk is rebuilt from it",
     0, 0, true},
    {"bundle.trusted", &Config::bundle_trusted,
     "minisign public keys of other vaults whose bundles are taken in, files",
     0, 0, true},
    {"tls.cert", &Config::tls_cert, "the server's certificate chain, PEM"},
    {"tls.key", &Config::tls_key, "the server's private key, PEM"},
    {"tls.client_ca", &Config::tls_client_ca,
     "certificates that client certificates must come from, PEM"},
    {"tls.reload_seconds", &Config::tls_reload_seconds,
     "how often the files are looked at; new ones are used once still so long",
     1, 3600},
    {"catalogue", &Config::catalogue, "file of classes, fields and purposes"},
    {"access", &Config::access, "file of tenants, roles and principals"},
    {"password.cost", &Config::password_cost,
     "bcrypt cost of new password hashes; each step doubles the work", 4, 14},
    {"password.test_cost", &Config::password_test_cost,
     "allow a password.cost under 10; for tests only"},
    {"password.breached_file", &Config::password_breached_file,
     "list of passwords that nobody may choose, as `hizo password build-list` "
     "makes it; none if not given",
     0, 0, true},
    {"password.threads", &Config::password_threads,
     "threads that hash passwords", 1, 256},
    {"password.queue", &Config::password_queue,
     "password calls that may wait; more are told to come back", 1, 65536},
    {"renew_minutes", &Config::renew_minutes,
     "how often what had values replaced or deleted gets new keys, so that "
     "older copies of them die; 0 is never",
     0, 525600},
    {"purge_hours", &Config::purge_hours,
     "how often the files of the stores are written anew without what was "
     "deleted, from the start on; 0 is never",
     0, 8760},
    {"commit.queue", &Config::commit_queue,
     "calls that may wait for the disk; more are told to come back", 1, 65536},
    {"memory.require_lock", &Config::memory_require_lock,
     "refuse to start where keys cannot be locked into memory"},
    {"max_message_bytes", &Config::max_message_bytes,
     "largest message taken from a caller", 65536, 4194304},
    {"misses_per_minute", &Config::misses_per_minute,
     "how often a caller may be told that somebody is not there, or is taken, "
     "before it has to wait; 0 is no limit; a role may say otherwise",
     0, 60000000},
    {"connections.max", &Config::connections_max,
     "connections held at once; fewer where the system allows few open files",
     1, 65536},
    {"connections.per_address", &Config::connections_per_address,
     "connections of one address (of one /64 network, with IPv6)", 1, 65536},
    {"connections.streams", &Config::connections_streams,
     "calls under way at once on one connection", 1, 1024},
    {"connections.handshake_seconds", &Config::connections_handshake_seconds,
     "time for a TLS handshake", 1, 60},
    {"connections.keepalive_seconds", &Config::connections_keepalive_seconds,
     "silence after which the server asks whether a caller is still there", 1,
     7200},
    {"connections.keepalive_timeout_seconds",
     &Config::connections_keepalive_timeout_seconds,
     "time to answer that, else the connection is closed", 1, 600},
    {"connections.idle_seconds", &Config::connections_idle_seconds,
     "a connection without calls for so long is closed", 1, 86400},
    {"connections.age_seconds", &Config::connections_age_seconds,
     "a connection so old takes no more calls: a new one is checked anew", 1,
     604800},
    {"connections.age_grace_seconds", &Config::connections_age_grace_seconds,
     "time for the calls of an old connection to end", 1, 86400},
    {"calls.per_caller", &Config::calls_per_caller,
     "calls of one certificate under way at once, of 1,024 in all", 1, 1024},
    {"calls.idle_seconds", &Config::calls_idle_seconds,
     "a call on which nothing moves for so long is ended", 1, 3600},
    {"threads", &Config::threads, "threads that serve calls", 1, 256},
    {"reflection", &Config::reflection,
     "let callers list services and messages"},
};

std::string FlagOf(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

const Setting* FindSetting(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kSettings), std::end(kSettings),
                   [name](const Setting& s) { return s.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

// Sets one setting of a Config from a value; one overload for each type.
struct Setter {
  Config& config;
  const Setting& setting;
  const YamlValue& value;
  const Path& base;  // what relative paths start from

  absl::Status operator()(std::string Config::*member) const {
    return value.Read(config.*member);
  }
  absl::Status operator()(Path Config::*member) const {
    std::string text;
    RETURN_IF_ERROR(value.Read(text));
    config.*member = (base / text).lexically_normal();
    return absl::OkStatus();
  }
  absl::Status operator()(std::vector<Path> Config::*member) const {
    std::vector<std::string> texts;
    RETURN_IF_ERROR(value.Read(texts));
    (config.*member).clear();
    for (const std::string& text : texts) {
      (config.*member).push_back((base / text).lexically_normal());
    }
    return absl::OkStatus();
  }
  absl::Status operator()(bool Config::*member) const {
    return value.Read(config.*member);
  }
  absl::Status operator()(size_t Config::*member) const {
    uint64_t number = 0;
    RETURN_IF_ERROR(value.ReadNumber(setting.min, setting.max, number));
    config.*member = number;
    return absl::OkStatus();
  }
};

absl::Status Set(Config& config, const Setting& setting, const YamlValue& value,
                 const Path& base) {
  return std::visit(Setter{config, setting, value, base}, setting.member);
}

absl::Status ApplyMap(Config& config, const YamlValue& map,
                      const std::string& prefix, const Path& base) {
  for (const YamlValue& item : map.items) {
    const std::string name = prefix + item.key;
    if (item.kind == YamlValue::Kind::kMap) {
      RETURN_IF_ERROR(ApplyMap(config, item, name + ".", base));
      continue;
    }
    const Setting* setting = FindSetting(name);
    if (setting == nullptr || item.key.find('.') != std::string::npos) {
      return item.Error("unknown key `" + name + "`");
    }
    RETURN_IF_ERROR(Set(config, *setting, item, base));
  }
  return absl::OkStatus();
}

absl::Status ApplyOverrides(Config& config,
                            const std::vector<Override>& overrides,
                            const Path& base) {
  std::map<std::string, YamlValue> by_name;
  for (const Override& override : overrides) {
    YamlValue value;
    value.kind = YamlValue::Kind::kScalar;
    value.where = FlagOf(override.name);
    value.text = override.value;
    value.plain = true;
    YamlValue& list = by_name[override.name];
    list.kind = YamlValue::Kind::kList;
    list.where = value.where;
    list.items.push_back(std::move(value));
  }
  for (const auto& [name, list] : by_name) {
    const Setting* setting = FindSetting(name);
    if (setting == nullptr) return list.Error("no such setting");
    const bool takes_list =
        std::holds_alternative<std::vector<Path> Config::*>(setting->member);
    if (!takes_list && list.items.size() > 1) return list.Error("given twice");
    RETURN_IF_ERROR(
        Set(config, *setting, takes_list ? list : list.items.front(), base));
  }
  return absl::OkStatus();
}

absl::Status Wrong(std::string_view name, const std::string& what) {
  return absl::InvalidArgumentError(std::string(name) + ": " + what);
}

absl::Status CheckRequired(const Config& config) {
  for (const Setting& setting : kSettings) {
    const auto* path = std::get_if<Path Config::*>(&setting.member);
    const auto* paths =
        std::get_if<std::vector<Path> Config::*>(&setting.member);
    if ((path != nullptr && !setting.optional && (config.**path).empty()) ||
        (paths != nullptr && !setting.optional && (config.**paths).empty())) {
      return Wrong(setting.name, "is missing: " + std::string(setting.help));
    }
  }
  return absl::OkStatus();
}

bool IsListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed =
      host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (host.empty() ||
      (!bracketed && host.find_first_of("[]:/ ") != std::string_view::npos)) {
    return false;
  }
  return !port.empty() && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoi(std::string(port)) <= 65535;
}

absl::Status CheckNamesAndCost(const Config& config) {
  if (!IsListenAddress(config.listen)) {
    return Wrong("listen", "wanted host:port, such as localhost:7443");
  }
  if (config.store_name.size() > kStoreNameSizeMax ||
      config.store_name.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyz0123456789-_.") != std::string::npos) {
    return Wrong("store_name", "wanted at most 64 of a-z 0-9 - _ .");
  }
  if (config.password_cost < kPasswordCostFloor && !config.password_test_cost) {
    return Wrong("password.cost", "under 10 is for tests only");
  }
  if (!config.witness_command.empty() && config.witness_dir.empty()) {
    return Wrong("witness.command",
                 "needs witness.dir, which tells at the start what was seen");
  }
  return absl::OkStatus();
}

// A path as it is once links are followed, also where nothing is there yet.
absl::StatusOr<Path> Resolve(std::string_view name, const Path& path) {
  std::error_code error;
  Path resolved = std::filesystem::weakly_canonical(path, error);
  if (error) return Wrong(name, "cannot be resolved: " + path.string());
  // `a/` and `a` are one place.
  return resolved.has_filename() ? resolved : resolved.parent_path();
}

bool IsWithin(const Path& path, const Path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end())
             .first == folder.end();
}

// What is copied, kept for years and carried elsewhere, or stands on a disk of
// its own: nothing may get in there that opens it, and nothing of it between
// what does.
absl::Status CheckApart(
    std::string_view setting, const Path& directory, std::vector<Path> folders,
    const std::vector<std::pair<std::string_view, Path>>& files) {
  if (directory.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Path own, Resolve(setting, directory));
  for (const auto& [name, file] : files) {
    ASSIGN_OR_RETURN(const Path place, Resolve(name, file));
    if (name == "slots") {
      folders.push_back(place.parent_path());
    } else if (IsWithin(place, own)) {
      return Wrong(setting, "must not hold the " + std::string(name));
    }
  }
  for (const Path& folder : folders) {
    if (IsWithin(own, folder) || IsWithin(folder, own)) {
      return Wrong(setting,
                   "must lie outside the folders of data, keys, replica and "
                   "slots, and they outside of it: " +
                       folder.string());
    }
  }
  return absl::OkStatus();
}

// What a thief of one place must not find in it, and what a restored copy of
// it must not bring back, lies in another.
absl::Status CheckPlaces(const Config& config) {
  ASSIGN_OR_RETURN(const Path data,
                   Resolve("storage.data_dir", config.storage_data_dir));
  ASSIGN_OR_RETURN(const Path keys,
                   Resolve("storage.keys_dir", config.storage_keys_dir));
  if (IsWithin(data, keys) || IsWithin(keys, data)) {
    return Wrong("storage.keys_dir",
                 "neither folder may lie in the other: " + keys.string());
  }
  if (config.slots.size() > kSlotsMax) return Wrong("slots", "at most 8");
  std::vector<std::pair<std::string_view, Path>> outside = {
      {"anchor", config.anchor}};
  for (const Path& slot : config.slots) outside.emplace_back("slots", slot);
  if (!config.witness_dir.empty()) {
    outside.emplace_back("witness.dir", config.witness_dir);
  }
  if (!config.slot_passphrase_file.empty()) {
    outside.emplace_back("slot_passphrase_file", config.slot_passphrase_file);
  }
  std::vector<Path> seen;
  for (const auto& [name, path] : outside) {
    ASSIGN_OR_RETURN(const Path place, Resolve(name, path));
    if (IsWithin(place, data) || IsWithin(place, keys)) {
      return Wrong(name,
                   "must lie outside both storage folders: " + place.string());
    }
    if (std::find(seen.begin(), seen.end(), place) != seen.end()) {
      return Wrong(name, "is named twice: " + place.string());
    }
    seen.push_back(place);
  }
  std::vector<Path> folders = {data, keys};
  RETURN_IF_ERROR(
      CheckApart("replica.dir", config.replica_dir, folders, outside));
  if (!config.replica_dir.empty()) {
    ASSIGN_OR_RETURN(folders.emplace_back(),
                     Resolve("replica.dir", config.replica_dir));
  }
  return CheckApart("backup.dir", config.backup_dir, folders, outside);
}

absl::Status CheckFiles(const Config& config) {
  const std::pair<std::string_view, const Path&> files[] = {
      {"tls.cert", config.tls_cert},
      {"tls.key", config.tls_key},
      {"tls.client_ca", config.tls_client_ca},
      {"catalogue", config.catalogue},
      {"access", config.access},
      {"password.breached_file", config.password_breached_file},
      {"witness.command", config.witness_command},
      {"slot_passphrase_file", config.slot_passphrase_file}};
  for (const auto& [name, file] : files) {
    if (file.empty()) continue;
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
      return absl::NotFoundError(std::string(name) + ": there is no file " +
                                 file.string());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Config> LoadConfig(const Path& file,
                                  const std::vector<Override>& overrides) {
  std::error_code error;
  const Path here = std::filesystem::current_path(error);
  if (error) return absl::NotFoundError("there is no working directory");
  ASSIGN_OR_RETURN(const YamlValue root, ReadYaml(file));
  Config config;
  RETURN_IF_ERROR(ApplyMap(config, root, "", (here / file).parent_path()));
  RETURN_IF_ERROR(ApplyOverrides(config, overrides, here));
  RETURN_IF_ERROR(CheckRequired(config));
  RETURN_IF_ERROR(CheckNamesAndCost(config));
  RETURN_IF_ERROR(CheckPlaces(config));
  RETURN_IF_ERROR(CheckFiles(config));
  return config;
}

std::vector<SettingHelp> Settings() {
  const Config defaults;
  std::vector<SettingHelp> settings;
  for (const Setting& setting : kSettings) {
    std::string value;
    if (const auto* text =
            std::get_if<std::string Config::*>(&setting.member)) {
      value = defaults.**text;
    } else if (const auto* yes = std::get_if<bool Config::*>(&setting.member)) {
      value = defaults.**yes ? "true" : "false";
    } else if (const auto* number =
                   std::get_if<size_t Config::*>(&setting.member)) {
      value = std::to_string(defaults.**number);
    }
    settings.push_back({std::string(setting.name), FlagOf(setting.name),
                        std::move(value), std::string(setting.help)});
  }
  return settings;
}

}  // namespace hizo::app
