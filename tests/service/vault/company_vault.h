// CompanyVault: a vault whose tenant acme has a policy, a person in it, and
// short ways to write down what she says.
#ifndef HIZO_TESTS_SERVICE_VAULT_COMPANY_VAULT_H_
#define HIZO_TESTS_SERVICE_VAULT_COMPANY_VAULT_H_

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "service/vault/consents.h"
#include "service/vault/restrictions.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {

inline base::EvidenceId ProofOf(char letter) {
  return *base::EvidenceId::FromBytes(
      std::string(base::EvidenceId::kSize, letter));
}

class CompanyVault : public ::testing::Test {
 protected:
  static VaultFixture::Options WithAPolicy() {
    VaultFixture::Options options;
    options.company = test::VaultPolicySource();
    return options;
  }

  void Wait() { vault_.clock().Advance(std::chrono::seconds(1)); }
  RecordConsentInput ConsentTo(const std::string& purpose) const {
    RecordConsentInput input;
    input.subject = ann_;
    input.purpose = purpose;
    input.evidence = ProofOf('e');
    return input;
  }
  absl::StatusOr<RecordedConsent> Record(const Call& call,
                                         const RecordConsentInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().Record(attempt, call, input);
    });
  }
  absl::StatusOr<RecordedConsent> Record(const RecordConsentInput& input) {
    return Record(FullCall(vault_, Action::kConsentRecord), input);
  }
  absl::StatusOr<std::optional<base::Timestamp>> Withdraw(
      const Call& call, const std::string& purpose) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().Withdraw(attempt, call, ann_, purpose);
    });
  }
  absl::StatusOr<std::optional<base::Timestamp>> Withdraw(
      const std::string& purpose) {
    return Withdraw(FullCall(vault_, Action::kConsentWithdraw), purpose);
  }
  absl::StatusOr<Statements> List(const Call& call) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().List(attempt, call, ann_);
    });
  }
  Statements Said() {
    return List(FullCall(vault_, Action::kConsentList)).value();
  }
  absl::StatusOr<RecordedObjection> Object(const Call& call,
                                           const ObjectionScope& scope) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().Object(attempt, call, ann_, scope);
    });
  }
  absl::StatusOr<RecordedObjection> Object(const ObjectionScope& scope) {
    return Object(FullCall(vault_, Action::kConsentObject), scope);
  }
  absl::StatusOr<base::Timestamp> Decide(const Call& call,
                                         DecideObjectionInput input) {
    input.subject = ann_;
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().consents().Decide(attempt, call, input);
    });
  }
  absl::StatusOr<base::Timestamp> Decide(DecideObjectionInput input) {
    return Decide(FullCall(vault_, Action::kConsentDecide), std::move(input));
  }
  absl::StatusOr<base::Timestamp> Restrict(const Call& call,
                                           RestrictionGround ground) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().restrictions().Set(attempt, call, ann_, ground);
    });
  }
  absl::StatusOr<base::Timestamp> Restrict(RestrictionGround ground) {
    return Restrict(FullCall(vault_, Action::kRestrictionSet), ground);
  }
  absl::StatusOr<size_t> Lift(const Call& call, RestrictionGround ground,
                              base::EvidenceId notice) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().restrictions().Lift(attempt, call, ann_, ground,
                                                notice);
    });
  }
  absl::StatusOr<size_t> Lift(RestrictionGround ground,
                              base::EvidenceId notice = ProofOf('n')) {
    return Lift(FullCall(vault_, Action::kRestrictionLift), ground, notice);
  }
  absl::StatusOr<base::Timestamp> Cancel() {
    const Call call = FullCall(vault_, Action::kSubjectCancel);
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().subjects().Cancel(attempt, call, ann_);
    });
  }

  // Reads Ann's address for the purpose, in an Attempt that is not committed.
  absl::Status ReadIn(Attempt& attempt, const Call& call) {
    return vault_.store()
        .records()
        .Get(attempt, call,
             {ann_, std::nullopt, {"account", {"email"}, policy::View::kPlain}})
        .status();
  }
  absl::Status ReadFor(policy::PurposeNumber purpose) {
    const Call call = vault_.CallOf(kFull, Action::kRecordGet, purpose);
    return vault_.Run(call,
                      [&](Attempt& attempt) { return ReadIn(attempt, call); });
  }
  // What a check says of the same.
  policy::Decision Check(const std::string& purpose) {
    const Call call = FullCall(vault_, Action::kConsentCheck);
    CheckPurposeInput input;
    input.subject = ann_;
    input.action = Action::kRecordGet;
    input.purpose = purpose;
    input.fields = {"account.email"};
    input.view = policy::View::kPlain;
    return vault_
        .Run(call,
             [&](Attempt& attempt) {
               return vault_.store().consents().Check(attempt, call, input);
             })
        .value();
  }

  VaultFixture vault_{WithAPolicy()};
  base::SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

}  // namespace hizo::vault

#endif  // HIZO_TESTS_SERVICE_VAULT_COMPANY_VAULT_H_
