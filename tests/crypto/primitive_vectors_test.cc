// Every primitive of both suites against published vectors,
// tests/golden/primitives.txt. What crypto/ wraps is reached through it; what
// it hands on to a library is asked of the library.
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/keyed_hash.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/hex.h"
#include "tests/testing/status_matchers.h"

namespace hizo::crypto {
namespace {

using test::IsOkAndHolds;
using test::StatusIs;

using Vector = std::map<std::string, std::string>;  // values of text, or bytes

std::vector<Vector> ReadVectors() {
  std::ifstream file(HIZO_SOURCE_DIR "/tests/golden/primitives.txt");
  std::vector<Vector> vectors;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    const std::string value =
        line.substr(std::min(line.size(), colon + 2), std::string::npos);
    if (name == "primitive") vectors.emplace_back();
    const bool text = name == "primitive" || name == "source";
    vectors.back()[name] = text ? value : FromHex(value);
  }
  return vectors;
}

const uint8_t* Bytes(const std::string& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string Flipped(std::string bytes) {
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return bytes;
}

void CheckAead(const Vector& v, Suite suite) {
  const Key key = Key::CopyOf(v.at("key"), suite);
  const std::string sealed = v.at("nonce") + v.at("sealed");
  std::string message =
      v.at("nonce") + v.at("text") + std::string(kTagSize, '\0');
  AeadKey(key.Clone()).SealInPlace(v.at("data"), message);
  EXPECT_EQ(ToHex(message), ToHex(sealed));
  EXPECT_THAT(Open(key, v.at("data"), sealed), IsOkAndHolds(v.at("text")));
  EXPECT_THAT(Open(key, v.at("data"), Flipped(sealed)),
              StatusIs(absl::StatusCode::kDataLoss));
}

void CheckXChaCha(const Vector& v) { CheckAead(v, kFirstSuite); }
void CheckXaes(const Vector& v) { CheckAead(v, kAesSuite); }

// GCM itself lies between XAES's derivation and libsodium.
void CheckGcm(const Vector& v) {
  const std::string& text = v.at("text");
  std::string sealed(text.size() + crypto_aead_aes256gcm_ABYTES, '\0');
  crypto_aead_aes256gcm_encrypt(
      reinterpret_cast<uint8_t*>(sealed.data()), nullptr, Bytes(text),
      text.size(), Bytes(v.at("data")), v.at("data").size(), nullptr,
      Bytes(v.at("nonce")), Bytes(v.at("key")));
  EXPECT_EQ(ToHex(sealed), ToHex(v.at("sealed")));
}

void CheckBlake2b(const Vector& v) {
  const std::string& key = v.at("key");
  const std::string& digest = v.at("digest");
  std::string computed(digest.size(), '\0');
  auto* const out = reinterpret_cast<uint8_t*>(computed.data());
  if (key.size() == Key::kSize) {
    KeyedHash hash(Key::CopyOf(key));
    for (const char byte : v.at("text")) hash.Update({&byte, 1});
    hash.Finish(out);
    EXPECT_EQ(ExpandKey(Key::CopyOf(key), "", v.at("text"), 32).Expose(),
              digest);
  } else {
    crypto_generichash(out, computed.size(), Bytes(v.at("text")),
                       v.at("text").size(), Bytes(key), key.size());
  }
  EXPECT_EQ(ToHex(computed), ToHex(digest));
}

// HMAC's own rules make a key of any length one of 32 bytes: a longer one than
// a block is hashed, a shorter one filled up with zeros.
void CheckHmac(const Vector& v) {
  std::string key = v.at("key");
  if (key.size() > 64) key = AsBytes(Sha256(key));
  key.resize(Key::kSize, '\0');
  KeyedHash hash(Key::CopyOf(key, kAesSuite));
  for (const char byte : v.at("text")) hash.Update({&byte, 1});
  Digest digest;
  hash.Finish(digest.data());
  const std::string& expected = v.at("digest");
  EXPECT_EQ(ToHex(AsBytes(digest).substr(0, expected.size())), ToHex(expected));
}

// From the pseudorandom key on: Hizo's keys are random and need no extracting.
void CheckHkdf(const Vector& v) {
  const Secret expanded =
      ExpandKey(Key::CopyOf(v.at("key"), kAesSuite), "", v.at("data"), 64);
  const size_t size = std::min<size_t>(64, v.at("digest").size());
  EXPECT_EQ(ToHex(expanded.Expose().substr(0, size)),
            ToHex(v.at("digest").substr(0, size)));
}

void CheckSha256(const Vector& v) {
  EXPECT_EQ(ToHex(Sha256(v.at("text"))), ToHex(v.at("digest")));
}

void CheckEd25519(const Vector& v) {
  std::array<uint8_t, crypto_sign_PUBLICKEYBYTES> public_key{};
  std::array<uint8_t, crypto_sign_SECRETKEYBYTES> secret_key{};
  crypto_sign_seed_keypair(public_key.data(), secret_key.data(),
                           Bytes(v.at("key")));
  EXPECT_EQ(
      ToHex({reinterpret_cast<char*>(public_key.data()), public_key.size()}),
      ToHex(v.at("public")));
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<uint8_t*>(signature.data()), nullptr,
                       Bytes(v.at("text")), v.at("text").size(),
                       secret_key.data());
  EXPECT_EQ(ToHex(signature), ToHex(v.at("signature")));
  EXPECT_NE(crypto_sign_verify_detached(Bytes(Flipped(signature)),
                                        Bytes(v.at("text")),
                                        v.at("text").size(), public_key.data()),
            0);
}

struct Primitive {
  const char* name;
  size_t vectors;
  void (*check)(const Vector&);
};

class PrimitiveVectorsTest : public testing::TestWithParam<Primitive> {};

TEST_P(PrimitiveVectorsTest, GivesWhatIsPublished) {
  ASSERT_GE(sodium_init(), 0);
  size_t found = 0;
  for (const Vector& vector : ReadVectors()) {
    if (vector.at("primitive") != GetParam().name) continue;
    SCOPED_TRACE(vector.at("source"));
    GetParam().check(vector);
    ++found;
  }
  EXPECT_EQ(found, GetParam().vectors);
}

INSTANTIATE_TEST_SUITE_P(
    All, PrimitiveVectorsTest,
    testing::Values(Primitive{"XChaCha20-Poly1305", 1, CheckXChaCha},
                    Primitive{"BLAKE2b", 3, CheckBlake2b},
                    Primitive{"AES-256-GCM", 4, CheckGcm},
                    Primitive{"XAES-256-GCM", 2, CheckXaes},
                    Primitive{"HMAC-SHA-256", 7, CheckHmac},
                    Primitive{"HKDF-SHA-256", 3, CheckHkdf},
                    Primitive{"SHA-256", 2, CheckSha256},
                    Primitive{"Ed25519", 3, CheckEd25519}),
    [](const testing::TestParamInfo<Primitive>& tested) {
      std::string name = tested.param.name;
      std::erase(name, '-');
      return name;
    });

// SHAKE128 of `text`, `size` bytes of it.
std::string Shake128(const std::string& text, size_t size) {
  std::string out(size, '\0');
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_shake128(), nullptr);
  EVP_DigestUpdate(context, text.data(), text.size());
  EVP_DigestFinalXOF(context, reinterpret_cast<uint8_t*>(out.data()), size);
  EVP_MD_CTX_free(context);
  return out;
}

// The accumulated vector of the specification: 10,000 messages whose keys,
// nonces, texts, data and lengths are read from SHAKE128, and one digest of all
// that was sealed.
TEST(XaesTest, GivesTheAccumulatedVectorOfC2sp) {
  constexpr size_t kMessages = 10'000;
  const std::string source = Shake128("", 4'000'000);
  size_t at = 0;
  const auto read = [&source, &at](size_t size) {
    at += size;
    return source.substr(at - size, size);
  };
  const auto read_sized = [&read] {
    return read(static_cast<uint8_t>(read(1)[0]));
  };
  std::string sealed;
  for (size_t i = 0; i < kMessages; ++i) {
    const Key key = Key::CopyOf(read(Key::kSize), kAesSuite);
    std::string message = read(kNonceSize);
    const std::string text = read_sized();
    const std::string data = read_sized();
    message += text + std::string(kTagSize, '\0');
    AeadKey(key.Clone()).SealInPlace(data, message);
    ASSERT_THAT(Open(key, data, message), IsOkAndHolds(text));
    sealed += message.substr(kNonceSize);
  }
  ASSERT_LE(at, source.size());
  EXPECT_EQ(ToHex(Shake128(sealed, 32)),
            "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

}  // namespace
}  // namespace hizo::crypto
