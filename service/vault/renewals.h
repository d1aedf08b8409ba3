// Renewals: gives classes of people, and shards of the index, new keys after a
// value in them was replaced or deleted, so that older copies of it die too.
//
// Whoever replaces or deletes leaves a mark with it (WornKey, WornShardKey).
// A mark of a class goes through stages, each step an Attempt of its own:
//
//   kWorn    a new generation of the class's DEK is added: writes use it
//   kMoving  the records go over to it, some at a time, as the versions that
//            they are; then the older generations leave the row of DEKs
//   kMoved   a seal (sealer.h) makes older copies of that row useless; then
//            the mark is taken away
//
// Whoever replaces another value meanwhile sets it back to kWorn, and it is
// gone through again. A crash leaves a mark that tells what is left to do. A
// person who is being erased is left to their erasure.
//
// Threads: one at a time. Lifetime: everything given outlives it.
#ifndef HIZO_SERVICE_VAULT_RENEWALS_H_
#define HIZO_SERVICE_VAULT_RENEWALS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/base/ids.h"
#include "service/vault/attempt.h"
#include "service/vault/committer.h"
#include "service/vault/row_keys.h"
#include "service/vault/sealer.h"
#include "service/vault/services.h"
#include "storage/engine.h"

namespace hizo::vault {

class Renewals {
 public:
  Renewals(const Services& services, Committer& committer)
      : services_(services), committer_(committer) {}

  // What a seal is to renew, and the marks that it ends.
  struct Ready {
    Sealer::Targets targets;
    std::vector<std::string> marks;
  };
  // One pass over all marks, which takes those of up to kMarksPerSealMax at a
  // time.
  class Pass {
   private:
    friend class Renewals;
    std::string classes_from = WornPrefix();
    std::string shards_from = WornShardPrefix();
  };
  // Brings the next marks of the pass to where a seal ends them. Without marks
  // if there are no more.
  absl::StatusOr<Ready> Prepare(Pass& pass) const;
  // After the seal: takes away the marks that nobody has set back.
  absl::Status Finish(const Ready& ready) const;
  // How many marks there are, each kind counted up to 10,000.
  absl::StatusOr<size_t> Waiting() const;

 private:
  struct Step;
  absl::Status PrepareClasses(Pass& pass, Ready& ready) const;
  absl::Status PrepareShards(Pass& pass, Ready& ready) const;
  // Whether the mark's class is now as a seal needs it.
  absl::StatusOr<bool> Advance(const std::string& mark,
                               const WornRow& worn) const;
  // The next step of a renewal; what it leads to.
  absl::StatusOr<Step> NextStep(const std::string& mark, const WornRow& worn,
                                const std::string& after) const;
  absl::Status Move(Attempt& attempt, const SubjectKeys& keys,
                    const std::vector<storage::Row>& rows) const;
  absl::StatusOr<std::optional<base::AuditReference>> ReferenceOf(
      const SubjectKeys& keys) const;
  std::unique_ptr<Attempt> NewAttempt(base::TenantId tenant) const;

  const Services& services_;
  Committer& committer_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_RENEWALS_H_
