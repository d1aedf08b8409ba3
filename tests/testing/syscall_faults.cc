#include "tests/testing/syscall_faults.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <system_error>

namespace hizo::test {
namespace {

void Check(bool ok) {
  if (!ok) throw std::system_error(errno, std::generic_category());
}

constexpr std::array kWatched{
    __NR_fsync,  __NR_fdatasync, __NR_write,     __NR_pwrite64,
    __NR_openat, __NR_rename,    __NR_mkdir,     __NR_open,
    __NR_unlink, __NR_ftruncate, __NR_renameat2,
};

// The path of an open file; empty if there is none.
std::string PathOf(pid_t thread, uint64_t descriptor) {
  std::error_code error;
  return std::filesystem::read_symlink(
             "/proc/" + std::to_string(thread) + "/fd/" +
                 std::to_string(static_cast<int>(descriptor)),
             error)
      .string();
}

// A text in the other process's memory.
std::string TextAt(pid_t thread, uint64_t address) {
  std::string text(PATH_MAX, '\0');
  // Up to the end of its page, which is there as the text is.
  const size_t page = 4096 - address % 4096;
  const iovec to{text.data(), text.size()};
  const iovec from[2] = {
      {reinterpret_cast<void*>(address), page},
      {reinterpret_cast<void*>(address + page), PATH_MAX - page}};
  const ssize_t size = process_vm_readv(thread, &to, 1, from, 2, 0);
  if (size <= 0) return {};
  text.resize(static_cast<size_t>(size));
  return text.substr(0, text.find('\0'));
}

bool Writes(uint64_t flags) { return (flags & (O_WRONLY | O_RDWR)) != 0; }

}  // namespace

bool SyscallFaults::Permitted() { return geteuid() == 0; }

SyscallFaults::SyscallFaults() {
  Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets_) == 0);
  // A child that cannot say its number is not waited for longer than this.
  const timeval patience{60, 0};
  Check(setsockopt(sockets_[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof(patience)) == 0);
  Check(pipe2(stop_, O_CLOEXEC) == 0);
}

SyscallFaults::~SyscallFaults() {
  close(stop_[1]);
  if (thread_.joinable()) thread_.join();
  for (const int fd : {sockets_[0], sockets_[1], stop_[0], listener_}) {
    if (fd >= 0) close(fd);
  }
}

bool SyscallFaults::PutOn() const {
  constexpr size_t kCalls = kWatched.size();
  std::array<sock_filter, kCalls + 3> program{};
  program[0] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (size_t i = 0; i < kCalls; ++i) {
    // To the last instruction, over the rest of the list and one more.
    program[1 + i] =
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(kWatched[i]),
                 static_cast<uint8_t>(kCalls - i), 0);
  }
  program[kCalls + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[kCalls + 2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  const sock_fprog filter{program.size(), program.data()};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const int listener =
      static_cast<int>(syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
                               SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
  // Not by write, which waits for the parent already.
  if (send(sockets_[1], &listener, sizeof(listener), 0) !=
      static_cast<ssize_t>(sizeof(listener))) {
    return false;
  }
  char attached = 0;
  if (recv(sockets_[1], &attached, 1, 0) != 1) return false;
  close(listener);
  return listener >= 0;
}

void SyscallFaults::Attach(pid_t child) {
  int theirs = -1;
  Check(recv(sockets_[0], &theirs, sizeof(theirs), 0) ==
        static_cast<ssize_t>(sizeof(theirs)));
  const int process = static_cast<int>(syscall(__NR_pidfd_open, child, 0));
  Check(process >= 0);
  child_ = child;
  listener_ = static_cast<int>(syscall(__NR_pidfd_getfd, process, theirs, 0));
  close(process);
  Check(listener_ >= 0);
  thread_ = std::thread([this] { Serve(); });
  Check(send(sockets_[0], "", 1, 0) == 1);
}

void SyscallFaults::Fail(Call call, std::string part, int error) {
  const std::lock_guard lock(mutex_);
  fault_ = Fault{call, std::move(part), error};
}

void SyscallFaults::FailNth(size_t nth, Call call, std::string part,
                            int error) {
  const std::lock_guard lock(mutex_);
  fault_ = Fault{call, std::move(part), error, nth};
  seen_ = 0;
}

void SyscallFaults::KillAtNth(size_t nth, std::string part) {
  const std::lock_guard lock(mutex_);
  fault_ = Fault{std::nullopt, std::move(part), 0, nth};
  seen_ = 0;
}

void SyscallFaults::Heal() {
  const std::lock_guard lock(mutex_);
  fault_.reset();
}

size_t SyscallFaults::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

int SyscallFaults::ErrorFor(pid_t thread, int number,
                            const uint64_t* arguments) {
  const std::lock_guard lock(mutex_);
  if (!fault_.has_value()) return 0;
  std::string path;
  Call call = Call::kMakeFile;
  switch (number) {
    case __NR_fsync:
    case __NR_fdatasync:
      call = Call::kSync;
      break;
    case __NR_write:
    case __NR_pwrite64:
      call = Call::kWrite;
      break;
    case __NR_openat:
      if (Writes(arguments[2])) path = TextAt(thread, arguments[1]);
      break;
    case __NR_open:
      if (Writes(arguments[1])) path = TextAt(thread, arguments[0]);
      break;
    case __NR_ftruncate:
      call = Call::kWrite;
      break;
    case __NR_renameat2:
      path = TextAt(thread, arguments[1]);
      break;
    default:
      path = TextAt(thread, arguments[0]);
  }
  if (fault_->call.has_value() && call != *fault_->call) return 0;
  if (call != Call::kMakeFile) path = PathOf(thread, arguments[0]);
  if (path.find(fault_->part) == path.npos) return 0;
  ++seen_;
  if (fault_->nth > 1) {
    --fault_->nth;
    return 0;
  }
  ++failed_;
  const Fault fault = *fault_;
  if (fault.nth == 1) fault_.reset();
  if (fault.error == 0) kill(child_, SIGKILL);
  return fault.error;
}

size_t SyscallFaults::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void SyscallFaults::Serve() {
  for (;;) {
    std::array<pollfd, 2> events{pollfd{listener_, POLLIN, 0},
                                 pollfd{stop_[0], POLLIN, 0}};
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    // Its other end was closed, or the child has ended.
    if (events[1].revents != 0) return;
    if ((events[0].revents & POLLIN) == 0) {
      if (events[0].revents != 0) return;
      continue;
    }
    seccomp_notif asked{};
    if (ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
    std::array<uint64_t, 6> arguments{};
    std::copy(std::begin(asked.data.args), std::end(asked.data.args),
              arguments.begin());
    const int error = ErrorFor(static_cast<pid_t>(asked.pid), asked.data.nr,
                               arguments.data());
    seccomp_notif_resp answer{};
    answer.id = asked.id;
    answer.error = -error;
    if (error == 0) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    // Fails where a signal ended the call meanwhile.
    ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

}  // namespace hizo::test
