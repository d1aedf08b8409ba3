// Bundles over the network: made piece by piece, opened, checked and taken in
// by the real hizo.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/age.h"
#include "crypto/digest.h"
#include "crypto/minisign.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/reason.h"
#include "service/bundle/reader.h"
#include "tests/integration/requests.h"
#include "tests/testing/child_process.h"
#include "tests/testing/live_server.h"
#include "tests/testing/scratch_directory.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kFull[] = "acme/full";
constexpr int kInvoices = 300;

class BundleTest : public ::testing::Test {
 protected:
  BundleTest() {
    subject_ = CreatePerson(server_.As(kFull), "ann@example.com", "Ann Other");
  }
  void PutInvoices() {
    const Peer peer = server_.As(kFull);
    for (int i = 0; i < kInvoices; ++i) {
      v1::NewRecord invoice = InvoiceOf("INV-" + std::to_string(i), i);
      v1::Field& fee = *invoice.add_fields();
      fee.set_name("usage_fee_calculation");
      fee.mutable_value()->set_json("\"" + std::string(3000, 'x') + "\"");
      v1::PutRecordRequest put = PutRequest(subject_, std::move(invoice));
      *put.mutable_context() = ContextFor(kBillingPurpose);
      ASSERT_THAT(peer.Ask<v1::PutRecordResponse>(put), IsOk());
    }
  }
  v1::ExportBundleRequest Request() const {
    v1::ExportBundleRequest request = ExportRequest(subject_);
    request.set_recipient(identity_.recipient().ToText());
    request.set_selection(v1::BUNDLE_SELECTION_ACCESS);
    return request;
  }
  Reply Export(const v1::ExportBundleRequest& request) {
    return server_.As(kFull).Call(PathOf(*request.GetDescriptor()),
                                  {request.SerializeAsString()});
  }
  static std::vector<v1::ExportBundleResponse> PiecesOf(const Reply& reply) {
    std::vector<v1::ExportBundleResponse> pieces;
    for (const std::string& message : reply.messages) {
      EXPECT_TRUE(pieces.emplace_back().ParseFromString(message));
    }
    return pieces;
  }
  std::string File(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  // Runs hizo as acme/full for `purpose`; its exit status.
  int Hizo(const std::string& purpose, std::vector<std::string> arguments) {
    const auto config =
        server_.files().WriteClient(kFull, server_.address(), purpose);
    std::vector<std::string> all = {HIZO_BINARY_DIR "/bin/hizo", "--config",
                                    config.string()};
    for (std::string& argument : arguments) all.push_back(std::move(argument));
    ChildProcess hizo({std::move(all), {}});
    const int status = hizo.Wait();
    output_ = hizo.output();
    return status;
  }
  void Erase() {
    const Peer peer = server_.As(kFull);
    ASSERT_THAT(peer.Ask<v1::ExecuteErasureResponse>(
                    EraseRequest<v1::ExecuteErasureRequest>(subject_)),
                IsOk());
    ASSERT_THAT(server_.store().FinishErasures(), IsOk());
  }

  LiveServer server_;
  ScratchDirectory scratch_;
  const crypto::AgeIdentity identity_ = crypto::AgeIdentity::Random();
  std::string subject_;
  std::string output_;
};

TEST_F(BundleTest, ComesInPiecesEachOnRecordAndOpensAsOne) {
  PutInvoices();
  const uint64_t before = server_.EventCount();
  const Reply reply = Export(Request());
  ASSERT_EQ(reply.code, 0) << reply.text;
  const auto pieces = PiecesOf(reply);
  ASSERT_GT(pieces.size(), 2U);
  EXPECT_EQ(server_.EventCount(), before + pieces.size());
  std::string file;
  for (const v1::ExportBundleResponse& piece : pieces) {
    EXPECT_EQ(piece.bundle_id(), pieces.front().bundle_id());
    EXPECT_EQ(piece.signature().empty(), &piece != &pieces.back());
    file += piece.chunk();
  }
  EXPECT_EQ(pieces.back().records(), kInvoices + 2);
  EXPECT_THAT(crypto::CheckMinisign(pieces.back().public_key(),
                                    crypto::MinisignHash::Of(file),
                                    pieces.back().signature()),
              IsOk());
  crypto::AgeOpeners openers;
  openers.identities.push_back(
      *crypto::AgeIdentity::Parse(identity_.ExposeText()));
  bool given = false;
  const auto verified = bundle::ReadBundle(
      [&]() -> absl::StatusOr<std::string> {
        return std::exchange(given, true) ? std::string() : file;
      },
      std::move(openers), pieces.back().public_key(),
      [](const bundle::Member&) { return absl::OkStatus(); });
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->manifest.records.at("transaction"),
            static_cast<uint64_t>(kInvoices));
  EXPECT_EQ(verified->manifest.about.subject, subject_);
}

TEST_F(BundleTest, ManyAtOnceDoNotMix) {
  std::vector<std::thread> threads;
  std::vector<Reply> replies(4);
  for (Reply& reply : replies) {
    threads.emplace_back([this, &reply] { reply = Export(Request()); });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<std::string, int> ids;
  for (const Reply& reply : replies) {
    ASSERT_EQ(reply.code, 0) << reply.text;
    ++ids[PiecesOf(reply).front().bundle_id()];
  }
  EXPECT_THAT(ids, SizeIs(replies.size()));
}

TEST_F(BundleTest, EndsWithTheReasonOfWhatIsRefused) {
  v1::ExportBundleRequest request = Request();
  request.set_subject(NewUuid());
  const Reply nobody = Export(request);
  EXPECT_THAT(StatusOf(nobody), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(nobody.messages, IsEmpty());
  request = Request();
  request.set_recipient("age1nobody");
  const Reply unsafe = Export(request);
  EXPECT_THAT(StatusOf(unsafe), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(unsafe.messages, IsEmpty());
  request = Request();
  *request.mutable_context() = ContextFor("");
  EXPECT_THAT(StatusOf(Export(request)), HasReason(Reason::kPurposeMissing));
  EXPECT_THAT(StatusOf(server_.As("acme/auditor")
                           .Call(PathOf(*request.GetDescriptor()),
                                 {Request().SerializeAsString()})),
              HasReason(Reason::kCallerNotEntitled));
  EXPECT_THAT(StatusOf(server_.As(kFull).Call(PathOf(*request.GetDescriptor()),
                                              {"\xff\xff"})),
              HasReason(Reason::kMalformedRequest));
}

TEST_F(BundleTest, IsSentToWhomTheCompanyHasRegistered) {
  PutInvoices();
  const Peer peer = server_.As(kFull);
  v1::RegisterRecipientRequest add = RegisterRequest("other-shop");
  add.mutable_recipient()->set_key(identity_.recipient().ToText());
  ASSERT_THAT(peer.Ask<v1::RegisterRecipientResponse>(add), IsOk());
  const v1::TransmitBundleRequest asked =
      TransmitRequest(subject_, "other-shop");
  const uint64_t before = server_.EventCount();
  const Reply reply =
      peer.Call(PathOf(*asked.GetDescriptor()), {asked.SerializeAsString()});
  ASSERT_EQ(reply.code, 0) << reply.text;
  ASSERT_GT(reply.messages.size(), 2U);
  std::string file;
  v1::TransmitBundleResponse last;
  for (const std::string& message : reply.messages) {
    EXPECT_THAT(last.sha256(), IsEmpty());
    ASSERT_TRUE(last.ParseFromString(message));
    file += last.chunk();
  }
  EXPECT_EQ(last.sha256(), crypto::AsBytes(crypto::Sha256(file)));
  EXPECT_THAT(
      crypto::CheckMinisign(last.public_key(), crypto::MinisignHash::Of(file),
                            last.signature()),
      IsOk());
  const auto events = server_.EventsFrom(before);
  ASSERT_THAT(events, SizeIs(reply.messages.size()));
  ASSERT_TRUE(events.back().recipient.has_value());
  EXPECT_EQ(crypto::AsBytes(events.back().recipient->file), last.sha256());
  // The auditor, and the person, are told to whom.
  v1::QueryAuditRequest query = AuditRequest<v1::QueryAuditRequest>();
  query.set_action(v1::ACTION_EXPORT_TRANSMIT);
  const auto log =
      server_.As("acme/auditor").Ask<v1::QueryAuditResponse>(query);
  ASSERT_THAT(log, IsOk());
  const v1::AuditRecipient& told = log->events(0).recipient();
  EXPECT_EQ(told.name(), "other-shop");
  EXPECT_EQ(told.file_sha256(), last.sha256());
  EXPECT_EQ(told.authorisation(), asked.authorisation());
  EXPECT_EQ(told.key_sha256(),
            crypto::AsBytes(crypto::Sha256(identity_.recipient().point())));
  const auto history =
      server_.As("acme/auditor")
          .Ask<v1::GetAccessHistoryResponse>(HistoryRequest(subject_));
  ASSERT_THAT(history, IsOk());
  EXPECT_EQ(history->entries(0).recipient(), "other-shop");
}

TEST_F(BundleTest, IsSentToNobodyElse) {
  const v1::TransmitBundleRequest asked = TransmitRequest(subject_, "nobody");
  const auto call = [&](const char* caller,
                        const v1::TransmitBundleRequest& request) {
    return StatusOf(server_.As(caller).Call(PathOf(*request.GetDescriptor()),
                                            {request.SerializeAsString()}));
  };
  EXPECT_THAT(call(kFull, asked), HasReason(Reason::kRecipientUnknown));
  EXPECT_THAT(call("acme/auditor", asked),
              HasReason(Reason::kCallerNotEntitled));
  v1::TransmitBundleRequest wordless = asked;
  wordless.clear_authorisation();
  EXPECT_THAT(call(kFull, wordless), HasReason(Reason::kValueInvalid));
  wordless.set_authorisation("00000000-0000-0000-0000-000000000000");
  EXPECT_THAT(call(kFull, wordless), HasReason(Reason::kValueInvalid));
  v1::RegisterRecipientRequest kindless = RegisterRequest("other-shop");
  kindless.mutable_recipient()->clear_kind();
  EXPECT_THAT(server_.As(kFull).Ask<v1::RegisterRecipientResponse>(kindless),
              HasReason(Reason::kValueInvalid));
  kindless.mutable_recipient()->set_kind(static_cast<v1::RecipientKind>(9));
  EXPECT_THAT(server_.As(kFull).Ask<v1::RegisterRecipientResponse>(kindless),
              HasReason(Reason::kValueInvalid));
}

TEST_F(BundleTest, HizoRegistersAndTransmits) {
  std::ofstream(File("key")) << identity_.ExposeText() << "\n";
  ASSERT_EQ(Hizo(kRightsPurpose, {"recipient", "add", "other-shop", "--to",
                                  identity_.recipient().ToText(), "--kind",
                                  "company", "--agreement", "art20/2026-07"}),
            0)
      << output_;
  EXPECT_EQ(Hizo(kRightsPurpose, {"recipient", "list"}), 0) << output_;
  EXPECT_THAT(output_, AllOf(HasSubstr("other-shop"), HasSubstr("COMPANY"),
                             HasSubstr("art20/2026-07")));
  const std::vector<std::string> transmit = {
      "bundle",
      "transmit",
      subject_,
      "--to",
      "other-shop",
      "--authorisation",
      "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2",
      "--out",
      File("t.age")};
  ASSERT_EQ(Hizo(kRightsPurpose, transmit), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("receipt"));
  EXPECT_EQ(Hizo(kRightsPurpose,
                 {"bundle", "verify", File("t.age"), "--identity", File("key"),
                  "--key", server_.store().exports().public_key()}),
            0)
      << output_;
  EXPECT_EQ(Hizo(kRightsPurpose, {"recipient", "remove", "other-shop"}), 0);
  EXPECT_EQ(Hizo(kRightsPurpose, transmit), 1);
  EXPECT_THAT(output_, HasSubstr("RECIPIENT_UNKNOWN"));
}

TEST_F(BundleTest, WhoGoesAwayLeavesTheServerServing) {
  PutInvoices();
  const v1::ExportBundleRequest request = Request();
  for (int i = 0; i < 5; ++i) {
    server_.As(kFull).Call(PathOf(*request.GetDescriptor()),
                           {request.SerializeAsString()},
                           std::chrono::milliseconds(5 * i));
  }
  EXPECT_EQ(Export(request).code, 0);
}

TEST_F(BundleTest, HizoExportsVerifiesAndTakesIn) {
  PutInvoices();
  std::ofstream(File("key")) << identity_.ExposeText() << "\n";
  ASSERT_EQ(Hizo(kRightsPurpose, {"bundle", "export", subject_, "--to",
                                  identity_.recipient().ToText(), "--access",
                                  "--out", File("b.age"), "--json"}),
            0)
      << output_;
  const std::string key = server_.store().exports().public_key();
  EXPECT_THAT(output_, HasSubstr(key));
  const std::vector<std::string> opened = {File("b.age"), "--identity",
                                           File("key"), "--key", key};
  const auto with = [&opened](const std::string& command) {
    std::vector<std::string> all = {"bundle", command};
    all.insert(all.end(), opened.begin(), opened.end());
    return all;
  };
  EXPECT_EQ(Hizo(kRightsPurpose, with("verify")), 0) << output_;
  // The person is still there.
  EXPECT_EQ(Hizo("onboarding", with("import")), 1);
  EXPECT_THAT(output_, HasSubstr("ALREADY_EXISTS"));
  Erase();
  ASSERT_EQ(Hizo("onboarding", with("import")), 0) << output_;
  EXPECT_THAT(output_, HasSubstr(std::to_string(kInvoices + 2)));
  // Again: nothing happens.
  EXPECT_EQ(Hizo("onboarding", with("import")), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("had been taken in before"));
  const auto back = FindPerson(server_.As(kFull), "ann@example.com");
  ASSERT_THAT(back, IsOk());
  EXPECT_NE(*back, subject_);
  EXPECT_THAT(ReadProfile(server_.As(kFull), *back),
              IsOkAndHolds(Texts{{"full_name", "Ann Other"}}));
  // A bundle that is not good leaves nothing behind.
  std::filesystem::resize_file(File("b.age"), 100'000);
  const uint64_t before = server_.EventCount();
  EXPECT_EQ(Hizo("onboarding", with("import")), 4);
  EXPECT_THAT(output_, HasSubstr("CUT_OR_CHANGED"));
  EXPECT_EQ(server_.EventCount(), before);
}

}  // namespace
}  // namespace hizo::test
