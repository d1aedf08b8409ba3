#include "tests/service/audit/test_log.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "gtest/gtest.h"
#include "storage/memory/engine.h"

namespace hizo::audit {

crypto::NoteSigner TestSigner(char seed) {
  return {kOrigin, crypto::Key::CopyOf(std::string(crypto::Key::kSize, seed))};
}

base::AuditReference ReferenceOf(uint8_t number) {
  return *base::AuditReference::FromBytes(
      std::string(base::AuditReference::kSize, static_cast<char>(number)));
}

Event EventOf(uint64_t number) {
  Event event;
  event.tenant = base::TenantId{1};
  event.actor = "spiffe://example.org/" + std::to_string(number % 3);
  event.action =
      number % 2 == 0 ? policy::Action::kRecordGet : policy::Action::kRecordPut;
  event.outcome = number % 7 == 0 ? Outcome::kDenied : Outcome::kAllowed;
  event.reason = base::Reason::kNone;
  event.purpose = 1;
  event.catalogue_version = 1;
  event.subject = ReferenceOf(static_cast<uint8_t>(number % 5));
  event.records = static_cast<uint32_t>(number);
  return event;
}

TestLog::TestLog() : engine_(storage::NewMemoryEngine()), log_(*Reopen()) {}

absl::StatusOr<Log::Staged> TestLog::Stage(uint64_t count) {
  const uint64_t first = log_->head().size;
  std::vector<Event> events;
  for (uint64_t i = 0; i < count; ++i) events.push_back(EventOf(first + i));
  std::vector<Event*> pointers;
  for (Event& event : events) pointers.push_back(&event);
  return log_->Stage(pointers, kStart + std::chrono::seconds(batches_));
}

void TestLog::AppendEvents(std::vector<Event> events) {
  std::vector<Event*> pointers;
  for (Event& event : events) pointers.push_back(&event);
  auto staged =
      log_->Stage(pointers, kStart + std::chrono::seconds(batches_++));
  ASSERT_TRUE(staged.ok()) << staged.status();
  ASSERT_TRUE(engine_->Commit(staged->batch).ok());
  log_->Advance(*std::move(staged));
}

void TestLog::Append(uint64_t count, uint64_t batch) {
  while (count > 0) {
    const uint64_t size = std::min(count, batch);
    absl::StatusOr<Log::Staged> staged = Stage(size);
    ASSERT_TRUE(staged.ok()) << staged.status();
    const absl::Status status = engine_->Commit(staged->batch);
    ASSERT_TRUE(status.ok()) << status;
    log_->Advance(*std::move(staged));
    ++batches_;
    count -= size;
  }
}

absl::StatusOr<std::unique_ptr<Log>> TestLog::Reopen() const {
  return Log::Open(*engine_, kOrigin, TestSigner());
}

bool TestLog::IsSound() const {
  const absl::StatusOr<bool> extends = Extends(*engine_, 0, TreeEdge().Root());
  return Reopen().ok() && extends.ok() && *extends;
}

std::string TestLog::Stored(const std::string& key) const {
  const std::optional<std::string> value = *engine_->Get(key);
  EXPECT_TRUE(value.has_value());
  return value.value_or("");
}

void TestLog::Overwrite(const std::string& key, const std::string& value) {
  storage::Batch batch;
  batch.Put(key, value);
  ASSERT_TRUE(engine_->Commit(batch).ok());
}

void TestLog::Remove(const std::string& key) {
  storage::Batch batch;
  batch.Delete(key);
  ASSERT_TRUE(engine_->Commit(batch).ok());
}

}  // namespace hizo::audit
