// TlsWatch: reads the TLS files, and reads them again when they change.
//
// A new set is handed on only if it is whole, fits together and is in date, and
// its files have been still for one look, so that none is half-written. Any
// other is logged as an error and counted, and the set in use stays in use.
//
// Threads: Look from one thread; status from any.
#ifndef HIZO_SERVICE_APP_TLS_WATCH_H_
#define HIZO_SERVICE_APP_TLS_WATCH_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "service/app/config.h"
#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/rpc/server_tls.h"

namespace hizo::app {

// FileStamp tells one state of a file from another.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = -1;  // there is no file
  int64_t changed = 0;
  bool operator==(const FileStamp&) const = default;
};
using TlsStamps = std::array<FileStamp, 3>;

// A set that can be served with.
struct TlsSet {
  rpc::TlsFiles files;
  base::Timestamp expires;  // the server's certificate chain
  TlsStamps stamps;         // of the files, before they were read
};

// kNotFound or kInvalidArgument, with a text for the operator, if a file cannot
// be read or the set cannot be served with at `now`.
absl::StatusOr<TlsSet> ReadTls(const Config& config, base::Timestamp now);

class TlsWatch {
 public:
  // `in_use` was read before; `publish` is given each better set.
  TlsWatch(const Config& config, const TlsSet& in_use,
           std::function<void(rpc::TlsFiles)> publish);
  TlsWatch(const TlsWatch&) = delete;
  TlsWatch& operator=(const TlsWatch&) = delete;

  // To be called again and again.
  void Look(base::Timestamp now);

  struct Status {
    base::Timestamp expires;  // the certificate in use
    uint64_t reloads = 0;
    uint64_t failures = 0;  // sets that were not used
  };
  Status status() const;

 private:
  void Refuse(const TlsStamps& seen, std::string_view why);

  const Config config_;
  const std::function<void(rpc::TlsFiles)> publish_;
  TlsStamps in_use_;
  TlsStamps last_seen_;
  TlsStamps refused_;  // of the set that was refused last
  mutable base::Mutex mutex_;
  Status status_ HIZO_GUARDED_BY(mutex_);
};

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_TLS_WATCH_H_
