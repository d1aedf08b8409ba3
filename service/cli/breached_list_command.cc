// hizo password build-list: a list of passwords that nobody may choose, out of
// a public one. Needs no vault.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "crypto/breached_list.h"
#include "crypto/normalise.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"

namespace hizo::cli {
namespace {

// Plain passwords are sorted in memory: 8 bytes each.
constexpr size_t kPlainMax = 100'000'000;
constexpr uint64_t kReportEvery = 10'000'000;

std::string InLine(uint64_t line, const char* what) {
  return "line " + std::to_string(line) + ": " + what;
}

class BuildList : public Command {
 public:
  explicit BuildList(CLI::App& app) {
    app.add_option("file", from_,
                   "Text file: SHA-1 in hex, then nothing or a colon and a "
                   "count, in the order of the hashes")
        ->required();
    app.add_option("--out", to_, "File to make, for password.breached_file")
        ->required();
    app.add_flag("--plain", plain_,
                 "FILE holds passwords, one a line, in any order");
  }

  std::optional<absl::Status> RunAlone(Terminal& terminal) override {
    return Build(terminal);
  }
  absl::Status Run(Session& session) override {
    return Build(session.terminal);
  }

 private:
  absl::Status Build(Terminal& terminal) {
    std::ifstream in(from_);
    if (!in) return UsageError("cannot read " + from_);
    auto writer = crypto::BreachedListWriter::Create(to_);
    if (!writer.ok()) {
      return UsageError(to_ + ": " + std::string(writer.status().message()));
    }
    RETURN_IF_ERROR(plain_ ? AddPlain(in, *writer)
                           : AddHashes(in, *writer, terminal));
    const auto size = writer->Finish();
    if (!size.ok()) {
      return UsageError(to_ + ": " + std::string(size.status().message()));
    }
    terminal.out << *size << " passwords in " << to_ << '\n';
    return absl::OkStatus();
  }

  static absl::Status AddHashes(std::istream& in,
                                crypto::BreachedListWriter& writer,
                                Terminal& terminal) {
    std::string line;
    for (uint64_t number = 1; std::getline(in, line); ++number) {
      const auto prefix = crypto::ParseBreachedLine(line);
      if (!prefix.has_value()) {
        return UsageError(InLine(number, "no SHA-1 in hex"));
      }
      const absl::Status added = writer.Add(*prefix);
      if (absl::IsInvalidArgument(added)) {
        return UsageError(InLine(
            number, "out of order; sort the file first (LC_ALL=C sort)"));
      }
      if (!added.ok()) return UsageError(std::string(added.message()));
      if (number % kReportEvery == 0 && terminal.at_err == Presence::kPerson) {
        terminal.err << '\r' << number << " lines" << std::flush;
      }
    }
    if (terminal.at_err == Presence::kPerson) terminal.err << '\r';
    return absl::OkStatus();
  }

  static absl::Status AddPlain(std::istream& in,
                               crypto::BreachedListWriter& writer) {
    std::vector<uint64_t> prefixes;
    std::string line;
    for (uint64_t number = 1; std::getline(in, line); ++number) {
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      const auto password = crypto::NormalisePassword(line);
      if (!password.ok()) {
        return UsageError(InLine(number, "not UTF-8, or too long"));
      }
      if (prefixes.size() == kPlainMax) {
        return UsageError("too many lines; make SHA-1 of them and sort those");
      }
      prefixes.push_back(crypto::BreachedPrefix(*password));
    }
    std::ranges::sort(prefixes);
    for (const uint64_t prefix : prefixes) {
      const absl::Status added = writer.Add(prefix);
      if (!added.ok()) return UsageError(std::string(added.message()));
    }
    return absl::OkStatus();
  }

  std::string from_;
  std::string to_;
  bool plain_ = false;
};

}  // namespace

void AddBreachedListCommand(CommandLine& line, CLI::App& group) {
  line.Add<BuildList>(
      group, {"build-list", "Make a list of passwords that nobody may choose",
              "  hizo password build-list pwned-passwords-sha1.txt --out "
              "breached.list\n"
              "  hizo password build-list --plain common.txt --out "
              "breached.list"});
}

}  // namespace hizo::cli
