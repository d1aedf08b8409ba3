// Certificates are replaced without a restart; a set that cannot be served with
// is not used, and the server says so.
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "service/app/logging.h"
#include "service/app/tls_watch.h"
#include "service/base/reason.h"
#include "tests/integration/requests.h"
#include "tests/testing/live_server.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;

constexpr char kServerNames[] = "DNS:localhost,IP:127.0.0.1";
constexpr char kFullId[] = "URI:spiffe://hizo.example/acme/full";

base::Timestamp Now() { return base::SystemClock().Now(); }

// The watch by itself, over files of its own, looked at when a test says so.
class TlsWatchTest : public ::testing::Test {
 protected:
  TlsWatchTest() : config_(files_.LoadConfig()) { app::CaptureLibraryLogs(); }

  app::TlsWatch& watch() {
    if (!watch_.has_value()) {
      const auto in_use = app::ReadTls(config_, Now());
      EXPECT_THAT(in_use, IsOk());
      watch_.emplace(config_, *in_use, [this](rpc::TlsFiles files) {
        ++published_;
        last_ = std::move(files);
      });
    }
    return *watch_;
  }
  // Looks until whatever is there has been still.
  void Look() {
    watch().Look(Now());
    watch().Look(Now());
  }
  // A file in place of another, as careful tools do it.
  void Replace(const std::string& name, const std::string& text) {
    std::filesystem::rename(files_.Write("new", text),
                            files_.directory() / name);
  }
  Identity NewIdentity(std::chrono::seconds valid_for = std::chrono::hours(1)) {
    return files_.authority().Issue(kServerNames, valid_for);
  }
  void ExpectRefused(uint64_t failures) {
    EXPECT_EQ(published_, 0);
    EXPECT_EQ(watch().status().failures, failures);
    EXPECT_EQ(watch().status().reloads, 0U);
  }

  VaultFiles files_;
  const app::Config config_;
  std::optional<app::TlsWatch> watch_;
  int published_ = 0;
  rpc::TlsFiles last_;
};

TEST_F(TlsWatchTest, PublishesNothingWhileNothingChanges) {
  Look();
  Look();
  ExpectRefused(0);
  EXPECT_GT(watch().status().expires, Now());
}

TEST_F(TlsWatchTest, PublishesANewPairOnce) {
  watch();
  const Identity fresh = NewIdentity(std::chrono::minutes(10));
  Replace("server.pem", fresh.certificate);
  Replace("server.key", fresh.key);
  Look();
  Look();
  EXPECT_EQ(published_, 1);
  EXPECT_EQ(last_.certificate, fresh.certificate);
  EXPECT_EQ(last_.key, fresh.key);
  EXPECT_EQ(watch().status().reloads, 1U);
  EXPECT_EQ(watch().status().failures, 0U);
  EXPECT_LE(watch().status().expires, Now() + std::chrono::minutes(10));
}

TEST_F(TlsWatchTest, WaitsUntilTheFilesAreStill) {
  watch();
  const Identity fresh = NewIdentity();
  Replace("server.key", fresh.key);
  watch().Look(Now());
  Replace("server.pem", fresh.certificate);
  watch().Look(Now());
  ExpectRefused(0);
  watch().Look(Now());
  EXPECT_EQ(published_, 1);
}

TEST_F(TlsWatchTest, KeepsTheOldPairForAKeyThatIsNotTheCertificates) {
  watch();
  Replace("server.pem", NewIdentity().certificate);
  Look();
  ExpectRefused(1);
}

TEST_F(TlsWatchTest, KeepsTheOldPairForWhatIsNoCertificate) {
  for (const char* name : {"server.pem", "server.key", "ca.pem"}) {
    watch_.reset();
    watch();
    published_ = 0;
    uint64_t failures = 0;
    const std::string good = ReadFile(files_.directory() / name);
    Replace(name, "garbage");
    Look();
    ExpectRefused(++failures);
    Replace(name, good.substr(0, good.size() / 2));
    Look();
    ExpectRefused(++failures);
    Replace(name, "");
    Look();
    ExpectRefused(++failures);
    std::filesystem::remove(files_.directory() / name);
    Look();
    ExpectRefused(++failures);
    Replace(name, good);
    Look();
    EXPECT_EQ(published_, 1) << name;
  }
}

TEST_F(TlsWatchTest, KeepsTheOldPairForOneThatHasRunOut) {
  watch();
  const Identity old = NewIdentity(std::chrono::seconds(-60));
  Replace("server.pem", old.certificate);
  Replace("server.key", old.key);
  Look();
  ExpectRefused(1);
}

TEST_F(TlsWatchTest, KeepsTheOldAuthorityForOneThatHasRunOut) {
  watch();
  const CertificateAuthority old(std::chrono::seconds(-60));
  Replace("ca.pem", old.certificate());
  Look();
  ExpectRefused(1);
}

TEST_F(TlsWatchTest, ABadSetIsCountedOnceAndAGoodOneAfterItIsUsed) {
  watch();
  Replace("server.pem", "garbage");
  for (int i = 0; i < 5; ++i) Look();
  ExpectRefused(1);
  const Identity fresh = NewIdentity();
  Replace("server.pem", fresh.certificate);
  Replace("server.key", fresh.key);
  Look();
  EXPECT_EQ(published_, 1);
  EXPECT_EQ(watch().status().failures, 1U);
}

TEST_F(TlsWatchTest, TheOldFilesPutBackAreNoChange) {
  watch();
  const std::filesystem::path file = files_.directory() / "server.pem";
  std::filesystem::rename(file, files_.directory() / "kept");
  Look();
  ExpectRefused(1);
  std::filesystem::rename(files_.directory() / "kept", file);
  Look();
  ExpectRefused(1);
}

// The same through a server that looks by itself.
class TlsReloadTest : public ::testing::Test {
 protected:
  TlsReloadTest() {
    server_.Stop();
    server_.config().tls_reload_seconds = 1;
    EXPECT_THAT(server_.Start(), IsOk());
    operator_.emplace(server_.As("acme/operator"));
  }

  v1::GetStatusResponse Status() {
    v1::GetStatusRequest request;
    *request.mutable_context() = ContextFor("operations");
    auto status = operator_->Ask<v1::GetStatusResponse>(request);
    EXPECT_THAT(status, IsOk());
    return status.ok() ? *status : v1::GetStatusResponse();
  }
  // Waits for the server to look, as its state shows.
  void AwaitStatus(
      const std::function<bool(const v1::GetStatusResponse&)>& holds) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!holds(Status())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  void Replace(const std::string& name, const std::string& text) {
    std::filesystem::rename(server_.files().Write("new", text),
                            server_.files().directory() / name);
  }
  // Whether a new connection of this identity is served by a server of this
  // authority.
  bool Serves(const std::string& authority, const Identity& identity) {
    const Peer peer({server_.address(), authority, identity});
    return base::ReasonOf(FindPerson(peer, "nobody@example.com").status()) ==
           Reason::kSubjectNotFound;
  }

  LiveServer server_;
  CertificateAuthority& authority_ = server_.files().authority();
  const Identity full_ = authority_.Issue(kFullId);
  std::optional<Peer> operator_;
};

TEST_F(TlsReloadTest, NewHandshakesSeeTheNewCertificateAndOldConnectionsGoOn) {
  const Peer standing = server_.As("acme/full");
  ASSERT_THAT(FindPerson(standing, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
  // Of another authority, so that whoever trusts that one only can tell.
  CertificateAuthority other;
  const Identity fresh = other.Issue(kServerNames, std::chrono::minutes(10));
  EXPECT_FALSE(Serves(other.certificate(), full_));
  const int64_t before = Status().certificate_expire_time().seconds();
  Replace("server.key", fresh.key);
  Replace("server.pem", fresh.certificate);
  AwaitStatus([before](const v1::GetStatusResponse& status) {
    return status.certificate_expire_time().seconds() != before;
  });
  EXPECT_TRUE(Serves(other.certificate(), full_));
  EXPECT_FALSE(Serves(authority_.certificate(), full_));
  EXPECT_THAT(FindPerson(standing, "nobody@example.com"),
              HasReason(Reason::kSubjectNotFound));
}

TEST_F(TlsReloadTest, ANewAuthorityIsTrustedAndTheOldOneNoMore) {
  CertificateAuthority other;
  const Identity theirs = other.Issue(kFullId);
  EXPECT_TRUE(Serves(authority_.certificate(), full_));
  EXPECT_FALSE(Serves(authority_.certificate(), theirs));
  const Identity fresh =
      authority_.Issue(kServerNames, std::chrono::minutes(10));
  const int64_t before = Status().certificate_expire_time().seconds();
  Replace("ca.pem", other.certificate());
  // The expiry shows that the set was taken.
  Replace("server.key", fresh.key);
  Replace("server.pem", fresh.certificate);
  AwaitStatus([before](const v1::GetStatusResponse& status) {
    return status.certificate_expire_time().seconds() != before;
  });
  EXPECT_TRUE(Serves(authority_.certificate(), theirs));
  EXPECT_FALSE(Serves(authority_.certificate(), full_));
}

TEST_F(TlsReloadTest, ABadPairChangesNothingAndIsReported) {
  EXPECT_EQ(Status().certificate_reload_failures(), 0);
  Replace("server.key", authority_.Issue(kServerNames).key);
  AwaitStatus([](const v1::GetStatusResponse& status) {
    return status.certificate_reload_failures() == 1;
  });
  EXPECT_TRUE(Serves(authority_.certificate(), full_));
}

TEST(TlsStartTest, APairThatDoesNotFitIsRefusedAtTheStart) {
  LiveServer server;
  server.Stop();
  server.files().Write("server.key",
                       server.files().authority().Issue(kServerNames).key);
  EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hizo::test
