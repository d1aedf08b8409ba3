// RecordStore: sealed rows in, opened records out, for whoever holds a grant.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_RECORD_STORE_H_
#define HIZO_SERVICE_VAULT_RECORD_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/record_cipher.h"
#include "service/base/ids.h"
#include "service/base/pii.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/periods.h"
#include "service/vault/user_keys.h"
#include "service/vault/value.h"
#include "storage/engine.h"

namespace hizo::vault {

// Where a record is. The one record of a class that is no series has the nil
// id.
struct RecordName {
  policy::ClassNumber class_number = 0;
  base::RecordId id;
};

// Reserved field number of the event time in a series' records.
inline constexpr crypto::FieldNumber kEventTimeField = 0xFFFF;

// What distinguishes one write of a record from another, without its content.
struct RecordVersion {
  uint64_t version = 0;
  uint64_t epoch = 0;
  bool operator==(const RecordVersion&) const = default;
};
std::string EtagOf(const RecordVersion& version);

// OpenRecord is a row whose commitment holds; its fields open one by one.
class OpenRecord {
 public:
  RecordVersion version() const {
    return {row_.version(), row_.version_epoch()};
  }
  bool Has(const policy::FieldSpec& field) const {
    return row_.Find(field.number) != nullptr;
  }
  // Numbers of the fields present, the event time's left out.
  std::vector<policy::FieldNumber> Fields() const;
  // nullopt if the record lacks the field; kInternal if `grant` does not cover
  // it; kIntegrityFailure if it does not open.
  absl::StatusOr<std::optional<Value>> Read(
      const AccessGrant& grant, const policy::FieldSpec& field) const;
  // The same with where it came from.
  absl::StatusOr<std::optional<SourcedValue>> ReadSourced(
      const AccessGrant& grant, const policy::FieldSpec& field) const;
  // A field of an internal class, which no grant names: Hizo's own use.
  absl::StatusOr<std::optional<Value>> ReadInternal(
      const policy::FieldSpec& field) const {
    return Open(field.number);
  }
  // nullopt for a record that has none.
  absl::StatusOr<std::optional<base::Timestamp>> EventTime() const;
  // Under whose key it is sealed too (policy/retention.h); 0: none.
  uint32_t period() const { return row_.period(); }

 private:
  friend class RecordStore;
  OpenRecord(crypto::SealedRow row, crypto::RecordOpener opener)
      : row_(std::move(row)), opener_(std::move(opener)) {}
  absl::StatusOr<std::optional<SourcedValue>> OpenSourced(
      crypto::FieldNumber number) const;
  absl::StatusOr<std::optional<Value>> Open(crypto::FieldNumber number) const;
  // Takes a field into the record's next version: as it is where it may be, or
  // opened and sealed anew.
  absl::Status CarryOver(crypto::FieldNumber number,
                         crypto::RecordSealer& sealer) const;

  crypto::SealedRow row_;
  crypto::RecordOpener opener_;
};

// What a write does to a record.
struct RecordChange {
  struct Put {
    crypto::FieldNumber number = 0;
    base::Pii plaintext;  // as EncodeValue made it
  };
  std::vector<Put> put;
  // Fields of the present row to carry over.
  std::vector<crypto::FieldNumber> keep;
  // Under whose key it is sealed too; nullopt: as the present row, 0: none.
  std::optional<uint32_t> period;
};

class RecordStore {
 public:
  RecordStore(const storage::Engine& data, const UserKeys& user_keys)
      : data_(data),
        user_keys_(user_keys),
        periods_(data, user_keys.store_keys()) {}

  const Periods& periods() const { return periods_; }

  // nullopt if there is no such record, its class's key is gone, or its period
  // has ended when the grant was given, unless what is held of that is covered.
  absl::StatusOr<std::optional<OpenRecord>> Read(Attempt& attempt,
                                                 const AccessGrant& grant,
                                                 const RecordName& name) const;
  // The two halves of Read. What Look returns is still sealed and perhaps
  // forged: it can make a call need more permission, never less.
  absl::StatusOr<std::optional<crypto::SealedRow>> Look(
      Attempt& attempt, base::TenantId tenant, base::SubjectId subject,
      const RecordName& name) const;
  absl::StatusOr<std::optional<OpenRecord>> Open(
      const AccessGrant& grant, const RecordName& name,
      std::optional<crypto::SealedRow> row) const;
  struct Listed {
    RecordName name;
    OpenRecord record;
  };
  struct Listing {
    std::vector<Listed> entries;
    bool more = false;  // whether others may follow: then there are entries
    // The last that was looked at, which may have ended.
    std::optional<base::RecordId> last;
  };
  // Sealed rows beyond this many bytes are for another listing.
  static constexpr size_t kListBytesMax = size_t{1} << 20;
  // Records of a class with ids after `after`, in their order: up to `limit`,
  // and no more after the one that brings them to kListBytesMax.
  absl::StatusOr<Listing> List(Attempt& attempt, const AccessGrant& grant,
                               policy::ClassNumber class_number,
                               const std::optional<base::RecordId>& after,
                               size_t limit) const;
  // The same for what may be out of date by the commit: the Attempt does not
  // rely on it.
  absl::StatusOr<Listing> Glance(const AccessGrant& grant,
                                 policy::ClassNumber class_number,
                                 const std::optional<base::RecordId>& after,
                                 size_t limit) const;
  // The same as of a snapshot of the data store.
  absl::StatusOr<Listing> GlanceAt(const storage::Reader& snapshot,
                                   const AccessGrant& grant,
                                   policy::ClassNumber class_number,
                                   const std::optional<base::RecordId>& after,
                                   size_t limit) const;
  // Writes the record's next version as part of the Attempt and notes it in
  // the event. If a value is replaced or left out, the class's key is to be
  // renewed (renewals.h), as it is by Remove. `present` is what Read returned.
  // The class's key exists (UserKeys::Ensure).
  absl::StatusOr<RecordVersion> Write(Attempt& attempt,
                                      const AccessGrant& grant,
                                      const RecordName& name,
                                      const OpenRecord* present,
                                      const RecordChange& change) const;

  // Removes the record as part of the Attempt and notes it in the event, as the
  // next version, without a commitment. `present` is what Read returned.
  void Remove(Attempt& attempt, const AccessGrant& grant,
              const RecordName& name, const OpenRecord& present) const;

 private:
  // Lists what `scan` finds, which takes a range.
  template <typename Scan>
  absl::StatusOr<Listing> ListRows(const AccessGrant& grant,
                                   policy::ClassNumber class_number,
                                   std::optional<base::RecordId> after,
                                   size_t limit, Scan scan) const;
  absl::StatusOr<Listing> OpenRows(const AccessGrant& grant,
                                   policy::ClassNumber class_number,
                                   std::vector<storage::Row> rows,
                                   size_t limit) const;
  // nullopt for one whose period has ended.
  absl::StatusOr<std::optional<OpenRecord>> OpenRow(
      const AccessGrant& grant, const ClassKey& key, const RecordName& name,
      crypto::SealedRow row, PeriodKeys& period_keys) const;
  absl::StatusOr<bool> IsOver(const AccessGrant& grant, const RecordName& name,
                              const OpenRecord& record) const;
  const storage::Engine& data_;
  const UserKeys& user_keys_;
  const Periods periods_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RECORD_STORE_H_
