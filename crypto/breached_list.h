// BreachedList: an operator's file of passwords that attackers try first.
//
// The file holds the first eight bytes of the SHA-1 of each, in ascending order
// (FORMAT.md 9): public lists are made of SHA-1, and nothing here leans on its
// strength. It is searched where it lies and never read into memory; one
// password in 10^10 that is in no list is taken for one of a list of 10^9.
//
// Threads: a list may be searched concurrently; a writer is for one thread.
#ifndef HIZO_CRYPTO_BREACHED_LIST_H_
#define HIZO_CRYPTO_BREACHED_LIST_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace hizo::crypto {

// What stands for a password in a list. The password is as NormalisePassword
// made it.
uint64_t BreachedPrefix(const Secret& password);
// The same from a line of a public list: 40 hexadecimal digits, then nothing or
// a colon and a count. nullopt for any other line.
std::optional<uint64_t> ParseBreachedLine(std::string_view line);

class BreachedList {
 public:
  // kNotFound if there is no such file, kDataLoss if it is no whole list.
  static absl::StatusOr<std::unique_ptr<BreachedList>> Open(
      const std::filesystem::path& path);
  BreachedList(const BreachedList&) = delete;
  BreachedList& operator=(const BreachedList&) = delete;
  ~BreachedList();

  uint64_t size() const { return size_; }
  // Reads the disk some thirty times at most. kUnavailable if it cannot.
  absl::StatusOr<bool> Contains(const Secret& password) const;

 private:
  explicit BreachedList(int file) : file_(file) {}
  const int file_;
  uint64_t size_ = 0;
};

class BreachedListWriter {
 public:
  // kAlreadyExists if `path` is there, kUnavailable if it cannot be written.
  static absl::StatusOr<BreachedListWriter> Create(
      const std::filesystem::path& path);
  // Ascending; one that comes again is left out. kInvalidArgument if it is less
  // than the one before.
  absl::Status Add(uint64_t prefix);
  // Makes the file whole; how many it holds. Without it the file stays one that
  // Open refuses.
  absl::StatusOr<uint64_t> Finish();

 private:
  explicit BreachedListWriter(std::ofstream out) : out_(std::move(out)) {}
  std::ofstream out_;
  uint64_t size_ = 0;
  uint64_t last_ = 0;
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_BREACHED_LIST_H_
