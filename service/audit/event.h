// Event: one thing that somebody asked, and what came of it.
//
// Ids, numbers and codes only. A value of a person has no place to stand in,
// and what a caller wrote freely (an unknown purpose, a wrong field name) is
// left out. Threads: value type.
#ifndef HIZO_SERVICE_AUDIT_EVENT_H_
#define HIZO_SERVICE_AUDIT_EVENT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/base/ids.h"
#include "service/base/reason.h"
#include "service/policy/action.h"
#include "service/policy/decision.h"

namespace hizo::audit {

// Stored; never renumber.
enum class Outcome : uint8_t { kAllowed = 1, kDenied = 2, kFailed = 3 };

inline constexpr size_t kActorSizeMax = 2048;  // as SPIFFE ids are bounded
inline constexpr size_t kClauseSizeMax = policy::kClauseSizeMax;
inline constexpr size_t kFieldsPerEventMax = 1024;
inline constexpr size_t kWritesPerEventMax = 256;
inline constexpr size_t kEntrySizeMax = 65535;  // C2SP tlog-tiles entry bundle

// RowWrite says which state of a record a write left behind, so that an older
// row put back can be found.
struct RowWrite {
  uint16_t class_number = 0;
  base::RecordId record;
  uint64_t version = 0;
  std::array<uint8_t, 32> commitment{};
  bool operator==(const RowWrite&) const = default;
};

// Recipient is whom bundles are sent to, as the tenant has registered it: a
// label, which is no value of a person.
inline constexpr size_t kRecipientNameMax = 64;
struct Recipient {
  std::string name;
  std::array<uint8_t, 32> key{};  // SHA-256 of its age key
  // What the company calls the person's word for it; nil where nothing is sent.
  base::AuthorisationId authorisation;
  // SHA-256 of the whole file that was sent; zeros but with its last part.
  std::array<uint8_t, 32> file{};
  bool operator==(const Recipient&) const = default;
};

struct Event {
  base::Timestamp time;  // set when the event is appended
  base::TenantId tenant = base::TenantId::kStore;
  std::string actor;  // SPIFFE id; empty if not configured
  policy::Action action = policy::Action::kNone;
  Outcome outcome = Outcome::kFailed;
  base::Reason reason = base::Reason::kInternal;
  policy::PurposeNumber purpose = 0;
  uint32_t catalogue_version = 0;
  std::optional<base::AuditReference> subject;
  std::vector<policy::FieldNumber> fields;  // ascending
  policy::View view = policy::View::kNone;
  uint32_t records = 0;
  std::optional<base::RequestId> request;
  std::vector<RowWrite> writes;
  // How many like it this one stands for; 0 means just itself. Only for calls
  // that never reached dispatch.
  uint32_t merged = 0;
  // The company's policy that decided, by its version and the first 8 bytes of
  // its digest; 0 if the tenant had none. Its clause, or the law, that has the
  // purpose; empty if none has, or the call was about nobody's data.
  uint32_t policy_version = 0;
  uint64_t policy_digest = 0;
  std::string clause;
  std::optional<Recipient> recipient;
  bool operator==(const Event&) const = default;
};

// Encode returns the entry whose hash is the leaf (service/audit/FORMAT.md).
// kInvalidArgument if the event is over a bound above.
absl::StatusOr<std::string> Encode(const Event& event);
// kDataLoss for anything that Encode does not make: Encode(Decode(x)) == x.
absl::StatusOr<Event> Decode(std::string_view entry);

}  // namespace hizo::audit

#endif  // HIZO_SERVICE_AUDIT_EVENT_H_
