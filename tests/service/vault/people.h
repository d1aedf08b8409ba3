// People: short ways to make records and people for tests of the vault.
#ifndef HIZO_TESTS_SERVICE_VAULT_PEOPLE_H_
#define HIZO_TESTS_SERVICE_VAULT_PEOPLE_H_

#include <cstdint>
#include <latch>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "service/vault/records.h"
#include "service/vault/subjects.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::vault {

using policy::Action;
using test::kAcme;
using test::kFull;
using test::kGlobex;
using test::kService;
using test::VaultFixture;

Value TextOf(std::string_view text);
std::string RevealText(const Value& value);
base::RequestId RequestOf(uint8_t number);

// A record of text fields.
using TextFields = std::vector<std::pair<std::string, std::string>>;
NewRecord RecordOf(std::string record_class, const TextFields& fields);
// A transaction of `yen` at `time`.
NewRecord PaymentOf(int64_t yen, base::Timestamp time);

template <typename... R>
std::vector<NewRecord> RecordsOf(R... records) {
  std::vector<NewRecord> all;
  (all.push_back(std::move(records)), ...);
  return all;
}

// A call by kFull for kService.
Call FullCall(const VaultFixture& vault, Action action);
// As kFull, for kService; of `vault`'s own.
absl::StatusOr<CreatedSubject> Create(VaultFixture& vault,
                                      std::vector<NewRecord> records);
absl::StatusOr<CreatedSubject> Create(VaultFixture& vault, const Call& call,
                                      std::vector<NewRecord> records);
// A person with an e-mail address and the name "Ann Other"; throws if it
// cannot be.
base::SubjectId NewPerson(VaultFixture& vault, const std::string& email);
// The same in kGlobex.
base::SubjectId NewPersonOfGlobex(VaultFixture& vault,
                                  const std::string& email);

absl::StatusOr<WrittenRecord> Put(VaultFixture& vault, const Call& call,
                                  PutRecordInput input);
absl::StatusOr<WrittenRecord> Put(VaultFixture& vault, base::SubjectId subject,
                                  NewRecord record);
absl::StatusOr<WrittenRecord> PutMasked(VaultFixture& vault,
                                        base::SubjectId subject,
                                        NewRecord record,
                                        std::vector<std::string> mask);
// The record as kFull sees it, plainly.
absl::StatusOr<ShownRecord> Get(
    VaultFixture& vault, base::SubjectId subject,
    const std::string& record_class, const std::vector<std::string>& fields,
    std::optional<base::RecordId> id = std::nullopt);
// Name and text of each field shown, in order.
TextFields TextsOf(const ShownRecord& record);

absl::StatusOr<std::vector<base::SubjectId>> Find(VaultFixture& vault,
                                                  const Call& call,
                                                  const std::string& field,
                                                  const std::string& value);
absl::StatusOr<std::vector<base::SubjectId>> Find(VaultFixture& vault,
                                                  const std::string& field,
                                                  const std::string& value);

// An invoice of that day, yyyy-mm-dd, in a vault that keeps transactions.
NewRecord InvoiceOf(int64_t yen, const std::string& day);

// As kFull, for kService.
absl::StatusOr<Erasure> Erase(VaultFixture& vault, base::SubjectId subject,
                              std::chrono::days grace = std::chrono::days(0));
absl::Status CancelErasure(VaultFixture& vault, base::SubjectId subject);
absl::StatusOr<Erasure> GetErasure(VaultFixture& vault,
                                   base::SubjectId subject);
absl::StatusOr<ErasureCheck> VerifyErasure(VaultFixture& vault,
                                           base::SubjectId subject);

// A grant to kFull over everything of the person, and the Attempt that it was
// given in.
struct Admitted {
  std::unique_ptr<Attempt> attempt;
  AccessGrant grant;
};
Admitted AdmitFully(VaultFixture& vault, std::string_view actor,
                    base::SubjectId subject);

// Holds the committer's thread in its next commit of data until released.
class HeldDisk {
 public:
  explicit HeldDisk(test::FaultyEngine& engine) {
    engine.BeforeCommit([this] {
      reached_.count_down();
      release_.wait();
    });
  }
  void AwaitReached() { reached_.wait(); }
  void Release() { release_.count_down(); }

 private:
  std::latch reached_{1};
  std::latch release_{1};
};

}  // namespace hizo::vault

#endif  // HIZO_TESTS_SERVICE_VAULT_PEOPLE_H_
