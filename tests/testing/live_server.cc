#include "tests/testing/live_server.h"

#include <stdexcept>
#include <utility>

#include "service/app/instance.h"
#include "service/app/logging.h"

namespace hizo::test {
namespace {

constexpr size_t kEventsMax = 5000;

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

template <typename T>
T Require(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

}  // namespace

LiveServer::LiveServer() : config_(files_.LoadConfig()) {
  // Tests that move the clock count what is written: by them alone.
  config_.renew_minutes = 0;
  config_.purge_hours = 0;
  app::CaptureLibraryLogs();
  Require(app::InitStore(config_));
  Require(Start());
}

LiveServer::~LiveServer() = default;

void LiveServer::Stop() {
  keys_ = nullptr;
  data_ = nullptr;
  instance_.reset();
}

absl::Status LiveServer::Start() {
  Stop();
  auto engines = app::OpenEngines(config_, app::Opening::kExisting, nullptr);
  if (!engines.ok()) return engines.status();
  auto keys = std::make_unique<FaultyEngine>(std::move(engines->keys));
  auto data = std::make_unique<FaultyEngine>(std::move(engines->data));
  FaultyEngine* const keys_view = keys.get();
  FaultyEngine* const data_view = data.get();
  auto instance = app::Instance::Start(
      config_, {std::move(keys), std::move(data), std::move(engines->backups)},
      clock_);
  if (!instance.ok()) return instance.status();
  instance_ = *std::move(instance);
  keys_ = keys_view;
  data_ = data_view;
  return absl::OkStatus();
}

Peer LiveServer::As(const std::string& name) {
  return Peer(files_.PeerOptions(name, address()));
}

std::string LiveServer::port() const {
  if (instance_ == nullptr) throw std::logic_error("the server is stopped");
  return std::to_string(instance_->port());
}

vault::Store& LiveServer::store() const {
  if (instance_ == nullptr) throw std::logic_error("the server is stopped");
  return instance_->store();
}

bool LiveServer::healthy() const {
  return instance_ != nullptr && instance_->healthy();
}

uint64_t LiveServer::EventCount() const { return store().log().head().size; }

std::vector<audit::Event> LiveServer::EventsFrom(uint64_t first) const {
  std::vector<audit::Event> events;
  const uint64_t size = EventCount();
  if (size <= first) return events;
  audit::Page page = Require(audit::Query(
      *data_, size, {}, audit::Order::kOldestFirst, first, kEventsMax));
  for (audit::Found& found : page.events) {
    events.push_back(std::move(found.event));
  }
  return events;
}

StoppedStores OpenStores(const app::Config& config) {
  app::Engines engines =
      Require(app::OpenEngines(config, app::Opening::kExisting, nullptr));
  return {std::move(engines.keys), std::move(engines.data)};
}

}  // namespace hizo::test
