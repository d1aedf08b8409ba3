#include "storage/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "storage/files.h"

namespace hizo::storage {
namespace {

constexpr int kFirstOther = 3;  // after the three standard files

// Puts `text` into a file in memory, to be read from its beginning.
bool Fill(const FileDescriptor& file, const std::string& text) {
  return file.valid() &&
         write(file.get(), text.data(), text.size()) ==
             static_cast<ssize_t>(text.size()) &&
         lseek(file.get(), 0, SEEK_SET) == 0;
}

bool EndsWithin(pid_t process, std::chrono::milliseconds patience) {
  const FileDescriptor ended(
      static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!ended.valid()) return false;
  pollfd waiting{ended.get(), POLLIN, 0};
  int ready = -1;
  do {
    ready = poll(&waiting, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

// What a program is begun with; freed at the end.
class Beginning {
 public:
  explicit Beginning(const FileDescriptor& input) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, input.get(), STDIN_FILENO);
    for (const int out : {STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&files_, out, "/dev/null", O_WRONLY, 0);
    }
    posix_spawn_file_actions_addclosefrom_np(&files_, kFirstOther);
    posix_spawnattr_init(&signals_);
    sigset_t set;
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&signals_, &set);
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&signals_, &set);
    posix_spawnattr_setflags(&signals_,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;
  ~Beginning() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&signals_);
  }

  // The process, or -1.
  pid_t Run(const std::string& program, std::string argument) const {
    std::string name = program;
    std::array<char*, 3> arguments = {name.data(), argument.data(), nullptr};
    std::array<char*, 1> environment = {nullptr};
    pid_t process = -1;
    const int error = posix_spawn(&process, program.c_str(), &files_, &signals_,
                                  arguments.data(), environment.data());
    return error == 0 ? process : -1;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t signals_;
};

}  // namespace

absl::Status RunProgram(const std::filesystem::path& program,
                        const std::string& argument, const std::string& input,
                        std::chrono::milliseconds patience) {
  const FileDescriptor file(memfd_create("input", MFD_CLOEXEC));
  const pid_t process =
      Fill(file, input) ? Beginning(file).Run(program.string(), argument) : -1;
  if (process < 0) return absl::UnavailableError("a program cannot be run");
  const bool in_time = EndsWithin(process, patience);
  if (!in_time) kill(process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
  if (!in_time) return absl::UnavailableError("a program did not end in time");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::UnavailableError("a program failed");
}

}  // namespace hizo::storage
