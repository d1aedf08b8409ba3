#include "tests/testing/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "tests/testing/syscall_faults.h"

namespace hizo::test {
namespace {

constexpr int kExitNotStarted = 127;
constexpr int kExitSignalled = 128;
constexpr size_t kBytesPerKilobyte = 1024;

void Check(bool ok) {
  if (!ok) throw std::system_error(errno, std::generic_category());
}

std::vector<std::string> Environment(
    const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const Options& options) {
  std::array<int, 2> pipe{};
  Check(pipe2(pipe.data(), O_CLOEXEC) == 0);
  Run(options, pipe[1]);
  close(pipe[1]);
  output_ = pipe[0];
  Check(id_ > 0);
  collector_ = std::thread([this] { Collect(); });
}

void ChildProcess::Run(const Options& options, int output) {
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = Environment(options.environment);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ != 0) {
    if (id_ > 0 && options.faults != nullptr) options.faults->Attach(id_);
    return;
  }
  // Between fork and exec only what is safe in a copy of a threaded process.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitNotStarted);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (options.faults != nullptr && !options.faults->PutOn()) {
    _exit(kExitNotStarted);
  }
  execve(argv[0], argv.data(), envp.data());
  _exit(kExitNotStarted);
}

ChildProcess::~ChildProcess() {
  if (!status_.has_value()) {
    Signal(SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  collector_.join();
  close(output_);
}

void ChildProcess::Collect() {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t size = read(output_, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (size > 0) text_.append(buffer.data(), static_cast<size_t>(size));
    closed_ = size <= 0;
    changed_.notify_all();
    if (closed_) return;
  }
}

std::optional<std::string> ChildProcess::WaitForLine(
    const std::function<bool(std::string_view)>& accept) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::unique_lock lock(mutex_);
  size_t begin = 0;
  for (;;) {
    const size_t end = text_.find('\n', begin);
    if (end != std::string::npos) {
      std::string line = text_.substr(begin, end - begin);
      if (accept(line)) return line;
      begin = end + 1;
    } else if (closed_) {
      return std::nullopt;
    } else if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
      throw std::runtime_error("the program does not say what was expected");
    }
  }
}

void ChildProcess::Signal(int number) const {
  if (!status_.has_value()) kill(id_, number);
}

int ChildProcess::Wait() {
  if (status_.has_value()) return *status_;
  // Its end closes its output, which, unlike its end, can be waited for with a
  // bound.
  const auto never = [](std::string_view) { return false; };
  WaitForLine(never);
  int status = 0;
  rusage usage{};
  Check(wait4(id_, &status, 0, &usage) == id_);
  peak_memory_ = static_cast<size_t>(usage.ru_maxrss) * kBytesPerKilobyte;
  dumped_core_ = WIFSIGNALED(status) && WCOREDUMP(status);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status)
                              : kExitSignalled + WTERMSIG(status);
  return *status_;
}

std::string ChildProcess::output() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::vector<std::string> ChildProcess::lines() const {
  const std::string text = output();
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end = text.find('\n'); end != std::string::npos;
       end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace hizo::test
