#include "tests/testing/fault_file_system.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace hizo::test {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

std::optional<std::string> ReadIfThere(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

class FaultWritableFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultWritableFile(FaultFileSystem& disk, std::string name,
                    std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        disk_(disk),
        name_(std::move(name)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    IOStatus status = disk_.Begin(FaultFileSystem::Operation::kAppend, name_);
    if (!status.ok()) return status;
    status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) disk_.Appended(name_, data.size());
    return status;
  }

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Truncate(uint64_t size, const IOOptions& options,
                    IODebugContext* debug) override {
    IOStatus status =
        FSWritableFileOwnerWrapper::Truncate(size, options, debug);
    if (status.ok()) disk_.Truncated(name_, size);
    return status;
  }

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = disk_.Begin(FaultFileSystem::Operation::kSync, name_);
    if (!status.ok()) return status;
    // What is appended meanwhile may not be in it.
    const uint64_t size = disk_.SizeOf(name_);
    status = FSWritableFileOwnerWrapper::Sync(options, debug);
    if (status.ok()) disk_.Synced(name_, size);
    return status;
  }

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  FaultFileSystem& disk_;
  const std::string name_;
};

class FaultRandomAccessFile : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  FaultRandomAccessFile(FaultFileSystem& disk, std::string name,
                        std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)),
        disk_(disk),
        name_(std::move(name)) {}

  IOStatus Read(uint64_t offset, size_t size, const IOOptions& options,
                rocksdb::Slice* result, char* scratch,
                IODebugContext* debug) const override {
    IOStatus status = disk_.Begin(FaultFileSystem::Operation::kRead, name_);
    if (!status.ok()) return status;
    return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result,
                                                scratch, debug);
  }

 private:
  FaultFileSystem& disk_;
  const std::string name_;
};

class FaultDirectory : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(FaultFileSystem& disk, std::string name,
                 std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)),
        disk_(disk),
        name_(std::move(name)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = disk_.Begin(FaultFileSystem::Operation::kSync, name_);
    if (!status.ok()) return status;
    status = FSDirectoryWrapper::Fsync(options, debug);
    if (status.ok()) disk_.DirectorySynced(name_);
    return status;
  }

  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  FaultFileSystem& disk_;
  const std::string name_;
};

}  // namespace

IOStatus FaultFileSystem::IoError() { return IOStatus::IOError("injected"); }

IOStatus FaultFileSystem::NoSpace() {
  IOStatus status = IOStatus::NoSpace("injected");
  status.SetRetryable(true);  // as the real one's
  return status;
}

FaultFileSystem::FaultFileSystem()
    : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

void FaultFileSystem::Fail(Operation operation, std::string suffix,
                           IOStatus status) {
  FailNth(1, operation, std::move(suffix), std::move(status));
}

void FaultFileSystem::FailNth(size_t nth, Operation operation,
                              std::string suffix, IOStatus status) {
  std::lock_guard lock(mutex_);
  faults_.push_back(
      {operation, std::move(suffix), std::move(status), nth, false});
}

void FaultFileSystem::CutPowerAtNth(size_t nth, Operation operation,
                                    std::string suffix) {
  std::lock_guard lock(mutex_);
  faults_.push_back({operation, std::move(suffix), IoError(), nth, true});
}

void FaultFileSystem::FillDisk() {
  std::lock_guard lock(mutex_);
  full_ = true;
}

void FaultFileSystem::SetFreeSpace(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  free_space_ = bytes;
}

void FaultFileSystem::FreeDisk() {
  std::lock_guard lock(mutex_);
  full_ = false;
}

void FaultFileSystem::CutPower() {
  std::lock_guard lock(mutex_);
  power_cut_ = true;
}

void FaultFileSystem::DropUnsynced(uint64_t torn_bytes) {
  std::lock_guard lock(mutex_);
  std::error_code missing;  // files that were deleted
  for (const auto& [file, extent] : extents_) {
    std::filesystem::resize_file(
        file, std::min(extent.size, extent.synced + torn_bytes), missing);
  }
  for (const auto& [file, contents] : unsynced_names_) {
    if (contents) {
      std::ofstream(file, std::ios::binary) << *contents;
    } else {
      std::filesystem::remove(file);
    }
  }
}

IOStatus FaultFileSystem::Begin(Operation operation, const std::string& file) {
  std::lock_guard lock(mutex_);
  if (power_cut_) return IoError();
  const bool grows =
      operation == Operation::kOpen || operation == Operation::kAppend;
  if (full_ && grows) return NoSpace();
  const auto fault = std::ranges::find_if(faults_, [&](const Fault& candidate) {
    return candidate.operation == operation && file.ends_with(candidate.suffix);
  });
  if (fault == faults_.end() || --fault->nth > 0) return IOStatus::OK();
  power_cut_ = fault->cuts_power;
  IOStatus status = std::move(fault->status);
  faults_.erase(fault);
  return status;
}

void FaultFileSystem::Appended(const std::string& file, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  extents_[file].size += bytes;
}

void FaultFileSystem::Truncated(const std::string& file, uint64_t size) {
  std::lock_guard lock(mutex_);
  Extent& extent = extents_[file];
  extent.size = size;
  extent.synced = std::min(extent.synced, size);
}

uint64_t FaultFileSystem::SizeOf(const std::string& file) const {
  std::lock_guard lock(mutex_);
  const auto extent = extents_.find(file);
  return extent == extents_.end() ? 0 : extent->second.size;
}

void FaultFileSystem::Synced(const std::string& file, uint64_t size) {
  std::lock_guard lock(mutex_);
  Extent& extent = extents_[file];
  extent.synced = std::max(extent.synced, size);
}

void FaultFileSystem::DirectorySynced(const std::string& directory) {
  auto path = std::filesystem::path(directory).lexically_normal();
  // `a/` and `a` are one place.
  if (!path.has_filename()) path = path.parent_path();
  std::lock_guard lock(mutex_);
  std::erase_if(unsynced_names_, [&](const auto& name) {
    return std::filesystem::path(name.first).lexically_normal().parent_path() ==
           path;
  });
}

IOStatus FaultFileSystem::NewWritableFile(
    const std::string& file, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  IOStatus status = Begin(Operation::kOpen, file);
  if (!status.ok()) return status;
  std::optional<std::string> before = ReadIfThere(file);
  status = FileSystemWrapper::NewWritableFile(file, options, result, debug);
  if (!status.ok()) return status;
  *result =
      std::make_unique<FaultWritableFile>(*this, file, std::move(*result));
  std::lock_guard lock(mutex_);
  extents_[file] = Extent();
  unsynced_names_.emplace(file, std::move(before));
  return status;
}

IOStatus FaultFileSystem::NewRandomAccessFile(
    const std::string& file, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
    IODebugContext* debug) {
  IOStatus status =
      FileSystemWrapper::NewRandomAccessFile(file, options, result, debug);
  if (!status.ok()) return status;
  *result =
      std::make_unique<FaultRandomAccessFile>(*this, file, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::NewDirectory(
    const std::string& directory, const IOOptions& options,
    std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext* debug) {
  IOStatus status =
      FileSystemWrapper::NewDirectory(directory, options, result, debug);
  if (!status.ok()) return status;
  *result =
      std::make_unique<FaultDirectory>(*this, directory, std::move(*result));
  return status;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from,
                                     const std::string& to,
                                     const IOOptions& options,
                                     IODebugContext* debug) {
  IOStatus status = Begin(Operation::kOpen, to);
  if (!status.ok()) return status;
  std::optional<std::string> before = ReadIfThere(to);
  status = FileSystemWrapper::RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  std::lock_guard lock(mutex_);
  if (auto extent = extents_.extract(from)) {
    extents_.insert_or_assign(to, extent.mapped());
  }
  unsynced_names_.erase(from);
  unsynced_names_.emplace(to, std::move(before));
  return status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& file,
                                     const IOOptions& options,
                                     IODebugContext* debug) {
  IOStatus status = Begin(Operation::kRead, file);
  if (!status.ok()) return status;
  status = FileSystemWrapper::DeleteFile(file, options, debug);
  std::lock_guard lock(mutex_);
  extents_.erase(file);
  unsynced_names_.erase(file);
  return status;
}

IOStatus FaultFileSystem::GetFreeSpace(const std::string& path,
                                       const IOOptions& options, uint64_t* free,
                                       IODebugContext* debug) {
  IOStatus status = FileSystemWrapper::GetFreeSpace(path, options, free, debug);
  std::lock_guard lock(mutex_);
  if (free_space_.has_value()) *free = *free_space_;
  if (full_) *free = 0;
  return status;
}

}  // namespace hizo::test
