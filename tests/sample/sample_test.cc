// deploy/sample/people.jsonl: made by its script, and fit for the vault.
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crypto/normalise.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/record.pb.h"
#include "service/cli/values.h"
#include "service/policy/forbidden.h"
#include "tests/testing/status_matchers.h"

namespace hizo {
namespace {

using ::hizo::test::IsOk;
using ::testing::Contains;
using ::testing::Not;

constexpr char kFolder[] = HIZO_SOURCE_DIR "/deploy/sample";
constexpr char kRegion[] = "JP";  // as in deploy/access.example.yaml
constexpr size_t kPeople = 1000;
constexpr size_t kBytesMax = 1'500'000;

std::string ReadSample() {
  std::ifstream in(std::string(kFolder) + "/people.jsonl", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string OutputOf(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"),
                                                   pclose);
  if (pipe == nullptr) return {};
  std::string output;
  std::array<char, 4096> buffer;
  for (size_t size = 1; size > 0;) {
    size = fread(buffer.data(), 1, buffer.size(), pipe.get());
    output.append(buffer.data(), size);
  }
  return output;
}

// The people of the sample; empty if a line cannot be read.
const std::vector<v1::ImportRecordsRequest>& People() {
  static const auto people = [] {
    std::vector<v1::ImportRecordsRequest> parsed;
    std::ifstream in(std::string(kFolder) + "/people.jsonl");
    for (std::string line; std::getline(in, line);) {
      v1::ImportRecordsRequest& person = parsed.emplace_back();
      if (!cli::ParsePerson(line, *person.mutable_records()).ok()) {
        ADD_FAILURE() << "line " << parsed.size();
        return std::vector<v1::ImportRecordsRequest>();
      }
    }
    return parsed;
  }();
  return people;
}

using Visit = std::function<void(const std::string&, const v1::Value&)>;

// Calls `visit` with the full name and value of every field.
void ForEachField(const Visit& visit) {
  for (const auto& person : People()) {
    for (const v1::NewRecord& record : person.records()) {
      for (const v1::Field& field : record.fields()) {
        visit(record.record_class() + '.' + field.name(), field.value());
      }
    }
  }
}

// All texts of the field.
std::vector<std::string> TextsOf(const std::string& name) {
  std::vector<std::string> texts;
  ForEachField([&](const std::string& field, const v1::Value& value) {
    if (field == name) texts.push_back(value.text());
  });
  return texts;
}

// Normal forms of all texts of the field; fails for what has none and for what
// comes twice.
void ExpectUniqueNormalForms(
    const std::string& field,
    const std::function<absl::StatusOr<std::string>(const std::string&)>&
        normalise) {
  std::set<std::string> seen;
  const std::vector<std::string> texts = TextsOf(field);
  EXPECT_FALSE(texts.empty()) << field;
  for (const std::string& text : texts) {
    const absl::StatusOr<std::string> normal = normalise(text);
    ASSERT_THAT(normal, IsOk()) << text;
    EXPECT_TRUE(seen.insert(*normal).second) << text;
  }
}

TEST(SampleTest, IsWhatItsScriptMakes) {
  const std::string made =
      OutputOf("python3 " + std::string(kFolder) + "/make_sample.py");
  ASSERT_FALSE(made.empty());
  EXPECT_TRUE(made == ReadSample()) << "run make_sample.py again";
}

TEST(SampleTest, HoldsAThousandPeopleInLittleSpace) {
  EXPECT_EQ(People().size(), kPeople);
  EXPECT_LT(ReadSample().size(), kBytesMax);
}

TEST(SampleTest, HasUniqueEmailAddresses) {
  ExpectUniqueNormalForms("account.email", [](const std::string& text) {
    return crypto::NormaliseEmail(text);
  });
  ExpectUniqueNormalForms("billing.billing_email", [](const std::string& text) {
    return crypto::NormaliseEmail(text);
  });
}

TEST(SampleTest, HasUniqueUserNamesAndReferences) {
  ExpectUniqueNormalForms("account.username", [](const std::string& text) {
    return crypto::NormaliseHandle(text);
  });
  ExpectUniqueNormalForms(
      "account.caller_reference",
      [](const std::string& text) { return crypto::NormaliseReference(text); });
}

TEST(SampleTest, HasUniquePossiblePhoneNumbers) {
  for (const char* field :
       {"profile.phone_number", "profile.mobile_phone_number"}) {
    ExpectUniqueNormalForms(field, [](const std::string& text) {
      return crypto::NormalisePhone(text, kRegion);
    });
  }
}

TEST(SampleTest, HoldsNothingThatLooksLikeACardNumber) {
  ForEachField([](const std::string& name, const v1::Value& value) {
    if (name.ends_with("phone_number")) return;
    EXPECT_FALSE(policy::LooksLikeCardNumber(value.text())) << value.text();
    EXPECT_FALSE(policy::LooksLikeCardCode(value.text())) << value.text();
    for (const std::string& line : value.address().lines()) {
      EXPECT_FALSE(policy::LooksLikeCardNumber(line)) << line;
    }
  });
}

TEST(SampleTest, UsesReservedDomainsOnly) {
  for (const std::string& email : TextsOf("account.email")) {
    const auto normal = crypto::NormaliseEmail(email);
    ASSERT_THAT(normal, IsOk());
    const std::string domain = normal->substr(normal->find('@') + 1);
    EXPECT_TRUE(domain == "example.com" || domain == "example.org" ||
                domain == "example.net" || domain.ends_with(".example"))
        << domain;
  }
}

TEST(SampleTest, TriesWhatIsHard) {
  bool full_width = false;
  bool plus_tag = false;
  bool international_domain = false;
  ForEachField([&](const std::string& name, const v1::Value& value) {
    full_width = full_width || (name.ends_with("phone_number") &&
                                value.text().find("０") != std::string::npos);
    plus_tag = plus_tag || (name == "account.email" &&
                            value.text().find('+') != std::string::npos);
    international_domain =
        international_domain ||
        value.text().find("@パソコン.example") != std::string::npos;
  });
  EXPECT_TRUE(full_width);
  EXPECT_TRUE(plus_tag);
  EXPECT_TRUE(international_domain);
  std::map<std::string, int> countries;
  ForEachField([&](const std::string& name, const v1::Value& value) {
    if (name == "profile.postal_address")
      ++countries[value.address().country()];
  });
  EXPECT_GE(countries.size(), 15U);
}

TEST(SampleTest, LeavesOptionalPartsOut) {
  size_t with_billing = 0;
  size_t with_phone = TextsOf("profile.mobile_phone_number").size();
  for (const auto& person : People()) {
    with_billing += static_cast<size_t>(std::ranges::count(
        person.records(), "billing", &v1::NewRecord::record_class));
  }
  EXPECT_GT(with_billing, kPeople / 2);
  EXPECT_LT(with_billing, kPeople);
  EXPECT_GT(with_phone, kPeople / 2);
  EXPECT_LT(with_phone, kPeople);
  EXPECT_EQ(TextsOf("profile.full_name").size(), kPeople);
}

TEST(SampleTest, InvoicesEveryFiscalYearAndItsLastDay) {
  const std::vector<std::string> dates = TextsOf("transaction.invoice_date");
  for (const char* last_day : {"2024-03-31", "2025-03-31", "2026-03-31"}) {
    EXPECT_THAT(dates, Contains(last_day));
  }
  for (const std::string& date : dates) {
    EXPECT_TRUE(date >= "2023-04-01" && date <= "2026-03-31") << date;
  }
}

TEST(SampleTest, GivesNoTwoInvoicesOneNumber) {
  const std::vector<std::string> numbers =
      TextsOf("transaction.invoice_number");
  EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), numbers.size());
}

}  // namespace
}  // namespace hizo
