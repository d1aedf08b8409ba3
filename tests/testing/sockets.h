// Sockets: TCP connections that say nothing.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_TESTS_TESTING_SOCKETS_H_
#define HIZO_TESTS_TESTING_SOCKETS_H_

#include <chrono>
#include <string>

namespace hizo::test {

// A connection to "127.0.0.1:port", which the caller closes; -1 if it was
// refused.
int ConnectTo(const std::string& address);
// Reads until the other side has closed `socket`; false if it has not within
// `patience`.
bool AwaitClose(int socket, std::chrono::milliseconds patience);

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_SOCKETS_H_
