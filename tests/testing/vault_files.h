// VaultFiles: a directory with all that hizod and its callers are told by
// files: configuration, catalogue, who may do what, certificates.
//
// Callers are spiffe://hizo.example/<name>, where <name> is one of
//   acme/full        everything about people, plainly
//   acme/masked      reads everything, masked, for support
//   acme/powerless   configured, without a role
//   acme/auditor     reads the audit log
//   acme/operator    the administrator
//   globex/full, globex/auditor   the same in another tenant
//
// Threads: one object from one thread at a time.
#ifndef HIZO_TESTS_TESTING_VAULT_FILES_H_
#define HIZO_TESTS_TESTING_VAULT_FILES_H_

#include <filesystem>
#include <map>
#include <string>

#include "service/app/config.h"
#include "tests/testing/certificates.h"
#include "tests/testing/peer.h"
#include "tests/testing/scratch_directory.h"

namespace hizo::test {

class VaultFiles {
 public:
  VaultFiles();  // throws if it cannot
  VaultFiles(const VaultFiles&) = delete;
  VaultFiles& operator=(const VaultFiles&) = delete;

  const std::filesystem::path& directory() const { return scratch_.path(); }
  // hizod.yaml, and what it says; tests may change their copy of the latter.
  std::filesystem::path config_file() const;
  app::Config LoadConfig() const;

  CertificateAuthority& authority() { return authority_; }
  // Of the caller <name>; the same each time.
  const Identity& IdentityOf(const std::string& name);
  // What the caller <name> connects to `address` with.
  Peer::Options PeerOptions(const std::string& name,
                            const std::string& address);
  // Writes the files of the command line `hizo` for the caller <name>; its
  // configuration.
  std::filesystem::path WriteClient(const std::string& name,
                                    const std::string& address,
                                    const std::string& purpose);

  // Gives acme the policy that is shipped for `company`, with another operator
  // overlay if one is named. From the next start on.
  void AdoptPolicy(const std::string& company,
                   const std::filesystem::path& overlay = {}) const;

  // Writes a file of the directory; its path.
  std::filesystem::path Write(const std::string& name,
                              const std::string& text) const;

 private:
  const ScratchDirectory scratch_;
  CertificateAuthority authority_;
  std::map<std::string, Identity> identities_;
};

// The whole of a file; throws if it cannot be read.
std::string ReadFile(const std::filesystem::path& file);

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_VAULT_FILES_H_
