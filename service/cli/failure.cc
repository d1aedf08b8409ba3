#include "service/cli/failure.h"

#include <optional>

#include "absl/strings/cord.h"

namespace hizo::cli {
namespace {

constexpr char kExit[] = "hizo/exit";
constexpr char kReason[] = "hizo/reason";
constexpr char kField[] = "hizo/field";

std::string Payload(const absl::Status& status, const char* name) {
  const auto payload = status.GetPayload(name);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status Fail(const Failure& failure) {
  absl::Status status(absl::StatusCode::kUnknown, failure.text);
  status.SetPayload(kExit,
                    absl::Cord(std::to_string(static_cast<int>(failure.exit))));
  status.SetPayload(kReason, absl::Cord(failure.reason));
  status.SetPayload(kField, absl::Cord(failure.field));
  return status;
}

absl::Status UsageError(std::string text) {
  return Fail({.exit = ExitCode::kUsage,
               .text = std::move(text),
               .reason = {},
               .field = {}});
}

Failure FailureOf(const absl::Status& status) {
  const std::string exit = Payload(status, kExit);
  return {.exit = exit.empty() ? ExitCode::kUsage
                               : static_cast<ExitCode>(std::stoi(exit)),
          .text = std::string(status.message()),
          .reason = Payload(status, kReason),
          .field = Payload(status, kField)};
}

}  // namespace hizo::cli
