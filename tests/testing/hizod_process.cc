#include "tests/testing/hizod_process.h"

#include <csignal>
#include <stdexcept>

namespace hizo::test {
namespace {

constexpr std::string_view kPortMember = "\"port\":";

std::vector<std::string> Arguments(const VaultFiles& files,
                                   const HizodProcess::Options& options) {
  std::vector<std::string> all = options.run_by;
  for (const std::string& argument :
       {BuiltProgram(options.program), std::string("--config"),
        files.config_file().string()}) {
    all.push_back(argument);
  }
  all.insert(all.end(), options.arguments.begin(), options.arguments.end());
  return all;
}

}  // namespace

std::string BuiltProgram(const std::string& name) {
  return HIZO_BINARY_DIR "/bin/" + name;
}

HizodProcess::HizodProcess(VaultFiles& files, const Options& options)
    : files_(files),
      process_(
          {Arguments(files, options), options.environment, options.faults}) {}

void HizodProcess::Init(VaultFiles& files) {
  HizodProcess hizod(files, {{"--init"}, {}});
  if (hizod.process_.Wait() != 0) {
    throw std::runtime_error(hizod.process_.output());
  }
}

bool HizodProcess::WaitUntilReady() {
  const auto ready = process_.WaitForLine([](std::string_view line) {
    return line.find("\"event\":\"ready\"") != line.npos;
  });
  if (!ready.has_value()) return false;
  const size_t port = ready->find(kPortMember) + kPortMember.size();
  address_ = "127.0.0.1:" + std::to_string(std::stoi(ready->substr(port)));
  return true;
}

Peer HizodProcess::As(const std::string& name) const {
  return Peer(files_.PeerOptions(name, address_));
}

void HizodProcess::Kill() {
  process_.Signal(SIGKILL);
  process_.Wait();
}

int HizodProcess::Stop() {
  process_.Signal(SIGTERM);
  return process_.Wait();
}

}  // namespace hizo::test
