// DeksRow: the stored form of a person's wrapped DEKs, taken apart and put
// together. It unwraps nothing.
//
// Threads: value types.
#ifndef HIZO_SERVICE_VAULT_DEKS_ROW_H_
#define HIZO_SERVICE_VAULT_DEKS_ROW_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/key_tree.h"
#include "crypto/suite.h"
#include "service/policy/catalogue.h"

namespace hizo::vault {

struct WrappedDek {
  policy::ClassNumber class_number = 0;
  uint32_t generation = 0;
  uint8_t flags = 0;
  std::string sealed;

  // What the wrap is bound to beside the person.
  std::string Detail() const;
  // By class, and then from the oldest on.
  std::pair<policy::ClassNumber, uint32_t> Order() const {
    return {class_number, generation};
  }
};

struct DeksRow {
  crypto::Suite suite = crypto::kFirstSuite;  // of the wraps
  std::vector<WrappedDek> wrapped;            // in their order
};

std::string EncodeDeksRow(const DeksRow& row);
// kIntegrityFailure for what EncodeDeksRow does not make.
absl::StatusOr<DeksRow> DecodeDeksRow(std::string_view bytes);

// Takes the DEKs of `classes` out of `row`, into one of their own.
DeksRow TakeDeks(DeksRow& row, const policy::ClassSet& classes);

// Wraps every DEK of `row` anew; kDataLoss if one does not open.
absl::Status RewrapDeks(const crypto::KeyTree::NameWrapper& from,
                        const crypto::KeyTree::NameWrapper& to, DeksRow& row);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_DEKS_ROW_H_
