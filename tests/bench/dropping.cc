#include "tests/bench/dropping.h"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "service/app/config.h"
#include "service/app/instance.h"
#include "tests/bench/load.h"

namespace hizo::bench {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPort = "port ";

class DroppingEngine final : public storage::Engine {
 public:
  explicit DroppingEngine(std::unique_ptr<storage::Engine> engine)
      : engine_(std::move(engine)) {}
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key) const override {
    return engine_->Get(key);
  }
  absl::StatusOr<std::vector<storage::Row>> Scan(
      const storage::ScanRange& range) const override {
    return engine_->Scan(range);
  }
  absl::Status Commit(const storage::Batch&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> NewSnapshot()
      const override {
    return engine_->NewSnapshot();
  }
  absl::Status Health() const override { return engine_->Health(); }
  bool OnlyReserveLeft() const override { return engine_->OnlyReserveLeft(); }
  absl::StatusOr<storage::PurgeReport> Purge(std::atomic<bool>& stop) override {
    return engine_->Purge(stop);
  }

 private:
  const std::unique_ptr<storage::Engine> engine_;
};

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

}  // namespace

Dropping::Dropping(const std::filesystem::path& config, Commits commits)
    : process_({Myself("--serve", Json{{"config", config.string()},
                                       {"drop", commits == Commits::kDropped}}
                                      .dump()),
                {}}) {
  const auto line = process_.WaitForLine(
      [](std::string_view text) { return text.starts_with(kPort); });
  if (!line.has_value()) throw std::runtime_error(process_.output());
  address_ = "127.0.0.1:" + line->substr(kPort.size());
}

int DroppingMain(const std::string& spec) {
  const Json json = Json::parse(spec);
  app::Config config =
      Require(app::LoadConfig(std::string(json.at("config")), {}));
  config.storage_cache_mb = app::Config().storage_cache_mb;
  app::Engines engines =
      Require(app::OpenEngines(config, app::Opening::kExisting, nullptr));
  if (json.at("drop")) {
    engines.data = std::make_unique<DroppingEngine>(std::move(engines.data));
  }
  const base::SystemClock clock;
  const auto instance =
      Require(app::Instance::Start(config, std::move(engines), clock));
  std::cout << kPort << instance->port() << std::endl;
  for (;;) pause();
}

}  // namespace hizo::bench
