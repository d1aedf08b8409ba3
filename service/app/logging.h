// Logging: what hizod writes to standard error, one JSON object a line.
//
// A line is made of names and numbers that are in this program; a text that
// came from outside has no way in. What the libraries would print of
// themselves (gRPC prints the value of a metadata header that it refuses) is
// cut down to where it came from.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_LOGGING_H_
#define HIZO_SERVICE_APP_LOGGING_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace hizo::app {

struct LogField {
  const char* name;
  int64_t value;
};
enum class Level : uint8_t { kInfo, kWarning, kError };

// `event` is a literal such as "ready".
void Log(Level level, const char* event,
         std::initializer_list<LogField> fields = {});
// For texts that an operator wrote or that this program made: configuration
// warnings, errors at start.
void LogText(Level level, const char* event, std::string_view text);

// Makes gRPC and protobuf log through here, without their texts.
void CaptureLibraryLogs();

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_LOGGING_H_
