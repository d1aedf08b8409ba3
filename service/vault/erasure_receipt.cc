#include "service/vault/erasure_receipt.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace hizo::vault {
namespace {

std::string TimeText(base::Timestamp time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ",
                          absl::FromUnixMicros(base::ToMicros(time)),
                          absl::UTCTimeZone());
}

// What the medium of the slots can promise; stored.
std::string LevelText(crypto::RootSlot::ErasureLevel level) {
  switch (level) {
    case crypto::RootSlot::ErasureLevel::kOverwrittenInPlace:
      return "1 overwritten in place; the medium may keep remnants";
  }
  return "0";
}

// A line for each class.
std::string KeptText(const std::vector<ErasureReceipt::Kept>& all) {
  if (all.empty()) return "kept: none\n";
  std::string lines;
  for (const ErasureReceipt::Kept& kept : all) {
    absl::StrAppend(&lines, "kept: ", kept.name);
    if (kept.until.has_value()) {
      absl::StrAppend(&lines, " until ", policy::ToText(*kept.until));
    }
    if (kept.held) absl::StrAppend(&lines, " as long as it is held");
    absl::StrAppend(&lines, " for ", absl::StrJoin(kept.purposes, ", "));
    if (!kept.law.empty()) absl::StrAppend(&lines, "; ", kept.law);
    lines += '\n';
  }
  return lines;
}

// Nothing where nothing stays, as in receipts of earlier versions.
std::string SuppressedText(size_t suppressed) {
  if (suppressed == 0) return "";
  return absl::StrCat("suppressed: ", suppressed,
                      " as keyed hashes, so that nobody advertises there\n");
}

}  // namespace

std::string TextOf(const ErasureReceipt& receipt) {
  return absl::StrCat(
      "hizo erasure receipt v1\n",                                  //
      "log: ", receipt.origin, "\n",                                //
      "tenant: ", static_cast<uint32_t>(receipt.tenant), "\n",      //
      "subject: ", base::ToText(receipt.subject), "\n",             //
      "part: ", receipt.part, "\n",                                 //
      "accepted_at: ", TimeText(receipt.accepted), "\n",            //
      "sealed_at: ", TimeText(receipt.sealed), "\n",                //
      "sound_at: ", TimeText(receipt.sealed), "\n",                 //
      "key_epoch: ", receipt.epoch, "\n",                           //
      "root_slots: ", receipt.slots, "\n",                          //
      "erasure_level: ", LevelText(receipt.level), "\n",            //
      "destroyed: ", absl::StrJoin(receipt.destroyed, ", "), "\n",  //
      KeptText(receipt.kept),                                       //
      SuppressedText(receipt.suppressed),                           //
      "audit_entries: ", receipt.audit_entries, "\n",               //
      "audit_root: ", absl::Base64Escape(receipt.audit_root), "\n");
}

}  // namespace hizo::vault
