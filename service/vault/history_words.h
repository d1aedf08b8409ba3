// What an access history says of an event, in words for the person whom it
// concerns.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_VAULT_HISTORY_WORDS_H_
#define HIZO_SERVICE_VAULT_HISTORY_WORDS_H_

#include <string_view>

#include "service/audit/event.h"
#include "service/policy/access_table.h"

namespace hizo::vault {

// What was done, or was to be done: "Read your data".
std::string_view WordsOf(policy::Action action);
// "a privacy officer".
std::string_view WordsOf(policy::RoleKind kind);
// Why it was refused or came to nothing; empty for an event that was allowed.
std::string_view RefusalOf(const audit::Event& event);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_HISTORY_WORDS_H_
