// TestLog: a log over an engine in memory, and events to fill it with.
#ifndef HIZO_TESTS_SERVICE_AUDIT_TEST_LOG_H_
#define HIZO_TESTS_SERVICE_AUDIT_TEST_LOG_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/signed_note.h"
#include "service/audit/log.h"
#include "storage/engine.h"

namespace hizo::audit {

inline constexpr char kOrigin[] = "hizo/test";
inline constexpr base::Timestamp kStart{std::chrono::seconds(1)};

crypto::NoteSigner TestSigner(char seed = 'k');

base::AuditReference ReferenceOf(uint8_t number);

// An event that differs from those of other numbers; numbers that are alike
// modulo 3 have one actor, modulo 5 one subject, modulo 2 one action.
Event EventOf(uint64_t number);

class TestLog {
 public:
  TestLog();

  // Appends events of the numbers that follow, in batches of `batch`, each a
  // second after the one before.
  void Append(uint64_t count, uint64_t batch = 100);
  // Appends these in one batch, a second after the one before.
  void AppendEvents(std::vector<Event> events);
  absl::StatusOr<Log::Staged> Stage(uint64_t count);

  // Opens what is stored as a restart would.
  absl::StatusOr<std::unique_ptr<Log>> Reopen() const;
  // Opens it and checks every entry.
  bool IsSound() const;

  std::string Stored(const std::string& key) const;
  // Changes a row behind the log's back.
  void Overwrite(const std::string& key, const std::string& value);
  void Remove(const std::string& key);

  storage::Engine& engine() { return *engine_; }
  const storage::Engine& engine() const { return *engine_; }
  Log& log() { return *log_; }

 private:
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<Log> log_;
  uint64_t batches_ = 0;
};

}  // namespace hizo::audit

#endif  // HIZO_TESTS_SERVICE_AUDIT_TEST_LOG_H_
