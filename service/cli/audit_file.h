// An exported audit log in a file (FORMAT.md), written, and verified by whoever
// has the log's key and nothing else.
//
// Nothing in the file is trusted but what the key has signed. Memory stays
// small however long the log is: some bytes for each 256 entries. Threads: not
// for concurrent use.
#ifndef HIZO_SERVICE_CLI_AUDIT_FILE_H_
#define HIZO_SERVICE_CLI_AUDIT_FILE_H_

#include <cstdint>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace hizo::cli {

inline constexpr size_t kAuditTile = 256;  // entries

// One entry as it stands in a file.
struct AuditFileEntry {
  enum class Form : char { kEntry = 'e', kLeaf = 'h', kGone = 'g' };
  Form form = Form::kGone;
  std::string bytes;
  bool operator==(const AuditFileEntry&) const = default;
};
// At most kAuditTile entries, and the leaf hash of each as the tree has it.
struct AuditFileTile {
  uint64_t first = 0;
  std::vector<AuditFileEntry> entries;
  std::vector<crypto::Digest> hashes;
};

// AuditFileWriter writes the entries of a log from the first one on.
class AuditFileWriter {
 public:
  // `out` outlives it.
  AuditFileWriter(std::ostream& out, std::string_view checkpoint);
  void Add(AuditFileEntry entry, const crypto::Digest& hash);
  // After the last one.
  void Finish();
  uint64_t entries() const { return tile_.first + tile_.entries.size(); }

 private:
  void WriteTile();
  std::ostream& out_;
  AuditFileTile tile_;
  std::vector<crypto::Digest> roots_;
};

// What came of a verification.
struct AuditVerdict {
  bool verified = false;
  uint64_t entries = 0;  // of the log
  uint64_t shown = 0;    // of which the file has more than a hash
  uint64_t pruned = 0;   // of which the first are gone, as the log says
  // The first position that is not as it was signed; nullopt if that cannot be
  // told, because nothing in the file leads to it.
  std::optional<uint64_t> first_bad;
  std::string text;  // what is wrong
};

// Entries that are gone from the beginning on are as they were signed if a
// later entry says that they were pruned: their hashes are there.
//
// Verifies the file in `in` against what `verifier_key` signed, and that its
// log continues each of `earlier`.
AuditVerdict VerifyAuditFile(std::istream& in, std::string_view verifier_key,
                             const std::vector<crypto::Checkpoint>& earlier);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_AUDIT_FILE_H_
