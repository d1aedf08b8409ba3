#include "service/cli/import_file.h"

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "absl/strings/escaping.h"
#include "service/base/ids.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"

namespace hizo::cli {
namespace {

constexpr char kStateHeader[] = "hizo-import-1";

std::string Hex(const crypto::Digest& digest) {
  return absl::BytesToHexString(std::string(crypto::AsBytes(digest)));
}

crypto::Digest Chain(const crypto::Digest& before, std::string_view line) {
  std::string bytes(crypto::AsBytes(before));
  bytes += line;
  return crypto::Sha256(bytes);
}

}  // namespace

ImportFile::ImportFile(std::ifstream in, int64_t size_bytes,
                       std::string state_path)
    : in_(std::move(in)),
      size_bytes_(size_bytes),
      state_path_(std::move(state_path)) {}

absl::StatusOr<std::unique_ptr<ImportFile>> ImportFile::Open(
    const std::string& path, const std::string& state_path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!in || error) return UsageError("cannot read the file " + path);
  std::unique_ptr<ImportFile> file(
      new ImportFile(std::move(in), static_cast<int64_t>(size), state_path));
  RETURN_IF_ERROR(file->Resume());
  return file;
}

absl::Status ImportFile::Resume() {
  std::ifstream state(state_path_);
  if (!state) return absl::OkStatus();
  std::string header;
  std::string chain;
  if (!(state >> header >> lines_done_ >> chain) || header != kStateHeader ||
      lines_done_ < 0) {
    return UsageError("not a record of an import: " + state_path_);
  }
  std::string line;
  while (line_number_ < lines_done_) {
    ASSIGN_OR_RETURN(const bool more, NextLine(line));
    if (!more) break;
  }
  if (line_number_ != lines_done_ || chain != Hex(chain_)) {
    return UsageError(
        "the file has changed since its import began; to import it from its "
        "start, remove " +
        state_path_);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ImportFile::NextLine(std::string& line) {
  line.clear();
  std::streambuf& buffer = *in_.rdbuf();
  int c = buffer.sbumpc();
  if (c == EOF) return false;
  for (; c != EOF && c != '\n'; c = buffer.sbumpc()) {
    if (line.size() == kLineBytesMax) {
      return UsageError("line " + std::to_string(line_number_ + 1) +
                        " is longer than 1 MiB");
    }
    line.push_back(static_cast<char>(c));
  }
  ++line_number_;
  bytes_read_ += static_cast<int64_t>(line.size()) + (c == '\n' ? 1 : 0);
  chain_ = Chain(chain_, line);
  return true;
}

absl::StatusOr<ImportBatch> ImportFile::Next(size_t lines_max) {
  ImportBatch batch;
  std::string line;
  const int64_t begin = bytes_read_;
  while (batch.lines.size() < lines_max &&
         bytes_read_ - begin < kBatchBytesEnough) {
    ASSIGN_OR_RETURN(const bool more, NextLine(line));
    if (!more) break;
    batch.lines.push_back({line_number_, line});
  }
  batch.bytes_read = bytes_read_;
  batch.chain = chain_;
  return batch;
}

absl::Status ImportFile::Acknowledge(const ImportBatch& batch) const {
  const std::string next = state_path_ + ".next";
  std::ofstream out(next, std::ios::trunc);
  out << kStateHeader << ' ' << batch.lines.back().number << ' '
      << Hex(batch.chain) << '\n';
  out.close();
  if (!out || std::rename(next.c_str(), state_path_.c_str()) != 0) {
    return UsageError("cannot write " + state_path_);
  }
  return absl::OkStatus();
}

void ImportFile::Finish() const {
  std::error_code ignored;  // at worst the next run has nothing left to do
  std::filesystem::remove(state_path_, ignored);
}

std::string ImportRequestId(const ImportLine& line) {
  const crypto::Digest digest =
      crypto::Sha256(std::to_string(line.number) + '\n' + line.text);
  std::string id(crypto::AsBytes(digest).substr(0, base::RequestId::kSize));
  // RFC 9562: version 8, made by a rule of one's own.
  id[6] = static_cast<char>((id[6] & 0x0F) | 0x80);
  id[8] = static_cast<char>((id[8] & 0x3F) | 0x80);
  return base::UuidText(id);
}

}  // namespace hizo::cli
