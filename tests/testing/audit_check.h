// CheckLog reads the audit log of a data store from entry 0 on and checks it
// as an outsider would who knows only FORMAT.md: entries without a gap, the
// RFC 6962 root over them, the head, and the signature of the checkpoint. It
// shares no code with what wrote the log but the decoding of entries.
//
// Threads: may be called concurrently.
#ifndef HIZO_TESTS_TESTING_AUDIT_CHECK_H_
#define HIZO_TESTS_TESTING_AUDIT_CHECK_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/event.h"
#include "storage/engine.h"

namespace hizo::test {

// Every event of the log, oldest first; kDataLoss, with a text that says what
// is wrong. `verifier_key` is in the form of signed notes.
absl::StatusOr<std::vector<audit::Event>> CheckLog(
    const storage::Reader& data, std::string_view verifier_key);

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_AUDIT_CHECK_H_
