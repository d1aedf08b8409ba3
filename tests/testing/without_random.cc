// Runs a program to which the kernel gives no random bytes:
//   hizo_without_random PROGRAM ARGUMENT...
#include <unistd.h>

#include "tests/testing/refused_random.h"

int main(int argc, char** argv) {
  constexpr int kExitNotStarted = 127;
  if (argc < 2) return kExitNotStarted;
  hizo::test::RefuseRandom();
  execv(argv[1], argv + 1);
  return kExitNotStarted;
}
