// Hostile bytes as the file that remembers the head of the log.
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/anchor.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch_file.h"

namespace hizo::storage {
namespace {

using fuzz::Require;

// The corpus' good anchors are of this store.
constexpr char kStoreId[] = "0123456789abcdef";
constexpr size_t kPlaceSize = 4096;

// One place of the file: bytes as they are, or followed by what proves them.
std::string PlaceOf(std::string_view bytes, bool proven) {
  std::string place(bytes.substr(0, kPlaceSize / 2));
  if (proven) {
    for (const char byte : bytes.substr(0, place.size())) {
      place.push_back(static_cast<char>(~byte));
    }
  }
  place.resize(kPlaceSize, '\0');
  return place;
}

// The first byte says which of two places, half of the rest each, are proven.
std::string FileOf(std::string_view bytes) {
  if (bytes.empty()) return {};
  const int proven = bytes.front();
  bytes.remove_prefix(1);
  const size_t half = bytes.size() / 2;
  return PlaceOf(bytes.substr(0, half), (proven & 1) != 0) +
         PlaceOf(bytes.substr(half), (proven & 2) != 0);
}

void ReadAsAnchor(std::string_view bytes) {
  static const fuzz::ScratchFile file;
  const std::string whole = FileOf(bytes);
  auto anchor = Anchor::Open(file.Holding(whole), kStoreId, /*create=*/false);
  if (!anchor.ok()) {
    Require(absl::IsDataLoss(anchor.status()) ||
                absl::IsFailedPrecondition(anchor.status()),
            "damaged, or another store's");
    return;
  }
  const Anchor::Head head = (*anchor)->head();
  Require(head.root.size() == 32, "a root has 32 bytes");
  Require((*anchor)->Write({head.size, std::string(32, 'r')}).ok(),
          "what was read can be gone on from");
  anchor->reset();
  const auto again = Anchor::Open(file.path(), kStoreId, /*create=*/false);
  Require(again.ok() && (*again)->head().size == head.size &&
              (*again)->head().root == std::string(32, 'r'),
          "the newer head wins");
}

}  // namespace
}  // namespace hizo::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::storage::ReadAsAnchor({reinterpret_cast<const char*>(data), size});
  return 0;
}
