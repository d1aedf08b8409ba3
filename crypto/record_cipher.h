// Sealed records: the fields of one person's record as one row of bytes.
//
// Each field is sealed by itself, with its own nonce and with associated data
// that name where it belongs (tenant, subject, class, record, field, version),
// under a key derived for this record from the class's DEK. One commitment
// covers the row: place, version, and number, version, nonce, size and tag of
// every field. A field can be opened alone; a field moved, dropped, rolled
// back or taken from another row, person, tenant or version is kDataLoss.
// Layout: crypto/FORMAT.md.
//
// Threads: distinct objects may be used concurrently; a RecordOpener or
// RecordSealer by one thread at a time.
#ifndef HIZO_CRYPTO_RECORD_CIPHER_H_
#define HIZO_CRYPTO_RECORD_CIPHER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "crypto/suite.h"

namespace hizo::crypto {

inline constexpr size_t kFieldPlaintextMax = 64 * 1024 + 64;
inline constexpr size_t kFieldsMax = 256;
inline constexpr size_t kRowSizeMax = 4 * 1024 * 1024;

using FieldNumber = uint16_t;

// RecordPlace says where a row belongs. It is never stored in the row; whoever
// opens a row states where it found it.
struct RecordPlace {
  uint32_t tenant;
  std::string_view subject;  // 16 bytes
  uint16_t class_number;
  std::string_view record_id;  // 16 bytes
};

// SealedRow is a row whose structure was checked, and nothing else: its fields
// are still sealed and may still be forged.
class SealedRow {
 public:
  // Refuses with kDataLoss what is not a row: unknown format, suite or flag
  // bits, reserved bytes, fields out of order or doubled, sizes that do not
  // fit, bytes left over. `bytes` is copied.
  static absl::StatusOr<SealedRow> Parse(std::string_view bytes);

  struct SealedField {
    FieldNumber number;
    uint64_t version;  // row version at which it was sealed
    size_t offset;     // of nonce || ciphertext || tag in bytes()
    size_t size;
  };
  Suite suite() const { return suite_; }
  uint16_t class_number() const { return class_number_; }
  uint32_t generation() const { return generation_; }
  uint32_t period() const { return period_; }
  uint64_t version() const { return version_; }
  uint64_t version_epoch() const { return version_epoch_; }
  const std::vector<SealedField>& fields() const { return fields_; }
  const SealedField* Find(FieldNumber number) const;  // nullptr if absent
  std::string_view commitment() const;                // 32 bytes
  const std::string& bytes() const { return bytes_; }

 private:
  SealedRow() = default;
  std::string bytes_;
  Suite suite_ = kFirstSuite;
  uint16_t class_number_ = 0;
  uint32_t generation_ = 0;
  uint32_t period_ = 0;
  uint64_t version_ = 0;
  uint64_t version_epoch_ = 0;
  std::vector<SealedField> fields_;
};

// The commitment that stands in `row`, which a RecordSealer made.
std::string_view CommitmentOf(std::string_view row);

// The keys of one row. Made by record_cipher.cc only.
struct RecordKeys {
  AeadKey field_key;
  Key commit_key;
};

// RecordOpener opens fields of a row whose commitment it has verified.
class RecordOpener {
 public:
  // kDataLoss if `row` is not the row that was sealed at `place` with `dek`.
  // Which suite the row was sealed in is for the row to say: `dek` is a seed.
  static absl::StatusOr<RecordOpener> Create(const Key& dek,
                                             const RecordPlace& place,
                                             const SealedRow& row);
  // The plaintext of a field; nullopt if the row has no such field; kDataLoss
  // if it does not open. `row` must be the one given to Create.
  absl::StatusOr<std::optional<std::string>> Field(const SealedRow& row,
                                                   FieldNumber number) const;

 private:
  RecordOpener(AeadKey field_key, std::string place)
      : field_key_(std::move(field_key)), place_(std::move(place)) {}
  AeadKey field_key_;
  std::string place_;
};

// RecordSealer builds a row, in the suite of the DEK.
class RecordSealer {
 public:
  // `version` counts the writes of this record from 1; `generation` and
  // `period` say which DEK and period key it is sealed under.
  struct Header {
    uint32_t generation = 1;
    uint32_t period = 0;
    uint64_t version = 1;
    uint64_t version_epoch = 0;  // random per record; part of the etag
  };
  RecordSealer(const Key& dek, const RecordPlace& place, const Header& header);

  // Seals `plaintext` as field `number`, 0 to kFieldPlaintextMax bytes, padded
  // so that its length tells little. kInvalidArgument if it or the row is too
  // large, if the number was put already or there are more than kFieldsMax.
  absl::Status Put(FieldNumber number, std::string_view plaintext);
  // Whether `row` is of this row's suite, class, generation and period. Fields
  // of others are opened and put.
  bool CanKeep(const SealedRow& row) const;
  // Carries the sealed field over from `row`, an earlier version of the same
  // record under the same DEK, without opening it. The caller has verified
  // `row` with RecordOpener::Create. kNotFound if `row` lacks the field,
  // kInvalidArgument if it is no earlier version or not CanKeep.
  absl::Status Keep(const SealedRow& row, FieldNumber number);
  // The row; the sealer is spent.
  std::string Finish() &&;

 private:
  struct Part {
    FieldNumber number;
    uint64_t version;
    std::string sealed;
  };
  absl::Status Add(Part part);
  void TakeNonce(std::string& sealed);

  Header header_;
  std::string place_;   // begins with the row's first 16 bytes
  size_t row_size_;     // of what Finish would return
  std::string nonces_;  // drawn, not yet used
  RecordKeys keys_;
  std::vector<Part> parts_;
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_RECORD_CIPHER_H_
