// hizo audit prove, continues: what the log proves.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/escaping.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "hizo/v1/audit.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using crypto::Digest;

absl::Status NotVerified(std::string text) {
  return Fail({.exit = ExitCode::kNotVerified,
               .text = std::move(text),
               .reason = {},
               .field = {}});
}

// Empty if one of them is no hash: no proof then.
std::vector<Digest> HashesOf(
    const google::protobuf::RepeatedPtrField<std::string>& hashes) {
  std::vector<Digest> digests;
  for (const std::string& hash : hashes) {
    if (hash.size() != sizeof(Digest)) return {};
    std::ranges::copy(hash, digests.emplace_back().begin());
  }
  return digests;
}

absl::StatusOr<crypto::Checkpoint> Opened(const std::string& note,
                                          const std::string& key,
                                          const char* which) {
  auto checkpoint = crypto::OpenCheckpoint(note, key);
  if (checkpoint.ok()) return checkpoint;
  return NotVerified(std::string("the ") + which +
                     " checkpoint is not signed with that key");
}

// C2SP tlog-proof.
std::string ProofText(const v1::GetInclusionProofResponse& proof) {
  std::string text = "c2sp.org/tlog-proof@v1\nindex " +
                     std::to_string(proof.sequence()) + "\n";
  for (const std::string& hash : proof.hashes()) {
    text += absl::Base64Escape(hash) + "\n";
  }
  return text + "\n" + proof.checkpoint();
}

class AuditProve : public Command {
 public:
  explicit AuditProve(CLI::App& app) {
    app.add_option("SEQUENCE", sequence_, "Position of the entry in the log")
        ->required()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--verify-with", verifier_key_,
                   "Verifier key that you trust; exit status 4 if this proves "
                   "nothing with it");
  }

  absl::Status Run(Session& session) override {
    v1::GetInclusionProofRequest request;
    session.Fill(*request.mutable_context());
    request.set_sequence(sequence_);
    v1::GetInclusionProofResponse proof;
    RETURN_IF_ERROR(session.client.Call(request, proof));
    session.Print(proof, ProofText(proof));
    return verifier_key_.empty() ? absl::OkStatus() : Verify(proof);
  }

 private:
  absl::Status Verify(const v1::GetInclusionProofResponse& proof) const {
    ASSIGN_OR_RETURN(const crypto::Checkpoint head,
                     Opened(proof.checkpoint(), verifier_key_, "present"));
    if (ProvesInclusion(HashesOf(proof.hashes()), head.tree,
                        static_cast<uint64_t>(sequence_),
                        crypto::LeafHash(proof.entry()))) {
      return absl::OkStatus();
    }
    return NotVerified("that entry is not in the log that was signed");
  }

  int64_t sequence_ = 0;
  std::string verifier_key_;
};

class AuditContinues : public Command {
 public:
  explicit AuditContinues(CLI::App& app) {
    app.add_option("CHECKPOINT", file_,
                   "File with an earlier checkpoint, - for standard input")
        ->required();
    app.add_option("--verify-with", verifier_key_,
                   "Verifier key that you trust")
        ->required();
  }

  absl::Status Run(Session& session) override {
    ASSIGN_OR_RETURN(const std::string note,
                     ReadDocument(file_, session.terminal));
    ASSIGN_OR_RETURN(const crypto::Checkpoint older,
                     Opened(note, verifier_key_, "earlier"));
    v1::GetConsistencyProofRequest request;
    session.Fill(*request.mutable_context());
    request.set_older_size(static_cast<int64_t>(older.tree.size));
    v1::GetConsistencyProofResponse proof;
    const absl::Status answered = session.client.Call(request, proof);
    if (FailureOfReason(answered) == "VALUE_INVALID") {
      return NotVerified("the log is shorter than it was: it is cut");
    }
    RETURN_IF_ERROR(answered);
    ASSIGN_OR_RETURN(const crypto::Checkpoint newer,
                     Opened(proof.checkpoint(), verifier_key_, "present"));
    if (!ProvesConsistency(HashesOf(proof.hashes()), older.tree, newer.tree)) {
      return NotVerified("the log does not continue that checkpoint: forked");
    }
    session.Print(proof, proof.checkpoint());
    return absl::OkStatus();
  }

 private:
  static std::string FailureOfReason(const absl::Status& status) {
    return status.ok() ? "" : FailureOf(status).reason;
  }

  std::string file_;
  std::string verifier_key_;
};

}  // namespace

void AddAuditProofCommands(CommandLine& line, CLI::App& group) {
  line.Add<AuditProve>(
      group, {"prove", "That an entry is in the log, as a C2SP tlog-proof",
              "  hizo audit prove 1042\n"
              "  hizo audit prove 1042 --verify-with "
              "hizo/store+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/"
              "LDE4izWy10TW"});
  line.Add<AuditContinues>(
      group,
      {"continues",
       "That the log continues an earlier checkpoint; prints the present one",
       "  hizo audit continues kept.checkpoint --verify-with "
       "hizo/store+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"});
}

}  // namespace hizo::cli
