// hizo import: people in bulk.
#include <CLI/CLI.hpp>
#include <array>
#include <fstream>

#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/import.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using Fate = ImportResult::Fate;

constexpr std::array kFateNames = {"created", "repeated", "refused", "blank"};
constexpr int kLinesPerStreamMax = 10'000;
constexpr int kStreamsMax = 64;

constexpr char kExamples[] =
    "  hizo import people.jsonl\n"
    "  hizo import people.jsonl --errors refused.txt --streams 8\n\n"
    "A line is a person (here broken in two):\n"
    R"(  {"account":{"email":"a@example.com"},"profile":{"full_name":"A"},)"
    "\n"
    R"(   "transaction":[{"event_time":"2026-05-10T00:00:00Z","fields":{..}}]})"
    "\n"
    "Keys are classes: an object is a class's one record, an array a series. A "
    "value is\na string, a whole number, true or false, or an object: "
    "{\"currency\",\"minor_units\"},\nan address with its \"country\", "
    "{\"timestamp\"}, {\"base64\"} or {\"json\"}.\n\n"
    "An interrupted import goes on where it stopped when it is run again "
    "within "
    "24 hours.";

// Report prints what the import says and counts it.
class Report : public ImportListener {
 public:
  Report(Session& session, const ImportFile& file, std::ostream& errors,
         Presence watching)
      : session_(session), file_(file), errors_(errors), watching_(watching) {}

  void OnResult(const ImportResult& result) override {
    ++counts_[static_cast<size_t>(result.fate)];
    if (result.fate == Fate::kRefused) PrintRefusal(result);
    if (session_.format == Format::kJson && result.fate != Fate::kBlank) {
      session_.terminal.out
          << JsonText({{"line", result.line},
                       {"fate", kFateNames[static_cast<size_t>(result.fate)]},
                       {"subject", result.subject},
                       {"reason", result.reason},
                       {"field", result.field}})
          << '\n';
    }
  }

  absl::Status OnBatch(const ImportBatch& batch) override {
    if (!session_.terminal.out.flush() || !errors_.flush()) {
      return UsageError("the results cannot be written");
    }
    if (watching_ == Presence::kProgram) return absl::OkStatus();
    const int64_t percent =
        batch.bytes_read * 100 / std::max<int64_t>(file_.size_bytes(), 1);
    session_.terminal.err << '\r' << batch.lines.back().number << " lines, "
                          << percent << " % " << std::flush;
    drawn_ = true;
    return absl::OkStatus();
  }

  // Prints the summary.
  void Finish() {
    EndProgress();
    if (session_.format == Format::kJson) return;
    Table table({"", ""});
    table.Add({"created", Count(Fate::kCreated)});
    table.Add({"were there already", Count(Fate::kRepeated)});
    table.Add({"refused", Count(Fate::kRefused)});
    if (file_.lines_done() > 0) {
      table.Add({"done by earlier runs", std::to_string(file_.lines_done())});
    }
    session_.terminal.out << table.Text();
  }

  void EndProgress() {
    if (std::exchange(drawn_, false)) session_.terminal.err << '\n';
  }
  bool refused_any() const {
    return counts_[static_cast<size_t>(Fate::kRefused)] > 0;
  }

 private:
  std::string Count(Fate fate) const {
    return std::to_string(counts_[static_cast<size_t>(fate)]);
  }

  void PrintRefusal(const ImportResult& result) {
    EndProgress();
    errors_ << "line " << result.line << ": " << Printable(result.reason);
    if (!result.field.empty()) errors_ << ": " << Printable(result.field);
    if (!result.text.empty()) errors_ << ": " << Printable(result.text);
    errors_ << '\n';
  }

  Session& session_;
  const ImportFile& file_;
  std::ostream& errors_;
  Presence watching_;
  bool drawn_ = false;
  std::array<int64_t, 4> counts_{};
};

class ImportCommand : public Command {
 public:
  explicit ImportCommand(CLI::App& app) {
    app.add_option("file", file_, "JSON Lines")->required();
    app.add_option("--errors", errors_,
                   "Write refused lines here instead of stderr");
    app.add_option("--state", state_,
                   "Keep track here instead of FILE.hizo-progress");
    app.add_option("--lines", options_.lines_per_stream, "Lines per stream")
        ->capture_default_str()
        ->check(CLI::Range(1, kLinesPerStreamMax));
    app.add_option("--streams", options_.streams, "Streams at once")
        ->capture_default_str()
        ->check(CLI::Range(1, kStreamsMax));
    app.add_flag("--progress", progress_,
                 "Show progress although stderr is not a terminal");
  }

  absl::Status Run(Session& session) override {
    ASSIGN_OR_RETURN(
        const auto file,
        ImportFile::Open(file_,
                         state_.empty() ? file_ + ".hizo-progress" : state_));
    std::ofstream errors;
    if (!errors_.empty()) {
      errors.open(errors_,
                  file->lines_done() > 0 ? std::ios::app : std::ios::trunc);
      if (!errors) return UsageError("cannot write the file " + errors_);
    }
    options_.purpose = session.purpose;
    Report report(session, *file,
                  errors_.empty() ? session.terminal.err : errors,
                  progress_ ? Presence::kPerson : session.terminal.at_err);
    const absl::Status status =
        Import(session.client, *file, report, options_).Run();
    report.EndProgress();
    RETURN_IF_ERROR(status);
    report.Finish();
    if (!report.refused_any()) return absl::OkStatus();
    return Fail({.exit = ExitCode::kRefused,
                 .text = "some lines were refused; all others are done",
                 .reason = {},
                 .field = {}});
  }

 private:
  std::string file_;
  std::string errors_;
  std::string state_;
  ImportOptions options_;
  bool progress_ = false;
};

}  // namespace

void AddImportCommand(CommandLine& line) {
  line.Add<ImportCommand>(
      line.root(),
      {"import", "Create people in bulk from a file of JSON lines", kExamples});
}

}  // namespace hizo::cli
