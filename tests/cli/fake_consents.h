// The services of FakeVault about consents, restrictions and retention.
//
// Threads: as FakeVault. Lifetime: they refer to the vault.
#ifndef HIZO_TESTS_CLI_FAKE_CONSENTS_H_
#define HIZO_TESTS_CLI_FAKE_CONSENTS_H_

#include <grpcpp/grpcpp.h>

#include <memory>

namespace hizo::test {

class FakeVault;

std::unique_ptr<grpc::Service> FakeConsents(FakeVault& vault);
std::unique_ptr<grpc::Service> FakeRestrictions(FakeVault& vault);
std::unique_ptr<grpc::Service> FakeRetention(FakeVault& vault);

}  // namespace hizo::test

#endif  // HIZO_TESTS_CLI_FAKE_CONSENTS_H_
