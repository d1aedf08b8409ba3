#include "crypto/age.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "crypto/age_header.h"
#include "crypto/random.h"

namespace hizo::crypto {
namespace {

constexpr size_t kPayloadNonceSize = 16;
constexpr size_t kChunkTagSize = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr size_t kSealedChunkSize = kAgeChunkSize + kChunkTagSize;
constexpr size_t kRecipientsMax = 20;

using ChunkNonce = std::array<uint8_t, 12>;

ChunkNonce NonceOf(uint64_t chunk, uint8_t last) {
  ChunkNonce nonce{};
  for (size_t i = 0; i < sizeof chunk; ++i) {
    nonce[10 - i] = static_cast<uint8_t>(chunk >> (8 * i));
  }
  nonce[11] = last;
  return nonce;
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

absl::Status Changed() {
  return absl::DataLossError("an age file that was cut or changed");
}

}  // namespace

AgeWriter::AgeWriter(std::string header, const Secret& file_key)
    : unsent_(std::move(header)) {
  const std::string nonce = RandomBytes(kPayloadNonceSize);
  payload_key_ = AgeHkdf(file_key.Expose(), nonce, "payload");
  unsent_.append(nonce);
}

AgeWriter::~AgeWriter() { WipeString(pending_); }

absl::StatusOr<AgeWriter> AgeWriter::ForRecipients(
    std::span<const AgeRecipient> recipients) {
  if (recipients.empty() || recipients.size() > kRecipientsMax) {
    return absl::InvalidArgumentError("an age file is for 1 to 20 keys");
  }
  const Secret file_key = Secret::Random(kAgeFileKeySize);
  std::vector<AgeStanza> stanzas;
  for (const AgeRecipient& recipient : recipients) {
    stanzas.push_back(WrapForRecipient(recipient, file_key));
  }
  return AgeWriter(MakeAgeHeader(stanzas, file_key), file_key);
}

absl::StatusOr<AgeWriter> AgeWriter::ForPassphrase(const Secret& passphrase,
                                                   unsigned work_factor) {
  if (work_factor < kAgeWorkFactorMin || work_factor > kAgeWorkFactorMax) {
    return absl::InvalidArgumentError("a work factor out of bounds");
  }
  const Secret file_key = Secret::Random(kAgeFileKeySize);
  const AgeStanza stanza = WrapForPassphrase(passphrase, work_factor, file_key);
  if (stanza.arguments.empty()) {
    return absl::ResourceExhaustedError("no memory for a passphrase");
  }
  return AgeWriter(MakeAgeHeader({stanza}, file_key), file_key);
}

AgeWriter AgeWriter::Clone() const {
  AgeWriter copy(unsent_, payload_key_.Clone());
  copy.chunk_ = chunk_;
  copy.pending_ = pending_;
  return copy;
}

void AgeWriter::SealChunk(std::string_view plaintext, uint8_t last,
                          std::string& out) {
  const ChunkNonce nonce = NonceOf(chunk_++, last);
  const size_t at = out.size();
  out.resize(at + plaintext.size() + kChunkTagSize);
  crypto_aead_chacha20poly1305_ietf_encrypt(
      reinterpret_cast<uint8_t*>(out.data()) + at, nullptr, Bytes(plaintext),
      plaintext.size(), nullptr, 0, nullptr, nonce.data(), payload_key_.data());
}

void AgeWriter::Write(std::string_view plaintext, std::string& out) {
  out.append(unsent_);
  unsent_.clear();
  // A full chunk is held until there is more: the last one is marked.
  while (!plaintext.empty()) {
    if (pending_.size() == kAgeChunkSize) {
      SealChunk(pending_, 0, out);
      WipeString(pending_);
    }
    while (pending_.empty() && plaintext.size() > kAgeChunkSize) {
      SealChunk(plaintext.substr(0, kAgeChunkSize), 0, out);
      plaintext.remove_prefix(kAgeChunkSize);
    }
    const size_t taken =
        std::min(kAgeChunkSize - pending_.size(), plaintext.size());
    pending_.append(plaintext.substr(0, taken));
    plaintext.remove_prefix(taken);
  }
}

void AgeWriter::Finish(std::string& out) {
  Write("", out);
  SealChunk(pending_, 1, out);
  WipeString(pending_);
}

AgeReader::AgeReader(AgeOpeners openers) : openers_(std::move(openers)) {}
AgeReader::~AgeReader() = default;

absl::Status AgeReader::OpenHeader() {
  const size_t size = AgeHeaderSize(pending_);
  if (size == 0 || size > kAgeHeaderSizeMax) {
    return pending_.size() <= kAgeHeaderSizeMax && size == 0
               ? absl::OkStatus()
               : absl::InvalidArgumentError("not an age file");
  }
  const auto header =
      ParseAgeHeader(std::string_view(pending_).substr(0, size));
  if (!header.ok()) return header.status();
  auto file_key = UnwrapAgeFileKey(*header, openers_);
  if (!file_key.ok()) return file_key.status();
  const absl::Status whole = CheckAgeMac(*header, *file_key);
  if (!whole.ok()) return whole;
  file_key_ = *std::move(file_key);
  pending_.erase(0, size);
  return absl::OkStatus();
}

absl::Status AgeReader::OpenChunk(std::string_view sealed, uint8_t last,
                                  std::string& out) {
  // An empty chunk is only ever the whole of an empty file.
  if (sealed.size() < kChunkTagSize ||
      (sealed.size() == kChunkTagSize && chunk_ != 0)) {
    return Changed();
  }
  const bool opened = OpenChunkAs(sealed, last, out);
  // A full one may say of itself that it is the last, or is not, where it must
  // be otherwise: it is given out, as age does, and nothing after it.
  if (!opened && sealed.size() == kSealedChunkSize) {
    OpenChunkAs(sealed, last == 0 ? 1 : 0, out);
  }
  ++chunk_;
  return opened ? absl::OkStatus() : Changed();
}

bool AgeReader::OpenChunkAs(std::string_view sealed, uint8_t last,
                            std::string& out) const {
  const ChunkNonce nonce = NonceOf(chunk_, last);
  const size_t at = out.size();
  out.resize(at + sealed.size() - kChunkTagSize);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          reinterpret_cast<uint8_t*>(out.data()) + at, nullptr, nullptr,
          Bytes(sealed), sealed.size(), nullptr, 0, nonce.data(),
          payload_key_->data()) == 0) {
    return true;
  }
  out.resize(at);
  return false;
}

absl::Status AgeReader::OpenFullChunks(std::string& out) {
  size_t at = 0;
  while (pending_.size() - at > kSealedChunkSize) {
    const absl::Status opened = OpenChunk(
        std::string_view(pending_).substr(at, kSealedChunkSize), 0, out);
    if (!opened.ok()) return opened;
    at += kSealedChunkSize;
  }
  pending_.erase(0, at);
  return absl::OkStatus();
}

absl::Status AgeReader::Read(std::string_view bytes, std::string& out) {
  // A piece at a time, so that no more than a chunk is held beside `bytes`.
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kSealedChunkSize);
    bytes.remove_prefix(piece.size());
    pending_.append(piece);
    if (!file_key_.has_value()) {
      const absl::Status opened = OpenHeader();
      if (!opened.ok()) return opened;
      if (!file_key_.has_value()) continue;
    }
    if (!payload_key_.has_value()) {
      if (pending_.size() < kPayloadNonceSize) continue;
      payload_key_ = AgeHkdf(
          file_key_->Expose(),
          std::string_view(pending_).substr(0, kPayloadNonceSize), "payload");
      pending_.erase(0, kPayloadNonceSize);
    }
    const absl::Status opened = OpenFullChunks(out);
    if (!opened.ok()) return opened;
  }
  return absl::OkStatus();
}

absl::Status AgeReader::Finish(std::string& out) {
  if (!payload_key_.has_value()) {
    return absl::InvalidArgumentError("not an age file, or a cut one");
  }
  const absl::Status opened = OpenChunk(pending_, 1, out);
  pending_.clear();
  return opened;
}

}  // namespace hizo::crypto
