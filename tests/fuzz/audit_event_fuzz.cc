// Hostile bytes as an entry of the audit log.
#include <cstdint>
#include <string>
#include <string_view>

#include "service/audit/event.h"
#include "tests/fuzz/require.h"

namespace hizo::audit {
namespace {

using fuzz::Require;

void ReadAsEntry(std::string_view bytes) {
  const absl::StatusOr<Event> event = Decode(bytes);
  if (!event.ok()) {
    Require(absl::IsDataLoss(event.status()), "one status refuses");
    return;
  }
  Require(event->actor.size() <= kActorSizeMax &&
              event->clause.size() <= kClauseSizeMax &&
              event->fields.size() <= kFieldsPerEventMax &&
              event->writes.size() <= kWritesPerEventMax,
          "what is read is within its bounds");
  const absl::StatusOr<std::string> again = Encode(*event);
  Require(again.ok() && *again == bytes, "an event has one encoding");
}

}  // namespace
}  // namespace hizo::audit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::audit::ReadAsEntry({reinterpret_cast<const char*>(data), size});
  return 0;
}
