#include "tests/integration/store_check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "crypto/record_cipher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/audit/log.h"
#include "service/base/keyspace.h"
#include "tests/integration/requests.h"
#include "tests/testing/audit_check.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using ::testing::IsEmpty;

std::vector<storage::Row> AllRows(const storage::Reader& reader, char space) {
  std::vector<storage::Row> all;
  storage::ScanRange range =
      storage::PrefixRange(std::string(1, space), storage::kScanLimitMax);
  for (;;) {
    auto rows = reader.Scan(range);
    EXPECT_THAT(rows, IsOk());
    if (!rows.ok() || rows->empty()) return all;
    range.from = rows->back().key + '\0';
    std::ranges::move(*rows, std::back_inserter(all));
  }
}

// Class, version and commitment of a record.
using State = std::tuple<uint16_t, uint64_t, std::string>;

// What every record is, by its row; a person's facts are one.
std::multiset<State> StoredStates(const storage::Reader& data) {
  std::multiset<State> states;
  std::vector<storage::Row> rows = AllRows(data, base::kSpaceRecord);
  std::ranges::move(AllRows(data, base::kSpaceFacts), std::back_inserter(rows));
  for (const storage::Row& row : rows) {
    const auto sealed = crypto::SealedRow::Parse(row.value);
    EXPECT_THAT(sealed, IsOk());
    if (!sealed.ok()) continue;
    states.emplace(sealed->class_number(), sealed->version(),
                   sealed->commitment());
  }
  return states;
}

// What every record should be, by the last event that wrote it.
std::multiset<State> LoggedStates(const std::vector<audit::Event>& events) {
  std::map<std::tuple<base::AuditReference, uint16_t, base::RecordId>, State>
      last;
  for (const audit::Event& event : events) {
    if (event.action == policy::Action::kErasureFinish) {
      // Of the classes that it names nothing is left.
      for (const audit::RowWrite& write : event.writes) {
        std::erase_if(last, [&](const auto& entry) {
          return std::get<0>(entry.first) == event.subject &&
                 std::get<1>(entry.first) == write.class_number;
        });
      }
      continue;
    }
    for (const audit::RowWrite& write : event.writes) {
      const std::tuple record{event.subject.value(), write.class_number,
                              write.record};
      if (write.commitment == decltype(write.commitment){}) {
        last.erase(record);  // was removed
        continue;
      }
      last[record] = {
          write.class_number, write.version,
          std::string(write.commitment.begin(), write.commitment.end())};
    }
  }
  std::multiset<State> states;
  for (const auto& [record, state] : last) states.insert(state);
  return states;
}

// Class and version of each that is in `some` and not in `others`.
std::vector<std::pair<uint16_t, uint64_t>> Missing(
    const std::multiset<State>& some, const std::multiset<State>& others) {
  std::vector<State> missing;
  std::ranges::set_difference(some, others, std::back_inserter(missing));
  std::vector<std::pair<uint16_t, uint64_t>> shown;
  for (const State& state : missing) {
    shown.emplace_back(std::get<0>(state), std::get<1>(state));
  }
  return shown;
}

}  // namespace

std::string VerifierKeyFrom(const Peer& auditor) {
  v1::GetCheckpointRequest request;
  *request.mutable_context() = ContextFor(kAuditPurpose);
  const auto checkpoint = auditor.Ask<v1::GetCheckpointResponse>(request);
  EXPECT_THAT(checkpoint, IsOk());
  return checkpoint.ok() ? checkpoint->verifier_key() : "";
}

void CheckRecordsAndLog(const storage::Reader& data,
                        const std::string& verifier_key, const Ledger& ledger) {
  const auto events = CheckLog(data, verifier_key);
  ASSERT_THAT(events, IsOk());
  EXPECT_THAT(ledger.Compare(*events), IsEmpty());
  EXPECT_THAT(Missing(StoredStates(data), LoggedStates(*events)), IsEmpty())
      << "records that the log does not tell of";
  EXPECT_THAT(Missing(LoggedStates(*events), StoredStates(data)), IsEmpty())
      << "records that are not as the log tells";
  EXPECT_THAT(audit::Extends(data, 0, crypto::Sha256("")), IsOkAndHolds(true));
}

void CheckNothingIsLeftOver(const StoppedStores& stores, size_t people) {
  for (const char space :
       {base::kSpaceIndex, base::kSpaceWayBack, base::kSpaceDeks}) {
    EXPECT_EQ(AllRows(*stores.keys, space).size(), people) << space;
  }
  EXPECT_EQ(AllRows(*stores.data, base::kSpaceFacts).size(), people);
}

}  // namespace hizo::test
