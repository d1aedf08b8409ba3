#include "service/app/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace hizo::app {
namespace {

spdlog::level::level_enum LevelOf(Level level) {
  switch (level) {
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& Logger() {
  static const std::unique_ptr<spdlog::logger> logger = [] {
    auto made = std::make_unique<spdlog::logger>(
        "hizod", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                      spdlog::pattern_time_type::utc);
    return made;
  }();
  return *logger;
}

std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Write(Level level, const std::string& members) {
  Logger().log(LevelOf(level), "{}", members);
  Logger().flush();
}

void FromGrpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  const std::string_view file(args->file);
  Write(Level::kWarning, R"("event":"grpc","file":)" +
                             Quoted(file.substr(file.find_last_of('/') + 1)) +
                             ",\"line\":" + std::to_string(args->line));
}

void FromProtobuf(google::protobuf::LogLevel level, const char* /*file*/,
                  int line, const std::string& /*message*/) {
  if (level < google::protobuf::LOGLEVEL_WARNING) return;
  Log(Level::kWarning, "protobuf", {{"line", line}});
}

}  // namespace

void Log(Level level, const char* event,
         std::initializer_list<LogField> fields) {
  std::string members = "\"event\":" + Quoted(event);
  for (const LogField& field : fields) {
    members += "," + Quoted(field.name) + ":" + std::to_string(field.value);
  }
  Write(level, members);
}

void LogText(Level level, const char* event, std::string_view text) {
  Write(level, "\"event\":" + Quoted(event) + ",\"text\":" + Quoted(text));
}

void CaptureLibraryLogs() {
  gpr_set_log_function(FromGrpc);
  google::protobuf::SetLogHandler(FromProtobuf);
}

}  // namespace hizo::app
