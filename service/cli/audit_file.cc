#include "service/cli/audit_file.h"

#include <algorithm>
#include <utility>

#include "service/cli/audit_file_format.h"
#include "service/cli/audit_file_prune.h"

namespace hizo::cli {
namespace {

using crypto::Digest;
using crypto::MerklePeaks;
using Form = AuditFileEntry::Form;

// nullopt for an entry that is gone.
std::optional<Digest> LeafOf(const AuditFileEntry& entry) {
  switch (entry.form) {
    case Form::kEntry:
      return crypto::LeafHash(entry.bytes);
    case Form::kLeaf: {
      Digest digest{};
      std::ranges::copy(entry.bytes, digest.begin());
      return digest;
    }
    case Form::kGone:
      break;
  }
  return std::nullopt;
}

Digest RootOf(const std::vector<Digest>& leaves, size_t count) {
  MerklePeaks peaks;
  for (size_t i = 0; i < count; ++i) peaks.Append(leaves[i]);
  return peaks.Root();
}

// The root of a tree from those of its tiles, the last of which need not be
// full: RFC 6962 divides a tree where it divides its tiles.
Digest RootOfTiles(const std::vector<Digest>& tiles) {
  return RootOf(tiles, tiles.size());
}

std::string Number(uint64_t number) { return std::to_string(number); }

AuditVerdict Bad(std::optional<uint64_t> position, std::string text) {
  AuditVerdict verdict;
  verdict.first_bad = position;
  verdict.text = std::move(text);
  return verdict;
}

// Verifier goes through a file once, and says at the end what is wrong first.
class Verifier {
 public:
  Verifier(std::istream& in, std::string_view key,
           const std::vector<crypto::Checkpoint>& earlier)
      : in_(in), key_(key), earlier_(earlier) {}

  AuditVerdict Run() {
    std::optional<AuditVerdict> bad = ReadHead();
    if (!bad.has_value()) bad = ReadTiles();
    if (!bad.has_value()) bad = CheckTree();
    if (!bad.has_value()) bad = CheckEarlier();
    if (!bad.has_value()) bad = CheckPruned();
    AuditVerdict verdict = bad.value_or(AuditVerdict());
    verdict.verified = !bad.has_value();
    verdict.entries = head_.tree.size;
    verdict.shown = shown_;
    verdict.pruned = pruned_;
    return verdict;
  }

 private:
  std::optional<AuditVerdict> ReadHead() {
    if (!ReadMagic(in_)) return Bad({}, "this is no exported audit log");
    const auto part = ReadPart(in_);
    if (!part.has_value() || part->part != AuditPart::kCheckpoint) {
      return Bad({}, "the file has no signed head");
    }
    const auto head = crypto::OpenCheckpoint(part->bytes, key_);
    if (!head.ok()) return Bad({}, "the head is not signed with that key");
    head_ = *head;
    return std::nullopt;
  }

  std::optional<AuditVerdict> ReadTiles() {
    for (;;) {
      const auto part = ReadPart(in_);
      if (!part.has_value()) {
        return Bad(next_,
                   "the file is cut or damaged behind entry " + Number(next_));
      }
      switch (part->part) {
        case AuditPart::kTile: {
          const auto tile = DecodeTile(part->bytes);
          if (tile.has_value()) {
            TakeTile(*tile);
          } else {
            NoteBroken("the file is damaged at entry " + Number(next_));
          }
          break;
        }
        case AuditPart::kRoots:
          roots_ = DecodeRoots(part->bytes).value_or(std::vector<Digest>());
          break;
        case AuditPart::kEnd:
          if (in_.peek() == std::istream::traits_type::eof()) {
            return std::nullopt;
          }
          return Bad(next_, "something follows the end of the file");
        case AuditPart::kCheckpoint:
          return Bad(next_, "the file has two heads");
      }
    }
  }

  // What comes behind a part that does not fit is not looked at: where the
  // log goes wrong is before it, or there.
  void NoteBroken(std::string text) {
    if (!broken_.has_value()) broken_ = Bad(next_, std::move(text));
  }

  void TakeTile(const AuditFileTile& tile) {
    if (tile.first != next_ || next_ % kAuditTile != 0) {
      NoteBroken("entry " + Number(next_) + " does not follow: there is " +
                 Number(tile.first));
    }
    if (broken_.has_value()) return;
    if (pruned_ == next_ && IsPruned(tile)) {
      NoteEarlier(tile.hashes);
      by_hashes_.push_back(RootOf(tile.hashes, tile.hashes.size()));
      by_entries_.push_back(by_hashes_.back());
      next_ += tile.hashes.size();
      pruned_ = next_;
      return;
    }
    std::vector<Digest> leaves;
    std::optional<uint64_t> mismatch;
    for (size_t i = 0; i < std::max(tile.entries.size(), tile.hashes.size());
         ++i) {
      std::optional<Digest> leaf;
      if (i < tile.entries.size()) {
        leaf = LeafOf(tile.entries[i]);
        leaves.push_back(leaf.value_or(Digest()));
        if (tile.entries[i].form == Form::kEntry) {
          ++shown_;
          said_pruned_ =
              std::max(said_pruned_, PrunedBy(tile.entries[i].bytes));
        }
      }
      const bool same = i < tile.hashes.size() && leaf == tile.hashes[i];
      if (!same && !mismatch.has_value()) mismatch = next_ + i;
    }
    if (!first_mismatch_.has_value()) first_mismatch_ = mismatch;
    NoteEarlier(tile.hashes);
    by_hashes_.push_back(RootOf(tile.hashes, tile.hashes.size()));
    by_entries_.push_back(mismatch.has_value() ? RootOf(leaves, leaves.size())
                                               : by_hashes_.back());
    next_ += tile.hashes.size();
  }

  static bool IsPruned(const AuditFileTile& tile) {
    return tile.hashes.size() == kAuditTile &&
           tile.entries.size() == kAuditTile &&
           std::ranges::all_of(tile.entries, [](const AuditFileEntry& entry) {
             return entry.form == Form::kGone;
           });
  }

  std::optional<AuditVerdict> CheckPruned() const {
    if (pruned_ <= said_pruned_) return std::nullopt;
    return Bad(said_pruned_, "entry " + Number(said_pruned_) +
                                 " is gone, and the log does not say that it "
                                 "was pruned");
  }

  // Remembers the roots that the log had at the sizes of the earlier heads.
  void NoteEarlier(const std::vector<Digest>& hashes) {
    for (const crypto::Checkpoint& earlier : earlier_) {
      const uint64_t size = earlier.tree.size;
      if (size <= next_ || size > next_ + hashes.size()) continue;
      std::vector<Digest> tiles = by_hashes_;
      tiles.push_back(RootOf(hashes, static_cast<size_t>(size - next_)));
      if (RootOfTiles(tiles) != earlier.tree.root) NoteFork(size);
    }
  }
  void NoteFork(uint64_t size) { fork_ = std::min(fork_.value_or(size), size); }

  std::optional<AuditVerdict> CheckTree() {
    const bool signed_hashes = RootOfTiles(by_hashes_) == head_.tree.root;
    if (!broken_.has_value() && next_ < head_.tree.size) {
      NoteBroken("the file ends before entry " + Number(next_) + " of " +
                 Number(head_.tree.size));
    }
    if (broken_.has_value()) {
      const auto first = FirstUnsigned();
      return first.has_value() && *first < next_ ? Unsigned(*first) : *broken_;
    }
    if (signed_hashes && next_ == head_.tree.size) {
      if (!first_mismatch_.has_value()) return std::nullopt;
      return Bad(first_mismatch_, "entry " + Number(*first_mismatch_) +
                                      " is not what was signed");
    }
    if (RootOfTiles(by_entries_) == head_.tree.root) {
      return Bad(first_mismatch_,
                 "the hash beside entry " +
                     Number(first_mismatch_.value_or(0)) +
                     " is damaged; the entries are as they were signed");
    }
    if (const auto first = FirstUnsigned()) return Unsigned(*first);
    return Bad(first_mismatch_,
               "what is in the file is not what was signed, and nothing in it "
               "leads to where that begins");
  }

  AuditVerdict Unsigned(uint64_t first) const {
    if (first == first_mismatch_) {
      return Bad(first, "entry " + Number(first) + " is not what was signed");
    }
    return Bad(first, "entry " + Number(first) +
                          ", or one of the 255 behind it, is not what was "
                          "signed");
  }

  // The first position that the roots in the file, if they are what was signed,
  // say is wrong: exactly, or the beginning of its tile.
  std::optional<uint64_t> FirstUnsigned() const {
    if (RootOfTiles(roots_) != head_.tree.root) return std::nullopt;
    for (size_t i = 0; i < by_hashes_.size() && i < roots_.size(); ++i) {
      const uint64_t begin = i * kAuditTile;
      const bool in_tile = first_mismatch_.has_value() &&
                           *first_mismatch_ >= begin &&
                           *first_mismatch_ < begin + kAuditTile;
      if (by_hashes_[i] != roots_[i]) return begin;
      if (in_tile) return first_mismatch_;
    }
    return std::min<uint64_t>(next_, head_.tree.size);
  }

  std::optional<AuditVerdict> CheckEarlier() {
    for (const crypto::Checkpoint& earlier : earlier_) {
      if (earlier.tree.size > head_.tree.size) {
        return Bad(head_.tree.size,
                   "the log is cut: it had " + Number(earlier.tree.size) +
                       " entries, and has " + Number(head_.tree.size));
      }
      if (earlier.tree.size == 0 && earlier.tree.root != MerklePeaks().Root()) {
        NoteFork(0);
      }
    }
    if (!fork_.has_value()) return std::nullopt;
    return Bad({}, "the log was forked: the first " + Number(*fork_) +
                       " entries are not those of the earlier head");
  }

  std::istream& in_;
  const std::string_view key_;
  const std::vector<crypto::Checkpoint>& earlier_;
  crypto::Checkpoint head_;
  uint64_t next_ = 0;
  uint64_t shown_ = 0;
  uint64_t pruned_ = 0;       // entries that are gone from the beginning on
  uint64_t said_pruned_ = 0;  // that an entry says were pruned
  std::optional<AuditVerdict> broken_;  // where its form is not right
  std::optional<uint64_t> first_mismatch_;
  std::optional<uint64_t> fork_;  // size of the smallest head that is not ours
  // Of each tile: its root by the hashes in it, by its entries, and as the file
  // says at its end.
  std::vector<Digest> by_hashes_;
  std::vector<Digest> by_entries_;
  std::vector<Digest> roots_;
};

}  // namespace

AuditFileWriter::AuditFileWriter(std::ostream& out, std::string_view checkpoint)
    : out_(out) {
  out_ << kAuditMagic << EncodePart(AuditPart::kCheckpoint, checkpoint);
}

void AuditFileWriter::Add(AuditFileEntry entry, const Digest& hash) {
  tile_.entries.push_back(std::move(entry));
  tile_.hashes.push_back(hash);
  if (tile_.entries.size() == kAuditTile) WriteTile();
}

void AuditFileWriter::WriteTile() {
  if (tile_.entries.empty()) return;
  out_ << EncodePart(AuditPart::kTile, EncodeTile(tile_));
  roots_.push_back(RootOf(tile_.hashes, tile_.hashes.size()));
  tile_ = {entries(), {}, {}};
}

void AuditFileWriter::Finish() {
  WriteTile();
  out_ << EncodePart(AuditPart::kRoots, EncodeRoots(roots_))
       << EncodePart(AuditPart::kEnd, "");
  out_.flush();
}

AuditVerdict VerifyAuditFile(std::istream& in, std::string_view verifier_key,
                             const std::vector<crypto::Checkpoint>& earlier) {
  return Verifier(in, verifier_key, earlier).Run();
}

}  // namespace hizo::cli
