// Imports: takes bundles in, a piece of a member at a time.
//
// Each piece carries the bundle's manifest and its signature, so that it proves
// by itself that it is what a vault that is trusted here handed out; nothing is
// kept between pieces. A piece is taken whole or not at all. Whoever sends them
// has read the whole bundle first (service/bundle/reader.h): one that is not
// good is then not begun.
//
// Threads: const methods may be called concurrently. Lifetime: services outlive
// it.
#ifndef HIZO_SERVICE_VAULT_IMPORTS_H_
#define HIZO_SERVICE_VAULT_IMPORTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/bundle/person.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/record_writer.h"
#include "service/vault/services.h"
#include "service/vault/subjects.h"

namespace hizo::vault {

inline constexpr size_t kImportedRecordsMax = 100;  // of one piece

struct ImportPiece {
  // Whom the records of a series are for; nullopt for the profile, which makes
  // a new person.
  std::optional<base::SubjectId> subject;
  std::string manifest;
  std::string signature;
  std::string member;
  std::string content;
  // Which of a series' records; of the profile, all are taken.
  uint64_t first = 0;
  uint64_t count = 0;
};
struct ImportedPiece {
  base::SubjectId subject;
  uint64_t records = 0;
  bool repeated = false;  // an earlier call with this request id did it
};

class Imports {
 public:
  // `trusted` are public keys of vaults, as of minisign, whose bundles are
  // taken in.
  Imports(const Services& services, const Subjects& subjects,
          std::vector<std::string> trusted)
      : services_(services),
        subjects_(subjects),
        trusted_(std::move(trusted)) {}

  // kIntegrityFailure for a piece that no trusted vault handed out,
  // kValueInvalid for one of an unknown form or that names other records than
  // there are, and whatever creating a person or putting a record may say.
  absl::StatusOr<ImportedPiece> Take(Attempt& attempt, const Call& call,
                                     const ImportPiece& piece) const;

 private:
  absl::StatusOr<std::vector<NewRecord>> RecordsOf(
      const ImportPiece& piece) const;
  // Adds the piece's records of a series to its person.
  absl::StatusOr<ImportedPiece> Append(Attempt& attempt, const Call& call,
                                       const ImportPiece& piece,
                                       std::vector<NewRecord> records) const;
  const Services& services_;
  const Subjects& subjects_;
  const std::vector<std::string> trusted_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_IMPORTS_H_
