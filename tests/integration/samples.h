// Samples: requests that are allowed, and to whom.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_SAMPLES_H_
#define HIZO_TESTS_INTEGRATION_SAMPLES_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/testing/peer.h"

namespace hizo::test {

struct Sample {
  std::string caller;
  std::shared_ptr<google::protobuf::Message> request;
};

template <typename Request>
Sample SampleOf(const std::string& caller, Request request) {
  return {caller, std::make_shared<Request>(std::move(request))};
}

// Of each method about what people say, by its name. `peer` is the caller
// `name`, and has a policy with marketing and service improvement; so much was
// said by `subject` before that there is something to decide and to lift.
std::map<std::string, Sample> ConsentSamples(const Peer& peer,
                                             const std::string& name,
                                             const std::string& subject);

// Of each method of PolicyService, where the policy that is shipped for
// `company` is in force.
std::map<std::string, Sample> PolicySamples(const std::string& company);

// Of each method of ExportService; what the samples need is registered.
std::map<std::string, Sample> ExportSamples(const Peer& peer,
                                            const std::string& name,
                                            const std::string& subject);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_SAMPLES_H_
