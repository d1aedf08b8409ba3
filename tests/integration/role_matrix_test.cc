// Who may do what, as text: every method, every role of the shipped example and
// a stranger, about a person of the own tenant, one of another and nobody,
// asked of a real server. A change of what a role may do is a readable change
// of tests/golden/role_matrix.txt; HIZO_UPDATE_GOLDEN=1 rewrites it.
//
// The methods come from the descriptors and the roles from the example: one
// without a row fails here.
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iomanip>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "service/app/access_file.h"
#include "service/base/reason.h"
#include "tests/integration/methods.h"
#include "tests/integration/requests.h"
#include "tests/integration/role_questions.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kGolden[] = HIZO_SOURCE_DIR "/tests/golden/role_matrix.txt";
// A caller whose certificate is good and who is not in the example.
constexpr char kStranger[] = "stranger";

// What each role of the example is there for.
const std::map<std::string, std::string> kPurposes = {
    {"storefront", "service_delivery"},
    {"importer", "onboarding"},
    {"login", "authentication"},
    {"support", "support"},
    {"billing", "billing"},
    {"privacy_officer", "rights_response"},
    {"erasure_officer", "rights_response"},
    {"auditor", "security_audit"},
    {"operator", "operations"},
    {kStranger, "service_delivery"}};

// "acme/privacy-officer", who has the role privacy_officer and no other.
std::string CallerOf(std::string role) {
  std::ranges::replace(role, '_', '-');
  return "acme/" + role;
}

// The example, and in another tenant somebody to have people.
std::string AccessWithAnotherTenant() {
  std::string access = ReadFile(HIZO_SOURCE_DIR "/deploy/access.example.yaml");
  const std::string tenants = "\ntenants:\n";
  access.insert(access.find(tenants) + tenants.size(),
                "  globex: {number: 2}\n");
  return access +
         "  spiffe://hizo.example/globex/all: {tenant: globex, "
         "roles: [storefront, login]}\n";
}

std::string NameOfCode(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

class RoleMatrixTest : public ::testing::Test {
 protected:
  RoleMatrixTest() {
    server_.Stop();
    server_.files().Write("access.yaml", AccessWithAnotherTenant());
    EXPECT_THAT(server_.Start(), IsOk());
    const auto access = app::ReadAccess(server_.config().access);
    EXPECT_THAT(access, IsOk());
    for (const auto& role : access->roles) roles_.push_back(role.name);
    roles_.emplace_back(kStranger);
    for (const std::string& role : roles_) {
      peers_.emplace(role, server_.As(CallerOf(role)));
    }
    peers_.emplace("another", server_.As("globex/all"));
    other_ = NewPerson(peers_.at("another"), peers_.at("another"));
  }

  static Person NewPerson(const Peer& creator, const Peer& login) {
    Person person = Nobody();
    person.subject = CreatePerson(creator, person.email, "Ann Other");
    EXPECT_THAT(login.Ask<v1::SetPasswordResponse>(
                    PasswordRequest(person.subject, kMatrixPassword)),
                IsOk());
    return person;
  }
  Person NewOwn() {
    return NewPerson(peers_.at("storefront"), peers_.at("login"));
  }

  // Code, reason and size of a refusal. An answer is shown with its size where
  // it is about somebody who is not there for the caller.
  static std::string Outcome(const MethodDescriptor& method, const Reply& reply,
                             bool sized) {
    std::ostringstream out;
    if (reply.code != 0) {
      out << NameOfCode(reply.code) << " " << reply.reason << " "
          << reply.text.size() + reply.details.size();
      return out.str();
    }
    const std::string item = ItemOf(method, reply);
    out << "OK" << item;
    if (sized || !item.empty()) {
      size_t size = 0;
      for (const std::string& message : reply.messages) size += message.size();
      out << " " << size;
    }
    return out.str();
  }

  // Why the only item of a stream was refused, if it was.
  template <typename Response>
  static std::string ReasonOfItem(const std::string& message) {
    Response response;
    EXPECT_TRUE(response.ParseFromString(message));
    EXPECT_EQ(response.items_size(), 1);
    const v1::Reason reason = response.items(0).reason();
    if (reason == v1::REASON_UNSPECIFIED) return "";
    return ", item " + v1::Reason_Name(reason);
  }
  static std::string ItemOf(const MethodDescriptor& method,
                            const Reply& reply) {
    if (method.name() == "ImportBundle") {
      return ReasonOfItem<v1::ImportBundleResponse>(reply.messages.at(0));
    }
    if (method.client_streaming()) {
      return ReasonOfItem<v1::ImportRecordsResponse>(reply.messages.at(0));
    }
    if (method.name() == "BatchGetRecords") {
      return ReasonOfItem<v1::BatchGetRecordsResponse>(reply.messages.at(0));
    }
    return "";
  }

  std::string Ask(const MethodDescriptor& method, const Question& question,
                  const std::string& role, const Person& person, bool sized) {
    const auto request = question.request(person);
    const auto* context = request->GetDescriptor()->FindFieldByName("context");
    request->GetReflection()
        ->MutableMessage(request.get(), context)
        ->CopyFrom(ContextFor(kPurposes.at(role)));
    const uint64_t before = server_.EventCount();
    const Reply reply =
        peers_.at(role).Call(PathOf(method), {request->SerializeAsString()});
    std::vector<audit::Event> events = server_.EventsFrom(before);
    // Hizo finishes erasures and backups in its own time.
    std::erase_if(events, [](const audit::Event& event) {
      return event.actor == "hizod";
    });
    EXPECT_THAT(events, SizeIs(1)) << method.name() << " by " << role;
    return Outcome(method, reply, sized);
  }

  struct Line {
    std::string what;  // method, variant, role
    std::string person;
    std::string outcome;
  };
  void AskAbout(const MethodDescriptor& method, const Question& question,
                const std::string& role) {
    std::ostringstream what;
    what << std::left << std::setw(19) << method.name() << std::setw(8)
         << question.variant << std::setw(17) << role;
    if (!question.about_a_person) {
      lines_.push_back(
          {what.str(), "-", Ask(method, question, role, Nobody(), false)});
      return;
    }
    lines_.push_back(
        {what.str(), "own", Ask(method, question, role, NewOwn(), false)});
    lines_.push_back(
        {what.str(), "other", Ask(method, question, role, other_, true)});
    lines_.push_back(
        {what.str(), "absent", Ask(method, question, role, Nobody(), true)});
  }

  void AskEverything() {
    const Questions questions = AllQuestions();
    for (const MethodDescriptor* method : AllMethods()) {
      ASSERT_TRUE(questions.contains(method->name())) << method->full_name();
      for (const Question& question : questions.at(method->name())) {
        for (const std::string& role : roles_) {
          ASSERT_TRUE(kPurposes.contains(role)) << role;
          AskAbout(*method, question, role);
        }
      }
    }
    ASSERT_THAT(questions, SizeIs(AllMethods().size()));
  }

  // "own", "other" and "absent" of one method, variant and role.
  std::map<std::string, std::map<std::string, std::string>> ByPerson() const {
    std::map<std::string, std::map<std::string, std::string>> by_person;
    for (const Line& line : lines_) {
      if (line.person != "-") by_person[line.what][line.person] = line.outcome;
    }
    return by_person;
  }

  std::string AsText() const {
    std::ostringstream out;
    out << "# method, variant, role, person: code, reason, bytes\n"
        << std::left;
    for (const Line& line : lines_) {
      out << line.what << std::setw(7) << line.person << line.outcome << "\n";
    }
    return out.str();
  }

  // What is learnt of a person by asking, other than what was granted.
  void ExpectNothingSaidOfWhoIsNotThere() const {
    EXPECT_THAT(ByPerson(), Not(IsEmpty()));
    for (const auto& [what, outcomes] : ByPerson()) {
      const std::string& absent = outcomes.at("absent");
      EXPECT_EQ(outcomes.at("other"), absent) << what;
      // Who may not ask is told the same of everybody.
      const bool may_ask =
          absent.find("SUBJECT_NOT_FOUND") != absent.npos ||
          (absent.starts_with("OK") && absent.find("item") == absent.npos);
      if (!may_ask) {
        EXPECT_EQ(outcomes.at("own"), absent) << what;
      }
    }
  }

  LiveServer server_;
  std::vector<std::string> roles_;
  std::map<std::string, Peer> peers_;
  Person other_;
  std::vector<Line> lines_;
};

TEST_F(RoleMatrixTest, IsAsWrittenAndSaysNothingOfWhoIsNotThere) {
  const Peer& another = peers_.at("another");
  const auto before = another.Ask<v1::GetRecordResponse>(
      GetRequest(other_.subject, "profile", {"full_name"}));
  AskEverything();
  const std::string text = AsText();
  if (std::getenv("HIZO_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGolden, std::ios::binary) << text;
  }
  EXPECT_EQ(text, ReadFile(kGolden));
  ExpectNothingSaidOfWhoIsNotThere();
  // Nobody has touched the person of the other tenant.
  const auto after = another.Ask<v1::GetRecordResponse>(
      GetRequest(other_.subject, "profile", {"full_name"}));
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->SerializeAsString(), before->SerializeAsString());
}

}  // namespace
}  // namespace hizo::test
