// Nothing that a person or a caller wrote freely lies open anywhere: not in a
// file of the store, not in the log, not in an error.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/hizod_process.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::Reason;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// In every text below, in any case, and in the digits of the phone number.
constexpr char kCanary[] = "qx7731zq";
constexpr char kCanaryDigits[] = "9012347731";
constexpr char kEmail[] = "qx7731zq@canary.example";
constexpr char kName[] = "Qx7731zq Name";
constexpr char kPassword[] = "Qx7731zq password";

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return text;
}

std::string Hex(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hex += {kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return hex;
}

bool ShowsCanary(const std::string& bytes) {
  const std::string text = LowerCase(bytes);
  for (const std::string canary : {kCanary, kCanaryDigits}) {
    if (text.find(canary) != text.npos) return true;
    if (text.find(Hex(canary)) != text.npos) return true;
  }
  return false;
}

// The files below `directory` that show a canary, and how many there are.
struct Scan {
  std::vector<std::string> found;
  size_t files = 0;
};
Scan ScanFiles(const fs::path& directory) {
  Scan scan;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    ++scan.files;
    if (ShowsCanary(ReadFile(entry.path())) ||
        ShowsCanary(entry.path().string())) {
      scan.found.push_back(entry.path().filename().string());
    }
  }
  return scan;
}

class CanaryTest : public ::testing::Test {
 protected:
  CanaryTest() {
    HizodProcess::Init(files_);
    hizod_.emplace(files_);
    EXPECT_TRUE(hizod_->WaitUntilReady());
  }

  // Sends `request`; its error shows no canary.
  Reply Ask(const std::string& caller,
            const google::protobuf::Message& request) {
    Reply reply = hizod_->As(caller).Call(PathOf(*request.GetDescriptor()),
                                          {request.SerializeAsString()});
    EXPECT_FALSE(ShowsCanary(reply.text)) << reply.text;
    EXPECT_FALSE(ShowsCanary(reply.details));
    return reply;
  }
  std::string Create() {
    v1::CreateSubjectRequest request = CreateRequest(kEmail, kName);
    request.mutable_context()->set_request_id(NewUuid());
    v1::NewRecord& profile = *request.mutable_records(1);
    v1::Field& phone = *profile.add_fields();
    phone.set_name("phone_number");
    phone.mutable_value()->set_text("+819012347731");
    v1::Field& address = *profile.add_fields();
    address.set_name("postal_address");
    address.mutable_value()->mutable_address()->set_country("JP");
    address.mutable_value()->mutable_address()->add_lines(kName);
    v1::Field& contact = *request.mutable_records(0)->add_fields();
    contact.set_name("account_contact");
    contact.mutable_value()->set_json(R"({"name":"qx7731zq"})");
    const Reply reply = Ask("acme/full", request);
    EXPECT_EQ(reply.code, 0) << reply.text;
    v1::CreateSubjectResponse response;
    EXPECT_TRUE(response.ParseFromString(reply.messages.at(0)));
    return response.subject();
  }
  // Everything that works.
  void UseWell(const std::string& subject) {
    EXPECT_EQ(Ask("acme/full", FindRequest(kEmail)).code, 0);
    EXPECT_EQ(Ask("acme/full", SubjectRequest(subject)).code, 0);
    const Reply read =
        Ask("acme/full", GetRequest(subject, "profile", {"full_name"}));
    EXPECT_TRUE(ShowsCanary(read.messages.at(0)));
    EXPECT_EQ(Ask("acme/full", PasswordRequest(subject, kPassword)).code, 0);
    EXPECT_EQ(Ask("acme/full", VerifyRequest(subject, kPassword)).code, 0);
    EXPECT_EQ(
        Ask("acme/full", ImportRequest("i" + std::string(kEmail), kName)).code,
        0);
    EXPECT_EQ(Ask("acme/full", PutRequest(subject, InvoiceOf(kCanary, 7))).code,
              0);
  }
  // Everything that is refused for what it says.
  void UseBadly(const std::string& subject) {
    v1::FindSubjectRequest find = FindRequest("qx7731zq is no address");
    EXPECT_THAT(Ask("acme/full", find), HasReason(Reason::kValueInvalid));
    find.mutable_key()->set_field(kCanary);
    EXPECT_THAT(Ask("acme/full", find), HasReason(Reason::kFieldUnknown));
    find.mutable_context()->set_purpose(kCanary);
    EXPECT_THAT(Ask("acme/full", find), HasReason(Reason::kPurposeNotAllowed));
    find.mutable_context()->set_request_id(kCanary);
    EXPECT_THAT(Ask("acme/full", find), HasReason(Reason::kValueInvalid));
    EXPECT_THAT(Ask("acme/full", SubjectRequest(kCanary)),
                HasReason(Reason::kValueInvalid));
    EXPECT_THAT(Ask("acme/full", CreateRequest(kEmail, kName)),
                HasReason(Reason::kAlreadyExists));
    EXPECT_THAT(Ask("acme/full", GetRequest(subject, kCanary, {kCanary})),
                HasReason(Reason::kFieldUnknown));
    EXPECT_THAT(
        Ask("acme/full",
            PutRequest(subject, RecordOf("profile", {{kCanary, kName}}))),
        HasReason(Reason::kFieldUnknown));
    EXPECT_EQ(Ask("acme/full", VerifyRequest(subject, "qx7731zq wrong")).code,
              0);
    EXPECT_THAT(Ask("acme/masked", FindRequest(kEmail)),
                HasReason(Reason::kPurposeNotAllowed));
    EXPECT_THAT(Ask("acme/powerless", PasswordRequest(subject, kPassword)),
                HasReason(Reason::kCallerNotEntitled));
    EXPECT_THAT(Ask("acme/stranger", FindRequest(kEmail)),
                HasReason(Reason::kUnauthenticated));
    const Reply malformed = hizod_->As("acme/full")
                                .Call("/hizo.v1.SubjectService/FindSubject",
                                      {"\xff" + std::string(kEmail)});
    EXPECT_FALSE(ShowsCanary(malformed.text + malformed.details));
    const Reply unknown =
        hizod_->As("acme/full")
            .Call("/hizo.v1." + std::string(kCanary) + "/Get", {kEmail});
    EXPECT_FALSE(ShowsCanary(unknown.text + unknown.details));
  }

  VaultFiles files_;
  std::optional<HizodProcess> hizod_;
};

TEST_F(CanaryTest, TheSearchFindsWhatIsThere) {
  files_.Write("planted", "a QX7731ZQ b");
  files_.Write("planted-hex", Hex(kCanary));
  const Scan scan = ScanFiles(files_.directory());
  EXPECT_THAT(scan.found,
              ::testing::UnorderedElementsAre("planted", "planted-hex"));
}

TEST_F(CanaryTest, NoFileShowsAValue) {
  const std::string subject = Create();
  UseWell(subject);
  // As they lie while it runs, and once it has ended.
  EXPECT_THAT(ScanFiles(files_.directory()).found, IsEmpty());
  EXPECT_EQ(hizod_->Stop(), 0);
  const Scan scan = ScanFiles(files_.directory());
  EXPECT_THAT(scan.found, IsEmpty());
  EXPECT_GT(scan.files, 10U);
}

TEST_F(CanaryTest, NoFileLogOrErrorShowsWhatWasRefused) {
  const std::string subject = Create();
  UseBadly(subject);
  EXPECT_EQ(hizod_->Stop(), 0);
  EXPECT_FALSE(ShowsCanary(hizod_->process().output()))
      << hizod_->process().output();
  EXPECT_THAT(ScanFiles(files_.directory()).found, IsEmpty());
}

TEST_F(CanaryTest, TheLogIsOneObjectPerLineWithoutValues) {
  const std::string subject = Create();
  UseWell(subject);
  EXPECT_EQ(hizod_->Stop(), 0);
  const std::vector<std::string> lines = hizod_->process().lines();
  EXPECT_THAT(lines, Not(IsEmpty()));
  for (const std::string& line : lines) {
    EXPECT_TRUE(line.starts_with('{') && line.ends_with('}')) << line;
    EXPECT_FALSE(ShowsCanary(line)) << line;
    EXPECT_THAT(line, Not(HasSubstr(subject)));
  }
}

}  // namespace
}  // namespace hizo::test
