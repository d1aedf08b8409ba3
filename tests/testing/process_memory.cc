#include "tests/testing/process_memory.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

namespace hizo::test {
namespace {

constexpr size_t kChunkSize = size_t{4} << 20;

std::string DirectoryOf(pid_t process) {
  return "/proc/" + std::to_string(process);
}

// Not memory of the process, and partly not readable though it says so.
bool IsKernels(const std::string& name) {
  return name == "[vvar]" || name == "[vsyscall]";
}

}  // namespace

ProcessMemory::ProcessMemory(pid_t process)
    : directory_(DirectoryOf(process)),
      memory_(open((directory_ + "/mem").c_str(), O_RDONLY | O_CLOEXEC)) {
  if (memory_ < 0) throw std::system_error(errno, std::generic_category());
}

ProcessMemory::~ProcessMemory() { close(memory_); }

bool ProcessMemory::IsAllowed() {
  constexpr std::string_view kEffective = "CapEff:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(kEffective)) continue;
    const uint64_t capabilities =
        std::stoull(line.substr(kEffective.size()), nullptr, 16);
    return (capabilities >> CAP_SYS_PTRACE & 1) != 0;
  }
  return false;
}

std::vector<ProcessMemory::Mapping> ProcessMemory::Mappings() const {
  std::vector<Mapping> mappings;
  std::ifstream smaps(directory_ + "/smaps");
  std::string line;
  while (std::getline(smaps, line)) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "VmFlags:") {
      for (std::string flag; words >> flag;) {
        if (flag == "lo") mappings.back().locked = true;
      }
    }
    const size_t dash = first.find('-');
    if (dash == std::string::npos) continue;
    Mapping mapping;
    mapping.from = std::stoull(first.substr(0, dash), nullptr, 16);
    mapping.until = std::stoull(first.substr(dash + 1), nullptr, 16);
    std::string access;
    std::string offset;
    std::string device;
    std::string inode;
    words >> access >> offset >> device >> inode >> mapping.name;
    mapping.readable = access.starts_with('r') && !IsKernels(mapping.name);
    if (mapping.name.empty()) mapping.name = "anonymous";
    mappings.push_back(mapping);
  }
  return mappings;
}

void ProcessMemory::FindIn(const Mapping& mapping, const Needles& needles,
                           Found& found) const {
  std::string chunk;
  // Chunks overlap by what a needle can reach over.
  const size_t step = kChunkSize - needles.longest();
  for (uint64_t at = mapping.from; at < mapping.until; at += step) {
    chunk.resize(std::min<uint64_t>(kChunkSize, mapping.until - at));
    const ssize_t size =
        pread(memory_, chunk.data(), chunk.size(), static_cast<off_t>(at));
    // Unmapped meanwhile, or a file that is shorter than its mapping.
    if (size <= 0) return;
    chunk.resize(static_cast<size_t>(size));
    found.bytes += std::min(chunk.size(), step);
    for (const std::string& name : needles.FindIn(chunk)) {
      std::vector<std::string>& where = found.needles[name];
      if (where.empty() || where.back() != mapping.name) {
        where.push_back(mapping.name);
      }
    }
  }
}

ProcessMemory::Found ProcessMemory::Find(const Needles& needles,
                                         Locked locked) const {
  Found found;
  for (const Mapping& mapping : Mappings()) {
    if (!mapping.readable) continue;
    if (mapping.locked && locked == Locked::kLeftOut) continue;
    FindIn(mapping, needles, found);
  }
  return found;
}

}  // namespace hizo::test
