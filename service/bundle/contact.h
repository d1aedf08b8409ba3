// A person's contact card, for address books and for programs that read
// schema.org: made from the fields whose meaning is known, of what the bundle
// holds anyway.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_CONTACT_H_
#define HIZO_SERVICE_BUNDLE_CONTACT_H_

#include <span>
#include <string>

#include "service/bundle/person.h"

namespace hizo::bundle {

// vCard 4.0 (RFC 6350).
std::string ContactCard(const About& about, std::span<const Record> records);
// JSON-LD, a schema.org Person.
std::string PersonJsonLd(const About& about, std::span<const Record> records);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_CONTACT_H_
