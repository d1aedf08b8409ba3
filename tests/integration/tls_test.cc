// Who gets through the handshake, and that a caller is what its certificate
// says and nothing else.
#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::IsEmpty;

constexpr int kUnavailable = 14;
constexpr char kFullId[] = "URI:spiffe://hizo.example/acme/full";

class TlsTest : public ::testing::Test {
 protected:
  Peer PeerWith(const std::string& authority, const Identity& identity) const {
    return Peer({server_.address(), authority, identity});
  }
  // Asks for a status with this identity, of this server's authority.
  Reply AskWith(const Identity& identity) {
    return Ask(PeerWith(server_.files().authority().certificate(), identity));
  }
  static Reply Ask(const Peer& peer) {
    return peer.Call("/hizo.v1.SubjectService/FindSubject",
                     {FindRequest("a@example.com").SerializeAsString()});
  }
  void ExpectShutOut(const Reply& reply) const {
    EXPECT_EQ(reply.code, kUnavailable) << reply.text;
    EXPECT_EQ(reply.reason, "");
    EXPECT_THAT(reply.messages, IsEmpty());
    EXPECT_EQ(server_.EventCount(), 0U);
  }

  LiveServer server_;
};

TEST_F(TlsTest, LetsAConfiguredCallerThrough) {
  const Identity identity = server_.files().authority().Issue(kFullId);
  EXPECT_THAT(AskWith(identity), HasReason(Reason::kSubjectNotFound));
}

TEST_F(TlsTest, ShutsOutACallerWithoutACertificate) {
  ExpectShutOut(AskWith({}));
}

TEST_F(TlsTest, ShutsOutACertificateOfAnotherAuthority) {
  CertificateAuthority other;
  ExpectShutOut(AskWith(other.Issue(kFullId)));
}

TEST_F(TlsTest, ShutsOutACertificateThatHasRunOut) {
  ExpectShutOut(AskWith(
      server_.files().authority().Issue(kFullId, std::chrono::seconds(-60))));
}

TEST_F(TlsTest, ShutsOutACertificateThatSignedItself) {
  CertificateAuthority own;
  const Identity identity = own.Issue(kFullId);
  ExpectShutOut(AskWith({own.certificate(), identity.key}));
}

TEST_F(TlsTest, SpeaksNothingButTls) {
  ExpectShutOut(Ask(Peer({server_.address(), "", {}})));
}

TEST_F(TlsTest, ShowsACertificateOfItsOwnAuthority) {
  const CertificateAuthority other;
  const Identity identity = server_.files().authority().Issue(kFullId);
  ExpectShutOut(Ask(PeerWith(other.certificate(), identity)));
}

TEST_F(TlsTest, NoOtherNameInACertificateMakesACaller) {
  for (const char* names :
       {"", "DNS:hizo.example", "DNS:spiffe.hizo.example.acme.full",
        "email:full@hizo.example", "URI:https://hizo.example/acme/full"}) {
    const Identity identity = server_.files().authority().Issue(names);
    EXPECT_THAT(AskWith(identity), HasReason(Reason::kUnauthenticated))
        << names;
  }
}

TEST_F(TlsTest, TwoNamesMakeNoCaller) {
  const Identity identity = server_.files().authority().Issue(
      std::string(kFullId) + ",URI:spiffe://hizo.example/acme/auditor");
  EXPECT_THAT(AskWith(identity), HasReason(Reason::kUnauthenticated));
}

TEST_F(TlsTest, ANameThatIsAlmostConfiguredMakesNoCaller) {
  for (const char* name :
       {"URI:spiffe://hizo.example/acme/full/",
        "URI:spiffe://hizo.example/acme", "URI:spiffe://hizo.example/acme/Full",
        "URI:spiffe://hizo.example.org/acme/full"}) {
    const Identity identity = server_.files().authority().Issue(name);
    EXPECT_THAT(AskWith(identity), HasReason(Reason::kUnauthenticated)) << name;
  }
}

TEST_F(TlsTest, WhatABodySaysOfItsCallerIsIgnored) {
  // A field that the message does not have, with another caller's id in it.
  const std::string claim = "spiffe://hizo.example/acme/full";
  std::string body = FindRequest("a@example.com").SerializeAsString();
  body += "\xfa\x07" + std::string(1, static_cast<char>(claim.size())) + claim;
  const Reply reply = server_.As("acme/powerless")
                          .Call("/hizo.v1.SubjectService/FindSubject", {body});
  EXPECT_THAT(reply, HasReason(Reason::kCallerNotEntitled));
  EXPECT_EQ(server_.EventsFrom(0).at(0).actor,
            "spiffe://hizo.example/acme/powerless");
}

TEST_F(TlsTest, ACallerSeesPeopleOfItsOwnTenantOnly) {
  const std::string subject =
      CreatePerson(server_.As("acme/full"), "a@example.com", "Ann Other");
  const Peer other = server_.As("globex/full");
  EXPECT_THAT(FindPerson(other, "a@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(ReadProfile(other, subject), HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(other.Ask<v1::PutRecordResponse>(PutRequest(
                  subject, RecordOf("profile", {{"full_name", "Mine"}}))),
              HasReason(Reason::kSubjectNotFound));
  // An address is taken only in its own tenant.
  EXPECT_NE(CreatePerson(other, "a@example.com", "Bob Other"), subject);
}

}  // namespace
}  // namespace hizo::test
