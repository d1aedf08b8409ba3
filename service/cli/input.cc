#include "service/cli/input.h"

#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "crypto/secret.h"
#include "service/cli/failure.h"

namespace hizo::cli {
namespace {

constexpr size_t kDocumentBytesMax = 1024 * 1024;
constexpr size_t kLineBytesMax = 4096;

// EchoOff keeps the terminal from showing what is typed while it lives.
class EchoOff {
 public:
  EchoOff() {
    active_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

// Reserves first, so that a password leaves no copies behind as it grows.
absl::StatusOr<std::string> ReadAll(std::istream& in, size_t size_max) {
  std::string text;
  text.resize(size_max + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto size = static_cast<size_t>(in.gcount());
  if (in.bad()) {
    crypto::WipeString(text);
    return UsageError("the input cannot be read");
  }
  if (size > size_max) {
    crypto::WipeString(text);
    return UsageError("the input is longer than " + std::to_string(size_max) +
                      " bytes");
  }
  text.resize(size);
  return text;
}

void DropLineBreak(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t size_max) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);
  in.open(path, std::ios::binary);
  if (!in) return UsageError("cannot open the file " + path);
  return ReadAll(in, size_max);
}

absl::StatusOr<std::string> ReadDocument(const std::string& path,
                                         Terminal& terminal) {
  if (path == "-") return ReadAll(terminal.in, kDocumentBytesMax);
  return ReadFile(path, kDocumentBytesMax);
}

absl::StatusOr<std::string> ReadLine(Terminal& terminal) {
  std::string line;
  line.reserve(kLineBytesMax + 2);
  for (int c = terminal.in.get(); c != EOF && c != '\n';
       c = terminal.in.get()) {
    if (line.size() > kLineBytesMax) {
      crypto::WipeString(line);
      return UsageError("the line on standard input is too long");
    }
    line.push_back(static_cast<char>(c));
  }
  DropLineBreak(line);
  if (line.empty()) return UsageError("standard input has no line");
  return line;
}

absl::StatusOr<std::string> ReadPassword(const std::string& file,
                                         Terminal& terminal, const char* what) {
  if (!file.empty()) {
    absl::StatusOr<std::string> password = ReadFile(file, kLineBytesMax + 2);
    if (password.ok()) DropLineBreak(*password);
    return password;
  }
  if (terminal.at_in == Presence::kProgram) return ReadLine(terminal);
  terminal.err << what << ": " << std::flush;
  const EchoOff echo_off;
  absl::StatusOr<std::string> password = ReadLine(terminal);
  terminal.err << '\n';
  return password;
}

}  // namespace hizo::cli
