// XAES-256-GCM (C2SP): AES-256-GCM whose nonces may be random for ever. Of the
// 24 bytes of nonce 12 choose, by CMAC as in NIST SP 800-108, the AES key of
// this one message, and 12 are GCM's own nonce. For crypto/aead.cc only.
//
// Aborts where the processor has no AES (crypto/suite.h): that is refused at
// start. Threads: an object from one thread at a time.
#ifndef HIZO_CRYPTO_XAES_GCM_H_
#define HIZO_CRYPTO_XAES_GCM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace hizo::crypto {

inline constexpr size_t kXaesKeySize = 32;
inline constexpr size_t kXaesNonceSize = 24;
inline constexpr size_t kXaesTagSize = 16;

// XaesKey is a key made ready for any number of messages.
class XaesKey {
 public:
  explicit XaesKey(const uint8_t* key);  // kXaesKeySize bytes
  XaesKey(XaesKey&& other) noexcept;
  XaesKey& operator=(XaesKey&& other) noexcept;
  ~XaesKey();

  // Turns `size` bytes of plaintext at `body` into as many of ciphertext, and
  // writes kXaesTagSize bytes of tag after them.
  void Seal(const uint8_t* nonce, std::string_view associated_data,
            uint8_t* body, size_t size) const;
  // Writes the plaintext of `sealed`, which is ciphertext || tag, to `out`;
  // false if it does not open, and then there is nothing of it in `out`.
  [[nodiscard]] bool Open(const uint8_t* nonce,
                          std::string_view associated_data,
                          std::string_view sealed, uint8_t* out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;  // lent by the thread, given back wiped
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_XAES_GCM_H_
