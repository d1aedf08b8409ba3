// age v1 files (C2SP age.md), written and read as a stream: what is held is one
// chunk of 64 KiB, however long the file is.
//
// A file is for X25519 keys, or for one passphrase. age tells nobody who wrote
// a file; that is what a signature is for (minisign.h). X25519 does not
// withstand a quantum computer.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_CRYPTO_AGE_H_
#define HIZO_CRYPTO_AGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/age_keys.h"
#include "crypto/secret.h"

namespace hizo::crypto {

inline constexpr size_t kAgeChunkSize = size_t{64} << 10;
inline constexpr unsigned kAgeWorkFactorMin = 1;
inline constexpr unsigned kAgeWorkFactorMax = 22;

class AgeWriter {
 public:
  // kInvalidArgument without a recipient or with more than 20.
  static absl::StatusOr<AgeWriter> ForRecipients(
      std::span<const AgeRecipient> recipients);
  // Takes 2^work_factor KiB of memory for a moment. kInvalidArgument for an
  // empty passphrase or a factor out of bounds, kResourceExhausted without the
  // memory.
  static absl::StatusOr<AgeWriter> ForPassphrase(const Secret& passphrase,
                                                 unsigned work_factor);
  AgeWriter(AgeWriter&&) noexcept = default;
  AgeWriter& operator=(AgeWriter&&) noexcept = default;
  ~AgeWriter();

  // A second writer that goes on from here: for whoever may have to take back
  // what it wrote. Of the two, only one's output may ever be given away.
  AgeWriter Clone() const;

  // Adds `plaintext`; appends to `out` what of the file is settled by now.
  void Write(std::string_view plaintext, std::string& out);
  // Ends the file; nothing may be written afterwards.
  void Finish(std::string& out);

 private:
  AgeWriter(std::string header, const Secret& file_key);
  AgeWriter(std::string unsent, Key payload_key)
      : unsent_(std::move(unsent)), payload_key_(std::move(payload_key)) {}
  void SealChunk(std::string_view plaintext, uint8_t last, std::string& out);

  std::string unsent_;  // the header, until the first output
  Key payload_key_;
  uint64_t chunk_ = 0;
  std::string pending_;  // at most a chunk, of which it is not known if it is
                         // the last one
};

// AgeReader gives out plaintext as soon as its chunk is known to be whole. Only
// after Finish is it known that nothing is missing at the end.
class AgeReader {
 public:
  explicit AgeReader(AgeOpeners openers);
  AgeReader(AgeReader&&) noexcept = default;
  ~AgeReader();

  // Takes the next bytes of the file; appends plaintext to `out`. After an
  // error nothing more may be asked of it. kInvalidArgument: no age file;
  // kPermissionDenied: one for somebody else; kDataLoss: one that was changed.
  absl::Status Read(std::string_view bytes, std::string& out);
  // There are no more bytes.
  absl::Status Finish(std::string& out);

 private:
  absl::Status OpenHeader();
  absl::Status OpenChunk(std::string_view sealed, uint8_t last,
                         std::string& out);
  bool OpenChunkAs(std::string_view sealed, uint8_t last,
                   std::string& out) const;
  absl::Status OpenFullChunks(std::string& out);

  AgeOpeners openers_;
  std::optional<Secret> file_key_;  // once the header was read
  std::optional<Key> payload_key_;  // once the nonce was
  std::string pending_;
  uint64_t chunk_ = 0;
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_AGE_H_
