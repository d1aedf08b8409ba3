// All keys of a store that does not run, in the clear: the root out of a slot,
// and all that it opens. For tests that look for them where they must not be.
#ifndef HIZO_TESTS_INTEGRATION_STORED_KEYS_H_
#define HIZO_TESTS_INTEGRATION_STORED_KEYS_H_

#include <map>
#include <string>

#include "service/app/config.h"
#include "tests/testing/needles.h"

namespace hizo::test {

// By what they are: "root", "page 3", "bucket 17", "leaf <row>", "DEK <row>".
// Throws if the store does not open.
std::map<std::string, std::string> StoredKeys(const app::Config& config);

// What is looked for to find any of them, or part of one.
Needles NeedlesOf(const std::map<std::string, std::string>& keys);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_STORED_KEYS_H_
