// Anchor: the head of the audit log, remembered outside the database.
//
// A database whose tail was cut off, or that was put back from an older copy,
// opens as if nothing had happened. The anchor is a small preallocated file
// elsewhere, overwritten in turn in two places so that a torn write loses only
// the newer one; a store whose log is behind its anchor must not start.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_STORAGE_ANCHOR_H_
#define HIZO_STORAGE_ANCHOR_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hizo::storage {

class Anchor {
 public:
  struct Head {
    uint64_t size = 0;  // number of entries
    std::string root;   // 32 bytes
  };

  // Opens `file` for the store `store_id` (16 bytes). With `create` it is made
  // with an empty head, kAlreadyExists if it exists. Else kNotFound if it is
  // missing, kFailedPrecondition if it is another store's, kDataLoss if both
  // places are damaged.
  static absl::StatusOr<std::unique_ptr<Anchor>> Open(
      const std::filesystem::path& file, const std::string& store_id,
      bool create);

  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;
  ~Anchor();

  const Head& head() const { return head_; }
  // Makes `head` durable. kInvalidArgument if it is smaller than the present
  // one; kUnknown if the write failed.
  absl::Status Write(const Head& head);

 private:
  Anchor(int fd, std::string store_id);
  int fd_;
  std::string store_id_;
  Head head_;
  uint64_t turn_ = 0;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_ANCHOR_H_
