// ByteWriter and ByteReader: the small, fixed layouts inside sealed values.
// Integers are big endian; text is preceded by its length.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_BYTE_CODEC_H_
#define HIZO_SERVICE_VAULT_BYTE_CODEC_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hizo::vault {

class ByteWriter {
 public:
  template <std::unsigned_integral T>
  ByteWriter& Put(T value) {
    for (size_t i = sizeof(T); i-- > 0;) {
      bytes_.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
    }
    return *this;
  }
  ByteWriter& PutText(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  ByteWriter& PutRaw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  std::string Take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// ByteReader yields zeros and empty texts once it ran out; `ok` tells, and
// `done` is ok with nothing left over.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <std::unsigned_integral T>
  T Get() {
    const std::string_view raw = GetRaw(sizeof(T));
    uint64_t value = 0;
    for (const char byte : raw) {
      value = (value << 8) | static_cast<uint8_t>(byte);
    }
    return static_cast<T>(value);
  }
  std::string_view GetText() { return GetRaw(Get<uint32_t>()); }
  std::string_view GetRaw(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view raw = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return raw;
  }
  std::string_view GetRest() { return GetRaw(rest_.size()); }
  // Says that what was read cannot be: as if it had run out.
  void Spoil() { ok_ = false; }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_BYTE_CODEC_H_
