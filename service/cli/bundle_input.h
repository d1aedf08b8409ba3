// BundleInput: a bundle in a file, and with what it is opened and checked.
//
// Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_BUNDLE_INPUT_H_
#define HIZO_SERVICE_CLI_BUNDLE_INPUT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "service/bundle/reader.h"
#include "service/cli/terminal.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own name.
class App;
}  // namespace CLI

namespace hizo::cli {

class BundleInput {
 public:
  // Declares the options; outlives the parsing.
  explicit BundleInput(CLI::App& app);

  // A bundle that is not good is a failure of kNotVerified whose reason is the
  // refusal's name. May be called again: a passphrase is asked for once.
  absl::StatusOr<bundle::Verified> Read(Terminal& terminal,
                                        const bundle::TakeMember& take);

 private:
  absl::StatusOr<crypto::AgeOpeners> Openers(Terminal& terminal);

  std::string file_;
  std::string key_;
  std::string identity_;
  std::string passphrase_file_;
  bool ask_ = false;
  std::optional<crypto::Secret> passphrase_;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_BUNDLE_INPUT_H_
