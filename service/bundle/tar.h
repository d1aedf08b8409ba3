// The container of a bundle: POSIX tar through libarchive, which is named in
// tar.cc and nowhere else.
//
// Written: plain files of one owner and time, in a folder of the bundle's own.
// Read: that and nothing else; whatever else tar can hold is refused before a
// byte of its content is taken, and an archive that is not, to the byte, what
// would have been written is refused at its end. Threads: one object from one
// thread at a time.
#ifndef HIZO_SERVICE_BUNDLE_TAR_H_
#define HIZO_SERVICE_BUNDLE_TAR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/minisign.h"
#include "service/base/clock.h"

struct archive_entry;  // of libarchive

namespace hizo::bundle {

inline constexpr size_t kMemberSizeMax = size_t{4} << 20;
inline constexpr size_t kMembersMax = 20'000;
inline constexpr size_t kMemberNameMax = 64;

// Lower-case letters, digits, dots and hyphens, beginning with a letter; at
// most kMemberNameMax.
bool IsMemberName(std::string_view name);

// One member of an archive; archives are members one after the other, and then
// TarEnd. `folder` and `name` are IsMemberName; `content` is at most
// kMemberSizeMax.
std::string TarMember(std::string_view folder, std::string_view name,
                      base::Timestamp modified, std::string_view content);
std::string TarEnd();

struct Member {
  std::string name;  // without the folder
  std::string content;
};

class TarReader {
 public:
  // Gives the next bytes of the archive, "" at its end.
  using Source = std::function<absl::StatusOr<std::string>()>;
  explicit TarReader(Source source);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next member; false after the last one, when the archive and its source
  // have ended as they must; not to be called after that or an error. An error
  // of the source comes back as it is, all else as a Refusal.
  absl::StatusOr<bool> Next(Member& member);
  // Of the first member; all others lie in the same, and are as old.
  const std::string& folder() const { return folder_; }
  base::Timestamp modified() const { return modified_; }

 private:
  struct Archive;
  absl::Status Broken() const;
  // The size of what is to come.
  absl::StatusOr<size_t> CheckEntry(archive_entry* entry, Member& member);
  absl::Status CheckEnd();
  std::unique_ptr<Archive> archive_;
  std::string folder_;
  base::Timestamp modified_;
  std::set<std::string> names_;
  size_t members_ = 0;
  uint64_t expected_ = 0;            // bytes of the members so far
  crypto::MinisignHash as_written_;  // as they would have been written
};

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_TAR_H_
