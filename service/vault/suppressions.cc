#include "service/vault/suppressions.h"

#include <optional>
#include <utility>
#include <variant>

#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/policy/company_policy.h"
#include "service/vault/byte_codec.h"
#include "service/vault/row_keys.h"
#include "service/vault/value.h"

namespace hizo::vault {
namespace {

using policy::FieldSpec;
using policy::FieldType;

constexpr uint8_t kFormat = 1;
constexpr size_t kTagSize = 16;
// An address is one, whichever field it stands in.
constexpr std::string_view kEmail = "email";
constexpr std::string_view kPhone = "phone";

// Whether the person's last word on some marketing of the company is no.
bool SaysNo(const Facts& facts, const policy::CompanyPolicy* company) {
  if (company == nullptr) return false;
  const policy::SubjectFacts subject = SubjectFor(facts, company);
  for (policy::PurposeNumber purpose = 1; purpose < policy::kPurposesMax;
       ++purpose) {
    if (!company->For(purpose).marketing) continue;
    if (subject.objected.test(purpose) || subject.withdrawn.test(purpose)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool Suppressions::IsAddress(const FieldSpec& field) {
  return field.type == FieldType::kEmail || field.type == FieldType::kPhone;
}

policy::ClassSet Suppressions::AddressClasses(
    const policy::Catalogue& catalogue) {
  policy::ClassSet classes;
  for (const policy::ClassSpec& spec : catalogue.classes()) {
    if (spec.internal || spec.series) continue;
    for (const FieldSpec* field : spec.fields) {
      if (IsAddress(*field)) classes.set(spec.number);
    }
  }
  return classes;
}

absl::StatusOr<std::string> Suppressions::KeyOf(
    const Call& call, const FieldSpec& field, std::string_view address) const {
  ASSIGN_OR_RETURN(
      const base::Pii normal,
      NormaliseForIndex(field, address, call.tenant.default_region));
  const crypto::Key key =
      crypto::DeriveKey(services_.store_keys.TenantKey(call.tenant.id),
                        "hizo/suppression/v1", {});
  const crypto::Digest tag = crypto::Prf(
      key, "hizo/suppression/tag/v1",
      {field.type == FieldType::kEmail ? kEmail : kPhone, normal.Reveal()});
  return SuppressionKey(call.tenant.id,
                        crypto::AsBytes(tag).substr(0, kTagSize));
}

absl::Status Suppressions::ForEach(Attempt& attempt, const Call& call,
                                   const AccessGrant& grant,
                                   const Take& take) const {
  for (const policy::ClassSpec& spec : services_.catalogue.classes()) {
    if (!AddressClasses(services_.catalogue).test(spec.number) ||
        !grant.Covers(spec.number)) {
      continue;
    }
    ASSIGN_OR_RETURN(const auto record,
                     services_.records.Read(attempt, grant,
                                            {spec.number, base::RecordId()}));
    if (!record.has_value()) continue;
    for (const FieldSpec* field : spec.fields) {
      if (!IsAddress(*field)) continue;
      ASSIGN_OR_RETURN(const auto value, record->ReadInternal(*field));
      if (!value.has_value()) continue;
      const auto* text = std::get_if<Text>(&*value);
      if (text == nullptr) return base::Fail(base::Reason::kIntegrityFailure);
      ASSIGN_OR_RETURN(std::string key,
                       KeyOf(call, *field, text->text.Reveal()));
      RETURN_IF_ERROR(take(std::move(key)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Suppressions::Remember(Attempt& attempt,
                                              const Call& call,
                                              const AccessGrant& grant) const {
  if (!SaysNo(grant.facts(), call.company)) return 0;
  ByteWriter row;
  row.Put(kFormat).Put(static_cast<uint64_t>(base::ToMicros(call.now)));
  const std::string value = std::move(row).Take();
  size_t remembered = 0;
  RETURN_IF_ERROR(ForEach(attempt, call, grant, [&](std::string key) {
    attempt.data().Put(std::move(key), value);
    ++remembered;
    return absl::OkStatus();
  }));
  return remembered;
}

absl::StatusOr<bool> Suppressions::Has(Attempt& attempt, const Call& call,
                                       const FieldSpec& field,
                                       std::string_view address) const {
  // Without a policy no purpose is marketing.
  if (call.company == nullptr) return false;
  ASSIGN_OR_RETURN(const std::string key, KeyOf(call, field, address));
  ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, key));
  return row.has_value();
}

absl::Status Suppressions::Forget(Attempt& attempt, const Call& call,
                                  const AccessGrant& grant) const {
  return ForEach(attempt, call, grant, [&](std::string key) -> absl::Status {
    ASSIGN_OR_RETURN(const auto row, attempt.Read(services_.data, key));
    if (row.has_value()) attempt.data().Delete(std::move(key));
    return absl::OkStatus();
  });
}

}  // namespace hizo::vault
