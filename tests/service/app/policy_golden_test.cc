// The same questions put to five tenants, one for each policy that is shipped,
// as text: tests/golden/policies.txt, reviewed row by row against the clauses.
// Regenerate it with HIZO_UPDATE_GOLDEN=1, and review what changed.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/policy_file.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/policy/decision.h"

namespace hizo::app {
namespace {

using policy::CompanyPolicy;
using policy::SubjectFacts;

const std::filesystem::path kDeploy =
    std::filesystem::path(HIZO_SOURCE_DIR) / "deploy";
constexpr const char* kCompanies[] = {"i7relay", "iotone", "ipro", "ijgn",
                                      "imd"};

struct Caller {
  std::string name;
  policy::Principal principal;
};

class PolicyGoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto source = ReadCatalogue(kDeploy / "catalogue.yaml");
    ASSERT_TRUE(source.ok()) << source.status();
    auto catalogue = policy::Catalogue::Create(*std::move(source));
    ASSERT_TRUE(catalogue.ok()) << catalogue.status();
    catalogue_ = *std::move(catalogue);
    auto access = ReadAccess(kDeploy / "access.example.yaml");
    ASSERT_TRUE(access.ok()) << access.status();
    auto table = policy::AccessTable::Create(*access, *catalogue_);
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
    for (const char* company : kCompanies) {
      auto policy = ReadPolicy(
          {(kDeploy / "policies" / company).string() + ".yaml",
           (kDeploy / "policies/statutory_overlay.yaml").string(),
           (kDeploy / "policies/operator" / company).string() + ".yaml"});
      ASSERT_TRUE(policy.ok()) << policy.status();
      auto made = CompanyPolicy::Create(*policy, *catalogue_);
      ASSERT_TRUE(made.ok()) << made.status();
      policies_.push_back(*std::move(made));
    }
    // Who may do everything shows the policies; the example's roles show that
    // no policy widens what they may do.
    Caller anybody{"anybody", {}};
    policy::Grant& all = anybody.principal.grants.emplace_back();
    all.actions.set();
    all.purposes.set();
    all.fields.set();
    all.plain = true;
    callers_.push_back(std::move(anybody));
    for (const char* role : {"support", "billing", "privacy_officer"}) {
      ASSERT_NE(table_->FindRole(role), nullptr) << role;
      Caller caller{role, {}};
      caller.principal.grants = table_->FindRole(role)->grants;
      callers_.push_back(std::move(caller));
    }
  }

  // The fields of a class that the catalogue lets the purpose have; none, if
  // there are none.
  policy::FieldSet FieldsOf(const policy::ClassSpec& of,
                            const policy::PurposeSpec& purpose) const {
    policy::FieldSet fields;
    for (const policy::FieldSpec* field : of.fields) fields.set(field->index);
    return fields & catalogue_->FieldsFor(purpose.number);
  }
  policy::Decision Ask(const CompanyPolicy& company, const Caller& caller,
                       const policy::PurposeSpec& purpose,
                       const policy::ClassSpec& of,
                       const SubjectFacts& person) const {
    return policy::Decide(*catalogue_,
                          {.principal = &caller.principal,
                           .action = policy::Action::kRecordGet,
                           .purpose = purpose.number,
                           .purpose_known = true,
                           .fields = FieldsOf(of, purpose),
                           .view = policy::View::kMasked,
                           .subject = &person,
                           .company = &company},
                          base::FromMicros(0));
  }

  std::unique_ptr<const policy::Catalogue> catalogue_;
  std::unique_ptr<const policy::AccessTable> table_;
  std::vector<std::unique_ptr<const CompanyPolicy>> policies_;
  std::vector<Caller> callers_;
};

std::vector<std::pair<std::string, SubjectFacts>> People(
    policy::PurposeNumber purpose) {
  std::vector<std::pair<std::string, SubjectFacts>> people(7);
  people[0].first = "silent";
  people[1].first = "consented";
  people[1].second.consented.set(purpose);
  people[2].first = "withdrew";
  people[2].second.withdrawn.set(purpose);
  people[3].first = "objected";
  people[3].second.objected.set(purpose);
  people[4].first = "restricted";
  people[4].second.restricted = true;
  people[5].first = "minor";
  people[5].second.minor = true;
  people[6].first = "left";
  people[6].second.state = policy::SubjectState::kCancelled;
  return people;
}

std::string CellOf(const policy::Decision& decision) {
  if (decision.allowed) return "ok";
  return std::string(base::NameOf(decision.reason)) + " (" +
         std::string(decision.rule) + ")";
}

// "ok", or what differs: "ok; withdrew CONSENT_WITHDRAWN (...)".
std::string Summary(
    const std::vector<std::pair<std::string, std::string>>& of) {
  std::string text = of[0].second;
  for (const auto& [who, cell] : of) {
    if (cell != of[0].second) text += "; " + who + " " + cell;
  }
  return text;
}

TEST_F(PolicyGoldenTest, AnswersAsReviewed) {
  std::ostringstream out;
  out << "# tenant | purpose of the call | the policy's, clause, basis | "
         "caller | class | what a person who is silent gets; who else differs\n"
      << std::left;
  for (const auto& company : policies_) {
    for (const policy::PurposeSpec& purpose : catalogue_->purposes()) {
      const policy::PurposeTerms& terms = company->For(purpose.number);
      const std::string says =
          terms.in_policy ? terms.id + ", " + terms.clause + ", " +
                                std::string(policy::NameOf(terms.basis))
                          : "-";
      for (const Caller& caller : callers_) {
        for (const policy::ClassSpec& of : catalogue_->classes()) {
          if (of.internal || FieldsOf(of, purpose).none()) continue;
          std::vector<std::pair<std::string, std::string>> cells;
          for (const auto& [who, person] : People(purpose.number)) {
            cells.emplace_back(
                who, CellOf(Ask(*company, caller, purpose, of, person)));
          }
          // What a role was not granted says nothing of a policy.
          if (caller.name != "anybody" &&
              cells[0].second.find("-granted") != std::string::npos) {
            continue;
          }
          out << std::setw(7) << company->profile_id() << " | " << std::setw(24)
              << purpose.name << " | " << says << " | " << caller.name << " | "
              << of.name << " | " << Summary(cells) << "\n";
        }
      }
    }
  }
  const std::string file = HIZO_SOURCE_DIR "/tests/golden/policies.txt";
  if (std::getenv("HIZO_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << out.str();
  }
  std::ifstream in(file, std::ios::binary);
  ASSERT_TRUE(in.is_open()) << file;
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(out.str(), golden);
}

// Over everything that the five tenants can be asked.
TEST_F(PolicyGoldenTest, AllowImpliesABasisAClauseAndNothingAgainstIt) {
  size_t allowed = 0;
  for (const auto& company : policies_) {
    for (const policy::PurposeSpec& purpose : catalogue_->purposes()) {
      for (const Caller& caller : callers_) {
        for (const policy::ClassSpec& of : catalogue_->classes()) {
          for (const auto& [who, person] : People(purpose.number)) {
            const policy::Decision decision =
                Ask(*company, caller, purpose, of, person);
            if (!decision.allowed) continue;
            ++allowed;
            ASSERT_NE(decision.terms, nullptr);
            EXPECT_TRUE(decision.terms->in_policy);
            EXPECT_NE(decision.terms->basis, policy::Basis::kNone);
            EXPECT_FALSE(decision.terms->clause.empty());
            EXPECT_FALSE(decision.terms->anonymised_only);
            if (decision.terms->lawful) continue;
            const bool owed =
                decision.terms->basis == policy::Basis::kLegalObligation;
            EXPECT_TRUE(who == "silent" || who == "consented" ||
                        who == "withdrew" || who == "left" ||
                        (owed && (who == "objected" || who == "minor")))
                << who;
            EXPECT_TRUE(!decision.terms->needs_consent || who == "consented");
          }
        }
      }
    }
  }
  EXPECT_GT(allowed, 500U);
}

// The profile of one tenant never decides for another.
TEST_F(PolicyGoldenTest, TheSameCallIsAnsweredByEachTenantsOwnPolicy) {
  const policy::PurposeSpec& billing = *catalogue_->FindPurpose("billing");
  const policy::ClassSpec& of = *catalogue_->FindClass("billing");
  const SubjectFacts person;
  std::vector<std::string> cells;
  for (const auto& company : policies_) {
    cells.push_back(CellOf(Ask(*company, callers_[0], billing, of, person)));
  }
  EXPECT_EQ(cells, (std::vector<std::string>{
                       "ok", "ok", "PURPOSE_NOT_ALLOWED (purpose-in-policy)",
                       "PURPOSE_NOT_ALLOWED (policy-names-classes)",
                       "PURPOSE_NOT_ALLOWED (purpose-in-policy)"}));
}

}  // namespace
}  // namespace hizo::app
