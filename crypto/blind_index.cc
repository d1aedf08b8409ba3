#include "crypto/blind_index.h"

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "crypto/aead.h"
#include "crypto/big_endian.h"
#include "crypto/digest.h"
#include "crypto/normalise.h"
#include "crypto/padding.h"

namespace hizo::crypto {
namespace {

constexpr size_t kSubjectSize = 16;
constexpr char kEntryLabel[] = "hizo/index/v1";  // its NUL is part of it

// The normaliser's version stands with the kind: a tag of another spelling
// rule is a tag of another kind.
std::string KindBytes(uint16_t kind) {
  return BigEndian(kNormaliserVersion) + BigEndian(kind);
}

// The shard's key makes tags; what seals its rows is derived from it.
Key EntryKey(const Key& shard_key) {
  return DeriveKey(shard_key, "hizo/index-seal/v1", {});
}

std::string EntryData(std::string_view row_key) {
  std::string data(kEntryLabel, sizeof(kEntryLabel));
  AppendLengthPrefixed(data, row_key);
  return data;
}

}  // namespace

uint16_t IndexRoute(const Key& route_key, uint16_t kind,
                    std::string_view normalised) {
  const Digest digest =
      Prf(route_key, "hizo/route/v1", {KindBytes(kind), normalised});
  return LoadBigEndian<uint16_t>(AsBytes(digest), 0);
}

std::string IndexTag(const Key& shard_key, uint16_t kind,
                     std::string_view normalised) {
  const Digest digest =
      Prf(shard_key, "hizo/tag/v1", {KindBytes(kind), normalised});
  return std::string(AsBytes(digest).substr(0, kIndexTagSize));
}

std::string SealIndexEntry(const Key& shard_key, std::string_view row_key,
                           std::string_view subject,
                           std::string_view normalised) {
  if (subject.size() != kSubjectSize) {
    std::fputs("hizo: a subject of impossible size\n", stderr);
    std::abort();
  }
  std::string entry;
  const size_t size = subject.size() + normalised.size();
  entry.reserve(PaddedSize(size));
  entry.append(subject);
  entry.append(normalised);
  entry.push_back(kPadMark);
  entry.resize(PaddedSize(size), '\0');
  std::string sealed = Seal(EntryKey(shard_key), EntryData(row_key), entry);
  WipeString(entry);
  return sealed;
}

absl::StatusOr<std::optional<std::string>> OpenIndexEntry(
    const Key& shard_key, std::string_view row_key, std::string_view sealed,
    std::string_view normalised) {
  absl::StatusOr<std::string> entry =
      Open(EntryKey(shard_key), EntryData(row_key), sealed);
  if (!entry.ok()) return entry.status();
  const std::optional<size_t> size = UnpaddedSize(*entry);
  if (!size.has_value() || *size < kSubjectSize) {
    return absl::DataLossError("not an index entry");
  }
  const std::string_view content = std::string_view(*entry).substr(0, *size);
  std::optional<std::string> subject;
  if (ConstantTimeEquals(content.substr(kSubjectSize), normalised)) {
    subject.emplace(content.substr(0, kSubjectSize));
  }
  WipeString(*entry);
  return subject;
}

absl::StatusOr<MovedEntry> MoveIndexEntry(const Key& from, const Key& to,
                                          uint16_t kind, size_t tag_at,
                                          std::string_view row_key,
                                          std::string_view sealed) {
  if (row_key.size() < tag_at + kIndexTagSize) {
    return absl::DataLossError("not the key of an index entry");
  }
  absl::StatusOr<std::string> entry =
      Open(EntryKey(from), EntryData(row_key), sealed);
  if (!entry.ok()) return entry.status();
  const std::optional<size_t> size = UnpaddedSize(*entry);
  if (!size.has_value() || *size < kSubjectSize) {
    WipeString(*entry);
    return absl::DataLossError("not an index entry");
  }
  const std::string_view content = std::string_view(*entry).substr(0, *size);
  MovedEntry moved;
  moved.subject = content.substr(0, kSubjectSize);
  moved.row_key = row_key.substr(0, tag_at);
  moved.row_key.append(IndexTag(to, kind, content.substr(kSubjectSize)));
  moved.row_key.append(row_key.substr(tag_at + kIndexTagSize));
  moved.sealed = Seal(EntryKey(to), EntryData(moved.row_key), *entry);
  WipeString(*entry);
  return moved;
}

}  // namespace hizo::crypto
