#include "crypto/breached_list.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "crypto/big_endian.h"

namespace hizo::crypto {
namespace {

constexpr std::string_view kMagic = "hizo breached v1";
constexpr size_t kNumberSize = sizeof(uint64_t);
constexpr size_t kHeaderSize = kMagic.size() + kNumberSize;
constexpr size_t kSha1Size = 20;
constexpr size_t kSha1Digits = 2 * kSha1Size;
constexpr size_t kPrefixDigits = 2 * kNumberSize;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

std::string HeaderOf(uint64_t size) {
  std::string header(kMagic);
  AppendBigEndian(header, size);
  return header;
}

// All of `bytes` from `offset`.
bool ReadAt(int file, uint64_t offset, std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return true;
}

}  // namespace

uint64_t BreachedPrefix(const Secret& password) {
  std::array<uint8_t, kSha1Size> digest{};
  unsigned int size = 0;
  const std::string_view bytes = password.Expose();
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(),
             nullptr);
  return LoadBigEndian<uint64_t>(
      {reinterpret_cast<const char*>(digest.data()), digest.size()}, 0);
}

std::optional<uint64_t> ParseBreachedLine(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view digits = line.substr(0, kSha1Digits);
  const std::string_view rest = line.substr(digits.size());
  if (digits.size() != kSha1Digits ||
      digits.find_first_not_of(kHexDigits) != std::string_view::npos ||
      (!rest.empty() && rest.front() != ':')) {
    return std::nullopt;
  }
  uint64_t prefix = 0;
  std::from_chars(digits.data(), digits.data() + kPrefixDigits, prefix, 16);
  return prefix;
}

absl::StatusOr<std::unique_ptr<BreachedList>> BreachedList::Open(
    const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return errno == ENOENT ? absl::NotFoundError("there is no such file")
                           : absl::UnavailableError("cannot be read");
  }
  auto list = std::unique_ptr<BreachedList>(new BreachedList(file));
  std::array<char, kHeaderSize> header{};
  struct stat status {};
  if (fstat(file, &status) != 0 || !ReadAt(file, 0, header)) {
    return absl::DataLossError("no list of breached passwords");
  }
  const std::string_view bytes(header.data(), header.size());
  list->size_ = LoadBigEndian<uint64_t>(bytes, kMagic.size());
  const auto room = static_cast<uint64_t>(status.st_size) - kHeaderSize;
  if (!bytes.starts_with(kMagic) || room % kNumberSize != 0 ||
      room / kNumberSize != list->size_) {
    return absl::DataLossError("no list of breached passwords, or not whole");
  }
  return list;
}

BreachedList::~BreachedList() { close(file_); }

absl::StatusOr<bool> BreachedList::Contains(const Secret& password) const {
  const uint64_t sought = BreachedPrefix(password);
  uint64_t from = 0;
  uint64_t until = size_;
  while (from < until) {
    const uint64_t middle = from + (until - from) / 2;
    std::array<char, kNumberSize> bytes{};
    if (!ReadAt(file_, kHeaderSize + middle * kNumberSize, bytes)) {
      return absl::UnavailableError("the list cannot be read");
    }
    const auto found = LoadBigEndian<uint64_t>({bytes.data(), bytes.size()}, 0);
    if (found == sought) return true;
    if (found < sought) {
      from = middle + 1;
    } else {
      until = middle;
    }
  }
  return false;
}

absl::StatusOr<BreachedListWriter> BreachedListWriter::Create(
    const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return absl::AlreadyExistsError("the file is there already");
  }
  std::ofstream out(path, std::ios::binary);
  // No magic yet: a list that is not finished is none.
  out << std::string(kHeaderSize, '\0');
  if (!out) return absl::UnavailableError("the file cannot be written");
  return BreachedListWriter(std::move(out));
}

absl::Status BreachedListWriter::Add(uint64_t prefix) {
  if (size_ > 0 && prefix == last_) return absl::OkStatus();
  if (size_ > 0 && prefix < last_) {
    return absl::InvalidArgumentError("not in ascending order");
  }
  out_ << BigEndian(prefix);
  if (!out_) return absl::UnavailableError("the file cannot be written");
  last_ = prefix;
  ++size_;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> BreachedListWriter::Finish() {
  out_.flush();
  out_.seekp(0);
  out_ << HeaderOf(size_);
  out_.close();
  if (!out_) return absl::UnavailableError("the file cannot be written");
  return size_;
}

}  // namespace hizo::crypto
