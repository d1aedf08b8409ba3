// Expiry: ends what no law and no hold has kept any more of people who were
// erased. It puts
// the keys of what is over behind a fence, as an erasure does; the
// ErasureRunner goes on from there.
//
// Who has something kept has a row under the day after its end, so that a look
// costs what is due and not what is kept.
//
// Threads: Run may be called concurrently. Lifetime: everything given outlives
// it.
#ifndef HIZO_SERVICE_VAULT_EXPIRY_H_
#define HIZO_SERVICE_VAULT_EXPIRY_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "service/base/clock.h"
#include "service/vault/committer.h"
#include "service/vault/row_keys.h"
#include "service/vault/services.h"

namespace hizo::vault {

class Expiry {
 public:
  Expiry(const Services& services, Committer& committer)
      : services_(services), committer_(committer) {}

  // Of how many people something ended, by the day of `now`. Of a person who
  // stands behind a fence, and of one whom a call changes just then, the next
  // run does it.
  absl::StatusOr<size_t> Run(base::Timestamp now) const;

 private:
  absl::StatusOr<bool> End(const TermRow& due, base::Timestamp now) const;
  // Takes away the row of a person who is there after all: their erasure was
  // taken back.
  absl::StatusOr<bool> Forget(const TermRow& due,
                              std::unique_ptr<Attempt> attempt) const;
  const Services& services_;
  Committer& committer_;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_EXPIRY_H_
