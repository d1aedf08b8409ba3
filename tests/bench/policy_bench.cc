// What a company's policy says to a call, alone: no store, no network.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "service/app/catalogue_file.h"
#include "service/app/policy_file.h"
#include "service/policy/decision.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/measure.h"

namespace hizo::bench {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

constexpr const char* kCompanies[] = {"i7relay", "iotone", "ipro", "ijgn",
                                      "imd"};
constexpr size_t kQuestions = 200'000;
// In 99 of 100 cases.
constexpr double kGoalMicroseconds = 2;

template <typename T>
T Taken(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

class Questions {
 public:
  explicit Questions(const std::string& company)
      : catalogue_(Taken(policy::Catalogue::Create(
            Taken(app::ReadCatalogue(Shipped("catalogue.yaml")))))),
        company_(Taken(policy::CompanyPolicy::Create(
            Taken(app::ReadPolicy(
                {Shipped("policies/" + company + ".yaml").string(),
                 Shipped("policies/statutory_overlay.yaml").string(),
                 Shipped("policies/operator/" + company + ".yaml").string()})),
            *catalogue_))) {
    // Who may do everything is asked about most.
    policy::Grant& all = principal_.grants.emplace_back();
    all.actions.set();
    all.purposes.set();
    all.fields.set();
    all.plain = true;
  }

  // Each by itself; the clock, which takes a good part of it, included.
  std::vector<double> Ask() {
    std::mt19937 random(3);
    std::vector<double> us;
    us.reserve(kQuestions);
    size_t allowed = 0;
    for (size_t i = 0; i < kQuestions; ++i) {
      const policy::SubjectFacts person = PersonOf(random);
      const policy::Access access = AccessOf(person, random);
      const auto start = steady_clock::now();
      const policy::Decision decision =
          policy::Decide(*catalogue_, access, base::FromMicros(0));
      const auto end = steady_clock::now();
      if (decision.allowed) ++allowed;
      us.push_back(duration<double, std::micro>(end - start).count());
    }
    if (allowed == 0) throw std::runtime_error("nothing was allowed");
    return us;
  }

 private:
  static std::filesystem::path Shipped(const std::string& file) {
    return std::filesystem::path(HIZO_SOURCE_DIR) / "deploy" / file;
  }
  policy::SubjectFacts PersonOf(std::mt19937& random) const {
    policy::SubjectFacts person;
    for (const policy::PurposeSpec& purpose : catalogue_->purposes()) {
      person.consented.set(purpose.number, random() % 2 == 0);
      person.objected.set(purpose.number, random() % 16 == 0);
    }
    person.restricted = random() % 16 == 0;
    return person;
  }
  policy::Access AccessOf(const policy::SubjectFacts& person,
                          std::mt19937& random) const {
    const auto& purposes = catalogue_->purposes();
    policy::Access access;
    access.principal = &principal_;
    access.action = policy::Action::kRecordGet;
    access.purpose = purposes[random() % purposes.size()].number;
    const auto& classes = catalogue_->classes();
    for (const policy::FieldSpec* field :
         classes[random() % classes.size()].fields) {
      access.fields.set(field->index);
    }
    // What no purpose of theirs may have is refused before the policy is asked.
    access.fields &= catalogue_->FieldsFor(access.purpose);
    access.view = policy::View::kMasked;
    access.subject = &person;
    access.company = company_.get();
    return access;
  }

  const std::unique_ptr<const policy::Catalogue> catalogue_;
  const std::unique_ptr<const policy::CompanyPolicy> company_;
  policy::Principal principal_;
};

}  // namespace

Figures PolicyDecide(const Settings&) {
  Figures figures;
  for (const char* company : kCompanies) {
    Say(std::string("policy_decide: ") + company);
    Questions questions(company);
    std::vector<Sample> samples;
    for (size_t run = 0; run < kRuns; ++run) {
      const std::vector<double> us = questions.Ask();
      double sum = 0;
      for (const double of : us) sum += of;
      samples.push_back(SampleOf(us, sum / 1e6));
    }
    const Sample median = MedianOf(samples);
    figures.push_back({std::string("policy_decide_") + company, median.p99_us,
                       "us", kGoalMicroseconds, median.p50_us, median.p99_us,
                       kRuns, "goal, in 99 of 100 cases"});
  }
  return figures;
}

}  // namespace hizo::bench
