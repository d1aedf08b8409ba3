// Records: writing, reading and deleting records of people.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_RECORDS_H_
#define HIZO_SERVICE_VAULT_RECORDS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/pii.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/record_writer.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct PutRecordInput {
  base::SubjectId subject;
  NewRecord record;
  std::optional<base::RecordId> record_id;
  std::optional<std::vector<std::string>> update_mask;
  std::optional<std::string> etag;
};
// Which fields of which class are wanted, and how.
struct ReadSelection {
  std::string record_class;
  std::vector<std::string> fields;
  policy::View view = policy::View::kMasked;
};
struct GetRecordInput {
  base::SubjectId subject;
  std::optional<base::RecordId> record_id;
  ReadSelection selection;
};
struct ListRecordsInput {
  base::SubjectId subject;
  ReadSelection selection;
  int32_t page_size = 0;
  std::string page_token;
};

struct DeleteFieldsInput {
  base::SubjectId subject;
  std::string record_class;
  std::optional<base::RecordId> record_id;
  std::vector<std::string> fields;
  std::optional<std::string> etag;
};
// What a deletion left: `written.version` is version 0 of a record that is
// gone.
struct DeletedFields {
  WrittenRecord written;
  bool record_removed = false;
  bool stays_in_copies = false;  // as older copies get no new keys
};

// A record as it is shown: values, or masks as text.
struct ShownRecord {
  const policy::ClassSpec* spec = nullptr;
  base::RecordId id;
  std::optional<base::Timestamp> event_time;
  std::string etag;
  struct Field {
    const policy::FieldSpec* spec = nullptr;
    bool masked = false;
    Value value;
  };
  std::vector<Field> fields;  // in the order they were asked for
};
struct RecordPage {
  std::vector<ShownRecord> records;
  std::string next_page_token;
};

class Records {
 public:
  // `renews`: whether the keys of what is deleted are renewed (renewals.h).
  Records(const Services& services, bool renews)
      : services_(services), renews_(renews) {}

  // Writes a record. kEtagMismatch if it is not as the caller believes,
  // kRecordNotFound for an id that is not there.
  absl::StatusOr<WrittenRecord> Put(Attempt& attempt, const Call& call,
                                    PutRecordInput input) const;
  // kRecordNotFound if the person has no such record.
  absl::StatusOr<ShownRecord> Get(Attempt& attempt, const Call& call,
                                  const GetRecordInput& input) const;
  absl::StatusOr<RecordPage> List(Attempt& attempt, const Call& call,
                                  const ListRecordsInput& input) const;
  // Deletes fields from the live store at once, and from older copies with the
  // next renewal.
  // kRecordNotFound, kEtagMismatch; kRequiredFieldMissing for a field that a
  // record which stays must have.
  absl::StatusOr<DeletedFields> DeleteFields(
      Attempt& attempt, const Call& call, const DeleteFieldsInput& input) const;

 private:
  struct Selected;
  Selected Select(const ReadSelection& selection) const;
  // `row` is what the store has of the record, if it has one of its own.
  absl::StatusOr<WrittenRecord> PutNew(
      Attempt& attempt, const Call& call, AccessGrant& grant,
      PutRecordInput input, ResolvedRecord record,
      absl::StatusOr<std::optional<crypto::SealedRow>> row) const;
  absl::StatusOr<DeletedFields> DeleteSelected(
      Attempt& attempt, const Call& call, AccessGrant& grant,
      const Selected& selected, const DeleteFieldsInput& input) const;
  absl::StatusOr<PutMode> ModeOf(const PutRecordInput& input,
                                 const ResolvedRecord& record) const;
  absl::StatusOr<ShownRecord> Show(const AccessGrant& grant,
                                   const Selected& selected,
                                   const RecordName& name,
                                   const OpenRecord& record) const;
  const Services& services_;
  const bool renews_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RECORDS_H_
