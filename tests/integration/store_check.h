// Checks of stores whose server has ended, against what their callers know.
// What does not fit fails the running test.
//
// Threads: one thread at a time.
#ifndef HIZO_TESTS_INTEGRATION_STORE_CHECK_H_
#define HIZO_TESTS_INTEGRATION_STORE_CHECK_H_

#include <cstddef>
#include <string>

#include "storage/engine.h"
#include "tests/integration/ledger.h"
#include "tests/testing/live_server.h"
#include "tests/testing/peer.h"

namespace hizo::test {

// Of the log's signature; `auditor` may ask for it.
std::string VerifierKeyFrom(const Peer& auditor);

// The log is sound from entry 0 on and tells of exactly the calls that the
// ledger knows, and each record is in the state that its last event says.
void CheckRecordsAndLog(const storage::Reader& data,
                        const std::string& verifier_key, const Ledger& ledger);

// Nobody has rows in either store but these people, each with one address. Not
// for stores whose server was killed: what it had begun is taken back at the
// next start.
void CheckNothingIsLeftOver(const StoppedStores& stores, size_t people);

}  // namespace hizo::test

#endif  // HIZO_TESTS_INTEGRATION_STORE_CHECK_H_
