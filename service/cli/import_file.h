// ImportFile: the lines of an import, read in batches, and the record of how
// far the vault has acknowledged them.
//
// The record lies beside the file (or where the caller says) while an import is
// under way and is replaced atomically; a later run with the same file goes on
// behind the last acknowledged batch. It holds a chained hash of the lines
// before that point, so that a file that has changed meanwhile is refused.
// Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_IMPORT_FILE_H_
#define HIZO_SERVICE_CLI_IMPORT_FILE_H_

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace hizo::cli {

struct ImportLine {
  int64_t number;  // from 1
  std::string text;
};

struct ImportBatch {
  std::vector<ImportLine> lines;  // empty: the file ends here
  int64_t bytes_read = 0;         // of the file, this batch included
  crypto::Digest chain{};         // over all lines up to here
};

class ImportFile {
 public:
  static constexpr size_t kLineBytesMax = 1024 * 1024;
  // A batch of this size takes no further line.
  static constexpr int64_t kBatchBytesEnough = 1024 * 1024;

  // A usage error if the file cannot be read, or `state_path` speaks of a file
  // that began differently.
  static absl::StatusOr<std::unique_ptr<ImportFile>> Open(
      const std::string& path, const std::string& state_path);

  // The next lines, at most `lines_max` and not many bytes; blank ones are part
  // of it. A usage error for a line longer than kLineBytesMax.
  absl::StatusOr<ImportBatch> Next(size_t lines_max);

  // Records that everything up to and including `batch` is done.
  absl::Status Acknowledge(const ImportBatch& batch) const;
  // Removes the record: the whole file is done.
  void Finish() const;

  // Lines that earlier runs have done.
  int64_t lines_done() const { return lines_done_; }
  int64_t size_bytes() const { return size_bytes_; }

 private:
  ImportFile(std::ifstream in, int64_t size_bytes, std::string state_path);
  absl::Status Resume();
  absl::StatusOr<bool> NextLine(std::string& line);

  std::ifstream in_;
  int64_t size_bytes_;
  std::string state_path_;
  int64_t lines_done_ = 0;
  int64_t line_number_ = 0;
  int64_t bytes_read_ = 0;
  crypto::Digest chain_{};
};

// The request id of a line: the same for the same line at the same place in
// whatever file, so that sending it again is harmless.
std::string ImportRequestId(const ImportLine& line);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_IMPORT_FILE_H_
