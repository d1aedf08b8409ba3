// MutateMessage changes one thing in a message, anywhere in it, so that what
// comes out is a message of the same type still: structure-aware fuzzing over
// protobuf's reflection.
//
// Threads: one.
#ifndef HIZO_TESTS_FUZZ_MESSAGE_MUTATOR_H_
#define HIZO_TESTS_FUZZ_MESSAGE_MUTATOR_H_

#include <google/protobuf/message.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace hizo::fuzz {

struct Mutations {
  // Texts that lead somewhere: names, ids, addresses.
  std::vector<std::string> words;
  // Changes bytes at random.
  std::function<std::string(std::string)> garble;
};

void MutateMessage(google::protobuf::Message& message,
                   const Mutations& mutations, std::mt19937& random);

// Calls `visit` with every text in the message, which it may change. Unlike
// bytes, texts are UTF-8.
void ForEachText(google::protobuf::Message& message,
                 const std::function<void(std::string&)>& visit);

}  // namespace hizo::fuzz

#endif  // HIZO_TESTS_FUZZ_MESSAGE_MUTATOR_H_
