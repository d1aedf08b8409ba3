#include "service/vault/log_pages.h"

#include <optional>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/page_token.h"

namespace hizo::vault {

absl::StatusOr<LogPage> ReadLogPage(const Services& services, const Call& call,
                                    const audit::Filter& filter,
                                    const LogPageAsk& ask) {
  ASSIGN_OR_RETURN(const size_t limit, PageSize(ask.page_size));
  const crypto::Key& token_key =
      services.store_keys.PageTokenKey(call.tenant.id);
  uint64_t size = services.log.head().size;
  std::optional<uint64_t> from;
  if (!ask.page_token.empty()) {
    ASSIGN_OR_RETURN(const std::string position,
                     OpenPageToken(token_key, call, ask.query, ask.page_token));
    ByteReader in(position);
    size = in.Get<uint64_t>();
    from = in.Get<uint64_t>();
    if (!in.done()) return base::Fail(base::Reason::kPageTokenInvalid);
  }
  ASSIGN_OR_RETURN(audit::Page found, audit::Query(services.data, size, filter,
                                                   ask.order, from, limit));
  LogPage page{std::move(found.events), {}};
  if (found.next.has_value()) {
    ByteWriter position;
    position.Put(size).Put(*found.next);
    page.next_page_token =
        SealPageToken(token_key, call, ask.query, std::move(position).Take());
  }
  return page;
}

}  // namespace hizo::vault
