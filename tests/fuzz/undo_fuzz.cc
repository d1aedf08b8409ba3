// Hostile bytes as the row that says how to take the last batch of keys back.
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/keyspace.h"
#include "service/vault/undo.h"
#include "storage/key_bytes.h"
#include "storage/memory/engine.h"
#include "tests/fuzz/require.h"

namespace hizo::vault {
namespace {

using fuzz::Require;

constexpr char kOther[] = "K other";
constexpr size_t kHeadSize = 9;

storage::Batch PutOf(const std::string& key, std::string value) {
  storage::Batch batch;
  batch.Put(key, std::move(value));
  return batch;
}

void ReadAsUndo(std::string_view bytes) {
  const std::string key = storage::KeyWriter(base::kSpaceUndo).Take();
  const auto keys = storage::NewMemoryEngine();
  Require(keys->Commit(PutOf(key, std::string(bytes))).ok(), "it is stored");
  Require(keys->Commit(PutOf(kOther, "before")).ok(), "so is another row");
  const absl::Status status = UndoUnfinished(*keys, 0);
  const auto row = keys->Get(key);
  const auto other = keys->Get(kOther);
  Require(row.ok() && other.ok(), "the store can be read");
  if (!status.ok()) {
    Require(absl::IsDataLoss(status), "one status tells of damage");
    Require(row->has_value() && *row == bytes && *other == "before",
            "a damaged row changes nothing");
    return;
  }
  // Nothing is finished at 0 entries but a batch that wrote none.
  Require(row->has_value() && (*row == bytes || (**row).size() == kHeadSize),
          "it is done, or left alone");
  Require(UndoUnfinished(*keys, 0).ok(), "doing it twice is no error");
}

}  // namespace
}  // namespace hizo::vault

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::vault::ReadAsUndo({reinterpret_cast<const char*>(data), size});
  return 0;
}
