// Import: sends a file of people to the vault and tells what became of each.
//
// A batch of lines is one stream; a bounded number of streams is under way at
// once, and their answers are taken in the order of the file, so that memory is
// bounded and the record of progress never has a hole. A line that the vault
// refuses for what it says does not stop the import. One that it cannot take
// just now is sent again a few times; if that does not help, or the caller may
// not import at all, the import stops and a later run goes on from there.
// Threads: not for concurrent use; it starts its own.
#ifndef HIZO_SERVICE_CLI_IMPORT_H_
#define HIZO_SERVICE_CLI_IMPORT_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <future>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/cli/client.h"
#include "service/cli/import_file.h"

namespace hizo::cli {

// What became of a line.
struct ImportResult {
  enum class Fate { kCreated, kRepeated, kRefused, kBlank };

  int64_t line = 0;
  Fate fate = Fate::kBlank;
  std::string subject;  // unless refused or blank
  std::string reason;   // of a refusal
  std::string field;    // the one at fault, if one was
  std::string text;     // for people, if this program refused it
};

// Who hears of results. Called from the thread that runs the import, in the
// order of the file.
class ImportListener {
 public:
  virtual ~ImportListener() = default;
  virtual void OnResult(const ImportResult& result) = 0;
  // All results of `batch` have been told; next it is recorded as done, unless
  // an error is returned, which stops the import.
  virtual absl::Status OnBatch(const ImportBatch& batch) = 0;
};

struct ImportOptions {
  std::string purpose;
  int lines_per_stream = 200;
  int streams = 4;
  // Before the first repetition of what the vault cannot take; then doubled.
  std::chrono::milliseconds pause{200};
};

class Import {
 public:
  // All outlive it.
  Import(Client& client, ImportFile& file, ImportListener& listener,
         ImportOptions options);

  // Imports the rest of the file. An error: it stopped before the end.
  absl::Status Run();

 private:
  struct Sent {
    ImportBatch batch;
    absl::StatusOr<std::vector<ImportResult>> results;
  };

  Sent Send(ImportBatch batch) const;
  absl::Status Settle(Sent sent);

  Client& client_;
  ImportFile& file_;
  ImportListener& listener_;
  ImportOptions options_;
  std::deque<std::future<Sent>> under_way_;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_IMPORT_H_
