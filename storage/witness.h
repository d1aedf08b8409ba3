// Witness: signed heads of the audit log, kept in a folder that is somebody
// else's: another machine's, or one that only takes new files.
//
// The anchor is on this machine: whoever puts back an image of all of it puts
// back the anchor as well. What a witness has seen they cannot take back. Its
// files are named by how many entries a head has, and hold the signed note; one
// that is there is never changed.
//
// A program may carry each head to others as well: into a mailbox, a log of
// somebody else's, a C2SP witness. It is asked nothing at the start.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_STORAGE_WITNESS_H_
#define HIZO_STORAGE_WITNESS_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hizo::storage {

class Witness {
 public:
  struct Seen {
    uint64_t size = 0;  // number of entries
    std::string note;
  };

  // kNotFound if there is no such folder.
  static absl::StatusOr<std::unique_ptr<Witness>> Open(
      const std::filesystem::path& folder,
      const std::filesystem::path& program = {});

  // The sizes of all heads that it has seen, ascending; kUnavailable if the
  // folder cannot be read.
  absl::StatusOr<std::vector<uint64_t>> Sizes() const;
  // The head of that size; kUnavailable if it cannot be read.
  absl::StatusOr<Seen> Read(uint64_t size) const;
  // Shows it a head, durably, and then the program, which gets the note on its
  // standard input and the size as its argument. No error if it has seen that
  // one; kAlreadyExists if it has seen another one of that size; kUnavailable
  // if it cannot be written, or the program does not end with 0 within
  // kProgramPatience: it is in the folder then, and may be shown again.
  absl::Status Show(const Seen& head);
  static constexpr std::chrono::seconds kProgramPatience{10};
  // Has it forget a head, which stays there under another name.
  absl::Status SetAside(uint64_t size);

 private:
  Witness(std::filesystem::path folder, std::filesystem::path program)
      : folder_(std::move(folder)), program_(std::move(program)) {}
  std::filesystem::path FileOf(uint64_t size) const;
  absl::Status PutDown(const Seen& head);
  const std::filesystem::path folder_;
  const std::filesystem::path program_;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_WITNESS_H_
