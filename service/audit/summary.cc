#include "service/audit/summary.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "service/base/keyspace.h"
#include "storage/key_bytes.h"

namespace hizo::audit {
namespace {

// Stored; never renumber (FORMAT.md).
constexpr char kVersion = 1;
enum class Name : uint8_t { kTenant = 1, kActor = 2, kClass = 3, kField = 4 };

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kBitsPerWord = 64;
constexpr uint64_t kLastBit = 63;
constexpr size_t kWords = 8;

uint64_t BitOf(uint64_t number) {
  return uint64_t{1} << std::min(number, kLastBit);
}

// The two bits of a name.
struct Place {
  uint64_t first = 0;
  uint64_t second = 0;
};
// Spread well enough for a few dozen names; who wants two to meet gains nothing
// but a look at a block. (SplitMix64's last step.)
Place PlaceOf(uint64_t number) {
  number = (number ^ number >> 30U) * 0xbf58476d1ce4e5b9U;
  number = (number ^ number >> 27U) * 0x94d049bb133111ebU;
  number ^= number >> 31U;
  constexpr uint64_t kBits = kWords * kBitsPerWord;
  return {number % kBits, (number >> 32U) % kBits};
}
Place PlaceOf(Name kind, uint32_t number) {
  return PlaceOf(static_cast<uint64_t>(kind) << 32U | number);
}
// FNV-1a.
Place PlaceOf(Name kind, std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325U ^ static_cast<uint64_t>(kind);
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3U;
  }
  return PlaceOf(hash);
}

using Names = std::array<uint64_t, kWords>;
void Set(Names& names, const Place& place) {
  names[place.first / kBitsPerWord] |= uint64_t{1}
                                       << place.first % kBitsPerWord;
  names[place.second / kBitsPerWord] |= uint64_t{1}
                                        << place.second % kBitsPerWord;
}
bool Has(const Names& names, const Place& place) {
  return (names[place.first / kBitsPerWord] >> place.first % kBitsPerWord &
          1) != 0 &&
         (names[place.second / kBitsPerWord] >> place.second % kBitsPerWord &
          1) != 0;
}

template <typename T>
bool Admits(uint64_t bits, const std::optional<T>& wanted) {
  return !wanted.has_value() ||
         (bits & BitOf(static_cast<uint64_t>(*wanted))) != 0;
}

bool HasClass(const Names& names, const FieldsOfClass& of) {
  return Has(names, PlaceOf(Name::kClass, of.number)) ||
         std::ranges::any_of(of.fields, [&names](policy::FieldNumber field) {
           return Has(names, PlaceOf(Name::kField, field));
         });
}

}  // namespace

BlockSummary BlockSummary::OfAnything() {
  BlockSummary summary;
  summary.actions_ = kAll;
  summary.outcomes_ = kAll;
  summary.reasons_ = kAll;
  summary.purposes_ = kAll;
  summary.names_.fill(kAll);
  return summary;
}

void BlockSummary::Add(const Event& event) {
  actions_ |= BitOf(static_cast<uint64_t>(event.action));
  outcomes_ |= BitOf(static_cast<uint64_t>(event.outcome));
  reasons_ |= BitOf(static_cast<uint64_t>(event.reason));
  purposes_ |= BitOf(event.purpose);
  Set(names_, PlaceOf(Name::kTenant, static_cast<uint32_t>(event.tenant)));
  Set(names_, PlaceOf(Name::kActor, event.actor));
  for (const RowWrite& write : event.writes) {
    Set(names_, PlaceOf(Name::kClass, write.class_number));
  }
  for (const policy::FieldNumber field : event.fields) {
    Set(names_, PlaceOf(Name::kField, field));
  }
}

bool BlockSummary::MayMatch(const Filter& filter) const {
  if (!Admits(actions_, filter.action) || !Admits(outcomes_, filter.outcome) ||
      !Admits(reasons_, filter.reason) || !Admits(purposes_, filter.purpose)) {
    return false;
  }
  // Another purpose than that one.
  if (filter.other_than_purpose.has_value() &&
      *filter.other_than_purpose < kLastBit &&
      (purposes_ & ~BitOf(*filter.other_than_purpose)) == 0) {
    return false;
  }
  if (filter.tenant.has_value() &&
      !Has(names_,
           PlaceOf(Name::kTenant, static_cast<uint32_t>(*filter.tenant)))) {
    return false;
  }
  if (filter.actors.has_value() &&
      std::ranges::none_of(*filter.actors, [this](const std::string& actor) {
        return Has(names_, PlaceOf(Name::kActor, actor));
      })) {
    return false;
  }
  if (filter.field.has_value() &&
      !Has(names_, PlaceOf(Name::kField, *filter.field))) {
    return false;
  }
  return !filter.of_class.has_value() || HasClass(names_, *filter.of_class);
}

std::string BlockSummary::Encode() const {
  storage::KeyWriter out(kVersion);
  out.U64(actions_).U64(outcomes_).U64(reasons_).U64(purposes_);
  for (const uint64_t word : names_) out.U64(word);
  return out.Take();
}

BlockSummary BlockSummary::Decode(std::string_view bytes) {
  constexpr size_t kSize = 1 + 8 * (4 + kWords);
  storage::KeyReader in(bytes);
  if (bytes.size() != kSize || in.Space() != kVersion) return OfAnything();
  BlockSummary summary;
  for (uint64_t* word : {&summary.actions_, &summary.outcomes_,
                         &summary.reasons_, &summary.purposes_}) {
    *word = *in.U64();
  }
  for (uint64_t& word : summary.names_) word = *in.U64();
  return summary;
}

std::string SummaryKey(uint64_t block) {
  return storage::KeyWriter(base::kSpaceAuditSummary).U64(block).Take();
}

}  // namespace hizo::audit
