// Names of classes and fields for people, in two languages. One that is not
// known here is shown by its name in the catalogue.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_LABELS_H_
#define HIZO_SERVICE_BUNDLE_LABELS_H_

#include <string>
#include <string_view>

#include "service/bundle/person.h"

namespace hizo::bundle {

// Of a class (`billing`), a field in its class (`full_name`), or why something
// is withheld.
std::string LabelOf(std::string_view name, Language language);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_LABELS_H_
