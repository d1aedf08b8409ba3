#include <algorithm>
#include <limits>

#include "service/audit/event.h"
#include "service/base/status_macros.h"

namespace hizo::audit {
namespace {

// Stored; never renumber (FORMAT.md).
constexpr char kVersion = 1;
enum class Tag : uint8_t {
  kTime = 1,
  kTenant = 2,
  kActor = 3,
  kAction = 4,
  kOutcome = 5,
  kReason = 6,
  kPurpose = 7,
  kCatalogueVersion = 8,
  kSubject = 9,
  kFields = 10,
  kView = 11,
  kRecords = 12,
  kRequest = 13,
  kWrites = 14,
  kMerged = 15,
  kPolicyVersion = 16,
  kPolicyDigest = 17,
  kClause = 18,
  kRecipient = 19,
};

constexpr size_t kTagCount = 19;
constexpr size_t kPartHeaderSize = 3;
constexpr size_t kNumberSizeMax = 8;
constexpr size_t kFieldSize = 2;
constexpr size_t kRowWriteSize = 2 + 16 + 8 + 32;
constexpr size_t kDigestSize = 32;
constexpr size_t kRecipientSize =
    kDigestSize + base::AuthorisationId::kSize + kDigestSize;
static_assert(1 + kTagCount * (kPartHeaderSize + 16) + kActorSizeMax +
                  kRecipientSize + kRecipientNameMax + kClauseSizeMax +
                  kFieldsPerEventMax * kFieldSize +
                  kWritesPerEventMax * kRowWriteSize <=
              kEntrySizeMax);

absl::Status Damaged() {
  return absl::DataLossError("an audit entry is not what was written");
}

void AppendBigEndian(std::string& out, uint64_t value, size_t size) {
  for (size_t i = size; i-- > 0;) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
}

uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

void AppendPart(std::string& out, Tag tag, std::string_view bytes) {
  out.push_back(static_cast<char>(tag));
  AppendBigEndian(out, bytes.size(), 2);
  out.append(bytes);
}

// Numbers are as short as they can be; 0 is left out.
void AppendNumber(std::string& out, Tag tag, uint64_t value) {
  if (value == 0) return;
  size_t size = kNumberSizeMax;
  while (value >> (8 * (size - 1)) == 0) --size;
  out.push_back(static_cast<char>(tag));
  AppendBigEndian(out, size, 2);
  AppendBigEndian(out, value, size);
}

template <typename IdType>
void AppendId(std::string& out, Tag tag, const std::optional<IdType>& id) {
  if (id.has_value()) AppendPart(out, tag, id->bytes());
}

void AppendFields(std::string& out,
                  const std::vector<policy::FieldNumber>& fields) {
  if (fields.empty()) return;
  out.push_back(static_cast<char>(Tag::kFields));
  AppendBigEndian(out, fields.size() * kFieldSize, 2);
  for (const policy::FieldNumber field : fields) {
    AppendBigEndian(out, field, kFieldSize);
  }
}

void AppendWrites(std::string& out, const std::vector<RowWrite>& writes) {
  if (writes.empty()) return;
  out.push_back(static_cast<char>(Tag::kWrites));
  AppendBigEndian(out, writes.size() * kRowWriteSize, 2);
  for (const RowWrite& write : writes) {
    AppendBigEndian(out, write.class_number, 2);
    out.append(write.record.bytes());
    AppendBigEndian(out, write.version, 8);
    out.append(write.commitment.begin(), write.commitment.end());
  }
}

void AppendRecipient(std::string& out,
                     const std::optional<Recipient>& recipient) {
  if (!recipient.has_value()) return;
  std::string bytes(recipient->key.begin(), recipient->key.end());
  bytes.append(recipient->authorisation.bytes());
  bytes.append(recipient->file.begin(), recipient->file.end());
  AppendPart(out, Tag::kRecipient, bytes + recipient->name);
}

absl::Status CheckBounds(const Event& event) {
  if (event.recipient.has_value() &&
      (event.recipient->name.empty() ||
       event.recipient->name.size() > kRecipientNameMax)) {
    return absl::InvalidArgumentError("a recipient's name is 1 to 64 bytes");
  }
  if (event.actor.size() > kActorSizeMax) {
    return absl::InvalidArgumentError("the actor of an event is too long");
  }
  if (event.clause.size() > kClauseSizeMax) {
    return absl::InvalidArgumentError("the clause of an event is too long");
  }
  if (event.fields.size() > kFieldsPerEventMax) {
    return absl::InvalidArgumentError("an event has too many fields");
  }
  if (event.writes.size() > kWritesPerEventMax) {
    return absl::InvalidArgumentError("an event has too many writes");
  }
  const bool ascending =
      std::ranges::adjacent_find(event.fields, std::ranges::greater_equal()) ==
      event.fields.end();
  if (!ascending || (!event.fields.empty() && event.fields.front() == 0)) {
    return absl::InvalidArgumentError("the fields of an event do not ascend");
  }
  return absl::OkStatus();
}

template <typename Number>
absl::Status TakeNumber(std::string_view bytes, Number& out) {
  if (bytes.size() > kNumberSizeMax) return Damaged();
  const uint64_t value = FromBigEndian(bytes);
  if (value > std::numeric_limits<Number>::max()) return Damaged();
  out = static_cast<Number>(value);
  return absl::OkStatus();
}

// `known` says which enumerator a number stands for, if any.
template <typename Enum, typename Known>
absl::Status TakeEnum(std::string_view bytes, Known known, Enum& out) {
  uint32_t number = 0;
  RETURN_IF_ERROR(TakeNumber(bytes, number));
  const std::optional<Enum> value = known(number);
  if (!value.has_value()) return Damaged();
  out = *value;
  return absl::OkStatus();
}

template <typename IdType>
absl::Status TakeId(std::string_view bytes, std::optional<IdType>& out) {
  out = IdType::FromBytes(bytes);
  return out.has_value() ? absl::OkStatus() : Damaged();
}

absl::Status TakeTime(std::string_view bytes, base::Timestamp& out) {
  uint64_t micros = 0;
  RETURN_IF_ERROR(TakeNumber(bytes, micros));
  out = base::FromMicros(static_cast<int64_t>(micros));
  return absl::OkStatus();
}

absl::Status TakeFields(std::string_view bytes,
                        std::vector<policy::FieldNumber>& out) {
  if (bytes.size() % kFieldSize != 0) return Damaged();
  out.reserve(bytes.size() / kFieldSize);
  for (; !bytes.empty(); bytes.remove_prefix(kFieldSize)) {
    out.push_back(static_cast<policy::FieldNumber>(
        FromBigEndian(bytes.substr(0, kFieldSize))));
  }
  return absl::OkStatus();
}

absl::Status TakeWrites(std::string_view bytes, std::vector<RowWrite>& out) {
  if (bytes.size() % kRowWriteSize != 0) return Damaged();
  for (; !bytes.empty(); bytes.remove_prefix(kRowWriteSize)) {
    RowWrite& write = out.emplace_back();
    write.class_number =
        static_cast<uint16_t>(FromBigEndian(bytes.substr(0, 2)));
    write.record = *base::RecordId::FromBytes(bytes.substr(2, 16));
    write.version = FromBigEndian(bytes.substr(18, 8));
    std::ranges::copy(bytes.substr(26, 32), write.commitment.begin());
  }
  return absl::OkStatus();
}

absl::Status TakeRecipient(std::string_view bytes,
                           std::optional<Recipient>& out) {
  if (bytes.size() <= kRecipientSize) return Damaged();
  Recipient& recipient = out.emplace();
  std::ranges::copy(bytes.substr(0, kDigestSize), recipient.key.begin());
  bytes.remove_prefix(kDigestSize);
  recipient.authorisation = *base::AuthorisationId::FromBytes(
      bytes.substr(0, base::AuthorisationId::kSize));
  bytes.remove_prefix(base::AuthorisationId::kSize);
  std::ranges::copy(bytes.substr(0, kDigestSize), recipient.file.begin());
  recipient.name = bytes.substr(kDigestSize);
  return absl::OkStatus();
}

std::optional<Outcome> OutcomeFromNumber(uint32_t number) {
  if (number < 1 || number > 3) return std::nullopt;
  return static_cast<Outcome>(number);
}

std::optional<policy::View> ViewFromNumber(uint32_t number) {
  if (number > 2) return std::nullopt;
  return static_cast<policy::View>(number);
}

absl::Status TakePart(Tag tag, std::string_view bytes, Event& event) {
  switch (tag) {
    case Tag::kTime:
      return TakeTime(bytes, event.time);
    case Tag::kTenant: {
      uint32_t tenant = 0;
      RETURN_IF_ERROR(TakeNumber(bytes, tenant));
      event.tenant = base::TenantId{tenant};
      return absl::OkStatus();
    }
    case Tag::kActor:
      event.actor = std::string(bytes);
      return absl::OkStatus();
    case Tag::kAction:
      return TakeEnum(bytes, policy::ActionFromNumber, event.action);
    case Tag::kOutcome:
      return TakeEnum(bytes, OutcomeFromNumber, event.outcome);
    case Tag::kReason:
      return TakeEnum(bytes, base::ReasonFromNumber, event.reason);
    case Tag::kPurpose:
      return TakeNumber(bytes, event.purpose);
    case Tag::kCatalogueVersion:
      return TakeNumber(bytes, event.catalogue_version);
    case Tag::kSubject:
      return TakeId(bytes, event.subject);
    case Tag::kFields:
      return TakeFields(bytes, event.fields);
    case Tag::kView:
      return TakeEnum(bytes, ViewFromNumber, event.view);
    case Tag::kRecords:
      return TakeNumber(bytes, event.records);
    case Tag::kRequest:
      return TakeId(bytes, event.request);
    case Tag::kWrites:
      return TakeWrites(bytes, event.writes);
    case Tag::kMerged:
      return TakeNumber(bytes, event.merged);
    case Tag::kPolicyVersion:
      return TakeNumber(bytes, event.policy_version);
    case Tag::kPolicyDigest:
      return TakeNumber(bytes, event.policy_digest);
    case Tag::kClause:
      event.clause = std::string(bytes);
      return absl::OkStatus();
    case Tag::kRecipient:
      return TakeRecipient(bytes, event.recipient);
  }
  return Damaged();
}

absl::StatusOr<Event> DecodeParts(std::string_view parts) {
  Event event;
  event.reason = base::Reason::kNone;  // which is left out
  while (!parts.empty()) {
    if (parts.size() < kPartHeaderSize) return Damaged();
    const auto tag = static_cast<Tag>(parts[0]);
    const uint64_t size = FromBigEndian(parts.substr(1, 2));
    parts.remove_prefix(kPartHeaderSize);
    if (parts.size() < size) return Damaged();
    RETURN_IF_ERROR(TakePart(tag, parts.substr(0, size), event));
    parts.remove_prefix(size);
  }
  return event;
}

}  // namespace

absl::StatusOr<std::string> Encode(const Event& event) {
  RETURN_IF_ERROR(CheckBounds(event));
  std::string out;
  out.reserve(160 + event.actor.size() + event.fields.size() * kFieldSize +
              event.writes.size() * kRowWriteSize);
  out.push_back(kVersion);
  AppendNumber(out, Tag::kTime,
               static_cast<uint64_t>(base::ToMicros(event.time)));
  AppendNumber(out, Tag::kTenant, static_cast<uint64_t>(event.tenant));
  if (!event.actor.empty()) AppendPart(out, Tag::kActor, event.actor);
  AppendNumber(out, Tag::kAction, static_cast<uint64_t>(event.action));
  AppendNumber(out, Tag::kOutcome, static_cast<uint64_t>(event.outcome));
  AppendNumber(out, Tag::kReason, static_cast<uint64_t>(event.reason));
  AppendNumber(out, Tag::kPurpose, event.purpose);
  AppendNumber(out, Tag::kCatalogueVersion, event.catalogue_version);
  AppendId(out, Tag::kSubject, event.subject);
  AppendFields(out, event.fields);
  AppendNumber(out, Tag::kView, static_cast<uint64_t>(event.view));
  AppendNumber(out, Tag::kRecords, event.records);
  AppendId(out, Tag::kRequest, event.request);
  AppendWrites(out, event.writes);
  AppendNumber(out, Tag::kMerged, event.merged);
  AppendNumber(out, Tag::kPolicyVersion, event.policy_version);
  AppendNumber(out, Tag::kPolicyDigest, event.policy_digest);
  if (!event.clause.empty()) AppendPart(out, Tag::kClause, event.clause);
  AppendRecipient(out, event.recipient);
  return out;
}

absl::StatusOr<Event> Decode(std::string_view entry) {
  if (entry.empty() || entry[0] != kVersion) return Damaged();
  ASSIGN_OR_RETURN(Event event, DecodeParts(entry.substr(1)));
  // There is one way to write an event: parts out of order, doubled, empty or
  // padded are not it.
  const absl::StatusOr<std::string> again = Encode(event);
  if (!again.ok() || *again != entry) return Damaged();
  return event;
}

}  // namespace hizo::audit
