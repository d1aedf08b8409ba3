#include "service/audit/export.h"

#include <utility>

#include "service/audit/event.h"
#include "service/audit/tree.h"
#include "service/base/status_macros.h"

namespace hizo::audit {
namespace {

using Form = ExportedEntry::Form;

ExportedEntry Shown(std::string bytes, const crypto::Digest& leaf,
                    base::TenantId tenant) {
  const absl::StatusOr<Event> event = Decode(bytes);
  const bool of_tenant = event.ok() && event->tenant == tenant;
  // What the store pruned concerns everybody, and names nobody.
  const bool of_all = event.ok() && event->tenant == base::TenantId::kStore &&
                      event->action == policy::Action::kAuditPrune;
  if (of_tenant || of_all) {
    return {Form::kEntry, std::move(bytes)};
  }
  return {Form::kLeaf, std::string(crypto::AsBytes(leaf))};
}

}  // namespace

absl::StatusOr<ExportedTile> ExportTile(const storage::Reader& reader,
                                        uint64_t log_size, const Span& span,
                                        base::TenantId tenant) {
  ExportedTile tile;
  if (span.begin >= span.end) return tile;
  const uint64_t count = span.end - span.begin;
  ASSIGN_OR_RETURN(std::vector<storage::Row> rows,
                   reader.Scan({.from = EntryKey(span.begin),
                                .until = EntryKey(span.end),
                                .limit = count}));
  tile.entries.resize(count);
  tile.hashes.resize(count);
  auto row = rows.begin();
  for (uint64_t i = 0; i < count; ++i) {
    // Rows between two numbers are nobody's.
    const std::string key = EntryKey(span.begin + i);
    while (row != rows.end() && row->key < key) ++row;
    if (row == rows.end() || row->key != key) continue;
    tile.hashes[i] = crypto::LeafHash(row->value);
    tile.entries[i] = Shown(std::move(row->value), tile.hashes[i], tenant);
  }
  if (log_size / kTileWidth > span.begin / kTileWidth) {
    const absl::StatusOr<std::vector<crypto::Digest>> stored =
        TreeReader(reader).TileAt(0, span.begin / kTileWidth);
    const auto first = static_cast<size_t>(span.begin % kTileWidth);
    for (uint64_t i = 0; stored.ok() && i < count; ++i) {
      tile.hashes[i] = (*stored)[first + i];
    }
  }
  return tile;
}

}  // namespace hizo::audit
