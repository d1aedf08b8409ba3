// Root slots: where the root key of the tree lies, and nothing else does.
//
// A slot is a place outside the data, keys and backup directories that can
// forget: the file slot overwrites in place and never renames, because a
// renamed file leaves its old bytes on the medium. A store has one or more
// slots holding the same root; losing all of them is losing everybody.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_CRYPTO_ROOT_SLOT_H_
#define HIZO_CRYPTO_ROOT_SLOT_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "crypto/slot_passphrases.h"

namespace hizo::crypto {

// RootSlot is the interface that a file, and later a PKCS#11 token, implements.
class RootSlot {
 public:
  struct Root {
    uint64_t epoch;
    Key key;
  };
  // How final an erasure from this medium is, in rising order. Stored in
  // receipts; never renumber.
  enum class ErasureLevel : uint8_t {
    kOverwrittenInPlace = 1,  // a file: SSDs and snapshots may keep remnants
  };

  virtual ~RootSlot() = default;
  // All roots that the slot holds for `store_id`, oldest first: one, or two in
  // the middle of a seal, none in a fresh slot. kFailedPrecondition if it
  // holds another store's, kDataLoss if it is damaged, kNotFound if the slot
  // is missing, kPermissionDenied if others than its owner may read it or it is
  // sealed with another passphrase. What a
  // crash in the middle of Put or Erase left behind is passed over as long as
  // the other root is whole; Erase of its epoch clears it.
  virtual absl::StatusOr<std::vector<Root>> Read(std::string_view store_id) = 0;
  // Stores `root` beside the previous epoch's, durable on return.
  // kAlreadyExists if the slot holds another root of this epoch,
  // kFailedPrecondition if there is no room because other epochs' roots were
  // not erased; storing the same root again is no error.
  virtual absl::Status Put(std::string_view store_id, const Root& root) = 0;
  // Overwrites the root of `epoch`, durable on return and read back. Erasing
  // what is not there is no error.
  virtual absl::Status Erase(std::string_view store_id, uint64_t epoch) = 0;
  virtual ErasureLevel erasure_level() const = 0;
};

// FileRootSlot is two 4,096-byte blocks in one file, the block of an epoch
// being epoch mod 2, mode 0600, written in place with O_DSYNC. With passphrases
// what it puts is sealed; a root that lies there in the clear is read, and goes
// with the next seal. Without them a sealed root is kFailedPrecondition.
class FileRootSlot final : public RootSlot {
 public:
  explicit FileRootSlot(std::filesystem::path file,
                        std::unique_ptr<SlotPassphrases> passphrases = nullptr);
  // Makes the file with two empty blocks; kAlreadyExists if it exists.
  absl::Status Create();

  absl::StatusOr<std::vector<Root>> Read(std::string_view store_id) override;
  absl::Status Put(std::string_view store_id, const Root& root) override;
  absl::Status Erase(std::string_view store_id, uint64_t epoch) override;
  ErasureLevel erasure_level() const override {
    return ErasureLevel::kOverwrittenInPlace;
  }

 private:
  std::filesystem::path file_;
  std::unique_ptr<SlotPassphrases> passphrases_;  // nullptr: none
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_ROOT_SLOT_H_
