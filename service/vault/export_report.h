// What an export adds to records: parts of series, the history of access, and
// the report that GDPR 15 asks for.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_SERVICE_VAULT_EXPORT_REPORT_H_
#define HIZO_SERVICE_VAULT_EXPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "service/audit/query.h"
#include "service/bundle/documents.h"
#include "service/bundle/page.h"
#include "service/bundle/person.h"
#include "service/bundle/statements.h"
#include "service/bundle/writer.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/statements.h"

namespace hizo::vault {

// A part of a series, for programs and for spreadsheets.
class SeriesPart {
 public:
  SeriesPart(const policy::ClassSpec& spec, const policy::FieldSet& fields,
             const bundle::About& about);
  void Add(const bundle::Record& record);
  const std::string& lines() const { return lines_; }
  // Nothing for a part without a record; kTooLarge if one record alone is.
  absl::Status WriteTo(bundle::Writer& writer, size_t number,
                       std::string& out) const;
  bundle::PageSeries NewPageSeries() const;

 private:
  const policy::ClassSpec& spec_;
  const bundle::About& about_;
  std::vector<bundle::Column> columns_;
  std::string lines_;
  std::string table_;
};

// Appends what happened, as one line of JSON that may be shown to the person:
// when, who, what, why, what came of it, which fields.
void AppendHistoryLine(const policy::Catalogue& catalogue,
                       const audit::Found& found, std::string& out);
// Readers is who was given something of the person.
struct Readers {
  std::set<std::string> callers;
  // Whom bundles were sent to, and how often the last part of one was; whoever
  // carried them could not read them.
  std::map<std::string, uint64_t> recipients;

  void Add(const audit::Event& event);
};

// What the person has said about the use of their data, in words.
bundle::Statements StatementsOf(const policy::Catalogue& catalogue,
                                const Statements& said);

// What is held, what for, how long, where from, and who was given some of it.
std::string AccessReport(const policy::Catalogue& catalogue,
                         const AccessGrant& grant,
                         const policy::FieldSet& fields,
                         const Readers& readers);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_EXPORT_REPORT_H_
