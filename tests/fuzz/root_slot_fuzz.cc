// Hostile bytes as the file in which root keys lie.
#include <sodium.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/root_slot.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch_file.h"

namespace hizo::crypto {
namespace {

using fuzz::Require;

// The corpus' good slots are of this store.
constexpr char kStoreId[] = "0123456789abcdef";
constexpr size_t kBlockSize = 4096;
constexpr size_t kDigestSize = 32;

// One block of the file: bytes as they are, or with the digest that ends one.
std::string BlockOf(std::string_view bytes, bool digested) {
  std::string block(bytes.substr(0, kBlockSize - kDigestSize));
  block.resize(kBlockSize, '\0');
  if (digested) {
    crypto_generichash(
        reinterpret_cast<uint8_t*>(block.data() + kBlockSize - kDigestSize),
        kDigestSize, reinterpret_cast<const uint8_t*>(block.data()),
        kBlockSize - kDigestSize, nullptr, 0);
  }
  return block;
}

// The first byte says which of two blocks, half of the rest each, are whole.
std::string FileOf(std::string_view bytes) {
  if (bytes.empty()) return {};
  const int digested = bytes.front();
  bytes.remove_prefix(1);
  const size_t half = bytes.size() / 2;
  return BlockOf(bytes.substr(0, half), (digested & 1) != 0) +
         BlockOf(bytes.substr(half), (digested & 2) != 0);
}

void ReadAsSlot(std::string_view bytes) {
  static const fuzz::ScratchFile file;
  const std::string whole = FileOf(bytes);
  FileRootSlot slot(file.Holding(whole));
  const auto roots = slot.Read(kStoreId);
  if (!roots.ok()) {
    Require(absl::IsDataLoss(roots.status()) ||
                absl::IsFailedPrecondition(roots.status()),
            "damaged, or another store's");
    return;
  }
  Require(roots->size() <= 2, "there are two blocks");
  Require(roots->size() < 2 || roots->front().epoch < roots->back().epoch,
          "older roots come first");
  for (const RootSlot::Root& root : *roots) {
    Require(slot.Erase(kStoreId, root.epoch).ok(), "a root can be erased");
  }
  // Nothing is left, or the remains of a write that was cut short.
  const auto erased = slot.Read(kStoreId);
  Require(erased.ok() ? erased->empty() : absl::IsDataLoss(erased.status()),
          "an erased root is gone");
}

}  // namespace
}  // namespace hizo::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::crypto::ReadAsSlot({reinterpret_cast<const char*>(data), size});
  return 0;
}
