#include "service/rpc/caller.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::rpc {
namespace {

constexpr char kSpiffe[] = "peer_spiffe_id";

// What gRPC knows of a peer, as a test says.
class FakeAuthContext final : public grpc::AuthContext {
 public:
  explicit FakeAuthContext(bool authenticated)
      : authenticated_(authenticated) {}

  bool IsPeerAuthenticated() const override { return authenticated_; }
  std::vector<grpc::string_ref> GetPeerIdentity() const override { return {}; }
  std::string GetPeerIdentityPropertyName() const override { return {}; }
  std::vector<grpc::string_ref> FindPropertyValues(
      const std::string& name) const override {
    std::vector<grpc::string_ref> values;
    const auto [begin, end] = properties_.equal_range(name);
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second);
    return values;
  }
  grpc::AuthPropertyIterator begin() const override { return AtEnd(); }
  grpc::AuthPropertyIterator end() const override { return AtEnd(); }
  void AddProperty(const std::string& key,
                   const grpc::string_ref& value) override {
    properties_.emplace(key, std::string(value.data(), value.size()));
  }
  bool SetPeerIdentityPropertyName(const std::string& /*name*/) override {
    return false;
  }

 private:
  // Only what derives from an iterator can make one.
  struct AtEnd : grpc::AuthPropertyIterator {};
  const bool authenticated_;
  std::multimap<std::string, std::string> properties_;
};

TEST(CallerTest, IsTheSpiffeIdOfTheCertificate) {
  FakeAuthContext context(true);
  context.AddProperty("x509_common_name", "somebody else");
  context.AddProperty(kSpiffe, "spiffe://hizo.example/acme/shop");
  EXPECT_EQ(PeerSpiffeId(context), "spiffe://hizo.example/acme/shop");
}

TEST(CallerTest, IsNobodyWithoutASpiffeId) {
  FakeAuthContext context(true);
  context.AddProperty("x509_common_name", "spiffe://hizo.example/acme/shop");
  context.AddProperty("x509_subject_alternative_name",
                      "spiffe://hizo.example/acme/shop");
  EXPECT_EQ(PeerSpiffeId(context), "");
}

TEST(CallerTest, IsNobodyWithTwoSpiffeIds) {
  FakeAuthContext context(true);
  context.AddProperty(kSpiffe, "spiffe://hizo.example/acme/shop");
  context.AddProperty(kSpiffe, "spiffe://hizo.example/acme/auditor");
  EXPECT_EQ(PeerSpiffeId(context), "");
}

TEST(CallerTest, IsNobodyWhoIsNotAuthenticated) {
  FakeAuthContext context(false);
  context.AddProperty(kSpiffe, "spiffe://hizo.example/acme/shop");
  EXPECT_EQ(PeerSpiffeId(context), "");
}

}  // namespace
}  // namespace hizo::rpc
