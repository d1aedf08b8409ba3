#include "service/vault/deks_row.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "crypto/aead.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

// Stored; never renumber. Wraps of the first suite, or of the suite that is
// named.
constexpr uint8_t kRowFormat = 1;
constexpr uint8_t kRowFormatWithSuite = 2;

void PutHead(ByteWriter& out, crypto::Suite suite) {
  if (suite == crypto::kFirstSuite) {
    out.Put(kRowFormat);
  } else {
    out.Put(kRowFormatWithSuite).Put(crypto::NumberOf(suite));
  }
}

std::optional<crypto::Suite> GetHead(ByteReader& in) {
  const auto format = in.Get<uint8_t>();
  if (format == kRowFormat) return crypto::kFirstSuite;
  const auto suite = crypto::SuiteFromNumber(in.Get<uint8_t>());
  const bool named =
      format == kRowFormatWithSuite && suite != crypto::kFirstSuite;
  return named ? suite : std::nullopt;
}

}  // namespace

std::string WrappedDek::Detail() const {
  ByteWriter out;
  out.Put(class_number).Put(generation).Put(flags);
  return std::move(out).Take();
}

std::string EncodeDeksRow(const DeksRow& row) {
  ByteWriter out;
  PutHead(out, row.suite);
  out.Put(static_cast<uint8_t>(row.wrapped.size()));
  for (const WrappedDek& wrapped : row.wrapped) {
    out.Put(wrapped.class_number)
        .Put(wrapped.generation)
        .Put(wrapped.flags)
        .PutRaw(wrapped.sealed);
  }
  return std::move(out).Take();
}

absl::StatusOr<DeksRow> DecodeDeksRow(std::string_view bytes) {
  ByteReader in(bytes);
  const auto suite = GetHead(in);
  if (!suite.has_value()) return Fail(Reason::kIntegrityFailure);
  DeksRow row{*suite, {}};
  const auto count = in.Get<uint8_t>();
  for (int i = 0; i < count; ++i) {
    WrappedDek wrapped;
    wrapped.class_number = in.Get<uint16_t>();
    wrapped.generation = in.Get<uint32_t>();
    wrapped.flags = in.Get<uint8_t>();
    wrapped.sealed = in.GetRaw(crypto::kSealedKeySize);
    row.wrapped.push_back(std::move(wrapped));
  }
  if (!in.done()) return Fail(Reason::kIntegrityFailure);
  return row;
}

DeksRow TakeDeks(DeksRow& row, const policy::ClassSet& classes) {
  const auto first = std::stable_partition(
      row.wrapped.begin(), row.wrapped.end(), [&](const WrappedDek& wrapped) {
        return wrapped.class_number >= classes.size() ||
               !classes.test(wrapped.class_number);
      });
  DeksRow taken{row.suite,
                {std::make_move_iterator(first),
                 std::make_move_iterator(row.wrapped.end())}};
  row.wrapped.erase(first, row.wrapped.end());
  return taken;
}

absl::Status RewrapDeks(const crypto::KeyTree::NameWrapper& from,
                        const crypto::KeyTree::NameWrapper& to, DeksRow& row) {
  for (WrappedDek& wrapped : row.wrapped) {
    const std::string detail = wrapped.Detail();
    ASSIGN_OR_RETURN(const crypto::Key dek,
                     from.Unwrap(detail, wrapped.sealed));
    wrapped.sealed = to.Wrap(detail, dek);
  }
  return absl::OkStatus();
}

}  // namespace hizo::vault
