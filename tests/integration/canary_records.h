// Records all of whose fields are canaries.
//
// Threads: as Canaries.
#ifndef HIZO_TESTS_INTEGRATION_CANARY_RECORDS_H_
#define HIZO_TESTS_INTEGRATION_CANARY_RECORDS_H_

#include <string>
#include <vector>

#include "hizo/v1/record.pb.h"
#include "tests/integration/canaries.h"

namespace hizo::test {

// A person all of whose fields are canaries.
struct Person {
  std::string email;
  std::string reference;
  std::string password;
  std::string subject;
};

// Adds a text.
void SetText(v1::NewRecord& record, const std::string& field,
             const std::string& text);
v1::NewRecord AccountOf(const Person& person, Canaries& canaries);
v1::NewRecord ProfileOf(Canaries& canaries);
v1::NewRecord BillingOf(Canaries& canaries);
// Of its fields.
std::vector<std::string> NamesOf(const v1::NewRecord& record);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_CANARY_RECORDS_H_
