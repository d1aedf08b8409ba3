#include "storage/key_bytes.h"

namespace hizo::storage {
namespace {

template <typename T>
void AppendBigEndian(T value, std::string& to) {
  for (size_t shift = sizeof(T) * 8; shift > 0; shift -= 8) {
    to.push_back(static_cast<char>(value >> (shift - 8) & 0xFF));
  }
}

template <typename T>
std::optional<T> TakeBigEndian(std::string_view& from) {
  if (from.size() < sizeof(T)) return std::nullopt;
  uint64_t value = 0;
  for (const char byte : from.substr(0, sizeof(T))) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  from.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

}  // namespace

KeyWriter& KeyWriter::U8(uint8_t value) {
  AppendBigEndian(value, key_);
  return *this;
}

KeyWriter& KeyWriter::U16(uint16_t value) {
  AppendBigEndian(value, key_);
  return *this;
}

KeyWriter& KeyWriter::U32(uint32_t value) {
  AppendBigEndian(value, key_);
  return *this;
}

KeyWriter& KeyWriter::U64(uint64_t value) {
  AppendBigEndian(value, key_);
  return *this;
}

KeyWriter& KeyWriter::Bytes(std::string_view bytes) {
  key_.append(bytes);
  return *this;
}

std::optional<char> KeyReader::Space() { return TakeBigEndian<char>(rest_); }

std::optional<uint8_t> KeyReader::U8() { return TakeBigEndian<uint8_t>(rest_); }

std::optional<uint16_t> KeyReader::U16() {
  return TakeBigEndian<uint16_t>(rest_);
}

std::optional<uint32_t> KeyReader::U32() {
  return TakeBigEndian<uint32_t>(rest_);
}

std::optional<uint64_t> KeyReader::U64() {
  return TakeBigEndian<uint64_t>(rest_);
}

std::optional<std::string_view> KeyReader::Bytes(size_t size) {
  if (rest_.size() < size) return std::nullopt;
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

}  // namespace hizo::storage
