#include "crypto/root_slot.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "crypto/big_endian.h"
#include "crypto/key_tree.h"

namespace hizo::crypto {
namespace {

// The block, crypto/FORMAT.md 6. Stored; never renumber.
constexpr std::string_view kMagic = "HIZOSLT1";
constexpr uint8_t kFormat = 1;
enum class Protection : uint8_t { kFilePermissions = 0, kPassphrase = 1 };
constexpr size_t kProtectionOffset = 9;
constexpr size_t kStoreIdOffset = 16;
constexpr size_t kEpochOffset = 32;
constexpr size_t kRootOffset = 40;
constexpr size_t kBlockSize = 4096;
constexpr size_t kBlocks = 2;
constexpr size_t kChecksumSize = 32;
constexpr size_t kChecksumOffset = kBlockSize - kChecksumSize;

absl::Status FromErrno(int error) {
  switch (error) {
    case ENOENT:
      return absl::NotFoundError("the root slot is missing");
    case EEXIST:
      return absl::AlreadyExistsError("the root slot exists already");
    case EACCES:
    case EPERM:
    case ELOOP:
      return absl::PermissionDeniedError("the root slot may not be opened");
    default:
      return absl::UnavailableError("the root slot cannot be read or written");
  }
}

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Blocks hold a root: they are read into and written from the locked slab.
absl::StatusOr<Secret> ReadBlock(const OpenFile& file, size_t index) {
  Secret block(kBlockSize);
  const ssize_t size =
      pread(file.get(), block.ExposeMutable().data(), kBlockSize,
            static_cast<off_t>(index * kBlockSize));
  if (size < 0) return FromErrno(errno);
  if (size != kBlockSize) return absl::DataLossError("a root slot is cut off");
  return block;
}

absl::Status WriteBlock(const OpenFile& file, size_t index,
                        const Secret& block) {
  const ssize_t size = pwrite(file.get(), block.Expose().data(), kBlockSize,
                              static_cast<off_t>(index * kBlockSize));
  if (size != kBlockSize) return FromErrno(size < 0 ? errno : EIO);
  if (fsync(file.get()) != 0) return FromErrno(errno);
  const absl::StatusOr<Secret> written = ReadBlock(file, index);
  if (!written.ok()) return written.status();
  if (!ConstantTimeEquals(written->Expose(), block.Expose())) {
    return absl::DataLossError("a root slot does not keep what is written");
  }
  return absl::OkStatus();
}

absl::StatusOr<OpenFile> OpenSlot(const std::filesystem::path& path) {
  OpenFile file(open(path.c_str(), O_RDWR | O_DSYNC | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return FromErrno(errno);
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) return FromErrno(errno);
  if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::PermissionDeniedError(
        "the root slot must be a file that only its owner may read");
  }
  if (status.st_size != kBlocks * kBlockSize) {
    return absl::DataLossError("the root slot is of the wrong size");
  }
  return file;
}

Secret Checksum(const Secret& block) {
  Secret checksum(kChecksumSize);
  crypto_generichash(checksum.ExposeMutable().data(), kChecksumSize,
                     reinterpret_cast<const uint8_t*>(block.Expose().data()),
                     kChecksumOffset, nullptr, 0);
  return checksum;
}

std::string BlockHead(std::string_view store_id, uint64_t epoch,
                      Protection protection) {
  std::string head(kMagic);
  AppendBigEndian(head, kFormat);
  AppendBigEndian(head, static_cast<uint8_t>(protection));
  head.resize(kStoreIdOffset, '\0');
  head.append(store_id);
  AppendBigEndian(head, epoch);
  return head;
}

absl::StatusOr<Secret> EncodeBlock(std::string_view store_id,
                                   const RootSlot::Root& root,
                                   SlotPassphrases* passphrases) {
  const std::string head =
      BlockHead(store_id, root.epoch,
                passphrases == nullptr ? Protection::kFilePermissions
                                       : Protection::kPassphrase);
  Secret block(kBlockSize);
  const std::span<uint8_t> bytes = block.ExposeMutable();
  std::ranges::copy(head, bytes.begin());
  if (passphrases == nullptr) {
    std::ranges::copy(root.key.Expose(), bytes.begin() + kRootOffset);
  } else {
    const absl::StatusOr<std::string> sealed =
        passphrases->Seal(head, root.key);
    if (!sealed.ok()) return sealed.status();
    std::ranges::copy(*sealed, bytes.begin() + kRootOffset);
  }
  std::ranges::copy(Checksum(block).Expose(), bytes.begin() + kChecksumOffset);
  return block;
}

absl::StatusOr<Key> DecodeRoot(std::string_view bytes, Protection protection,
                               SlotPassphrases* passphrases) {
  const std::string_view head = bytes.substr(0, kRootOffset);
  switch (protection) {
    case Protection::kFilePermissions:
      return Key::CopyOf(bytes.substr(kRootOffset, Key::kSize));
    case Protection::kPassphrase:
      if (passphrases == nullptr) {
        return absl::FailedPreconditionError(
            "the root slot is sealed with a passphrase, and none is given");
      }
      return passphrases->Open(
          head, bytes.substr(kRootOffset, SlotPassphrases::kSealedSize));
  }
  return absl::FailedPreconditionError(
      "the root slot is of a form that this version does not know");
}

// The root in a block, nullopt if it is empty. kDataLoss if it is damaged,
// kFailedPrecondition or kPermissionDenied if it is whole but not for us.
absl::StatusOr<std::optional<RootSlot::Root>> DecodeBlock(
    const Secret& block, std::string_view store_id, size_t index,
    SlotPassphrases* passphrases) {
  const std::string_view bytes = block.Expose();
  if (bytes.find_first_not_of('\0') == std::string_view::npos) {
    return std::nullopt;
  }
  const auto epoch = LoadBigEndian<uint64_t>(bytes, kEpochOffset);
  if (!bytes.starts_with(kMagic) || epoch % kBlocks != index ||
      !ConstantTimeEquals(Checksum(block).Expose(),
                          bytes.substr(kChecksumOffset))) {
    return absl::DataLossError("the root slot is damaged");
  }
  if (bytes.substr(kStoreIdOffset, kStoreIdSize) != store_id) {
    return absl::FailedPreconditionError(
        "the root slot belongs to another store");
  }
  const auto protection = static_cast<Protection>(bytes[kProtectionOffset]);
  if (!bytes.starts_with(BlockHead(store_id, epoch, protection))) {
    return absl::FailedPreconditionError(
        "the root slot is of a form that this version does not know");
  }
  absl::StatusOr<Key> root = DecodeRoot(bytes, protection, passphrases);
  if (!root.ok()) return root.status();
  return RootSlot::Root{.epoch = epoch, .key = *std::move(root)};
}

// What a slot holds, block by block.
struct Content {
  std::array<std::optional<RootSlot::Root>, kBlocks> roots;
  bool damaged = false;
};

absl::StatusOr<Content> ReadContent(const OpenFile& file,
                                    std::string_view store_id,
                                    SlotPassphrases* passphrases) {
  if (store_id.size() != kStoreIdSize) {
    return absl::InvalidArgumentError("a store id of impossible size");
  }
  Content content;
  for (size_t index = 0; index < kBlocks; ++index) {
    const absl::StatusOr<Secret> block = ReadBlock(file, index);
    if (!block.ok()) return block.status();
    absl::StatusOr<std::optional<RootSlot::Root>> root =
        DecodeBlock(*block, store_id, index, passphrases);
    if (root.ok()) {
      content.roots[index] = *std::move(root);
    } else if (absl::IsDataLoss(root.status())) {
      content.damaged = true;
    } else {
      return root.status();
    }
  }
  return content;
}

}  // namespace

FileRootSlot::FileRootSlot(std::filesystem::path file,
                           std::unique_ptr<SlotPassphrases> passphrases)
    : file_(std::move(file)), passphrases_(std::move(passphrases)) {}

absl::Status FileRootSlot::Create() {
  const OpenFile file(open(file_.c_str(),
                           O_RDWR | O_CREAT | O_EXCL | O_DSYNC | O_CLOEXEC,
                           S_IRUSR | S_IWUSR));
  if (file.get() < 0) return FromErrno(errno);
  for (size_t index = 0; index < kBlocks; ++index) {
    const absl::Status written = WriteBlock(file, index, Secret(kBlockSize));
    if (!written.ok()) return written;
  }
  const std::filesystem::path folder = file_.parent_path();
  const OpenFile directory(open(folder.empty() ? "." : folder.c_str(),
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0) {
    return FromErrno(errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RootSlot::Root>> FileRootSlot::Read(
    std::string_view store_id) {
  const absl::StatusOr<OpenFile> file = OpenSlot(file_);
  if (!file.ok()) return file.status();
  absl::StatusOr<Content> content =
      ReadContent(*file, store_id, passphrases_.get());
  if (!content.ok()) return content.status();
  std::vector<Root> roots;
  for (std::optional<Root>& root : content->roots) {
    if (root.has_value()) roots.push_back(*std::move(root));
  }
  if (roots.empty() && content->damaged) {
    return absl::DataLossError("the root slot is damaged");
  }
  std::ranges::sort(roots, {}, &Root::epoch);
  return roots;
}

absl::Status FileRootSlot::Put(std::string_view store_id, const Root& root) {
  const absl::StatusOr<OpenFile> file = OpenSlot(file_);
  if (!file.ok()) return file.status();
  const absl::StatusOr<Content> content =
      ReadContent(*file, store_id, passphrases_.get());
  if (!content.ok()) return content.status();
  const size_t index = root.epoch % kBlocks;
  const std::optional<Root>& present = content->roots[index];
  if (present.has_value() && present->epoch != root.epoch) {
    return absl::FailedPreconditionError(
        "the root slot holds an older or later root that was not erased");
  }
  if (present.has_value() &&
      !ConstantTimeEquals(present->key.Expose(), root.key.Expose())) {
    return absl::AlreadyExistsError(
        "the root slot holds another root of this epoch");
  }
  const absl::StatusOr<Secret> block =
      EncodeBlock(store_id, root, passphrases_.get());
  if (!block.ok()) return block.status();
  return WriteBlock(*file, index, *block);
}

absl::Status FileRootSlot::Erase(std::string_view store_id, uint64_t epoch) {
  const absl::StatusOr<OpenFile> file = OpenSlot(file_);
  if (!file.ok()) return file.status();
  const absl::StatusOr<Content> content =
      ReadContent(*file, store_id, passphrases_.get());
  if (!content.ok()) return content.status();
  const size_t index = epoch % kBlocks;
  const std::optional<Root>& present = content->roots[index];
  if (present.has_value() && present->epoch != epoch) return absl::OkStatus();
  return WriteBlock(*file, index, Secret(kBlockSize));
}

}  // namespace hizo::crypto
