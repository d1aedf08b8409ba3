#include "tests/bench/disk_ceiling.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "storage/files.h"
#include "storage/key_bytes.h"
#include "storage/rocksdb/engine.h"

namespace hizo::bench {
namespace {

constexpr size_t kRecordBytes = 1300;
constexpr size_t kEntryBytes = 200;
constexpr size_t kTurnsMax = size_t{1} << 32;
constexpr char kRecordSpace = 1;
constexpr char kEntrySpace = 2;

void Check(bool ok) {
  if (!ok) throw std::system_error(errno, std::generic_category());
}

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// As people's keys are, in no order.
std::string Scattered(size_t number) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  return storage::KeyWriter(kRecordSpace).U64(number * kOdd).Take();
}

std::string InOrder(size_t number) {
  return storage::KeyWriter(kEntrySpace).U64(number).Take();
}

}  // namespace

Sample SyncedAppends(double seconds) {
  const test::ScratchDirectory scratch;
  const storage::FileDescriptor file(
      open((scratch.path() / "log").c_str(),
           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  Check(file.valid());
  const std::string entry = Filler(0, kEntryBytes);
  return Repeat({1, seconds}, [&](size_t, size_t) {
    Check(write(file.get(), entry.data(), entry.size()) ==
          static_cast<ssize_t>(entry.size()));
    Check(fdatasync(file.get()) == 0);
  });
}

BareStore::BareStore() {
  storage::RocksDbOptions options;
  options.directory = scratch_.path() / "store";
  options.create = true;
  auto engine = storage::OpenRocksDb(options);
  Require(engine.status());
  engine_ = *std::move(engine);
}

Sample BareStore::PutRecords(const Shape& shape) {
  const std::string record = Filler(0, kRecordBytes);
  const std::string entry = Filler(1, kEntryBytes);
  const size_t base = written_;
  written_ += shape.threads * kTurnsMax;
  Sample sample =
      Repeat({shape.threads, shape.seconds}, [&](size_t thread, size_t turn) {
        storage::Batch batch;
        for (size_t i = 0; i < shape.pairs; ++i) {
          const size_t number =
              base + thread * kTurnsMax + turn * shape.pairs + i;
          batch.Put(Scattered(number), record);
          batch.Put(InOrder(number), entry);
        }
        Require(engine_->Commit(batch));
      });
  sample.per_second *= static_cast<double>(shape.pairs);
  return sample;
}

Sample BareStore::PutEntries(size_t entries, size_t bytes, double seconds) {
  const std::string entry = Filler(1, bytes);
  const size_t base = written_;
  written_ += kTurnsMax;
  Sample sample = Repeat({1, seconds}, [&](size_t, size_t turn) {
    storage::Batch batch;
    for (size_t i = 0; i < entries; ++i) {
      batch.Put(InOrder(base + turn * entries + i), entry);
    }
    Require(engine_->Commit(batch));
  });
  sample.per_second *= static_cast<double>(entries);
  return sample;
}

}  // namespace hizo::bench
