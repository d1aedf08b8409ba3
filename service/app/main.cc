// hizod: the server.
#include <pthread.h>

#include <csignal>
#include <ctime>
#include <iostream>
#include <string>

#include "absl/synchronization/mutex.h"
#include "service/app/config.h"
#include "service/app/instance.h"
#include "service/app/logging.h"
#include "service/app/options.h"
#include "service/app/out_of_memory.h"
#include "service/app/process.h"
#include "service/app/rebuild.h"
#include "service/app/restore.h"
#include "service/app/verify_data.h"

namespace {

using hizo::app::Config;
using hizo::app::Level;

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr time_t kHealthIntervalSeconds = 1;

// Waits for SIGTERM or SIGINT, or until the store cannot go on.
int WaitForEnd(const hizo::app::Instance& instance, const sigset_t& signals) {
  const timespec interval{kHealthIntervalSeconds, 0};
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &interval);
    if (signal == SIGTERM || signal == SIGINT) {
      hizo::app::Log(Level::kInfo, "stopping", {{"signal", signal}});
      return kExitOk;
    }
    if (!instance.healthy()) {
      hizo::app::LogText(Level::kError, "store_failed",
                         "a write to the disk failed with its outcome "
                         "unknown; ending, so that the next start finds out");
      return kExitFailed;
    }
  }
}

int Fail(const char* event, const absl::Status& status) {
  hizo::app::LogText(Level::kError, event, std::string(status.message()));
  return kExitFailed;
}

int Serve(const Config& config) {
  for (const std::string& warning : hizo::app::Warnings(config)) {
    hizo::app::LogText(Level::kWarning, "config", warning);
  }
  if (const auto status = hizo::app::CheckProcess(config); !status.ok()) {
    return Fail("process", status);
  }
  // Blocked before any thread exists, so that only sigtimedwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const hizo::base::SystemClock clock;
  auto engines = hizo::app::OpenEngines(
      config, hizo::app::Opening::kServed, [](std::string_view text) {
        hizo::app::LogText(Level::kWarning, "rocksdb", text);
      });
  if (!engines.ok()) return Fail("cannot_open", engines.status());
  auto instance =
      hizo::app::Instance::Start(config, *std::move(engines), clock);
  if (!instance.ok()) return Fail("cannot_start", instance.status());
  hizo::app::Log(Level::kInfo, "ready", {{"port", (*instance)->port()}});
  const int code = WaitForEnd(**instance, signals);
  instance->reset();
  hizo::app::Log(Level::kInfo, "stopped");
  return code;
}

int Init(const Config& config) {
  absl::Status status = hizo::app::CheckProcess(config);
  if (!status.ok()) return Fail("process", status);
  status = hizo::app::InitStore(config);
  if (!status.ok()) return Fail("cannot_init", status);
  std::cout << "A new, empty store was made in "
            << config.storage_data_dir.string() << " and "
            << config.storage_keys_dir.string() << ".\n"
            << "Its root key lies only in the slots:\n";
  for (const auto& slot : config.slots) {
    std::cout << "  " << slot.string() << "\n";
  }
  std::cout << "Whoever loses all of them loses everybody in the store; "
               "whoever copies one can read it.\n";
  return kExitOk;
}

int Restore(const Config& config, uint64_t backup) {
  absl::Status status = hizo::app::CheckProcess(config);
  if (!status.ok()) return Fail("process", status);
  const hizo::base::SystemClock clock;
  const auto restored = hizo::app::RestoreStore(config, backup, clock);
  if (!restored.ok()) return Fail("cannot_restore", restored.status());
  const auto& counts = restored->counts;
  std::cout << counts.records << " records of " << counts.people
            << " people came back from backup " << backup << ".\n"
            << counts.without_key
            << " were left out: their people or keys are gone.\n"
            << counts.kept_since
            << " writes since the backup were not taken back.\n"
            << counts.lost_since
            << " records of before are lost, with all else that was written "
               "since the backup.\n"
            << "The data of before lie in " << restored->replaced.string()
            << ": remove them once all is well.\n";
  return kExitOk;
}

int Rebuild(const Config& config) {
  const absl::Status status = hizo::app::CheckProcess(config);
  if (!status.ok()) return Fail("process", status);
  const hizo::base::SystemClock clock;
  const auto rebuilt = hizo::app::RebuildStores(config, clock);
  if (!rebuilt.ok()) return Fail("cannot_rebuild", rebuilt.status());
  std::cout << "The stores in " << config.storage_data_dir.string() << " and "
            << config.storage_keys_dir.string()
            << " were made anew from the replica in "
            << config.replica_dir.string() << "; their audit log has "
            << rebuilt->audit_events << " entries.\n";
  if (rebuilt->anchor_is_new) {
    std::cout << "The anchor was lost as well and is new: compare that number "
                 "with the newest head that a witness or anybody else has.\n";
  }
  return kExitOk;
}

const char* WordOf(hizo::vault::DataFinding::What what) {
  using What = hizo::vault::DataFinding::What;
  switch (what) {
    case What::kOther:
      return "is not what was written last";
    case What::kUnknown:
      return "was never written";
    case What::kMissing:
      return "is missing";
  }
  return "";
}

int VerifyData(const Config& config) {
  absl::Status status = hizo::app::CheckProcess(config);
  if (!status.ok()) return Fail("process", status);
  const hizo::base::SystemClock clock;
  const auto verdict = hizo::app::VerifyData(config, clock);
  if (!verdict.ok()) return Fail("cannot_verify", verdict.status());
  for (const hizo::vault::DataFinding& finding : verdict->findings) {
    std::cout << "person " << hizo::base::ToText(finding.subject) << ", class "
              << finding.class_number << ", record "
              << hizo::base::ToText(finding.record) << " "
              << WordOf(finding.what);
    if (finding.entry.has_value()) std::cout << ": entry " << *finding.entry;
    std::cout << "\n";
  }
  for (const hizo::vault::PolicyFinding& finding : verdict->policies) {
    std::cout << "policy of tenant " << static_cast<uint32_t>(finding.tenant)
              << " " << WordOf(finding.what);
    if (finding.entry.has_value()) std::cout << ": entry " << *finding.entry;
    std::cout << "\n";
  }
  std::cout << verdict->rows << " rows of " << verdict->people
            << " people were looked at; " << verdict->wrong
            << " are not as the audit log says.\n";
  return verdict->wrong == 0 ? kExitOk : kExitFailed;
}

int CheckConfig(const Config& config) {
  const auto declared = hizo::app::ReadDeclared(config);
  const auto tls = hizo::app::ReadTls(config, hizo::base::SystemClock().Now());
  for (const absl::Status& status : {declared.status(), tls.status()}) {
    if (status.ok()) continue;
    std::cerr << std::string(status.message()) << "\n";
    return kExitFailed;
  }
  for (const std::string& warning : hizo::app::Warnings(config)) {
    std::cout << "warning: " << warning << "\n";
  }
  for (const hizo::policy::TenantSpec& tenant : declared->access->tenants()) {
    const hizo::policy::CompanyPolicy* policy = tenant.policy_of_files;
    if (policy == nullptr) continue;
    std::cout << "tenant " << tenant.name << ": policy " << policy->profile_id()
              << " version " << policy->version() << ", sha256 "
              << policy->digest()
              << "; one that was activated goes before it\n";
    for (const hizo::policy::Conflict& conflict : policy->conflicts()) {
      std::cout << "  accepted: " << conflict.id << ", " << conflict.text
                << "\n";
    }
  }
  std::cout << "The configuration is good.\n";
  return kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  hizo::app::EndWhenOutOfMemory();
  hizo::app::HardenProcess();
  // Debian builds Abseil with a search for deadlocks at every lock of gRPC's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  hizo::app::CaptureLibraryLogs();
  const auto options = hizo::app::ParseOptions(argc, argv);
  if (!options.ok()) {
    std::cerr << std::string(options.status().message()) << "\n";
    return kExitUsage;
  }
  if (options->command == hizo::app::Command::kPrint) {
    std::cout << options->text;
    return kExitOk;
  }
  const auto config =
      hizo::app::LoadConfig(options->config, options->overrides);
  if (!config.ok()) {
    std::cerr << std::string(config.status().message()) << "\n";
    return kExitUsage;
  }
  switch (options->command) {
    case hizo::app::Command::kRestore:
      return Restore(*config, options->backup);
    case hizo::app::Command::kVerifyData:
      return VerifyData(*config);
    case hizo::app::Command::kRebuild:
      return Rebuild(*config);
    case hizo::app::Command::kInit:
      return Init(*config);
    case hizo::app::Command::kCheckConfig:
      return CheckConfig(*config);
    case hizo::app::Command::kServe:
    case hizo::app::Command::kPrint:
      break;
  }
  return Serve(*config);
}
