#include "crypto/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "crypto/signed_note.h"

namespace hizo::crypto {
namespace {

absl::Status NotACheckpoint() {
  return absl::InvalidArgumentError("not a checkpoint");
}

// Takes a line off `text`, without its newline; all of it if there is none.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.tree.size) +
         "\n" + absl::Base64Escape(std::string(AsBytes(checkpoint.tree.root))) +
         "\n";
}

absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text) {
  std::string_view rest = text;
  Checkpoint checkpoint;
  checkpoint.origin = std::string(TakeLine(rest));
  const std::string_view size = TakeLine(rest);
  const auto end = size.data() + size.size();
  const auto number = std::from_chars(size.data(), end, checkpoint.tree.size);
  std::string root;
  if (number.ec != std::errc() || number.ptr != end ||
      !absl::Base64Unescape(std::string(TakeLine(rest)), &root) ||
      root.size() != checkpoint.tree.root.size()) {
    return NotACheckpoint();
  }
  std::ranges::copy(root, checkpoint.tree.root.begin());
  // One spelling only.
  if (checkpoint.origin.empty() || CheckpointText(checkpoint) != text) {
    return NotACheckpoint();
  }
  return checkpoint;
}

absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note,
                                          std::string_view verifier_key) {
  const absl::StatusOr<std::string> text = OpenNote(note, verifier_key);
  if (!text.ok()) return text.status();
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(*text);
  if (checkpoint.ok() &&
      checkpoint->origin != verifier_key.substr(0, verifier_key.find('+'))) {
    return absl::InvalidArgumentError("a checkpoint of another log");
  }
  return checkpoint;
}

}  // namespace hizo::crypto
