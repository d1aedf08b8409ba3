// WholeFile: a file that is there only once it is whole; only its owner may
// read it. What does not become whole is removed.
//
// Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_WHOLE_FILE_H_
#define HIZO_SERVICE_CLI_WHOLE_FILE_H_

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "crypto/minisign.h"

namespace hizo::cli {

class WholeFile {
 public:
  explicit WholeFile(std::string path);
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  // A usage error if it cannot be written.
  absl::Status Write(const std::string& bytes);
  absl::Status Finish();

 private:
  absl::Status CannotBeWritten() const;
  const std::string path_;
  const std::string part_;
  std::ofstream out_;
  bool done_ = false;
};

// kNotVerified unless `public_key` signed what was hashed.
absl::Status CheckSigned(const std::string& public_key,
                         const crypto::MinisignHash& hash,
                         const std::string& signature);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_WHOLE_FILE_H_
