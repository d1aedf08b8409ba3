#include "service/vault/credential_hashes.h"

#include <utility>
#include <variant>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

constexpr std::string_view kHashField = "credential.password_hash";
const RecordName kName{policy::kClassCredential, {}};

}  // namespace

absl::StatusOr<const policy::FieldSpec*> CredentialHashes::Field() const {
  const policy::FieldSpec* field = catalogue_.FindField(kHashField);
  if (field == nullptr) return Fail(Reason::kInternal);
  return field;
}

absl::StatusOr<std::optional<CredentialHashes::Present>> CredentialHashes::Read(
    Attempt& attempt, const AccessGrant& grant) const {
  ASSIGN_OR_RETURN(const policy::FieldSpec* field, Field());
  ASSIGN_OR_RETURN(auto record, records_.Read(attempt, grant, kName));
  if (!record.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto value, record->ReadInternal(*field));
  Present present{*std::move(record), std::nullopt};
  if (!value.has_value()) return present;
  const auto* text = std::get_if<Text>(&*value);
  if (text == nullptr) return Fail(Reason::kIntegrityFailure);
  ASSIGN_OR_RETURN(present.hash, crypto::ParseStoredHash(text->text.Reveal()));
  return present;
}

absl::Status CredentialHashes::Write(Attempt& attempt, AccessGrant& grant,
                                     const std::optional<Present>& present,
                                     std::string hash) const {
  ASSIGN_OR_RETURN(const policy::FieldSpec* field, Field());
  const policy::ClassNumber class_number = policy::kClassCredential;
  RETURN_IF_ERROR(user_keys_.Ensure(attempt, grant, {&class_number, 1}));
  RecordChange change;
  if (present.has_value()) {
    for (const policy::FieldNumber number : present->record.Fields()) {
      if (number != field->number) change.keep.push_back(number);
    }
  }
  change.put.push_back(
      {field->number,
       EncodeValue(Text{base::Pii(std::move(hash))}, Source::kProvided)});
  return records_
      .Write(attempt, grant, kName,
             present.has_value() ? &present->record : nullptr, change)
      .status();
}

void CredentialHashes::Remove(Attempt& attempt, const AccessGrant& grant,
                              const Present& present) const {
  records_.Remove(attempt, grant, kName, present.record);
}

}  // namespace hizo::vault
