#include "service/app/out_of_memory.h"

#include <unistd.h>

#include <new>
#include <string_view>

namespace hizo::app {
namespace {

// Without memory of its own, and without running what others left for the end.
[[noreturn]] void End() {
  constexpr std::string_view kLine =
      "{\"level\":\"error\",\"event\":\"out_of_memory\",\"text\":\"no memory "
      "is left; ending, so that the next start goes on\"}\n";
  const ssize_t ignored = write(STDERR_FILENO, kLine.data(), kLine.size());
  (void)ignored;
  _exit(kExitOutOfMemory);
}

}  // namespace

void EndWhenOutOfMemory() { std::set_new_handler(&End); }

}  // namespace hizo::app
