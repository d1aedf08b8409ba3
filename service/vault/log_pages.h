// Pages of the audit log, for whoever shows some of it.
//
// A page goes on where the one before ended, in the log as it was when the
// first was read, so that what is logged meanwhile does not shift it.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_LOG_PAGES_H_
#define HIZO_SERVICE_VAULT_LOG_PAGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/audit/query.h"
#include "service/vault/call.h"
#include "service/vault/services.h"

namespace hizo::vault {

// What a caller asked for. `query` is everything that the listing depends on
// (page_token.h).
struct LogPageAsk {
  std::string_view query;
  audit::Order order = audit::Order::kNewestFirst;
  int32_t page_size = 0;
  std::string_view page_token;
};
struct LogPage {
  std::vector<audit::Found> events;
  std::string next_page_token;  // empty: the end was reached
};

// kValueInvalid for a negative size, kPageTokenInvalid for a token of another
// question.
absl::StatusOr<LogPage> ReadLogPage(const Services& services, const Call& call,
                                    const audit::Filter& filter,
                                    const LogPageAsk& ask);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_LOG_PAGES_H_
