// EachSuite: tests that must hold in every cipher suite.
#ifndef HIZO_TESTS_CRYPTO_EACH_SUITE_H_
#define HIZO_TESTS_CRYPTO_EACH_SUITE_H_

#include <string>

#include "crypto/suite.h"
#include "gtest/gtest.h"

namespace hizo::crypto {

class EachSuite : public testing::WithParamInterface<Suite> {};

inline auto AllSuites() { return testing::Values(kFirstSuite, kAesSuite); }

inline std::string SuiteName(const testing::TestParamInfo<Suite>& info) {
  return "Suite" + std::to_string(NumberOf(info.param));
}

}  // namespace hizo::crypto

#endif  // HIZO_TESTS_CRYPTO_EACH_SUITE_H_
