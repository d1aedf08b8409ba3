#include "service/vault/access_history.h"

#include <algorithm>
#include <utility>

#include "crypto/digest.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/history_words.h"
#include "service/vault/log_pages.h"

namespace hizo::vault {
namespace {

uint64_t Micros(const std::optional<base::Timestamp>& time) {
  return time.has_value() ? static_cast<uint64_t>(base::ToMicros(*time)) : 0;
}

std::string QueryBytes(const AccessHistoryInput& input) {
  ByteWriter out;
  out.PutText(input.subject.bytes())
      .Put(Micros(input.start))
      .Put(Micros(input.end))
      .Put(static_cast<uint8_t>(input.order));
  return std::move(out).Take();
}

// "privacy officer" for privacy_officer.
std::string Spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

// Six digits are enough to tell a company's staff apart.
std::string Pseudonym(const crypto::Key& key,
                      const base::AuditReference& person,
                      const std::string& actor) {
  constexpr size_t kDigestBytes = 3;
  constexpr char kDigits[] = "0123456789ABCDEF";
  const crypto::Digest digest =
      crypto::Prf(key, "hizo/history/v1", {person.bytes(), actor});
  std::string text;
  for (size_t i = 0; i < kDigestBytes; ++i) {
    text.push_back(kDigits[digest[i] >> 4]);
    text.push_back(kDigits[digest[i] & 15]);
  }
  return text;
}

}  // namespace

void AccessHistories::TellWho(base::TenantId tenant, const audit::Event& event,
                              HistoryEntry& entry) const {
  if (event.actor == kOwnActor) {
    entry.who = "the data store itself";
    return;
  }
  const policy::Principal* principal = services_.access.Find(event.actor);
  const std::string staff =
      event.subject.has_value()
          ? Pseudonym(services_.store_keys.TenantKey(tenant), *event.subject,
                      event.actor)
          : "";
  if (principal == nullptr || principal->roles.empty()) {
    // Whoever that was: it may have been somebody.
    entry.who = "somebody who has no access any more";
    entry.staff = staff;
    return;
  }
  const policy::Role* role =
      services_.access.FindRole(principal->roles.front());
  entry.about = role->text;
  if (role->kind == policy::RoleKind::kService) {
    entry.who = "the service \"" + Spaced(role->name) + "\"";
  } else {
    entry.who = std::string(WordsOf(role->kind));
    entry.staff = staff;
  }
}

HistoryEntry AccessHistories::Tell(base::TenantId tenant,
                                   const audit::Event& event) const {
  HistoryEntry entry;
  entry.time = event.time;
  entry.action = event.action;
  entry.what = std::string(WordsOf(event.action));
  entry.purpose = services_.catalogue.PurposeByNumber(event.purpose);
  for (const policy::FieldNumber number : event.fields) {
    const policy::FieldSpec* field = services_.catalogue.FieldByNumber(number);
    if (field != nullptr) entry.fields.push_back(field);
  }
  entry.view = event.view;
  entry.outcome = event.outcome;
  entry.reason = event.reason;
  entry.refusal = std::string(RefusalOf(event));
  if (event.recipient.has_value()) entry.recipient = event.recipient->name;
  TellWho(tenant, event, entry);
  return entry;
}

absl::StatusOr<HistoryPage> AccessHistories::Read(
    Attempt& attempt, const Call& call, const AccessHistoryInput& input) const {
  Ask ask;
  ask.subject = input.subject;
  ASSIGN_OR_RETURN(const AccessGrant grant,
                   services_.gate.Admit(attempt, call, ask));
  const std::string query = QueryBytes(input);
  audit::Filter filter;
  filter.tenant = call.tenant.id;
  filter.subject = grant.facts().audit_reference;
  filter.start = input.start;
  filter.end = input.end;
  ASSIGN_OR_RETURN(
      LogPage found,
      ReadLogPage(services_, call, filter,
                  {query, input.order, input.page_size, input.page_token}));
  HistoryPage page;
  for (const audit::Found& one : found.events) {
    page.entries.push_back(Tell(call.tenant.id, one.event));
  }
  page.next_page_token = std::move(found.next_page_token);
  attempt.event().records = static_cast<uint32_t>(page.entries.size());
  return page;
}

}  // namespace hizo::vault
