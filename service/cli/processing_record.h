// A record of processing (GDPR 30(1)) and a map of the data, out of what is in
// force: catalogue, company's policy, roles, registered recipients.
//
// It says what the vault knows and enforces, and names what it does not know.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_CLI_PROCESSING_RECORD_H_
#define HIZO_SERVICE_CLI_PROCESSING_RECORD_H_

#include <optional>
#include <string>
#include <vector>

namespace google::protobuf {
class Timestamp;
}  // namespace google::protobuf
namespace hizo::v1 {
class GetEffectivePolicyResponse;
class ListRecipientsResponse;
}  // namespace hizo::v1

namespace hizo::cli {

// What only the company can say.
struct Controller {
  std::string name;     // empty: the tenant's name stands for it
  std::string contact;  // of the controller and its data protection officer
};

struct RecordTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
struct RecordSection {
  std::string title;
  std::vector<std::string> paragraphs;
  std::optional<RecordTable> table;
};
struct ProcessingRecord {
  std::string title;
  std::vector<RecordSection> sections;
};

// `recipients`: nullptr where the caller may not see them, which it then says.
ProcessingRecord MakeProcessingRecord(
    const v1::GetEffectivePolicyResponse& policy,
    const v1::ListRecipientsResponse* recipients, const Controller& controller,
    const google::protobuf::Timestamp& made);

// GitHub's tables; what would be markup stands there as it is written.
std::string MarkdownOf(const ProcessingRecord& record);
// One page that loads nothing and runs nothing.
std::string HtmlOf(const ProcessingRecord& record);

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_PROCESSING_RECORD_H_
