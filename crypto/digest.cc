#include "crypto/digest.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "crypto/big_endian.h"
#include "crypto/keyed_hash.h"

namespace hizo::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

[[noreturn]] void DieWithoutSha256() {
  std::fputs("hizo: OpenSSL gives no SHA-256\n", stderr);
  std::abort();
}

// One context a thread: looking the algorithm up costs more than a hash.
EVP_MD_CTX* ThreadContext() {
  thread_local const Context context = [] {
    Context fresh(EVP_MD_CTX_new());
    if (fresh == nullptr ||
        EVP_DigestInit_ex(fresh.get(), EVP_sha256(), nullptr) != 1) {
      DieWithoutSha256();
    }
    return fresh;
  }();
  return context.get();
}

Digest Sha256Of(std::initializer_list<std::string_view> parts) {
  EVP_MD_CTX* const context = ThreadContext();
  bool ok = EVP_DigestInit_ex(context, nullptr, nullptr) == 1;
  for (const std::string_view part : parts) {
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  Digest digest;
  if (!ok || EVP_DigestFinal_ex(context, digest.data(), nullptr) != 1) {
    DieWithoutSha256();
  }
  return digest;
}

void Feed(KeyedHash& hash, std::string_view label,
          std::initializer_list<std::string_view> parts) {
  hash.Update(label);
  hash.Update(std::string_view("\0", 1));
  for (const std::string_view part : parts) {
    hash.Update(BigEndian(static_cast<uint32_t>(part.size())));
    hash.Update(part);
  }
}

}  // namespace

std::string_view AsBytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest Sha256(std::string_view bytes) { return Sha256Of({bytes}); }

struct Sha256Stream::State {
  Context context;
};

Sha256Stream::Sha256Stream()
    : state_(std::make_unique<State>(State{Context(EVP_MD_CTX_new())})) {
  if (state_->context == nullptr ||
      EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) {
    DieWithoutSha256();
  }
}

Sha256Stream::Sha256Stream(const Sha256Stream& other) : Sha256Stream() {
  *this = other;
}

Sha256Stream& Sha256Stream::operator=(const Sha256Stream& other) {
  if (this != &other && EVP_MD_CTX_copy_ex(state_->context.get(),
                                           other.state_->context.get()) != 1) {
    DieWithoutSha256();
  }
  return *this;
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Add(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) !=
      1) {
    DieWithoutSha256();
  }
}

Digest Sha256Stream::Sum() const {
  const Sha256Stream copy(*this);
  Digest digest;
  if (EVP_DigestFinal_ex(copy.state_->context.get(), digest.data(), nullptr) !=
      1) {
    DieWithoutSha256();
  }
  return digest;
}

Digest LeafHash(std::string_view entry) {
  return Sha256Of({std::string_view("\x00", 1), entry});
}

Digest NodeHash(const Digest& left, const Digest& right) {
  return Sha256Of({"\x01", AsBytes(left), AsBytes(right)});
}

Digest Prf(const Key& key, std::string_view label,
           std::initializer_list<std::string_view> parts) {
  KeyedHash hash(key);
  Feed(hash, label, parts);
  Digest digest;
  hash.Finish(digest.data());
  return digest;
}

Key DeriveKey(const Key& key, std::string_view label,
              std::initializer_list<std::string_view> parts) {
  KeyedHash hash(key);
  Feed(hash, label, parts);
  // HKDF-Expand ends its one block with the block's number.
  if (key.suite() == kAesSuite) hash.Update("\1");
  Key derived(key.suite());
  hash.Finish(derived.mutable_data());
  return derived;
}

void AppendLengthPrefixed(std::string& out, std::string_view bytes) {
  AppendBigEndian(out, static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
}

}  // namespace hizo::crypto
