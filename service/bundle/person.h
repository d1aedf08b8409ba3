// What a bundle holds of a person: records as the vault hands them over, with
// every value in its JSON spelling (FORMAT.md).
//
// Values come from people and are Pii throughout; names of classes and fields
// are the catalogue's. Threads: value types.
#ifndef HIZO_SERVICE_BUNDLE_PERSON_H_
#define HIZO_SERVICE_BUNDLE_PERSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "service/base/clock.h"
#include "service/base/pii.h"

namespace hizo::bundle {

// What a person asked for: data to take elsewhere (GDPR 20), or to be told
// everything (GDPR 15).
enum class Selection : uint8_t { kPortability = 1, kAccess = 2 };
enum class Language : uint8_t { kEnglish = 1, kJapanese = 2 };

// Where a value came from: from the person, from how they used the service, or
// worked out by the company.
enum class Source : uint8_t { kProvided = 1, kObserved = 2, kDerived = 3 };

struct Field {
  std::string name;  // in its class
  base::Pii json;    // one line
  Source source = Source::kProvided;
};
struct Record {
  std::string record_class;
  std::string id;  // UUID; empty for the one record of a class
  std::optional<base::Timestamp> event_time;  // exactly of a series
  std::vector<Field> fields;
};

// Something that is held and not shown, and why: `secret`, `third_party`,
// `interest_only`, `derived`, `on_request`.
struct Withheld {
  std::string field;  // full name
  std::string why;
  uint64_t count = 0;  // values
};

// That an entry is in the audit log whose head is the checkpoint.
struct AuditProof {
  uint64_t sequence = 0;
  std::string entry;                 // as it stands in the log
  std::vector<crypto::Digest> path;  // RFC 6962 2.1.1
};

// Where a bundle comes from, and what of.
struct About {
  std::string id;  // UUID of the bundle
  base::Timestamp created;
  Selection selection = Selection::kPortability;
  Language language = Language::kEnglish;
  std::string subject;  // UUID
  std::string origin;   // of the audit log: hizo/<store>
  std::string tenant;
  uint32_t catalogue_version = 0;
  std::string catalogue_digest;
  // The audit log's signed head from before the first value was read.
  std::string checkpoint;
  std::string checkpoint_key;
  // Of the newest entry that concerned the person then: that what the access
  // history says stands in a log that cannot be rewritten. nullopt if there
  // was none.
  std::optional<AuditProof> proof;
};

// RFC 3339 in UTC, to the microsecond where there is a part of a second.
std::string TimeText(base::Timestamp time);
// nullopt for anything that TimeText does not write.
std::optional<base::Timestamp> ParseTimeText(std::string_view text);

std::string_view NameOf(Selection selection);
std::string_view NameOf(Source source);
// nullopt for a name that no source has.
std::optional<Source> SourceFromName(std::string_view name);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_PERSON_H_
