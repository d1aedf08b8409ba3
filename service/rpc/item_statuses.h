// What is answered to a stream of items: of each its own answer, or why it was
// refused.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_RPC_ITEM_STATUSES_H_
#define HIZO_SERVICE_RPC_ITEM_STATUSES_H_

#include <string>
#include <vector>

#include "service/base/reason.h"
#include "service/policy/catalogue.h"
#include "service/rpc/method_table.h"

namespace hizo::rpc {

// `Response` is a message whose `items` have a `reason` and a `field`.
template <typename Response>
std::string StatusesOf(const policy::Catalogue& catalogue,
                       const std::vector<ItemResult>& items) {
  Response response;
  for (const ItemResult& item : items) {
    auto& status = *response.add_items();
    if (item.status.ok()) {
      status.ParseFromString(item.answer);
      continue;
    }
    status.set_reason(
        static_cast<decltype(status.reason())>(base::ReasonOf(item.status)));
    const auto* field = catalogue.FieldByNumber(base::FieldOf(item.status));
    if (field != nullptr) status.set_field(field->full_name);
  }
  return response.SerializeAsString();
}

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_ITEM_STATUSES_H_
