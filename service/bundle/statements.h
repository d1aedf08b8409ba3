// consents.json: what a person has said about the use of their data, consents,
// objections and restrictions, with its schema; and the same on the page.
//
// It is told to the person, not taken in elsewhere: what was said to one
// company is nothing that another may rest on. Threads: value types; functions
// may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_STATEMENTS_H_
#define HIZO_SERVICE_BUNDLE_STATEMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/bundle/person.h"

namespace hizo::bundle {

inline constexpr char kConsentsName[] = "consents.json";
inline constexpr char kConsentsSchemaName[] = "consents.schema.json";
inline constexpr char kConsentsSchemaId[] =
    "https://hizo.example/schema/consents-1.json";

struct Consent {
  std::string purpose;  // its name, and one sentence of what it is
  std::string text;
  uint64_t policy_version = 0;  // that it was given under
  std::string channel;          // `web`
  std::string evidence;         // UUID of the company's record of it
  base::Timestamp given;
  std::optional<base::Timestamp> withdrawn;
};
struct Objection {
  std::string purpose;  // its name; empty: to direct marketing as such
  std::string text;
  std::string state;   // `open`, `upheld`, `rejected`
  std::string ground;  // of a rejection; else empty
  base::Timestamp made;
  std::optional<base::Timestamp> decided;
};
struct Restriction {
  std::string ground;  // why the data are only kept
  base::Timestamp since;
};
struct Statements {
  std::vector<Consent> consents;
  std::vector<Objection> objections;
  std::vector<Restriction> restrictions;
};

std::string ConsentsJson(const About& about, const Statements& said);
// The published JSON Schema (2020-12) of the above.
std::string_view ConsentsSchema();

// A section of the page; nothing of who has said nothing.
void AppendStatements(const Statements& said, std::string& out);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_STATEMENTS_H_
