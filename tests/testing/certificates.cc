#include "tests/testing/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace hizo::test {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Freer<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using ExtensionPtr =
    std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

// A certificate's life begins so long before now, so that one that has run
// out never began after its end.
constexpr long kBeganSecondsAgo = 24 * 3600;

void Check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed");
}

KeyPtr NewKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  Check(key != nullptr);
  return key;
}

CertPtr NewCertificate(const char* name, EVP_PKEY& key, long serial,
                       std::chrono::seconds valid_for) {
  CertPtr made(X509_new());
  X509* cert = made.get();
  Check(cert != nullptr && X509_set_version(cert, X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), -kBeganSecondsAgo);
  X509_gmtime_adj(X509_getm_notAfter(cert), valid_for.count());
  X509_set_pubkey(cert, &key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1,
                             -1, 0);
  return made;
}

void AddExtension(X509& cert, int nid, const std::string& value) {
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Check(extension != nullptr && X509_add_ext(&cert, extension.get(), -1) == 1);
}

std::string TextOf(BIO& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(&bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

std::string PemOf(X509& cert) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(bio != nullptr && PEM_write_bio_X509(bio.get(), &cert) == 1);
  return TextOf(*bio);
}

std::string PemOf(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(bio != nullptr &&
        PEM_write_bio_PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1);
  return TextOf(*bio);
}

}  // namespace

struct CertificateAuthority::Signer {
  explicit Signer(std::chrono::seconds valid_for)
      : key(NewKey()),
        cert(NewCertificate("test authority", *key, serial, valid_for)) {
    Sign(*cert, "critical,CA:TRUE");
  }

  void Sign(X509& made, const std::string& constraints) const {
    Check(X509_set_issuer_name(&made, X509_get_subject_name(cert.get())) == 1);
    AddExtension(made, NID_basic_constraints, constraints);
    Check(X509_sign(&made, key.get(), EVP_sha256()) > 0);
  }

  long serial = 1;
  const KeyPtr key;
  const CertPtr cert;
};

CertificateAuthority::CertificateAuthority(std::chrono::seconds valid_for)
    : signer_(std::make_unique<Signer>(valid_for)),
      certificate_(PemOf(*signer_->cert)) {}

CertificateAuthority::~CertificateAuthority() = default;

Identity CertificateAuthority::Issue(const std::string& names,
                                     std::chrono::seconds valid_for) {
  return Make(names, valid_for, "");
}

Identity CertificateAuthority::IssueForServers(const std::string& names) {
  return Make(names, std::chrono::hours(1), "serverAuth");
}

Identity CertificateAuthority::Make(const std::string& names,
                                    std::chrono::seconds valid_for,
                                    const std::string& usage) {
  const KeyPtr key = NewKey();
  const CertPtr cert =
      NewCertificate("test identity", *key, ++signer_->serial, valid_for);
  if (!names.empty()) AddExtension(*cert, NID_subject_alt_name, names);
  if (!usage.empty()) AddExtension(*cert, NID_ext_key_usage, usage);
  signer_->Sign(*cert, "CA:FALSE");
  return {PemOf(*cert), PemOf(*key)};
}

}  // namespace hizo::test
