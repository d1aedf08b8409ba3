#include "service/cli/whole_file.h"

#include <filesystem>
#include <utility>

#include "service/cli/failure.h"

namespace hizo::cli {

namespace fs = std::filesystem;

WholeFile::WholeFile(std::string path)
    : path_(std::move(path)),
      part_(path_ + ".part"),
      out_(part_, std::ios::binary | std::ios::trunc) {
  std::error_code ignored;
  fs::permissions(part_, fs::perms::owner_read | fs::perms::owner_write,
                  ignored);
}

WholeFile::~WholeFile() {
  std::error_code ignored;
  if (!done_) fs::remove(part_, ignored);
}

absl::Status WholeFile::CannotBeWritten() const {
  return UsageError(path_ + " cannot be written");
}

absl::Status WholeFile::Write(const std::string& bytes) {
  if (!out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return CannotBeWritten();
  }
  return absl::OkStatus();
}

absl::Status WholeFile::Finish() {
  out_.close();
  std::error_code error;
  if (out_) fs::rename(part_, path_, error);
  done_ = out_ && !error;
  return done_ ? absl::OkStatus() : CannotBeWritten();
}

absl::Status CheckSigned(const std::string& public_key,
                         const crypto::MinisignHash& hash,
                         const std::string& signature) {
  if (crypto::CheckMinisign(public_key, hash.Digest(), signature).ok()) {
    return absl::OkStatus();
  }
  return Fail({.exit = ExitCode::kNotVerified,
               .text = "what the vault sent is not what it signed",
               .reason = "FORGED",
               .field = {}});
}

}  // namespace hizo::cli
