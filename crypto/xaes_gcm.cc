#include "crypto/xaes_gcm.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "crypto/lent.h"

namespace hizo::crypto {
namespace {

constexpr size_t kBlock = 16;
constexpr size_t kSalt = 12;  // of the nonce; the rest is GCM's
using Block = std::array<uint8_t, kBlock>;

[[noreturn]] void Die() {
  std::fputs("hizo: no AES-256 on this system\n", stderr);
  std::abort();
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const {
    EVP_CIPHER_CTX_free(context);
  }
};

}  // namespace

// AES with one key, block by block, and CMAC's first subkey.
struct XaesKey::State {
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> aes{EVP_CIPHER_CTX_new()};
  Block subkey{};

  State() {
    if (crypto_aead_aes256gcm_is_available() != 1 || aes == nullptr ||
        EVP_EncryptInit_ex(aes.get(), EVP_aes_256_ecb(), nullptr, nullptr,
                           nullptr) != 1 ||
        EVP_CIPHER_CTX_set_padding(aes.get(), 0) != 1) {
      Die();
    }
  }

  void SetKey(const uint8_t* key) const {
    if (EVP_EncryptInit_ex(aes.get(), nullptr, nullptr, key, nullptr) != 1) {
      Die();
    }
  }

  // `size` is a multiple of the block's.
  void Encrypt(uint8_t* bytes, size_t size) const {
    int written = 0;
    if (EVP_EncryptUpdate(aes.get(), bytes, &written, bytes,
                          static_cast<int>(size)) != 1) {
      Die();
    }
  }

  // The encrypted zero block, doubled in GF(2^128).
  void SetSubkey() {
    constexpr unsigned kReduction = 0x87;
    subkey.fill(0);
    Encrypt(subkey.data(), kBlock);
    const unsigned carry = subkey[0] >> 7;
    for (size_t i = 0; i + 1 < kBlock; ++i) {
      subkey[i] = static_cast<uint8_t>(subkey[i] << 1 | subkey[i + 1] >> 7);
    }
    const unsigned last = subkey[kBlock - 1];
    subkey[kBlock - 1] = static_cast<uint8_t>(last << 1 ^ carry * kReduction);
  }

  void Wipe() {
    constexpr std::array<uint8_t, kXaesKeySize> kNoKey{};
    SetKey(kNoKey.data());
    sodium_memzero(subkey.data(), kBlock);
  }
};

namespace {

// GCM keyed for one message; wiped when it is done.
class MessageCipher {
 public:
  template <typename State>
  MessageCipher(const State& state, const uint8_t* nonce) {
    // SP 800-108's KDF in counter mode: counter, label 'X', separator, salt,
    // one block for each half of the key, which CMAC covers with its subkey.
    std::array<uint8_t, 2 * kBlock> key{};
    for (size_t half = 0; half < 2; ++half) {
      uint8_t* const block = key.data() + half * kBlock;
      block[1] = static_cast<uint8_t>(half + 1);
      block[2] = 'X';
      std::copy_n(nonce, kSalt, block + kBlock - kSalt);
      for (size_t i = 0; i < kBlock; ++i) block[i] ^= state.subkey[i];
    }
    state.Encrypt(key.data(), key.size());
    crypto_aead_aes256gcm_beforenm(&gcm_, key.data());
    sodium_memzero(key.data(), key.size());
  }
  MessageCipher(const MessageCipher&) = delete;
  MessageCipher& operator=(const MessageCipher&) = delete;
  ~MessageCipher() { sodium_memzero(&gcm_, sizeof(gcm_)); }

  const crypto_aead_aes256gcm_state* get() const { return &gcm_; }

 private:
  crypto_aead_aes256gcm_state gcm_;
};

}  // namespace

XaesKey::XaesKey(const uint8_t* key) : state_(Lent<State>::Take()) {
  state_->SetKey(key);
  state_->SetSubkey();
}

XaesKey::XaesKey(XaesKey&& other) noexcept = default;

XaesKey& XaesKey::operator=(XaesKey&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

XaesKey::~XaesKey() {
  if (state_ == nullptr) return;
  state_->Wipe();
  Lent<State>::GiveBack(std::move(state_));
}

void XaesKey::Seal(const uint8_t* nonce, std::string_view associated_data,
                   uint8_t* body, size_t size) const {
  const MessageCipher cipher(*state_, nonce);
  crypto_aead_aes256gcm_encrypt_afternm(
      body, nullptr, body, size, Bytes(associated_data), associated_data.size(),
      nullptr, nonce + kSalt, cipher.get());
}

bool XaesKey::Open(const uint8_t* nonce, std::string_view associated_data,
                   std::string_view sealed, uint8_t* out) const {
  const MessageCipher cipher(*state_, nonce);
  return crypto_aead_aes256gcm_decrypt_afternm(
             out, nullptr, nullptr, Bytes(sealed), sealed.size(),
             Bytes(associated_data), associated_data.size(), nonce + kSalt,
             cipher.get()) == 0;
}

}  // namespace hizo::crypto
