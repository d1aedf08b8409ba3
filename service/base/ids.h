// Ids: what people, records, requests and tenants are called inside Hizo.
//
// Each kind is a type of its own, so that a record's id cannot stand where a
// subject's is wanted. Ids are random and tell nothing of anybody; they may be
// logged. Threads: value types.
#ifndef HIZO_SERVICE_BASE_IDS_H_
#define HIZO_SERVICE_BASE_IDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hizo::base {

// Id is 16 bytes, written as a UUID (RFC 9562).
template <typename Tag>
class Id {
 public:
  static constexpr size_t kSize = 16;

  Id() = default;  // the nil id, which names nothing
  // nullopt unless `bytes` is kSize long.
  static std::optional<Id> FromBytes(std::string_view bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    Id id;
    bytes.copy(id.bytes_.data(), kSize);
    return id;
  }
  std::string_view bytes() const { return {bytes_.data(), kSize}; }
  bool is_nil() const { return *this == Id(); }

  auto operator<=>(const Id&) const = default;

 private:
  std::array<char, kSize> bytes_{};
};

using SubjectId = Id<struct SubjectTag>;
using RecordId = Id<struct RecordTag>;
using RequestId = Id<struct RequestTag>;
// A legal claim, by what the company calls it.
using ClaimId = Id<struct ClaimTag>;
// What proves a consent, or a notice that was sent, by what the company calls
// it.
using EvidenceId = Id<struct EvidenceTag>;
// What the company calls a person's word that something may be done.
using AuthorisationId = Id<struct AuthorisationTag>;
using StoreId = Id<struct StoreTag>;
// The pseudonym under which the audit log knows a person.
using AuditReference = Id<struct AuditReferenceTag>;

// 8-4-4-4-12 lower-case hex digits.
std::string UuidText(std::string_view bytes16);
// Accepts either case; nullopt for anything but that form.
std::optional<std::string> UuidBytes(std::string_view text);

template <typename Tag>
std::string ToText(const Id<Tag>& id) {
  return UuidText(id.bytes());
}
template <typename IdType>
std::optional<IdType> ParseId(std::string_view text) {
  const std::optional<std::string> bytes = UuidBytes(text);
  if (!bytes.has_value()) return std::nullopt;
  return IdType::FromBytes(*bytes);
}

// TenantId is the number of a company in the configuration; 0 is the store
// itself.
enum class TenantId : uint32_t { kStore = 0 };

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_IDS_H_
