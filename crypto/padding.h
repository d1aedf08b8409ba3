// Padding that hides most of a plaintext's length: 0x80 and zeros (ISO 7816-4)
// up to whole blocks of 32 bytes as far as 256, Padme sizes above (at most
// 12 % more). Remove it only from what an authenticated cipher has opened.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_CRYPTO_PADDING_H_
#define HIZO_CRYPTO_PADDING_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace hizo::crypto {

// Follows the plaintext; zeros follow it. Stored; never change.
inline constexpr char kPadMark = '\x80';

// The padded size of `size` bytes, at least one more. Rises with `size`.
size_t PaddedSize(size_t size);
// The size before padding; nullopt if `padded` is not what padding makes.
std::optional<size_t> UnpaddedSize(std::string_view padded);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_PADDING_H_
