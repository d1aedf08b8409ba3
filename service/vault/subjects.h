// Subjects: creating, describing and finding people, and ending accounts.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_SUBJECTS_H_
#define HIZO_SERVICE_VAULT_SUBJECTS_H_

#include <cstdint>
#include <optional>
#include <string>
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

inline constexpr size_t kRecordsPerSubjectRequestMax = 64;
inline constexpr size_t kRecordsCountedMax = 1000;

struct CreatedSubject {
  base::SubjectId subject;
  std::vector<WrittenRecord> records;  // in the order they were given
  bool repeated = false;  // an earlier call with this request id did it
};

struct SubjectDescription {
  base::SubjectId subject;
  policy::SubjectState state = policy::SubjectState::kActive;
  base::Timestamp created;
  std::optional<base::Timestamp> cancelled;
  struct Class {
    const policy::ClassSpec* spec = nullptr;
    size_t records = 0;  // counted up to kRecordsCountedMax
    std::vector<const policy::FieldSpec*> fields;  // present in any, by name
  };
  std::vector<Class> classes;  // by number
};

struct FindSubjectInput {
  std::string field;
  base::Pii value;
  int32_t page_size = 0;
  std::string page_token;
};
struct SubjectPage {
  std::vector<base::SubjectId> subjects;
  std::string next_page_token;
};

class Subjects {
 public:
  explicit Subjects(const Services& services) : services_(services) {}

  // Creates a person with `records`, all or nothing; also one item of an
  // import. kAlreadyExists, naming the field, if a unique value is taken.
  absl::StatusOr<CreatedSubject> Create(Attempt& attempt, const Call& call,
                                        std::vector<NewRecord> records) const;
  // Names only classes and fields that the caller's grants for this name.
  absl::StatusOr<SubjectDescription> Get(Attempt& attempt, const Call& call,
                                         base::SubjectId subject) const;
  // Ends the account: from now on only purposes that outlive it are served, and
  // where the policy says so, the person's consents are withdrawn with it.
  // When it ended; for one that had ended before, that time.
  absl::StatusOr<base::Timestamp> Cancel(Attempt& attempt, const Call& call,
                                         base::SubjectId subject) const;
  // A page of the people who have the value, at least one; kSubjectNotFound
  // otherwise. Each of them has an event.
  absl::StatusOr<SubjectPage> Find(Attempt& attempt, const Call& call,
                                   const FindSubjectInput& input) const;

 private:
  // What there is of a class, as to fields only of `named`.
  absl::StatusOr<SubjectDescription::Class> Summarise(
      Attempt& attempt, const AccessGrant& grant, const policy::ClassSpec& spec,
      const policy::FieldSet& named) const;
  // Decides upon each of those found, leaving the last in `ask`; adds to `told`
  // whom the caller may find.
  absl::Status Tell(Attempt& attempt, const Call& call, Ask& ask,
                    const std::vector<base::SubjectId>& found,
                    std::vector<base::SubjectId>& told) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SUBJECTS_H_
