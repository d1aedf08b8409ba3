// A kernel that gives no random bytes, for one process and its children.
//
// Threads: RefuseRandom counts for the calling thread and those it starts.
#ifndef HIZO_TESTS_TESTING_REFUSED_RANDOM_H_
#define HIZO_TESTS_TESTING_REFUSED_RANDOM_H_

namespace hizo::test {

// From now on getrandom fails with EIO, and nothing brings it back. Throws if
// the system does not let it be.
void RefuseRandom();

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_REFUSED_RANDOM_H_
