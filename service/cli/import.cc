#include "service/cli/import.h"

#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "hizo/v1/record.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/failure.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

using Fate = ImportResult::Fate;

constexpr int kAttemptsMax = 5;

enum class Verdict { kOfTheLine, kForNow, kOfTheImport };

// Whether a refusal speaks of the line, of this moment, or of the caller.
Verdict VerdictOf(v1::Reason reason) {
  switch (reason) {
    case v1::REASON_UNSPECIFIED:
    case v1::REASON_FIELD_UNKNOWN:
    case v1::REASON_FIELD_FORBIDDEN:
    case v1::REASON_REQUIRED_FIELD_MISSING:
    case v1::REASON_VALUE_INVALID:
    case v1::REASON_TOO_LARGE:
    case v1::REASON_ALREADY_EXISTS:
    case v1::REASON_REQUEST_ID_REUSED:
    case v1::REASON_MALFORMED_REQUEST:
      return Verdict::kOfTheLine;
    case v1::REASON_CONFLICT:
    case v1::REASON_AUDIT_UNAVAILABLE:
    case v1::REASON_OUTCOME_UNKNOWN:
    case v1::REASON_OVERLOADED:
    case v1::REASON_RATE_LIMITED:
    case v1::REASON_DEADLINE_EXCEEDED:
      return Verdict::kForNow;
    default:
      return Verdict::kOfTheImport;
  }
}

// Waiting is the part of a batch that has no final result yet: which results,
// and the requests for them.
struct Waiting {
  std::vector<ImportResult*> results;
  std::vector<v1::ImportRecordsRequest> requests;
};

// Parses a line: into `waiting`, or into `result` if that settles it.
void Parse(const ImportLine& line, const std::string& purpose,
           ImportResult& result, Waiting& waiting) {
  result.line = line.number;
  if (absl::StripAsciiWhitespace(line.text).empty()) return;
  v1::ImportRecordsRequest request;
  const absl::Status status =
      ParsePerson(line.text, *request.mutable_records());
  if (!status.ok()) {
    Failure failure = FailureOf(status);
    result.fate = Fate::kRefused;
    result.reason = "VALUE_INVALID";
    result.field = std::move(failure.field);
    result.text = std::move(failure.text);
    return;
  }
  request.mutable_context()->set_purpose(purpose);
  request.mutable_context()->set_request_id(ImportRequestId(line));
  waiting.results.push_back(&result);
  waiting.requests.push_back(std::move(request));
}

absl::Status Stopped(const v1::ImportStatus& item, int64_t line) {
  return Fail({.exit = ExitCode::kRefused,
               .text = "the import stopped at line " + std::to_string(line),
               .reason = EnumName(*v1::Reason_descriptor(), item.reason()),
               .field = item.field()});
}

void Take(const v1::ImportStatus& item, ImportResult& result) {
  result.subject = item.subject();
  if (item.reason() != v1::REASON_UNSPECIFIED) {
    result.fate = Fate::kRefused;
    result.reason = EnumName(*v1::Reason_descriptor(), item.reason());
    result.field = item.field();
  } else {
    result.fate = item.repeated_request() ? Fate::kRepeated : Fate::kCreated;
  }
}

// Sends `waiting` once. OK: all have a result. Otherwise `waiting` holds what
// has none, and `again` tells whether it is worth another try.
absl::Status SendOnce(Client& client, Waiting& waiting, bool& again) {
  v1::ImportRecordsResponse response;
  absl::Status status = client.Import(waiting.requests, response);
  if (!status.ok()) {
    const Failure failure = FailureOf(status);
    v1::Reason reason = v1::REASON_INTERNAL;
    v1::Reason_Parse("REASON_" + failure.reason, &reason);
    again = failure.exit == ExitCode::kUnreachable ||
            VerdictOf(reason) == Verdict::kForNow;
    return status;
  }
  Waiting left;
  absl::Status outcome;
  again = true;
  for (int i = 0; i < response.items_size(); ++i) {
    const auto index = static_cast<size_t>(i);
    const v1::ImportStatus& item = response.items(i);
    const Verdict verdict = VerdictOf(item.reason());
    if (verdict == Verdict::kOfTheLine) {
      Take(item, *waiting.results[index]);
      continue;
    }
    again = again && verdict == Verdict::kForNow;
    if (outcome.ok()) outcome = Stopped(item, waiting.results[index]->line);
    left.results.push_back(waiting.results[index]);
    left.requests.push_back(std::move(waiting.requests[index]));
  }
  waiting = std::move(left);
  return outcome;
}

}  // namespace

Import::Import(Client& client, ImportFile& file, ImportListener& listener,
               ImportOptions options)
    : client_(client),
      file_(file),
      listener_(listener),
      options_(std::move(options)) {}

Import::Sent Import::Send(ImportBatch batch) const {
  std::vector<ImportResult> results(batch.lines.size());
  Waiting waiting;
  for (size_t i = 0; i < results.size(); ++i) {
    Parse(batch.lines[i], options_.purpose, results[i], waiting);
  }
  absl::Status status;
  bool again = true;
  auto pause = options_.pause;
  for (int attempt = 1; !waiting.requests.empty() && again; ++attempt) {
    status = SendOnce(client_, waiting, again);
    if (status.ok() || attempt == kAttemptsMax) break;
    if (!again) break;
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  if (!status.ok()) return {std::move(batch), status};
  return {std::move(batch), std::move(results)};
}

absl::Status Import::Settle(Sent sent) {
  RETURN_IF_ERROR(sent.results.status());
  for (const ImportResult& result : *sent.results) {
    listener_.OnResult(result);
  }
  RETURN_IF_ERROR(listener_.OnBatch(sent.batch));
  return file_.Acknowledge(sent.batch);
}

absl::Status Import::Run() {
  bool more = true;
  while (more || !under_way_.empty()) {
    if (more && under_way_.size() < static_cast<size_t>(options_.streams)) {
      ASSIGN_OR_RETURN(
          ImportBatch batch,
          file_.Next(static_cast<size_t>(options_.lines_per_stream)));
      more = !batch.lines.empty();
      if (!more) continue;
      under_way_.push_back(std::async(std::launch::async, &Import::Send, this,
                                      std::move(batch)));
      continue;
    }
    RETURN_IF_ERROR(Settle(under_way_.front().get()));
    under_way_.pop_front();
  }
  file_.Finish();
  return absl::OkStatus();
}

}  // namespace hizo::cli
