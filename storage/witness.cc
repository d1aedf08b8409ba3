#include "storage/witness.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "storage/files.h"
#include "storage/program.h"

namespace hizo::storage {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDigits = 20;  // of the largest number
constexpr std::string_view kEnding = ".checkpoint";
constexpr size_t kNoteSizeMax = size_t{64} << 10U;

absl::Status Unavailable(const char* what) {
  return absl::UnavailableError(what);
}

// nullopt for a file that is none of ours.
std::optional<uint64_t> SizeOf(const std::string& name) {
  if (name.size() != kDigits + kEnding.size() || !name.ends_with(kEnding)) {
    return std::nullopt;
  }
  uint64_t size = 0;
  const char* const end = name.data() + kDigits;
  const auto number = std::from_chars(name.data(), end, size);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  return size;
}

bool WriteDurably(const fs::path& file, const std::string& text) {
  const FileDescriptor fd(
      open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  return fd.valid() &&
         write(fd.get(), text.data(), text.size()) ==
             static_cast<ssize_t>(text.size()) &&
         fsync(fd.get()) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Witness>> Witness::Open(
    const fs::path& folder, const fs::path& program) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return absl::NotFoundError("the witness: there is no folder " +
                               folder.string());
  }
  return std::unique_ptr<Witness>(new Witness(folder, program));
}

fs::path Witness::FileOf(uint64_t size) const {
  const std::string digits = std::to_string(size);
  return folder_ / (std::string(kDigits - digits.size(), '0') + digits +
                    std::string(kEnding));
}

absl::StatusOr<std::vector<uint64_t>> Witness::Sizes() const {
  std::error_code error;
  std::vector<uint64_t> sizes;
  for (fs::directory_iterator entry(folder_, error), end;
       !error && entry != end; entry.increment(error)) {
    const auto size = SizeOf(entry->path().filename().string());
    if (size.has_value()) sizes.push_back(*size);
  }
  if (error) return Unavailable("the witness's folder cannot be read");
  std::ranges::sort(sizes);
  return sizes;
}

absl::StatusOr<Witness::Seen> Witness::Read(uint64_t size) const {
  std::ifstream in(FileOf(size), std::ios::binary);
  Seen head{size, std::string(kNoteSizeMax, '\0')};
  in.read(head.note.data(), kNoteSizeMax);
  if (in.gcount() == 0) return Unavailable("a witnessed head cannot be read");
  head.note.resize(static_cast<size_t>(in.gcount()));
  return head;
}

absl::Status Witness::Show(const Seen& head) {
  if (absl::Status status = PutDown(head); !status.ok()) return status;
  if (program_.empty()) return absl::OkStatus();
  return RunProgram(program_, std::to_string(head.size), head.note,
                    kProgramPatience);
}

absl::Status Witness::PutDown(const Seen& head) {
  const fs::path file = FileOf(head.size);
  std::error_code error;
  if (fs::exists(file, error)) {
    const absl::StatusOr<Seen> seen = Read(head.size);
    if (!seen.ok()) return seen.status();
    if (seen->note == head.note) return absl::OkStatus();
    return absl::AlreadyExistsError(
        "the witness has seen another head of the same size");
  }
  // Under a name that is none of a head, until it is whole.
  fs::path part = file;
  part += ".part";
  if (!WriteDurably(part, head.note)) {
    return Unavailable("the witness's folder cannot be written");
  }
  fs::rename(part, file, error);
  if (error) return Unavailable("the witness's folder cannot be written");
  return SyncDirectory(folder_);
}

absl::Status Witness::SetAside(uint64_t size) {
  const fs::path file = FileOf(size);
  fs::path aside = file;
  aside += ".overridden";
  std::error_code error;
  fs::rename(file, aside, error);
  if (error) return Unavailable("a witnessed head could not be set aside");
  return SyncDirectory(folder_);
}

}  // namespace hizo::storage
