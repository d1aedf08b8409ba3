#include "service/app/tls_watch.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "crypto/certificate.h"
#include "service/app/logging.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

absl::StatusOr<std::string> ReadFile(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file.is_open() || text.empty()) {
    return absl::NotFoundError("cannot read " + path.string());
  }
  return text;
}

int64_t Seconds(base::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time)
      .time_since_epoch()
      .count();
}

TlsStamps StampFiles(const Config& config) {
  TlsStamps stamps;
  const std::array<const Path*, 3> paths = {&config.tls_cert, &config.tls_key,
                                            &config.tls_client_ca};
  for (size_t i = 0; i < paths.size(); ++i) {
    struct stat info {};
    if (stat(paths.at(i)->c_str(), &info) != 0) continue;
    stamps.at(i) = {
        info.st_dev, info.st_ino, info.st_size,
        info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec};
  }
  return stamps;
}

}  // namespace

absl::StatusOr<TlsSet> ReadTls(const Config& config, base::Timestamp now) {
  TlsSet set;
  set.stamps = StampFiles(config);
  ASSIGN_OR_RETURN(set.files.certificate, ReadFile(config.tls_cert));
  ASSIGN_OR_RETURN(set.files.key, ReadFile(config.tls_key));
  ASSIGN_OR_RETURN(set.files.client_ca, ReadFile(config.tls_client_ca));
  ASSIGN_OR_RETURN(const int64_t expires,
                   crypto::CheckServerIdentity(set.files.certificate,
                                               set.files.key, Seconds(now)));
  RETURN_IF_ERROR(
      crypto::CheckAuthorities(set.files.client_ca, Seconds(now)).status());
  set.expires = base::Timestamp(std::chrono::seconds(expires));
  return set;
}

TlsWatch::TlsWatch(const Config& config, const TlsSet& in_use,
                   std::function<void(rpc::TlsFiles)> publish)
    : config_(config),
      publish_(std::move(publish)),
      in_use_(in_use.stamps),
      last_seen_(in_use.stamps) {
  status_.expires = in_use.expires;
}

void TlsWatch::Look(base::Timestamp now) {
  const TlsStamps seen = StampFiles(config_);
  const bool still = seen == last_seen_;
  last_seen_ = seen;
  if (seen == in_use_ || !still) return;
  absl::StatusOr<TlsSet> set = ReadTls(config_, now);
  if (StampFiles(config_) != seen) return;  // changed while it was read
  if (!set.ok()) return Refuse(seen, std::string(set.status().message()));
  in_use_ = seen;
  publish_(std::move(set->files));
  Log(Level::kInfo, "tls_reloaded", {{"expires", Seconds(set->expires)}});
  const base::MutexLock lock(mutex_);
  status_.expires = set->expires;
  ++status_.reloads;
}

void TlsWatch::Refuse(const TlsStamps& seen, std::string_view why) {
  // Tried again at each look, for it may only not be in date yet; told once.
  if (seen == refused_) return;
  refused_ = seen;
  LogText(Level::kError, "tls_not_reloaded", why);
  const base::MutexLock lock(mutex_);
  ++status_.failures;
}

TlsWatch::Status TlsWatch::status() const {
  const base::MutexLock lock(mutex_);
  return status_;
}

}  // namespace hizo::app
