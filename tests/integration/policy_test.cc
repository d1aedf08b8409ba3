// What is in force, and what it would say: asked over the wire, compared with
// the files and with what calls are really told.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/policy.pb.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string DigestOf(const std::filesystem::path& file) {
  const crypto::Digest digest = crypto::Sha256(ReadFile(file));
  const std::string_view bytes = crypto::AsBytes(digest);
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

class PolicyTest : public ::testing::Test {
 protected:
  v1::GetEffectivePolicyResponse Effective() {
    v1::GetEffectivePolicyRequest request;
    *request.mutable_context() = ContextFor("operations");
    return server_.As("acme/operator")
        .Ask<v1::GetEffectivePolicyResponse>(request)
        .value();
  }
  // Whether `who` could read the profile's name plainly for `purpose`.
  absl::StatusOr<v1::CheckPurposeResponse> Check(const std::string& who,
                                                 const std::string& subject,
                                                 const std::string& purpose) {
    v1::CheckPurposeRequest request;
    *request.mutable_context() = ContextFor(kServicePurpose);
    request.set_subject(subject);
    request.set_checked_action(v1::ACTION_RECORD_GET);
    request.set_checked_purpose(purpose);
    request.add_fields("profile.full_name");
    request.set_view(v1::VIEW_PLAIN);
    return server_.As(who).Ask<v1::CheckPurposeResponse>(request);
  }

  LiveServer server_;
};

TEST_F(PolicyTest, TheDigestsAreThoseOfTheFiles) {
  const auto policy = Effective();
  EXPECT_EQ(policy.catalogue_sha256(), DigestOf(server_.config().catalogue));
  EXPECT_EQ(policy.access_sha256(), DigestOf(server_.config().access));
  EXPECT_GT(policy.catalogue_version(), 0);
}

TEST_F(PolicyTest, EverythingInTheCatalogueIsShown) {
  const auto policy = Effective();
  const auto email = [&] {
    for (const v1::PolicyClass& of : policy.classes()) {
      for (const v1::PolicyField& field : of.fields()) {
        if (field.number() == 102) return field;
      }
    }
    return v1::PolicyField();
  }();
  EXPECT_EQ(email.name(), "email");
  EXPECT_EQ(email.type(), v1::FIELD_TYPE_EMAIL);
  EXPECT_EQ(email.masking(), v1::FIELD_MASKING_EMAIL);
  EXPECT_EQ(email.export_kind(), v1::FIELD_EXPORT_PORTABLE);
  EXPECT_EQ(email.sensitivity_level(), v1::SENSITIVITY_CONTACT);
  EXPECT_TRUE(email.unique() && email.searchable());
  EXPECT_FALSE(email.required());
  EXPECT_EQ(email.size_max(), 320);
  EXPECT_THAT(email.purposes(), Contains("billing"));
  EXPECT_THAT(email.purposes(), Not(Contains("tax_audit")));
  std::vector<std::string> outliving;
  for (const v1::PolicyPurpose& purpose : policy.purposes()) {
    if (purpose.outlives_account()) outliving.push_back(purpose.name());
  }
  EXPECT_THAT(
      outliving,
      ElementsAre("billing", "identity_verification", "legal_compliance",
                  "tax_audit", "legal_retention", "breach_notification",
                  "rights_response", "security_audit", "legal_claim"));
}

TEST_F(PolicyTest, OnlyTheTenantsOwnCallersAndTheirRolesAreShown) {
  const auto policy = Effective();
  EXPECT_EQ(policy.tenant().name(), "acme");
  EXPECT_EQ(policy.tenant().number(), 1);
  EXPECT_EQ(policy.tenant().default_region(), "JP");
  EXPECT_THAT(policy.SerializeAsString(), Not(HasSubstr("globex")));
  std::vector<std::string> roles;
  for (const v1::PolicyRole& role : policy.roles()) {
    roles.push_back(role.name());
    if (role.name() != "masked") continue;
    EXPECT_EQ(role.kind(), v1::ROLE_KIND_SERVICE);
    EXPECT_THAT(role.principals(),
                ElementsAre("spiffe://hizo.example/acme/masked"));
    ASSERT_EQ(role.grants_size(), 1);
    EXPECT_FALSE(role.grants(0).plain());
    EXPECT_THAT(role.grants(0).purposes(), ElementsAre("support"));
    EXPECT_THAT(role.grants(0).actions(), Contains(v1::ACTION_RECORD_GET));
    EXPECT_THAT(role.grants(0).fields(), Contains("profile.full_name"));
    EXPECT_THAT(role.grants(0).fields(),
                Not(Contains("credential.password_hash")));
  }
  EXPECT_THAT(roles, ElementsAre("auditor", "full", "masked", "operator"));
}

TEST_F(PolicyTest, ACheckSaysWhatTheCallIsReallyTold) {
  const std::string subject =
      CreatePerson(server_.As("acme/full"), "a@example.com", "A");
  for (const std::string& who : {subject, NewUuid()}) {
    for (const char* purpose :
         {"service_delivery", "billing", "tax_audit", "curiosity", ""}) {
      SCOPED_TRACE(purpose);
      const auto checked = Check("acme/full", who, purpose);
      ASSERT_THAT(checked, IsOk());
      v1::GetRecordRequest read = GetRequest(who, "profile", {"full_name"});
      *read.mutable_context() = ContextFor(purpose);
      const auto told =
          server_.As("acme/full").Ask<v1::GetRecordResponse>(read);
      EXPECT_EQ(checked->allowed(), told.ok());
      EXPECT_EQ(static_cast<int>(checked->reason()),
                static_cast<int>(base::ReasonOf(told.status())));
      EXPECT_NE(checked->rule(), "");
    }
  }
}

TEST_F(PolicyTest, ACheckNeedsAGrantOfItsOwn) {
  EXPECT_THAT(Check("acme/powerless", "", "support"),
              HasReason(Reason::kCallerNotEntitled));
  v1::GetEffectivePolicyRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  EXPECT_THAT(
      server_.As("acme/full").Ask<v1::GetEffectivePolicyResponse>(request),
      HasReason(Reason::kCallerNotEntitled));
}

TEST_F(PolicyTest, ACheckOfNoActionIsNone) {
  v1::CheckPurposeRequest request;
  *request.mutable_context() = ContextFor(kServicePurpose);
  for (const int action : {0, 200}) {
    request.set_checked_action(static_cast<v1::Action>(action));
    EXPECT_THAT(server_.As("acme/full").Ask<v1::CheckPurposeResponse>(request),
                HasReason(Reason::kValueInvalid));
  }
}

}  // namespace
}  // namespace hizo::test
