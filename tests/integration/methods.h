// Methods: every call of the API, from the descriptors, so that a test that
// walks them cannot forget one.
//
// Threads: may be called concurrently.
#ifndef HIZO_TESTS_INTEGRATION_METHODS_H_
#define HIZO_TESTS_INTEGRATION_METHODS_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace hizo::test {

// Of every service that proto/hizo-v1.binpb declares, in its order; throws if
// one of them is not in this program.
std::vector<const google::protobuf::MethodDescriptor*> AllMethods();

// "/hizo.v1.SubjectService/GetSubject"
std::string PathOf(const google::protobuf::MethodDescriptor& method);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_METHODS_H_
