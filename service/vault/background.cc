#include "service/vault/background.h"

#include <memory>
#include <utility>

namespace hizo::vault {
namespace {

// It must not take processor and disk from calls.
constexpr int kNice = 19;

}  // namespace

class Background::Start : public Attempt::Held {
 public:
  Start(Background& background, std::function<void()> work)
      : background_(background), work_(std::move(work)) {}
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() override { background_.Begin(std::move(work_)); }

 private:
  Background& background_;
  std::function<void()> work_;
};

Background::Background()
    : pool_({.threads = 1, .queue_max = 1, .nice = kNice}) {}

void Background::BeginAfter(Attempt& attempt, std::function<void()> work) {
  attempt.Hold(std::make_unique<Start>(*this, std::move(work)));
}

}  // namespace hizo::vault
