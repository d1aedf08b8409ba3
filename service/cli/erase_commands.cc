// hizo erase ...: letting people go, and proof of it.
#include <CLI/CLI.hpp>

#include "crypto/signed_note.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

constexpr size_t kReceiptSizeMax = 64 * 1024;
constexpr char kReceiptBegin[] = "hizo erasure receipt v1\n";

absl::Status NotVerified(const char* text) {
  return Fail({.exit = ExitCode::kNotVerified,
               .text = text,
               .reason = {},
               .field = {}});
}

std::string StateText(v1::ErasureState state) {
  return state == v1::ERASURE_STATE_SEALED
             ? "sealed: no copy opens any more\n"
             : "accepted: nobody finds the person; the keys are about to be "
               "destroyed\n";
}

void AddSubject(CLI::App& app, std::string& subject) {
  app.add_option("subject", subject, "UUID of the person")->required();
}

class ErasePlan : public Command {
 public:
  explicit ErasePlan(CLI::App& app) { AddSubject(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::PlanErasureRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    v1::PlanErasureResponse plan;
    RETURN_IF_ERROR(session.client.Call(request, plan));
    Table table({"CLASS", "RECORDS", "FATE"});
    for (const v1::PlannedClass& planned : plan.classes()) {
      table.Add({planned.record_class().empty() ? "(hizo's own)"
                                                : planned.record_class(),
                 std::to_string(planned.records()), "destroyed"});
    }
    session.Print(plan, table.Text());
    return absl::OkStatus();
  }

 private:
  std::string subject_;
};

class EraseRun : public Command {
 public:
  explicit EraseRun(CLI::App& app) { AddSubject(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::ExecuteErasureRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    v1::ExecuteErasureResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, StateText(response.state()));
    return absl::OkStatus();
  }

 private:
  std::string subject_;
};

class EraseReceipt : public Command {
 public:
  explicit EraseReceipt(CLI::App& app) {
    app.add_option("subject", subject_, "UUID of the person");
    app.add_option("--verify", file_,
                   "Check this receipt instead; asks no vault");
    app.add_option("--verify-with", verifier_key_,
                   "Verifier key that you trust; exit status 4 if the receipt "
                   "is not signed with it");
  }

  std::optional<absl::Status> RunAlone(Terminal& terminal) override {
    if (file_.empty()) return std::nullopt;
    return VerifyFile(terminal);
  }

  absl::Status Run(Session& session) override {
    if (subject_.empty()) return UsageError("SUBJECT or --verify is needed");
    v1::GetErasureReceiptRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    v1::GetErasureReceiptResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, response.receipt().empty()
                                ? StateText(response.state())
                                : response.receipt());
    if (session.format == Format::kTable) {
      session.terminal.err << "verifier key: "
                           << Printable(response.verifier_key()) << '\n';
    }
    if (verifier_key_.empty()) return absl::OkStatus();
    return Verify(response.receipt()).status();
  }

 private:
  absl::StatusOr<std::string> Verify(const std::string& receipt) const {
    auto text = crypto::OpenNote(receipt, verifier_key_);
    if (!text.ok() || !text->starts_with(kReceiptBegin)) {
      return NotVerified("no erasure receipt signed with that key");
    }
    return text;
  }
  absl::Status VerifyFile(Terminal& terminal) const {
    if (verifier_key_.empty()) {
      return UsageError("--verify needs --verify-with KEY");
    }
    ASSIGN_OR_RETURN(const std::string receipt,
                     ReadFile(file_, kReceiptSizeMax));
    ASSIGN_OR_RETURN(const std::string text, Verify(receipt));
    terminal.out << text;
    return absl::OkStatus();
  }

  std::string subject_;
  std::string file_;
  std::string verifier_key_;
};

class EraseVerify : public Command {
 public:
  explicit EraseVerify(CLI::App& app) { AddSubject(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::VerifyErasedRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    v1::VerifyErasedResponse found;
    RETURN_IF_ERROR(session.client.Call(request, found));
    Table table({"", ""});
    const auto yes = [](bool is) { return is ? "yes" : "no"; };
    table.Add({"keys gone", yes(found.keys_gone())});
    table.Add({"records gone", yes(found.records_gone())});
    table.Add({"receipt valid", yes(found.receipt_valid())});
    session.Print(found, table.Text());
    if (found.erased()) return absl::OkStatus();
    return NotVerified("something of the person is left");
  }

 private:
  std::string subject_;
};

}  // namespace

void AddEraseCommands(CommandLine& line) {
  constexpr char kExample[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";
  static const std::string plan = std::string("  hizo erase plan ") + kExample;
  static const std::string run = std::string("  hizo erase run ") + kExample;
  static const std::string verify =
      std::string("  hizo erase verify ") + kExample;
  static const std::string receipt =
      std::string("  hizo erase receipt ") + kExample +
      "\n  hizo erase receipt --verify receipt.txt "
      "--verify-with KEY";
  CLI::App& group = line.Group(
      {"erase", "Let people go for good, and prove it", run.c_str()});
  line.Add<ErasePlan>(group,
                      {"plan", "What an erasure would destroy", plan.c_str()});
  line.Add<EraseRun>(
      group, {"run", "Erase a person; it cannot be taken back", run.c_str()});
  line.Add<EraseReceipt>(
      group, {"receipt", "What became of it, signed; or check a receipt",
              receipt.c_str()});
  line.Add<EraseVerify>(
      group,
      {"verify", "Look for anything that is left; exit status 4 if there is",
       verify.c_str()});
}

}  // namespace hizo::cli
