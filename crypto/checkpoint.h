// Checkpoint: the head of a log as C2SP tlog-checkpoint writes it, the text of
// a signed note.
//
// Threads: may be called concurrently.
#ifndef HIZO_CRYPTO_CHECKPOINT_H_
#define HIZO_CRYPTO_CHECKPOINT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/merkle.h"

namespace hizo::crypto {

struct Checkpoint {
  std::string origin;  // name of the log
  MerkleRoot tree;
};

// Origin, size in decimal, root in base64, each ended by a newline.
std::string CheckpointText(const Checkpoint& checkpoint);
// kInvalidArgument for anything that CheckpointText does not write.
absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text);

// What the note says that `verifier_key` signed. kInvalidArgument if it is no
// note of a checkpoint, or of another log than the key's; kDataLoss if that
// key's signature is missing or wrong.
absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note,
                                          std::string_view verifier_key);

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_CHECKPOINT_H_
