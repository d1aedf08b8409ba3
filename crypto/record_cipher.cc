#include "crypto/record_cipher.h"

#include <algorithm>
#include <utility>

#include "crypto/big_endian.h"
#include "crypto/digest.h"
#include "crypto/keyed_hash.h"
#include "crypto/padding.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

// The row, crypto/FORMAT.md 3. Stored; never renumber.
constexpr uint8_t kFormat = 1;
constexpr size_t kHeaderSize = 16;
constexpr size_t kSuiteOffset = 1;
constexpr size_t kFlagsOffset = 2;
constexpr size_t kClassOffset = 4;
constexpr size_t kReservedOffset = 6;
constexpr size_t kGenerationOffset = 8;
constexpr size_t kPeriodOffset = 12;
constexpr size_t kVersionOffset = 16;
constexpr size_t kEpochOffset = 24;
constexpr size_t kCommitmentOffset = 32;
constexpr size_t kCommitmentSize = 32;
constexpr size_t kCountOffset = 64;
constexpr size_t kTableOffset = 66;
constexpr size_t kEntrySize = 14;
constexpr size_t kEntryVersionOffset = 2;
constexpr size_t kEntrySizeOffset = 10;

// The terminating NUL of each label is part of it.
constexpr char kKeyLabel[] = "hizo/record/v1";
constexpr char kFieldLabel[] = "hizo/field/v1";
constexpr char kRowLabel[] = "hizo/row/v1";

constexpr size_t kNoncesAtOnce = 16;

std::string_view WithNul(const auto& label) { return {label, sizeof(label)}; }

absl::Status NotARow() { return absl::DataLossError("not a sealed row"); }
absl::Status NotThisRow() {
  return absl::DataLossError("a sealed row is not what was sealed here");
}

std::string HeaderBytes(Suite suite, uint16_t class_number,
                        const RecordSealer::Header& header) {
  std::string bytes;
  bytes.reserve(kHeaderSize);
  bytes.push_back(static_cast<char>(kFormat));
  bytes.push_back(static_cast<char>(suite));
  AppendBigEndian(bytes, uint16_t{0});
  AppendBigEndian(bytes, class_number);
  AppendBigEndian(bytes, uint16_t{0});
  AppendBigEndian(bytes, header.generation);
  AppendBigEndian(bytes, header.period);
  return bytes;
}

// What every key, associated data and commitment of a row begins with, after
// its label.
std::string PlaceBytes(std::string_view header, const RecordPlace& place) {
  std::string bytes;
  bytes.reserve(kHeaderSize + 22 + place.subject.size() +
                place.record_id.size());
  bytes.append(header);
  AppendLengthPrefixed(bytes, BigEndian(place.tenant));
  AppendLengthPrefixed(bytes, place.subject);
  AppendLengthPrefixed(bytes, BigEndian(place.class_number));
  AppendLengthPrefixed(bytes, place.record_id);
  return bytes;
}

// Of the suite of `dek`, in which the row was or will be sealed.
RecordKeys KeysOf(const Key& dek, std::string_view place) {
  const Secret both = ExpandKey(dek, WithNul(kKeyLabel), place, 2 * Key::kSize);
  return {
      AeadKey(Key::CopyOf(both.Expose().substr(0, Key::kSize), dek.suite())),
      Key::CopyOf(both.Expose().substr(Key::kSize), dek.suite())};
}

// The commitment of `row`, whose structure holds; the one that stands in it
// has no part in it.
Digest Commitment(const Key& commit_key, std::string_view place,
                  std::string_view row) {
  KeyedHash hash(commit_key);
  hash.Update(WithNul(kRowLabel));
  hash.Update(place);
  hash.Update(row.substr(kVersionOffset, kCommitmentOffset - kVersionOffset));
  hash.Update(row.substr(kCountOffset, kTableOffset - kCountOffset));
  const size_t count = LoadBigEndian<uint16_t>(row, kCountOffset);
  size_t sealed = kTableOffset + count * kEntrySize;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view entry =
        row.substr(kTableOffset + i * kEntrySize, kEntrySize);
    const size_t size = LoadBigEndian<uint32_t>(entry, kEntrySizeOffset);
    hash.Update(entry);
    hash.Update(row.substr(sealed, kNonceSize));
    hash.Update(row.substr(sealed + size - kTagSize, kTagSize));
    sealed += size;
  }
  Digest digest;
  hash.Finish(digest.data());
  return digest;
}

std::string FieldData(std::string_view place, FieldNumber number,
                      uint64_t version) {
  std::string data;
  data.reserve(sizeof(kFieldLabel) + place.size() + sizeof(number) +
               sizeof(version));
  data.append(WithNul(kFieldLabel));
  data.append(place);
  AppendBigEndian(data, number);
  AppendBigEndian(data, version);
  return data;
}

std::optional<Suite> SuiteOf(std::string_view row) {
  return SuiteFromNumber(LoadBigEndian<uint8_t>(row, kSuiteOffset));
}

bool IsHeader(std::string_view bytes) {
  return bytes[0] == static_cast<char>(kFormat) && SuiteOf(bytes).has_value() &&
         LoadBigEndian<uint16_t>(bytes, kFlagsOffset) == 0 &&
         LoadBigEndian<uint16_t>(bytes, kReservedOffset) == 0;
}

}  // namespace

absl::StatusOr<SealedRow> SealedRow::Parse(std::string_view bytes) {
  if (bytes.size() < kTableOffset || bytes.size() > kRowSizeMax ||
      !IsHeader(bytes)) {
    return NotARow();
  }
  const size_t count = LoadBigEndian<uint16_t>(bytes, kCountOffset);
  size_t offset = kTableOffset + count * kEntrySize;
  if (count > kFieldsMax || offset > bytes.size()) return NotARow();
  SealedRow row;
  row.suite_ = *SuiteOf(bytes);
  row.class_number_ = LoadBigEndian<uint16_t>(bytes, kClassOffset);
  row.generation_ = LoadBigEndian<uint32_t>(bytes, kGenerationOffset);
  row.period_ = LoadBigEndian<uint32_t>(bytes, kPeriodOffset);
  row.version_ = LoadBigEndian<uint64_t>(bytes, kVersionOffset);
  row.version_epoch_ = LoadBigEndian<uint64_t>(bytes, kEpochOffset);
  row.fields_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t entry = kTableOffset + i * kEntrySize;
    const SealedField field = {
        .number = LoadBigEndian<uint16_t>(bytes, entry),
        .version = LoadBigEndian<uint64_t>(bytes, entry + kEntryVersionOffset),
        .offset = offset,
        .size = LoadBigEndian<uint32_t>(bytes, entry + kEntrySizeOffset)};
    const bool rises =
        row.fields_.empty() || row.fields_.back().number < field.number;
    if (!rises || field.version > row.version_ ||
        field.size < kSealOverhead + PaddedSize(0) ||
        field.size > kSealOverhead + PaddedSize(kFieldPlaintextMax) ||
        field.size > bytes.size() - offset) {
      return NotARow();
    }
    offset += field.size;
    row.fields_.push_back(field);
  }
  if (offset != bytes.size()) return NotARow();
  row.bytes_ = bytes;
  return row;
}

const SealedRow::SealedField* SealedRow::Find(FieldNumber number) const {
  const auto found =
      std::ranges::lower_bound(fields_, number, {}, &SealedField::number);
  return found != fields_.end() && found->number == number ? &*found : nullptr;
}

std::string_view CommitmentOf(std::string_view row) {
  return row.substr(kCommitmentOffset, kCommitmentSize);
}

std::string_view SealedRow::commitment() const { return CommitmentOf(bytes_); }

absl::StatusOr<RecordOpener> RecordOpener::Create(const Key& dek,
                                                  const RecordPlace& place,
                                                  const SealedRow& row) {
  std::string place_bytes =
      PlaceBytes(std::string_view(row.bytes()).substr(0, kHeaderSize), place);
  RecordKeys keys = dek.suite() == row.suite()
                        ? KeysOf(dek, place_bytes)
                        : KeysOf(dek.In(row.suite()), place_bytes);
  const Digest expected = Commitment(keys.commit_key, place_bytes, row.bytes());
  if (!ConstantTimeEquals(AsBytes(expected), row.commitment())) {
    return NotThisRow();
  }
  return RecordOpener(std::move(keys.field_key), std::move(place_bytes));
}

absl::StatusOr<std::optional<std::string>> RecordOpener::Field(
    const SealedRow& row, FieldNumber number) const {
  const SealedRow::SealedField* const field = row.Find(number);
  if (field == nullptr) return std::nullopt;
  absl::StatusOr<std::string> plaintext = field_key_.Open(
      FieldData(place_, number, field->version),
      std::string_view(row.bytes()).substr(field->offset, field->size));
  if (!plaintext.ok()) return NotThisRow();
  const std::optional<size_t> size = UnpaddedSize(*plaintext);
  if (!size.has_value()) return NotThisRow();
  plaintext->resize(*size);
  return *std::move(plaintext);
}

RecordSealer::RecordSealer(const Key& dek, const RecordPlace& place,
                           const Header& header)
    : header_(header),
      place_(PlaceBytes(HeaderBytes(dek.suite(), place.class_number, header),
                        place)),
      row_size_(kTableOffset),
      keys_(KeysOf(dek, place_)) {}

void RecordSealer::TakeNonce(std::string& sealed) {
  // A system call costs half a field's sealing, one for many hardly more.
  if (nonces_.empty()) nonces_ = RandomBytes(kNoncesAtOnce * kNonceSize);
  const size_t rest = nonces_.size() - kNonceSize;
  nonces_.copy(sealed.data(), kNonceSize, rest);
  nonces_.resize(rest);
}

absl::Status RecordSealer::Put(FieldNumber number, std::string_view plaintext) {
  if (plaintext.size() > kFieldPlaintextMax) {
    return absl::InvalidArgumentError("a field is too large");
  }
  std::string sealed(kSealOverhead + PaddedSize(plaintext.size()), '\0');
  TakeNonce(sealed);
  plaintext.copy(sealed.data() + kNonceSize, plaintext.size());
  sealed[kNonceSize + plaintext.size()] = kPadMark;
  keys_.field_key.SealInPlace(FieldData(place_, number, header_.version),
                              sealed);
  return Add({number, header_.version, std::move(sealed)});
}

bool RecordSealer::CanKeep(const SealedRow& row) const {
  return place_.starts_with(
      std::string_view(row.bytes()).substr(0, kHeaderSize));
}

absl::Status RecordSealer::Keep(const SealedRow& row, FieldNumber number) {
  const std::string_view bytes = row.bytes();
  if (!CanKeep(row) || row.version() >= header_.version) {
    return absl::InvalidArgumentError(
        "a field may be kept from an earlier version only");
  }
  const SealedRow::SealedField* const field = row.Find(number);
  if (field == nullptr) return absl::NotFoundError("the row has no such field");
  return Add({number, field->version,
              std::string(bytes.substr(field->offset, field->size))});
}

absl::Status RecordSealer::Add(Part part) {
  const auto at =
      std::ranges::lower_bound(parts_, part.number, {}, &Part::number);
  if (at != parts_.end() && at->number == part.number) {
    return absl::InvalidArgumentError("a field was put twice");
  }
  if (parts_.size() == kFieldsMax) {
    return absl::InvalidArgumentError("too many fields");
  }
  if (row_size_ + kEntrySize + part.sealed.size() > kRowSizeMax) {
    return absl::InvalidArgumentError("a record is too large");
  }
  row_size_ += kEntrySize + part.sealed.size();
  parts_.insert(at, std::move(part));
  return absl::OkStatus();
}

std::string RecordSealer::Finish() && {
  std::string row;
  row.reserve(row_size_);
  row.append(place_, 0, kHeaderSize);
  AppendBigEndian(row, header_.version);
  AppendBigEndian(row, header_.version_epoch);
  row.append(kCommitmentSize, '\0');
  AppendBigEndian(row, static_cast<uint16_t>(parts_.size()));
  for (const Part& part : parts_) {
    AppendBigEndian(row, part.number);
    AppendBigEndian(row, part.version);
    AppendBigEndian(row, static_cast<uint32_t>(part.sealed.size()));
  }
  for (const Part& part : parts_) row.append(part.sealed);
  const Digest commitment = Commitment(keys_.commit_key, place_, row);
  row.replace(kCommitmentOffset, kCommitmentSize, AsBytes(commitment));
  return row;
}

}  // namespace hizo::crypto
