// What the rules answer, as text: a change of a rule is a readable change of
// tests/golden/rules.txt. Regenerate it with HIZO_UPDATE_GOLDEN=1.
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "service/base/clock.h"
#include "service/base/reason.h"
#include "service/policy/decision.h"
#include "tests/service/policy/small_catalogue.h"

namespace hizo::policy {
namespace {

struct PurposeCase {
  std::string_view name;
  PurposeNumber purpose;
  bool known;
};
constexpr PurposeCase kPurposes[] = {
    {"not given", 0, true},          {"unknown", 0, false},
    {"marketing", kMarketing, true}, {"support", kSupport, true},
    {"billing", kBilling, true},     {"operations", kOperations, true}};

const std::vector<std::pair<std::string_view, std::vector<std::string_view>>>
    kFieldCases = {
        {"no field", {}},
        {"account.email", {"account.email"}},
        {"profile.full_name", {"profile.full_name"}},
        {"email and note", {"account.email", "profile.note"}},
        {"password_hash", {"credential.password_hash"}},
};

std::string Cell(const Catalogue& catalogue, const Access& access) {
  const Decision decision = Decide(catalogue, access, base::FromMicros(0));
  if (decision.allowed) return "ok";
  return std::string(decision.rule);
}

// One line: a cell for each view and for a person who is there, who has
// cancelled, or who is not there; cells that are all alike are written once.
std::string Line(const Catalogue& catalogue, Access access) {
  static const SubjectFacts active;
  static const SubjectFacts cancelled{.state = SubjectState::kCancelled};
  std::vector<std::string> cells;
  for (const View view : {View::kNone, View::kMasked, View::kPlain}) {
    for (const SubjectFacts* subject :
         std::initializer_list<const SubjectFacts*>{&active, &cancelled,
                                                    nullptr}) {
      access.view = view;
      access.subject = subject;
      cells.push_back(Cell(catalogue, access));
    }
  }
  if (cells == std::vector<std::string>(cells.size(), cells[0])) {
    return "all: " + cells[0];
  }
  const auto of_view = [&cells](size_t first) {
    return cells[first] + " / " + cells[first + 1] + " / " + cells[first + 2];
  };
  return "none: " + of_view(0) + ", masked: " + of_view(3) +
         ", plain: " + of_view(6);
}

std::string RulesAsText() {
  const auto catalogue = SmallCatalogue();
  const auto table = SmallAccessTable(*catalogue);
  std::ostringstream out;
  out << "# caller | action | purpose | fields | by view: person there / "
         "cancelled / not\n"
      << std::left;
  for (const char* caller : {kBoth, kOperator}) {
    for (uint32_t number = 0; number < kActionCount; ++number) {
      for (const PurposeCase& purpose : kPurposes) {
        for (const auto& [fields_name, fields] : kFieldCases) {
          Access access;
          access.principal = table->Find(caller);
          access.action = *ActionFromNumber(number);
          access.purpose = purpose.purpose;
          access.purpose_known = purpose.known;
          access.fields = FieldsOf(*catalogue, fields);
          out << std::string_view(caller).substr(21) << " | " << std::setw(17)
              << NameOf(access.action) << " | " << std::setw(10) << purpose.name
              << " | " << std::setw(17) << fields_name << " | "
              << Line(*catalogue, access) << "\n";
        }
      }
    }
  }
  return out.str();
}

TEST(RulesGoldenTest, AnswersAsWritten) {
  const std::string file = HIZO_SOURCE_DIR "/tests/golden/rules.txt";
  const std::string text = RulesAsText();
  if (std::getenv("HIZO_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(file, std::ios::binary) << text;
  }
  std::ifstream in(file, std::ios::binary);
  ASSERT_TRUE(in.is_open()) << file;
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, golden);
}

}  // namespace
}  // namespace hizo::policy
