// UTF-8, one code point at a time, for masks and for finding what is forbidden.
//
// Threads: may be called concurrently. Lifetime: `bytes` points into the text.
#ifndef HIZO_SERVICE_POLICY_UTF8_H_
#define HIZO_SERVICE_POLICY_UTF8_H_

#include <string_view>

namespace hizo::policy {

// No code point: stands for a byte that begins none.
inline constexpr char32_t kNotUtf8 = 0xFFFFFFFF;

struct CodePoint {
  char32_t value = kNotUtf8;
  std::string_view bytes;
};

// The first code point of `text`, which is not empty; kNotUtf8 and one byte
// where there is none (RFC 3629: no overlong forms, surrogates, or numbers
// over 10FFFF).
CodePoint FirstCodePoint(std::string_view text);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_UTF8_H_
