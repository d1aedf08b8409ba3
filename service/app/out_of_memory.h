// What happens when memory runs out: the process says so and ends at once.
//
// No call is answered that was not committed, and nothing is written by ending,
// so that this is a crash like any other. To go on would mean that every line
// of the service and of its libraries could fail in the middle; a supervisor
// that starts it again is simpler and loses nothing.
//
// Threads: call it before there are any.
#ifndef HIZO_SERVICE_APP_OUT_OF_MEMORY_H_
#define HIZO_SERVICE_APP_OUT_OF_MEMORY_H_

namespace hizo::app {

inline constexpr int kExitOutOfMemory = 1;

// From now on, `operator new` that finds no memory ends the process with
// kExitOutOfMemory instead of throwing.
void EndWhenOutOfMemory();

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_OUT_OF_MEMORY_H_
