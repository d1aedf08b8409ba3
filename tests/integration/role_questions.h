// What the matrix of roles asks: every method, one way or several, of a person
// or of the store.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_ROLE_QUESTIONS_H_
#define HIZO_TESTS_INTEGRATION_ROLE_QUESTIONS_H_

#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hizo::test {

inline constexpr char kMatrixPassword[] = "correct horse";

struct Person {
  std::string subject;
  std::string email;
};
// Somebody who does not exist.
Person Nobody();

// What is asked of a method: one way or several, about a person or not.
struct Question {
  std::string variant;
  bool about_a_person = true;
  std::function<std::shared_ptr<google::protobuf::Message>(const Person&)>
      request;
};

// By the name of the method.
using Questions = std::map<std::string, std::vector<Question>>;
Questions AllQuestions();

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_ROLE_QUESTIONS_H_
