// Canaries: values that nobody else would write, made for one test and
// remembered, so that it can be looked for what became of them.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_INTEGRATION_CANARIES_H_
#define HIZO_TESTS_INTEGRATION_CANARIES_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/testing/needles.h"

namespace hizo::test {

class Canaries {
 public:
  // Letters, the first one large; also a name, a reference, a password.
  std::string Word();
  std::string Email();
  // A Japanese mobile number as people write it: 090-1234-5678.
  std::string Phone();
  std::string Bytes();
  // A bcrypt hash of no password, as another system might keep it.
  std::string Hash();
  int64_t Number();
  // Puts a canary into every text and every sequence of bytes of `message`,
  // those of messages in it too, but not into what says why and by what id the
  // call is made.
  void Fill(google::protobuf::Message& message);

  size_t count() const { return count_; }
  const Needles& needles() const { return needles_; }

 private:
  std::string NextName(const std::string& kind);

  size_t count_ = 0;
  Needles needles_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_CANARIES_H_
