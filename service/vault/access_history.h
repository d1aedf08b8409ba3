// AccessHistories: who had access to one person, to be shown to that person.
//
// It says what was done, by which service, for which purpose, to which fields
// and when, refusals too, in words that the person understands. Staff appear
// under a pseudonym that is theirs for this person only: it shows that it was
// the same one again, and nothing that two people could compare.
// Threads: const methods may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_ACCESS_HISTORY_H_
#define HIZO_SERVICE_VAULT_ACCESS_HISTORY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/query.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

struct AccessHistoryInput {
  base::SubjectId subject;
  std::optional<base::Timestamp> start;  // inclusive
  std::optional<base::Timestamp> end;    // exclusive
  audit::Order order = audit::Order::kNewestFirst;
  int32_t page_size = 0;
  std::string page_token;
};

struct HistoryEntry {
  base::Timestamp time;
  policy::Action action = policy::Action::kNone;
  std::string what;   // what was done
  std::string who;    // which service, or what kind of staff
  std::string staff;  // pseudonym; empty for a service
  std::string about;  // what that service does; may be empty
  const policy::PurposeSpec* purpose = nullptr;  // nullptr: none that is known
  std::vector<const policy::FieldSpec*> fields;
  policy::View view = policy::View::kNone;
  audit::Outcome outcome = audit::Outcome::kFailed;
  base::Reason reason = base::Reason::kNone;
  std::string refusal;    // why it was refused or came to nothing; else empty
  std::string recipient;  // whom the data were sent to; else empty
};

struct HistoryPage {
  std::vector<HistoryEntry> entries;
  std::string next_page_token;
};

class AccessHistories {
 public:
  explicit AccessHistories(const Services& services) : services_(services) {}

  // kSubjectNotFound if the person is not there.
  absl::StatusOr<HistoryPage> Read(Attempt& attempt, const Call& call,
                                   const AccessHistoryInput& input) const;

 private:
  HistoryEntry Tell(base::TenantId tenant, const audit::Event& event) const;
  void TellWho(base::TenantId tenant, const audit::Event& event,
               HistoryEntry& entry) const;
  const Services& services_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_ACCESS_HISTORY_H_
