// Certificates for tests: an authority of one's own and what it signs, made in
// memory and kept nowhere.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_TESTING_CERTIFICATES_H_
#define HIZO_TESTS_TESTING_CERTIFICATES_H_

#include <chrono>
#include <memory>
#include <string>

namespace hizo::test {

// PEM texts.
struct Identity {
  std::string certificate;
  std::string key;
};

class CertificateAuthority {
 public:
  // Throws where OpenSSL fails, as all below. With a negative `valid_for` its
  // own certificate has run out.
  explicit CertificateAuthority(
      std::chrono::seconds valid_for = std::chrono::hours(1));
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;
  ~CertificateAuthority();

  // PEM text of the authority's own certificate.
  const std::string& certificate() const { return certificate_; }
  // Signs a new key for these alternative names, in OpenSSL's notation
  // ("URI:spiffe://hizo.example/acme/full"), empty for none. With a negative
  // `valid_for` the certificate has run out.
  Identity Issue(const std::string& names,
                 std::chrono::seconds valid_for = std::chrono::hours(1));
  // The same for a key that may serve, and may not call.
  Identity IssueForServers(const std::string& names);

 private:
  Identity Make(const std::string& names, std::chrono::seconds valid_for,
                const std::string& usage);
  struct Signer;
  const std::unique_ptr<Signer> signer_;
  const std::string certificate_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_CERTIFICATES_H_
