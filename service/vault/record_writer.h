// RecordWriter: turns what a caller wants written into checked, sealed rows,
// with the blind index and the person's pointers kept in step.
//
// Creating a person, importing one and putting a record all go through here.
// Threads: one thread at a time.
#ifndef HIZO_SERVICE_VAULT_RECORD_WRITER_H_
#define HIZO_SERVICE_VAULT_RECORD_WRITER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/record_store.h"
#include "service/vault/services.h"
#include "service/vault/value.h"

namespace hizo::vault {

// What a caller wants a record to hold, names as the caller wrote them.
struct NewRecord {
  std::string record_class;
  struct Field {
    std::string name;
    Value value;
    // Of what is taken in as it was elsewhere; nullopt: as the catalogue says.
    std::optional<Source> source = std::nullopt;
  };
  std::vector<Field> fields;
  std::optional<base::Timestamp> event_time;
};

// The same with the names looked up. A name that the catalogue does not have
// is kept as `unknown`, so that permission is decided upon before the caller
// learns that it is wrong.
struct ResolvedRecord {
  const policy::ClassSpec* spec = nullptr;
  struct Field {
    const policy::FieldSpec* spec = nullptr;
    Value value;
    std::optional<Source> source = std::nullopt;
  };
  std::vector<Field> fields;
  std::optional<base::Timestamp> event_time;
  bool unknown = false;
};

struct WrittenRecord {
  const policy::ClassSpec* spec = nullptr;
  RecordName name;
  RecordVersion version;
};

// How a present record is changed.
struct PutMode {
  // Names of fields to change; those that the new record lacks are removed.
  // nullopt: the record is replaced.
  std::optional<std::vector<const policy::FieldSpec*>> mask;
  // The etag that the record must have.
  std::optional<std::string> etag;
};

inline constexpr size_t kFieldsPerRecordMax = 128;

class RecordWriter {
 public:
  explicit RecordWriter(const Services& services) : services_(services) {}

  static ResolvedRecord Resolve(const policy::Catalogue& catalogue,
                                NewRecord record);
  // What the fields that a resolved record touches add to an Ask.
  static void AddTo(Ask& ask, const ResolvedRecord& record);

  // Checks what can be checked without the store: known names, no doubles,
  // event time present exactly for a series, bounds. Names the field at fault.
  static absl::Status CheckShape(const ResolvedRecord& record);

  // Writes one record: a new one where `present` is nullptr. Values are
  // checked here. Pointers that the write adds go to `pointers`.
  absl::StatusOr<WrittenRecord> Write(
      Attempt& attempt, const Call& call, const AccessGrant& grant,
      const RecordName& name, const OpenRecord* present, ResolvedRecord record,
      const PutMode& mode, std::vector<IndexPointer>& pointers);
  // Removes the whole record; the grant covers every field that it holds.
  absl::Status Remove(Attempt& attempt, const Call& call,
                      const AccessGrant& grant, const RecordName& name,
                      const OpenRecord& present, const PutMode& mode) const;
  // Adds `pointers` to the person's facts, if any are new, and saves them; a
  // person who is being created is saved in any case, and so is that whoever
  // came with an address that nobody is to advertise to objects to marketing.
  absl::Status SavePointers(Attempt& attempt, AccessGrant& grant,
                            const std::vector<IndexPointer>& pointers);

 private:
  static absl::Status CheckEtag(const OpenRecord* present, const PutMode& mode);
  // Whether the address of `field` is one that nobody is to advertise to.
  absl::Status NoteSuppression(Attempt& attempt, const Call& call,
                               const AccessGrant& grant,
                               const policy::FieldSpec& field,
                               const Value& value);
  // Of which period the record is once it is written; 0: of none.
  absl::StatusOr<uint32_t> PeriodOf(
      const Call& call, const RecordName& name, const OpenRecord* present,
      const ResolvedRecord& record,
      const std::vector<const policy::FieldSpec*>& untouched) const;
  absl::Status Reindex(Attempt& attempt, const Call& call,
                       const AccessGrant& grant, const OpenRecord* present,
                       const policy::FieldSpec& field, const Value* value,
                       std::vector<IndexPointer>& pointers) const;
  const Services& services_;
  bool suppressed_ = false;  // an address that was written is
};

// A random id of a person, and one of a record that sorts by time of making
// and, within a millisecond, by its `ordinal` in the request (UUID versions 4
// and 7, RFC 9562).
base::SubjectId NewSubjectId();
base::RecordId NewRecordId(base::Timestamp now, uint16_t ordinal);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RECORD_WRITER_H_
