// hizo erase ...: letting people go, and proof of it.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "crypto/signed_note.h"
#include "hizo/v1/erasure.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/about_subject.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kReceiptSizeMax = 64 * 1024;
constexpr char kReceiptBegin[] = "hizo erasure receipt v1\n";

absl::Status NotVerified(const char* text) {
  return Fail({.exit = ExitCode::kNotVerified,
               .text = text,
               .reason = {},
               .field = {}});
}

std::string StateText(v1::ErasureState state) {
  switch (state) {
    case v1::ERASURE_STATE_SEALED:
      return "sealed: no copy opens any more\n";
    case v1::ERASURE_STATE_SEALED_IN_PART:
      return "sealed in part: no copy opens any more but of what is "
             "kept\n";
    default:
      return "accepted: nobody finds the person; the keys are about to be "
             "destroyed\n";
  }
}

std::string KeptText(const v1::KeptClass& kept) {
  std::string text = "kept";
  if (!kept.until().empty()) text += " until " + kept.until();
  if (kept.held()) text += " as long as it is held";
  for (int i = 0; i < kept.purposes_size(); ++i) {
    text += (i == 0 ? " for " : ", ") + kept.purposes(i);
  }
  return kept.law().empty() ? text : text + "; " + kept.law();
}

template <typename Response>
std::string GraceLine(const Response& response) {
  if (!response.has_grace_until_time()) return "";
  return "until " + TimeUtil::ToString(response.grace_until_time()) +
         " it can be taken back: hizo erase cancel\n";
}

template <typename Response>
std::string KeptLines(const Response& response) {
  std::string lines;
  for (const v1::KeptClass& kept : response.kept()) {
    lines += Printable(kept.record_class() + ": " + KeptText(kept)) + "\n";
  }
  return lines;
}

class ErasePlan : public AboutSubject<v1::PlanErasureRequest,
                                      v1::PlanErasureResponse, &Session::Fill> {
 public:
  using AboutSubject::AboutSubject;

 private:
  std::string Say(const v1::PlanErasureResponse& plan) const override {
    Table table({"CLASS", "RECORDS", "FATE"});
    for (const v1::PlannedClass& planned : plan.classes()) {
      table.Add({planned.record_class().empty() ? "(hizo's own)"
                                                : planned.record_class(),
                 std::to_string(planned.records()),
                 planned.fate() == v1::CLASS_FATE_KEEP
                     ? KeptText(planned.kept())
                     : "destroyed"});
    }
    return table.Text();
  }
};

class EraseRun : public Command {
 public:
  explicit EraseRun(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("--grace-days", grace_days_,
                   "For how long it can be taken back; nobody finds the person "
                   "meanwhile")
        ->check(CLI::Range(0, 90))
        ->capture_default_str();
  }

  absl::Status Run(Session& session) override {
    v1::ExecuteErasureRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    request.set_grace_days(grace_days_);
    v1::ExecuteErasureResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, StateText(response.state()) + GraceLine(response) +
                                KeptLines(response));
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  int grace_days_ = 0;
};

class EraseCancel
    : public AboutSubject<v1::CancelErasureRequest, v1::CancelErasureResponse,
                          &Session::FillWrite> {
 public:
  using AboutSubject::AboutSubject;

 private:
  std::string Say(const v1::CancelErasureResponse&) const override {
    return "taken back: the person is there as before\n";
  }
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
    session.Print(response, ReceiptText(response));
    if (session.format == Format::kTable) {
      session.terminal.err << "verifier key: "
                           << Printable(response.verifier_key()) << '\n';
    }
    if (verifier_key_.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(Verify(response.receipt()).status());
    for (const std::string& addendum : response.addenda()) {
      RETURN_IF_ERROR(Verify(addendum).status());
    }
    return absl::OkStatus();
  }

 private:
  static std::string ReceiptText(
      const v1::GetErasureReceiptResponse& response) {
    if (response.receipt().empty()) {
      return StateText(response.state()) + GraceLine(response);
    }
    std::string text = response.receipt();
    for (const std::string& addendum : response.addenda()) {
      text += "\n" + addendum;
    }
    return text;
  }
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
  explicit EraseVerify(CLI::App& app) { AddSubjectOption(app, subject_); }

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
    session.Print(found, table.Text() + KeptLines(found));
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
  static const std::string cancel =
      std::string("  hizo erase cancel ") + kExample;
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
      group,
      {"run", "Erase a person, for good unless a grace is given", run.c_str()});
  line.Add<EraseCancel>(
      group,
      {"cancel", "Take an erasure back while its grace lasts", cancel.c_str()});
  line.Add<EraseReceipt>(
      group, {"receipt", "What became of it, signed; or check a receipt",
              receipt.c_str()});
  line.Add<EraseVerify>(
      group,
      {"verify", "Look for anything that is left; exit status 4 if there is",
       verify.c_str()});
}

}  // namespace hizo::cli
