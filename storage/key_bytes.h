// Storage keys: parts laid end to end so that byte order is the order of the
// parts. Only fixed-width parts, and one variable part at the end, so that no
// two different sequences of parts give the same key.
//
// Threads: value types.
#ifndef HIZO_STORAGE_KEY_BYTES_H_
#define HIZO_STORAGE_KEY_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hizo::storage {

class KeyWriter {
 public:
  explicit KeyWriter(char space) { key_.push_back(space); }
  KeyWriter& U8(uint8_t value);
  KeyWriter& U16(uint16_t value);  // big endian, as all below
  KeyWriter& U32(uint32_t value);
  KeyWriter& U64(uint64_t value);
  KeyWriter& Bytes(std::string_view bytes);
  // The key; the writer is not to be used afterwards.
  std::string Take() { return std::move(key_); }

 private:
  std::string key_;
};

// KeyReader takes a key apart; each method returns nullopt once bytes run out.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}
  std::optional<char> Space();
  std::optional<uint8_t> U8();
  std::optional<uint16_t> U16();
  std::optional<uint32_t> U32();
  std::optional<uint64_t> U64();
  std::optional<std::string_view> Bytes(size_t size);
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_KEY_BYTES_H_
