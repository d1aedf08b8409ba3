#include "storage/anchor.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/files.h"
#include "storage/key_bytes.h"

namespace hizo::storage {
namespace {

// FORMAT.md, "The anchor". Stored; never renumber.
constexpr char kMark = 'A';
constexpr uint8_t kFormat = 1;
constexpr size_t kStoreIdSize = 16;
constexpr size_t kRootSize = 32;
constexpr size_t kBodySize = 2 + kStoreIdSize + 8 + 8 + kRootSize;
// A place has a page of its own, so that writing one cannot tear the other.
constexpr size_t kPlaceSize = 4096;
constexpr size_t kPlaces = 2;

struct Entry {
  std::string store_id;
  uint64_t turn = 0;
  Anchor::Head head;
};

std::string Inverted(std::string bytes) {
  for (char& byte : bytes) byte = static_cast<char>(~byte);
  return bytes;
}

std::string Encode(const Entry& entry) {
  std::string body = KeyWriter(kMark)
                         .U8(kFormat)
                         .Bytes(entry.store_id)
                         .U64(entry.turn)
                         .U64(entry.head.size)
                         .Bytes(entry.head.root)
                         .Take();
  return body + Inverted(body);
}

// nullopt for a damaged place.
std::optional<Entry> Decode(std::string_view place) {
  const std::string body(place.substr(0, kBodySize));
  if (place.substr(body.size(), kBodySize) != Inverted(body)) {
    return std::nullopt;
  }
  KeyReader reader(body);
  const auto mark = reader.Space();
  const auto format = reader.U8();
  const auto store_id = reader.Bytes(kStoreIdSize);
  const auto turn = reader.U64();
  const auto size = reader.U64();
  const auto root = reader.Bytes(kRootSize);
  if (mark != kMark || format != kFormat || !root) return std::nullopt;
  return Entry{std::string(*store_id), *turn, {*size, std::string(*root)}};
}

// The newer of the two places; nullopt if neither can be read.
std::optional<Entry> ReadNewest(int fd) {
  std::optional<Entry> newest;
  for (size_t place = 0; place < kPlaces; ++place) {
    std::array<char, kBodySize * 2> bytes{};
    const ssize_t size = pread(fd, bytes.data(), bytes.size(),
                               static_cast<off_t>(place * kPlaceSize));
    if (size != static_cast<ssize_t>(bytes.size())) continue;
    std::optional<Entry> entry = Decode({bytes.data(), bytes.size()});
    if (entry && (!newest || entry->turn > newest->turn)) newest = entry;
  }
  return newest;
}

absl::Status WriteAt(int fd, size_t offset, std::string_view bytes) {
  const ssize_t written =
      pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (written != static_cast<ssize_t>(bytes.size()) || fdatasync(fd) != 0) {
    return absl::UnknownError("the anchor could not be written");
  }
  return absl::OkStatus();
}

// Written whole under another name and then linked, so that a crash leaves
// either no anchor or a good one, and an anchor that exists is never replaced.
absl::Status Create(const std::filesystem::path& file, const Entry& entry) {
  std::filesystem::path draft = file;
  draft += ".new";
  const FileDescriptor fd(
      open(draft.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return absl::UnavailableError("the anchor cannot be made");
  std::string places = Encode(entry);
  places.resize(kPlaces * kPlaceSize, '\0');
  if (absl::Status status = WriteAt(fd.get(), 0, places); !status.ok()) {
    return status;
  }
  const int linked = link(draft.c_str(), file.c_str());
  const bool exists = linked != 0 && errno == EEXIST;
  unlink(draft.c_str());
  if (exists) return absl::AlreadyExistsError("the anchor exists");
  if (linked != 0) return absl::UnavailableError("the anchor cannot be made");
  return SyncDirectory(file.parent_path());
}

}  // namespace

Anchor::Anchor(int fd, std::string store_id)
    : fd_(fd), store_id_(std::move(store_id)) {}

Anchor::~Anchor() { close(fd_); }

absl::StatusOr<std::unique_ptr<Anchor>> Anchor::Open(
    const std::filesystem::path& file, const std::string& store_id,
    bool create) {
  if (store_id.size() != kStoreIdSize) {
    return absl::InvalidArgumentError("a store id has 16 bytes");
  }
  if (create) {
    const Entry empty{store_id, 0, {0, std::string(kRootSize, '\0')}};
    if (absl::Status status = Create(file, empty); !status.ok()) return status;
  }
  const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return absl::NotFoundError("the anchor is missing");
  }
  if (fd < 0) return absl::UnavailableError("the anchor cannot be opened");
  // Not make_unique: the constructor is private.
  std::unique_ptr<Anchor> anchor(new Anchor(fd, store_id));
  std::optional<Entry> newest = ReadNewest(fd);
  if (!newest) return absl::DataLossError("the anchor is damaged");
  if (newest->store_id != store_id) {
    return absl::FailedPreconditionError("the anchor is another store's");
  }
  anchor->head_ = std::move(newest->head);
  anchor->turn_ = newest->turn;
  return anchor;
}

absl::Status Anchor::Write(const Head& head) {
  if (head.root.size() != kRootSize) {
    return absl::InvalidArgumentError("the root of an anchor has 32 bytes");
  }
  if (head.size < head_.size) {
    return absl::InvalidArgumentError("an anchor never goes back");
  }
  const uint64_t turn = turn_ + 1;
  // After a failed write the turn stays: the next one mends the same place and
  // leaves the good one alone.
  absl::Status status = WriteAt(fd_, turn % kPlaces * kPlaceSize,
                                Encode({store_id_, turn, head}));
  if (!status.ok()) return status;
  head_ = head;
  turn_ = turn;
  return absl::OkStatus();
}

}  // namespace hizo::storage
