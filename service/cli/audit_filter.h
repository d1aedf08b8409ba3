// AuditFilter: what `hizo audit query` and `hizo audit tail` may be asked for,
// and how an event is shown.
//
// Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_AUDIT_FILTER_H_
#define HIZO_SERVICE_CLI_AUDIT_FILTER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own name.
class App;
}  // namespace CLI
namespace hizo::v1 {
class AuditEvent;
class QueryAuditRequest;
}  // namespace hizo::v1

namespace hizo::cli {

class AuditFilter {
 public:
  // Adds an option for each condition; `app` does not outlive it.
  explicit AuditFilter(CLI::App& app);
  // A usage error if something is none.
  absl::Status Fill(v1::QueryAuditRequest& request) const;

 private:
  std::string subject_;
  std::string actor_;
  std::string role_;
  std::string class_;
  std::string field_;
  std::string purpose_;
  std::string other_than_purpose_;
  std::string action_;
  std::string outcome_;
  std::string reason_;
  std::string since_;
  std::string until_;
};

// The header of a table of events, and a row of it.
std::vector<std::string> AuditHeader();
std::vector<std::string> AuditRow(const v1::AuditEvent& event);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_AUDIT_FILTER_H_
