#include "service/bundle/tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "service/base/status_macros.h"
#include "service/bundle/refusal.h"

namespace hizo::bundle {
namespace {

constexpr size_t kTarBlock = 512;
constexpr int kMode = 0644;

[[noreturn]] void Die(const char* why) {
  std::fputs(why, stderr);
  std::abort();
}

la_ssize_t Collect(archive* /*unused*/, void* out, const void* bytes,
                   size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

bool IsMemberName(std::string_view name) {
  return !name.empty() && name.size() <= kMemberNameMax &&
         name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

std::string TarMember(std::string_view folder, std::string_view name,
                      base::Timestamp modified, std::string_view content) {
  if (!IsMemberName(folder) || !IsMemberName(name) ||
      content.size() > kMemberSizeMax) {
    Die("hizo: a member that no bundle holds\n");
  }
  std::string out;
  out.reserve(content.size() + 4 * kTarBlock);
  archive* writer = archive_write_new();
  archive_write_set_format_ustar(writer);
  archive_write_set_bytes_per_block(writer, 0);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(
      entry, (std::string(folder) + '/' + std::string(name)).c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, kMode);
  archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  archive_entry_set_mtime(entry, base::ToMicros(modified) / 1'000'000, 0);
  const bool written =
      archive_write_open(writer, &out, nullptr, Collect, nullptr) ==
          ARCHIVE_OK &&
      archive_write_header(writer, entry) == ARCHIVE_OK &&
      archive_write_data(writer, content.data(), content.size()) ==
          static_cast<la_ssize_t>(content.size()) &&
      archive_write_finish_entry(writer) == ARCHIVE_OK;
  // Closing it would end the archive: what comes then is left out.
  std::string member = std::move(out);
  out.clear();
  archive_entry_free(entry);
  archive_write_free(writer);
  if (!written || member.size() % kTarBlock != 0) {
    Die("hizo: a member that could not be written\n");
  }
  return member;
}

std::string TarEnd() { return std::string(2 * kTarBlock, '\0'); }

struct TarReader::Archive {
  explicit Archive(Source from) : source(std::move(from)) {}
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  ~Archive() { archive_read_free(reader); }

  // The next bytes, which are counted and hashed.
  absl::Status Fill() {
    absl::StatusOr<std::string> next = source();
    if (!next.ok()) return next.status();
    buffer = *std::move(next);
    given += buffer.size();
    hash.Add(buffer);
    return absl::OkStatus();
  }

  static la_ssize_t Read(archive* /*unused*/, void* self, const void** bytes) {
    auto& of = *static_cast<Archive*>(self);
    of.status = of.Fill();
    if (!of.status.ok()) return -1;
    *bytes = of.buffer.data();
    return static_cast<la_ssize_t>(of.buffer.size());
  }

  archive* reader = archive_read_new();
  Source source;
  std::string buffer;
  crypto::MinisignHash hash;
  uint64_t given = 0;
  absl::Status status;  // of the source
};

TarReader::TarReader(Source source)
    : archive_(std::make_unique<Archive>(std::move(source))) {
  archive_read_support_format_tar(archive_->reader);
}
TarReader::~TarReader() = default;

absl::Status TarReader::Broken() const {
  return archive_->status.ok() ? Refuse(Refusal::kNotAnArchive)
                               : archive_->status;
}

absl::StatusOr<size_t> TarReader::CheckEntry(archive_entry* entry,
                                             Member& member) {
  // A format that needs more than one header for a member is none of ours.
  if (archive_format(archive_->reader) != ARCHIVE_FORMAT_TAR_USTAR ||
      archive_entry_filetype(entry) != AE_IFREG ||
      archive_entry_hardlink(entry) != nullptr ||
      archive_entry_symlink(entry) != nullptr ||
      archive_entry_perm(entry) != kMode || archive_entry_uid(entry) != 0 ||
      archive_entry_gid(entry) != 0) {
    return Refuse(Refusal::kStrangeMember);
  }
  const char* raw = archive_entry_pathname(entry);
  const std::string_view path = raw == nullptr ? "" : raw;
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos || !IsMemberName(path.substr(0, slash)) ||
      !IsMemberName(path.substr(slash + 1)) ||
      (members_ > 0 && path.substr(0, slash) != folder_)) {
    return Refuse(Refusal::kStrangeMember);
  }
  folder_ = path.substr(0, slash);
  member.name = path.substr(slash + 1);
  const la_int64_t size = archive_entry_size(entry);
  if (size < 0 || static_cast<uint64_t>(size) > kMemberSizeMax ||
      members_ == kMembersMax) {
    return Refuse(Refusal::kTooLarge);
  }
  if (!names_.insert(member.name).second) {
    return Refuse(Refusal::kRepeatedMember);
  }
  const base::Timestamp modified =
      base::FromMicros(archive_entry_mtime(entry) * 1'000'000);
  if (members_ > 0 && modified != modified_) {
    return Refuse(Refusal::kStrangeMember);
  }
  modified_ = modified;
  ++members_;
  return static_cast<size_t>(size);
}

absl::Status TarReader::CheckEnd() {
  do {
    RETURN_IF_ERROR(archive_->Fill());
  } while (!archive_->buffer.empty() && archive_->given <= expected_);
  as_written_.Add(TarEnd());
  if (archive_->given != expected_ + TarEnd().size() ||
      archive_->hash.Digest() != as_written_.Digest()) {
    return Refuse(Refusal::kNotAnArchive);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> TarReader::Next(Member& member) {
  archive* reader = archive_->reader;
  if (members_ == 0 &&
      archive_read_open(reader, archive_.get(), nullptr, Archive::Read,
                        nullptr) != ARCHIVE_OK) {
    return Broken();
  }
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(reader, &entry);
  if (result == ARCHIVE_EOF) {
    RETURN_IF_ERROR(archive_->status);
    RETURN_IF_ERROR(CheckEnd());
    return false;
  }
  if (result != ARCHIVE_OK) return Broken();
  ASSIGN_OR_RETURN(const size_t size, CheckEntry(entry, member));
  member.content.resize(size);
  if (archive_read_data(reader, member.content.data(), size) !=
      static_cast<la_ssize_t>(size)) {
    return Broken();
  }
  const std::string written =
      TarMember(folder_, member.name, modified_, member.content);
  as_written_.Add(written);
  expected_ += written.size();
  return true;
}

}  // namespace hizo::bundle
