// Hostile bytes as a sealed row, and hostile plaintexts in an honest one.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/record_cipher.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"
#include "tests/fuzz/require.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

// The key and place of the corpus' rows that open, one of each suite.
struct Vector {
  Key dek = KeyFromHex(kVectorDek);
  std::string subject = FromHex(kVectorSubject);
  std::string record_id = FromHex(kVectorRecordId);
  std::string row = FromHex(kVectorRow);
  std::string aes_row = FromHex(kVectorAesRow);
  RecordPlace place = {.tenant = 7,
                       .subject = subject,
                       .class_number = 2,
                       .record_id = record_id};
};

const Vector& TheVector() {
  static const Vector vector;
  return vector;
}

void ReadAsRow(std::string_view bytes) {
  const absl::StatusOr<SealedRow> row = SealedRow::Parse(bytes);
  if (!row.ok()) {
    Require(absl::IsDataLoss(row.status()), "no row is data loss");
    return;
  }
  Require(row->bytes() == bytes, "a row keeps its bytes");
  for (const SealedRow::SealedField& field : row->fields()) {
    Require(field.offset + field.size <= bytes.size(), "fields lie inside");
    Require(row->Find(field.number) == &field, "fields are found");
  }
  const Vector& vector = TheVector();
  const absl::StatusOr<RecordOpener> opener =
      RecordOpener::Create(vector.dek, vector.place, *row);
  if (!opener.ok()) return;
  bool all_open = true;
  for (const SealedRow::SealedField& field : row->fields()) {
    all_open = all_open && opener->Field(*row, field.number).ok();
  }
  Require(!all_open || bytes == vector.row || bytes == vector.aes_row,
          "nobody forges a row");
}

void SealAndOpen(Suite suite, std::string_view text) {
  const Vector& vector = TheVector();
  RecordSealer sealer(vector.dek.In(suite), vector.place, {});
  const bool fits = text.size() <= kFieldPlaintextMax;
  Require(sealer.Put(1, text).ok() == fits, "size decides what fits");
  if (!fits) return;
  const absl::StatusOr<SealedRow> row =
      SealedRow::Parse(std::move(sealer).Finish());
  Require(row.ok(), "what was sealed is a row");
  const absl::StatusOr<RecordOpener> opener =
      RecordOpener::Create(vector.dek, vector.place, *row);
  Require(opener.ok(), "what was sealed opens");
  const absl::StatusOr<std::optional<std::string>> field =
      opener->Field(*row, 1);
  Require(field.ok() && *field == text, "what was sealed comes back");
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  hizo::crypto::ReadAsRow(bytes);
  for (const auto suite :
       {hizo::crypto::kFirstSuite, hizo::crypto::kAesSuite}) {
    hizo::crypto::SealAndOpen(suite, bytes);
  }
  return 0;
}
