#include "crypto/certificate.h"

#include <chrono>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using test::CertificateAuthority;
using test::Identity;
using test::IsOk;

constexpr int64_t kDay = 24 * 3600;
constexpr char kServer[] = "DNS:localhost";

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Without the last bytes of the text.
std::string Cut(const std::string& text, size_t bytes) {
  return text.substr(0, text.size() - bytes);
}

class CertificateTest : public ::testing::Test {
 protected:
  // Whether this chain and key are refused for what they are.
  static void ExpectRefused(const std::string& chain, const std::string& key,
                            int64_t now = Now()) {
    EXPECT_EQ(CheckServerIdentity(chain, key, now).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  static void ExpectNoAuthorities(const std::string& bundle) {
    EXPECT_EQ(CheckAuthorities(bundle, Now()).status().code(),
              absl::StatusCode::kInvalidArgument);
  }

  CertificateAuthority authority_;
  const Identity identity_ = authority_.Issue(kServer);
};

TEST_F(CertificateTest, TakesACertificateWithItsKeyAndSaysWhenItRunsOut) {
  const auto end =
      CheckServerIdentity(identity_.certificate, identity_.key, Now());
  ASSERT_THAT(end, IsOk());
  EXPECT_GT(*end, Now() + 3000);
  EXPECT_LE(*end, Now() + 3600);
}

TEST_F(CertificateTest, AChainLastsAsLongAsItsShortestLink) {
  const Identity shorter = authority_.Issue(kServer, std::chrono::seconds(600));
  const auto end = CheckServerIdentity(
      identity_.certificate + shorter.certificate, identity_.key, Now());
  ASSERT_THAT(end, IsOk());
  EXPECT_LE(*end, Now() + 600);
}

TEST_F(CertificateTest, RefusesTheKeyOfAnother) {
  const Identity other = authority_.Issue(kServer);
  ExpectRefused(identity_.certificate, other.key);
  // The leaf counts, not any of the chain.
  ExpectRefused(other.certificate + identity_.certificate, identity_.key);
}

TEST_F(CertificateTest, RefusesWhatIsNotInDate) {
  ExpectRefused(identity_.certificate, identity_.key, Now() + kDay);
  ExpectRefused(identity_.certificate, identity_.key, Now() - 2 * kDay);
  const Identity old = authority_.Issue(kServer, std::chrono::seconds(-60));
  ExpectRefused(old.certificate, old.key);
  // Anywhere in the chain.
  ExpectRefused(identity_.certificate + old.certificate, identity_.key);
}

TEST_F(CertificateTest, RefusesWhatIsCutShort) {
  for (const size_t bytes : {2U, 30U, 100U, 300U}) {
    ExpectRefused(Cut(identity_.certificate, bytes), identity_.key);
    ExpectRefused(identity_.certificate + Cut(authority_.certificate(), bytes),
                  identity_.key);
  }
  for (const size_t bytes : {2U, 30U, 100U}) {
    ExpectRefused(identity_.certificate, Cut(identity_.key, bytes));
  }
}

TEST_F(CertificateTest, RefusesWhatIsNoCertificateOrKey) {
  for (const std::string text : {"", "garbage", "\0\xff"}) {
    ExpectRefused(text, identity_.key);
    ExpectRefused(identity_.certificate, text);
  }
  ExpectRefused(identity_.key, identity_.certificate);
  std::string damaged = identity_.certificate;
  damaged[damaged.size() / 2] = '!';
  ExpectRefused(damaged, identity_.key);
}

TEST_F(CertificateTest, AKeyUnderAPassphraseIsRefusedAndNobodyIsAsked) {
  ExpectRefused(identity_.certificate,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAk\n"
                "-----END ENCRYPTED PRIVATE KEY-----\n");
}

TEST_F(CertificateTest, CountsAuthorities) {
  const CertificateAuthority other;
  EXPECT_THAT(CheckAuthorities(authority_.certificate(), Now()), IsOk());
  EXPECT_EQ(
      *CheckAuthorities(authority_.certificate() + other.certificate(), Now()),
      2U);
}

TEST_F(CertificateTest, ABundleNeedsOneAuthorityInDate) {
  const CertificateAuthority old(std::chrono::seconds(-60));
  ExpectNoAuthorities(old.certificate());
  EXPECT_THAT(
      CheckAuthorities(old.certificate() + authority_.certificate(), Now()),
      IsOk());
}

TEST_F(CertificateTest, RefusesABundleThatTrustsNobodyOrAnybody) {
  ExpectNoAuthorities("");
  ExpectNoAuthorities("garbage");
  ExpectNoAuthorities(identity_.key);
  // A caller's own certificate would make that caller an authority.
  ExpectNoAuthorities(authority_.certificate() + identity_.certificate);
  ExpectNoAuthorities(authority_.certificate() +
                      Cut(authority_.certificate(), 30));
}

}  // namespace
}  // namespace hizo::crypto
