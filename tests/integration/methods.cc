#include "tests/integration/methods.h"

#include <google/protobuf/descriptor.pb.h>

#include <stdexcept>

#include "tests/testing/vault_files.h"

namespace hizo::test {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

std::vector<const MethodDescriptor*> AllMethods() {
  FileDescriptorSet declared;
  if (!declared.ParseFromString(
          ReadFile(HIZO_SOURCE_DIR "/proto/hizo-v1.binpb"))) {
    throw std::runtime_error("proto/hizo-v1.binpb is no descriptor set");
  }
  std::vector<const MethodDescriptor*> methods;
  for (const FileDescriptorProto& file : declared.file()) {
    if (file.package() != "hizo.v1") continue;
    for (const auto& declared_service : file.service()) {
      const ServiceDescriptor* service =
          DescriptorPool::generated_pool()->FindServiceByName(
              file.package() + "." + declared_service.name());
      if (service == nullptr) throw std::runtime_error(file.name());
      for (int i = 0; i < service->method_count(); ++i) {
        methods.push_back(service->method(i));
      }
    }
  }
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

}  // namespace hizo::test
