// Certificates for a test: an authority, a server for 127.0.0.1, a client.
//
// Files in a directory of the caller's: ca.pem, server.pem, server.key,
// client.pem, client.key, and stranger.pem with stranger.key of an authority
// that nobody trusts. Threads: not for concurrent use.
#ifndef HIZO_TESTS_CLI_TLS_FILES_H_
#define HIZO_TESTS_CLI_TLS_FILES_H_

#include <filesystem>

namespace hizo::test {

// Throws where OpenSSL fails.
void WriteTlsFiles(const std::filesystem::path& directory);

}  // namespace hizo::test

#endif  // HIZO_TESTS_CLI_TLS_FILES_H_
