#include "service/cli/audit_file_format.h"

#include <algorithm>
#include <cstdint>

#include "crypto/big_endian.h"

namespace hizo::cli {
namespace {

using crypto::AppendBigEndian;
using crypto::Digest;
using crypto::LoadBigEndian;
using Form = AuditFileEntry::Form;

constexpr size_t kHashSize = sizeof(Digest);
constexpr size_t kTileHeaderSize = 8 + 2;
constexpr size_t kEntrySizeMax = 65535;
constexpr size_t kNoteSizeMax = size_t{64} << 10U;
// More than there can be in one that is as it was written: who verifies says
// which is too many.
constexpr size_t kTileEntriesMax = 2 * kAuditTile;
constexpr size_t kTileSizeMax = kTileHeaderSize +
                                kTileEntriesMax * (1 + 2 + kEntrySizeMax) +
                                kAuditTile * kHashSize;
// Of a log of half a thousand million entries.
constexpr size_t kRootsSizeMax = size_t{64} << 20U;
// What is asked of the system at once, whatever a part says of its size.
constexpr size_t kReadSize = size_t{1} << 20U;

size_t SizeMaxOf(AuditPart part) {
  switch (part) {
    case AuditPart::kCheckpoint:
      return kNoteSizeMax;
    case AuditPart::kTile:
      return kTileSizeMax;
    case AuditPart::kRoots:
      return kRootsSizeMax;
    case AuditPart::kEnd:
      return 0;
  }
  return 0;
}

bool IsPart(char byte) {
  return byte == 'C' || byte == 'T' || byte == 'R' || byte == 'Z';
}

Digest DigestOf(std::string_view bytes) {
  Digest digest{};
  std::ranges::copy(bytes.substr(0, kHashSize), digest.begin());
  return digest;
}

// Takes `size` bytes off `bytes`; nullopt if there are fewer.
std::optional<std::string_view> Take(std::string_view& bytes, size_t size) {
  if (bytes.size() < size) return std::nullopt;
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

std::optional<AuditFileEntry> TakeEntry(std::string_view& bytes) {
  const auto form = Take(bytes, 1);
  if (!form.has_value()) return std::nullopt;
  AuditFileEntry entry{static_cast<Form>(form->front()), ""};
  std::optional<std::string_view> content;
  switch (entry.form) {
    case Form::kGone:
      return entry;
    case Form::kLeaf:
      content = Take(bytes, kHashSize);
      break;
    case Form::kEntry: {
      const auto size = Take(bytes, 2);
      if (!size.has_value()) return std::nullopt;
      content = Take(bytes, LoadBigEndian<uint16_t>(*size, 0));
      break;
    }
    default:
      return std::nullopt;
  }
  if (!content.has_value()) return std::nullopt;
  entry.bytes = std::string(*content);
  return entry;
}

}  // namespace

std::string EncodePart(AuditPart part, std::string_view bytes) {
  std::string out(1, static_cast<char>(part));
  AppendBigEndian(out, static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
  return out;
}

std::string EncodeTile(const AuditFileTile& tile) {
  std::string out;
  AppendBigEndian(out, tile.first);
  AppendBigEndian(out, static_cast<uint16_t>(tile.entries.size()));
  for (const AuditFileEntry& entry : tile.entries) {
    out.push_back(static_cast<char>(entry.form));
    if (entry.form == Form::kEntry) {
      AppendBigEndian(out, static_cast<uint16_t>(entry.bytes.size()));
    }
    out.append(entry.bytes);
  }
  return out + EncodeRoots(tile.hashes);
}

std::string EncodeRoots(const std::vector<Digest>& roots) {
  std::string out;
  out.reserve(roots.size() * kHashSize);
  for (const Digest& root : roots) out.append(crypto::AsBytes(root));
  return out;
}

bool ReadMagic(std::istream& in) {
  std::string magic(kAuditMagic.size(), '\0');
  in.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  return in.good() && magic == kAuditMagic;
}

std::optional<AuditFilePart> ReadPart(std::istream& in) {
  std::string header(5, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  if (!in.good() || !IsPart(header.front())) return std::nullopt;
  AuditFilePart part{static_cast<AuditPart>(header.front()), ""};
  size_t left = LoadBigEndian<uint32_t>(header, 1);
  if (left > SizeMaxOf(part.part)) return std::nullopt;
  while (left > 0) {
    const size_t size = std::min(left, kReadSize);
    const size_t before = part.bytes.size();
    part.bytes.resize(before + size);
    in.read(part.bytes.data() + before, static_cast<std::streamsize>(size));
    if (!in.good()) return std::nullopt;
    left -= size;
  }
  return part;
}

std::optional<AuditFileTile> DecodeTile(std::string_view bytes) {
  const auto header = Take(bytes, kTileHeaderSize);
  if (!header.has_value()) return std::nullopt;
  AuditFileTile tile;
  tile.first = LoadBigEndian<uint64_t>(*header, 0);
  const auto count = LoadBigEndian<uint16_t>(*header, 8);
  if (count > kTileEntriesMax) return std::nullopt;
  for (size_t i = 0; i < count; ++i) {
    std::optional<AuditFileEntry> entry = TakeEntry(bytes);
    if (!entry.has_value()) return std::nullopt;
    tile.entries.push_back(*std::move(entry));
  }
  std::optional<std::vector<Digest>> hashes = DecodeRoots(bytes);
  if (!hashes.has_value() || hashes->empty() || hashes->size() > kAuditTile) {
    return std::nullopt;
  }
  tile.hashes = *std::move(hashes);
  return tile;
}

std::optional<std::vector<Digest>> DecodeRoots(std::string_view bytes) {
  if (bytes.size() % kHashSize != 0) return std::nullopt;
  std::vector<Digest> roots;
  roots.reserve(bytes.size() / kHashSize);
  for (size_t at = 0; at < bytes.size(); at += kHashSize) {
    roots.push_back(DigestOf(bytes.substr(at)));
  }
  return roots;
}

}  // namespace hizo::cli
