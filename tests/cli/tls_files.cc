#include "tests/cli/tls_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace hizo::test {
namespace {

constexpr long kSecondsValid = 3600;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Freer<X509_free>>;
using FilePtr = std::unique_ptr<FILE, Freer<std::fclose>>;

struct Identity {
  KeyPtr key;
  CertPtr cert;
};

void Check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed");
}

void AddExtension(X509* cert, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  Check(extension != nullptr && X509_add_ext(cert, extension.get(), -1) == 1);
}

// A certificate by `issuer`, or by itself if that is null.
Identity Make(const char* name, const Identity* issuer, const char* san) {
  static long serial = 0;
  Identity made{KeyPtr(EVP_EC_gen("P-256")), CertPtr(X509_new())};
  X509* cert = made.cert.get();
  Check(made.key != nullptr && cert != nullptr);
  X509_set_version(cert, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert), kSecondsValid);
  X509_set_pubkey(cert, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1,
                             -1, 0);
  const Identity& by = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(cert, X509_get_subject_name(by.cert.get()));
  AddExtension(cert, NID_basic_constraints,
               issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  if (san != nullptr) AddExtension(cert, NID_subject_alt_name, san);
  Check(X509_sign(cert, by.key.get(), EVP_sha256()) > 0);
  return made;
}

void Write(const std::filesystem::path& stem, const Identity& identity) {
  const FilePtr cert(std::fopen((stem.string() + ".pem").c_str(), "w"));
  const FilePtr key(std::fopen((stem.string() + ".key").c_str(), "w"));
  Check(cert != nullptr && key != nullptr &&
        PEM_write_X509(cert.get(), identity.cert.get()) == 1 &&
        PEM_write_PrivateKey(key.get(), identity.key.get(), nullptr, nullptr, 0,
                             nullptr, nullptr) == 1);
}

}  // namespace

void WriteTlsFiles(const std::filesystem::path& directory) {
  const Identity ca = Make("test authority", nullptr, nullptr);
  Write(directory / "ca", ca);
  Write(directory / "server", Make("server", &ca, "IP:127.0.0.1"));
  Write(directory / "client",
        Make("client", &ca, "URI:spiffe://hizo.example/acme/test"));
  const Identity other = Make("another authority", nullptr, nullptr);
  Write(directory / "stranger",
        Make("stranger", &other, "URI:spiffe://hizo.example/acme/test"));
}

}  // namespace hizo::test
