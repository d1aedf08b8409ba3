#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace hizo::crypto {
namespace {

constexpr size_t kCertificatesMax = 1024;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

BioPtr Reading(std::string_view text) {
  if (text.size() > std::numeric_limits<int>::max()) return nullptr;
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// There is nobody to ask for a passphrase.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/,
                 void* /*unused*/) {
  return -1;
}

// All certificates of a text; empty if one cannot be read or there is none.
std::vector<CertificatePtr> ReadAll(std::string_view pem) {
  std::vector<CertificatePtr> all;
  const BioPtr bio = Reading(pem);
  if (bio == nullptr) return all;
  ERR_clear_error();
  for (;;) {
    CertificatePtr one(
        PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (one == nullptr) break;
    all.push_back(std::move(one));
    if (all.size() > kCertificatesMax) return {};
  }
  // The end of the text looks like this; whatever else ended the reading is a
  // certificate that was cut short or is none.
  const bool at_end =
      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) all.clear();
  return all;
}

KeyPtr ReadKey(std::string_view pem) {
  const BioPtr bio = Reading(pem);
  if (bio == nullptr) return nullptr;
  KeyPtr key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  return key;
}

bool BeganBy(const X509& certificate, int64_t now) {
  time_t when = now;
  return X509_cmp_time(X509_get0_notBefore(&certificate), &when) < 0;
}

bool EndsAfter(const X509& certificate, int64_t now) {
  time_t when = now;
  return X509_cmp_time(X509_get0_notAfter(&certificate), &when) > 0;
}

int64_t EndOf(const X509& certificate) {
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return 0;
  return timegm(&parts);
}

}  // namespace

absl::StatusOr<int64_t> CheckServerIdentity(std::string_view chain,
                                            std::string_view key, int64_t now) {
  const std::vector<CertificatePtr> certificates = ReadAll(chain);
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        "the certificate chain cannot be read to its end");
  }
  const KeyPtr private_key = ReadKey(key);
  if (private_key == nullptr) {
    return absl::InvalidArgumentError("the private key cannot be read");
  }
  const bool fits = X509_check_private_key(certificates.front().get(),
                                           private_key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return absl::InvalidArgumentError(
        "the private key is not that of the certificate");
  }
  int64_t end = std::numeric_limits<int64_t>::max();
  for (const CertificatePtr& certificate : certificates) {
    if (!EndsAfter(*certificate, now)) {
      return absl::InvalidArgumentError(
          "a certificate of the chain has run out");
    }
    if (!BeganBy(*certificate, now)) {
      return absl::InvalidArgumentError(
          "a certificate of the chain is not valid yet");
    }
    end = std::min(end, EndOf(*certificate));
  }
  return end;
}

absl::StatusOr<size_t> CheckAuthorities(std::string_view bundle, int64_t now) {
  const std::vector<CertificatePtr> certificates = ReadAll(bundle);
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        "the authorities' certificates cannot be read to their end");
  }
  bool any_valid = false;
  for (const CertificatePtr& certificate : certificates) {
    if (X509_check_ca(certificate.get()) == 0) {
      return absl::InvalidArgumentError(
          "a certificate among the authorities' may not sign others");
    }
    any_valid |= EndsAfter(*certificate, now);
  }
  if (!any_valid) {
    return absl::InvalidArgumentError(
        "every certificate of the authorities has run out");
  }
  return certificates.size();
}

}  // namespace hizo::crypto
