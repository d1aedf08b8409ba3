// Hostile bytes as a storage key.
#include <cstdint>
#include <string>
#include <string_view>

#include "service/vault/row_keys.h"
#include "storage/key_bytes.h"
#include "tests/fuzz/require.h"

namespace {

using hizo::fuzz::Require;

constexpr size_t kTenantAt = 1;

// Taken apart by widths that the bytes themselves choose, and laid end to end
// again, they are what they were.
void TakeApart(std::string_view bytes) {
  hizo::storage::KeyReader reader(bytes);
  const auto space = reader.Space();
  Require(space.has_value() == !bytes.empty(), "a key has a space");
  if (!space) return;
  hizo::storage::KeyWriter writer(*space);
  size_t left = bytes.size() - 1;
  for (size_t step = 0; left > 0; ++step) {
    const size_t width = size_t{1} << (step % 4);
    if (width == 1) {
      const auto part = reader.U8();
      Require(part.has_value(), "there is a byte left");
      writer.U8(*part);
    } else if (width == 2 && left >= 2) {
      writer.U16(*reader.U16());
    } else if (width == 4 && left >= 4) {
      writer.U32(*reader.U32());
    } else if (width == 8 && left >= 8) {
      writer.U64(*reader.U64());
    } else {
      Require(!reader.Bytes(left + 1).has_value(), "nothing is made up");
      writer.Bytes(*reader.Bytes(left));
      left = 0;
      break;
    }
    left -= width;
  }
  Require(reader.done(), "nothing is left over");
  Require(writer.Take() == bytes, "parts make the key they came from");
}

void ReadAsRecordKey(std::string_view bytes) {
  const auto parts = hizo::vault::ParseRecordKey(bytes);
  if (!parts) return;
  hizo::storage::KeyReader tenant(bytes.substr(kTenantAt));
  const auto number = tenant.U32();
  Require(number.has_value(), "a record key has a tenant");
  Require(hizo::vault::RecordKey(hizo::base::TenantId{*number}, parts->subject,
                                 parts->class_number, parts->record) == bytes,
          "a record has one key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TakeApart(bytes);
  ReadAsRecordKey(bytes);
  return 0;
}
