#include "tests/bench/bench_vault.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "hizo/v1/credential.pb.h"
#include "hizo/v1/record.pb.h"

namespace hizo::bench {
namespace {

constexpr char kCaller[] = "acme/full";
constexpr char kPassword[] = "correct horse battery staple";
constexpr auto kFields = std::to_array<const char*>(
    {"full_name", "display_name", "company_name", "department", "job_title",
     "street", "locality", "region", "postal_code", "country", "language",
     "time_zone"});
// Of a text, so that the twelve make about 500 bytes.
constexpr size_t kTextBytes = 40;
constexpr size_t kStreams = 4;
constexpr size_t kPeoplePerStream = 500;

void FillProfile(size_t seed, v1::NewRecord& record) {
  record.set_record_class("profile");
  for (size_t i = 0; i < kFields.size(); ++i) {
    v1::Field& field = *record.add_fields();
    field.set_name(kFields[i]);
    field.mutable_value()->set_text(
        Filler(seed * kFields.size() + i, kTextBytes));
  }
}

std::vector<v1::ImportRecordsRequest> People(size_t first, size_t count) {
  std::vector<v1::ImportRecordsRequest> people(count);
  for (size_t i = 0; i < count; ++i) {
    people[i].mutable_context()->set_purpose("onboarding");
    FillProfile(first + i, *people[i].add_records());
  }
  return people;
}

// Imports `count` people over one stream; their ids.
std::vector<std::string> ImportStream(const test::Peer& peer, size_t first,
                                      size_t count) {
  const auto answer =
      peer.Stream<v1::ImportRecordsResponse>(People(first, count));
  if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  std::vector<std::string> ids;
  for (const v1::ImportStatus& item : answer->items()) {
    if (item.subject().empty()) throw std::runtime_error("a person is refused");
    ids.push_back(item.subject());
  }
  if (ids.size() != count) throw std::runtime_error("a person is missing");
  return ids;
}

}  // namespace

BenchVault::BenchVault() {
  files_.Write("catalogue.yaml",
               test::ReadFile(HIZO_SOURCE_DIR "/tests/bench/catalogue.yaml"));
  files_.WriteClient(kCaller, "", "service_delivery");
  test::HizodProcess::Init(files_);
  Start();
}

void BenchVault::Start() {
  // As shipped, where the test configuration differs.
  hizod_.emplace(files_,
                 test::HizodProcess::Options{
                     {"--storage.cache-mb", "64", "--password.cost",
                      std::to_string(kPasswordCost), "--reflection", "false"},
                     {}});
  if (!hizod_->WaitUntilReady()) {
    throw std::runtime_error(hizod_->process().output());
  }
}

double BenchVault::Restart() {
  hizod_->Kill();
  const auto start = std::chrono::steady_clock::now();
  Start();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

std::filesystem::path BenchVault::Leave() {
  hizod_->Stop();
  return files_.config_file();
}

void BenchVault::Import(size_t count) {
  std::mutex mutex;
  const size_t begin = people_.size();
  size_t taken = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    const test::Peer peer = hizod_->As(kCaller);
    for (;;) {
      std::unique_lock lock(mutex);
      const size_t first = taken;
      const size_t size = std::min(kPeoplePerStream, count - taken);
      if (size == 0 || failure != nullptr) return;
      taken += size;
      lock.unlock();
      const auto ids = ImportStream(peer, begin + first, size);
      lock.lock();
      people_.insert(people_.end(), ids.begin(), ids.end());
    }
  };
  const auto run = [&] {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kStreams; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

std::vector<std::string> BenchVault::Reads(size_t count) const {
  std::vector<std::string> requests;
  for (size_t i = 0; i < count; ++i) {
    v1::GetRecordRequest request;
    request.mutable_context()->set_purpose("service_delivery");
    request.set_subject(people_.at(i));
    request.set_record_class("profile");
    request.set_view(v1::VIEW_PLAIN);
    for (const char* field : kFields) {
      request.mutable_read_mask()->add_paths(field);
    }
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

std::vector<std::string> BenchVault::Writes(size_t count) const {
  std::vector<std::string> requests;
  for (size_t i = 0; i < count; ++i) {
    v1::PutRecordRequest request;
    request.mutable_context()->set_purpose("service_delivery");
    request.set_subject(people_.at(i));
    FillProfile(people_.size() + i, *request.mutable_record());
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

std::vector<std::string> BenchVault::Verifications(size_t count) const {
  std::vector<std::string> requests;
  for (size_t i = 0; i < count; ++i) {
    v1::VerifyPasswordRequest request;
    request.mutable_context()->set_purpose("authentication");
    request.set_subject(people_.at(i));
    request.set_password(kPassword);
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

void BenchVault::SetPasswords(size_t count) {
  const test::Peer peer = hizod_->As(kCaller);
  for (size_t i = 0; i < count; ++i) {
    v1::SetPasswordRequest request;
    request.mutable_context()->set_purpose("authentication");
    request.set_subject(people_.at(i));
    request.set_password(kPassword);
    const auto answer = peer.Ask<v1::SetPasswordResponse>(request);
    if (!answer.ok()) throw std::runtime_error(answer.status().ToString());
  }
}

Load BenchVault::LoadOf(const std::string& method,
                        const std::vector<std::string>& requests) {
  Load load;
  load.address = hizod_->address();
  load.path = "/hizo.v1." + method;
  load.identity = directory();
  load.requests =
      directory() / (method.substr(method.find('/') + 1) + ".calls");
  WriteRequests(load.requests, requests);
  return load;
}

}  // namespace hizo::bench
