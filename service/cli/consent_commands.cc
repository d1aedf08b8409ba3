// hizo consent ...: what people have consented and objected to.
#include <google/protobuf/util/time_util.h>

#include <CLI/CLI.hpp>

#include "hizo/v1/consent.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/names.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kDirectMarketing[] = "direct-marketing";

std::string TimeOrNone(bool there, const google::protobuf::Timestamp& time) {
  return there ? TimeUtil::ToString(time) : "";
}

// Over what a person has said something, and what proves it.
class HowSaid {
 public:
  void AddTo(CLI::App& app) {
    app.add_option("--channel", channel_,
                   "How: " + NamesOf(*v1::Channel_descriptor()))
        ->required();
    app.add_option("--evidence", evidence_, "UUID of what proves it, yours")
        ->required();
  }
  template <typename Request>
  absl::Status Fill(Request& request) const {
    ASSIGN_OR_RETURN(const int channel,
                     NumberOf(*v1::Channel_descriptor(), channel_));
    request.set_channel(static_cast<v1::Channel>(channel));
    request.set_evidence(evidence_);
    return absl::OkStatus();
  }

 private:
  std::string channel_;
  std::string evidence_;
};

class ConsentRecord : public Command {
 public:
  explicit ConsentRecord(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("to", purpose_, "The one purpose that was consented to")
        ->required();
    how_.AddTo(app);
    app.add_option("--given", given_,
                   "When, RFC 3339 or a date; else it was given now");
    app.add_option("--policy-version", policy_version_,
                   "Of the policy that it was given under; else the one in "
                   "force")
        ->check(CLI::NonNegativeNumber);
  }

  absl::Status Run(Session& session) override {
    v1::RecordConsentRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    request.set_consent_purpose(purpose_);
    RETURN_IF_ERROR(how_.Fill(request));
    if (!given_.empty()) {
      RETURN_IF_ERROR(ParseTime(given_, *request.mutable_give_time()));
    }
    request.set_policy_version(policy_version_);
    v1::RecordConsentResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, "consented since " +
                                TimeUtil::ToString(response.give_time()) +
                                " under version " +
                                std::to_string(response.policy_version()) +
                                "\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string purpose_;
  HowSaid how_;
  std::string given_;
  int policy_version_ = 0;
};

class ConsentAcknowledge : public Command {
 public:
  explicit ConsentAcknowledge(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("kind", kind_,
                   "notified: they were told of the policy; accepted: they "
                   "have accepted it")
        ->required();
    how_.AddTo(app);
    app.add_option("--at", time_, "When, RFC 3339 or a date; else now");
    app.add_option("--policy-version", policy_version_,
                   "Of the policy; else the one in force")
        ->check(CLI::NonNegativeNumber);
  }

  absl::Status Run(Session& session) override {
    v1::AcknowledgePolicyRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    ASSIGN_OR_RETURN(const int kind,
                     NumberOf(*v1::AcknowledgementKind_descriptor(), kind_));
    request.set_kind(static_cast<v1::AcknowledgementKind>(kind));
    RETURN_IF_ERROR(how_.Fill(request));
    if (!time_.empty()) {
      RETURN_IF_ERROR(ParseTime(time_, *request.mutable_acknowledge_time()));
    }
    request.set_policy_version(policy_version_);
    v1::AcknowledgePolicyResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(
        response,
        (kind == v1::ACKNOWLEDGEMENT_KIND_ACCEPTED ? "accepted" : "told") +
            std::string(" version ") +
            std::to_string(response.policy_version()) + ", " +
            TimeUtil::ToString(response.acknowledge_time()) + "\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string kind_;
  HowSaid how_;
  std::string time_;
  int policy_version_ = 0;
};

class ConsentWithdraw : public Command {
 public:
  explicit ConsentWithdraw(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("to", purpose_, "The purpose that was consented to")
        ->required();
  }

  absl::Status Run(Session& session) override {
    v1::WithdrawConsentRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    request.set_consent_purpose(purpose_);
    v1::WithdrawConsentResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response,
                  response.has_withdraw_time()
                      ? "withdrawn since " +
                            TimeUtil::ToString(response.withdraw_time()) + "\n"
                      : "there was no consent to withdraw\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string purpose_;
};

class ConsentList : public Command {
 public:
  explicit ConsentList(CLI::App& app) { AddSubjectOption(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::ListConsentsRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    v1::ListConsentsResponse said;
    RETURN_IF_ERROR(session.client.Call(request, said));
    session.Print(said, Consents(said) + '\n' + Objections(said) + '\n' +
                            Restrictions(said) + '\n' + Acknowledgements(said));
    return absl::OkStatus();
  }

 private:
  static std::string Consents(const v1::ListConsentsResponse& said) {
    Table table({"CONSENT TO", "GIVEN", "VERSION", "CHANNEL", "EVIDENCE",
                 "WITHDRAWN", "COUNTS"});
    for (const v1::Consent& of : said.consents()) {
      std::string withdrawn =
          TimeOrNone(of.has_withdraw_time(), of.withdraw_time());
      if (of.withdrawal_cause() == v1::WITHDRAWAL_CAUSE_ACCOUNT_CANCELLED) {
        withdrawn += " with the account";
      }
      table.Add({of.consent_purpose(), TimeUtil::ToString(of.give_time()),
                 std::to_string(of.policy_version()),
                 EnumName(*v1::Channel_descriptor(), of.channel()),
                 of.evidence(), withdrawn, of.in_force() ? "yes" : "no"});
    }
    return table.Text();
  }
  static std::string Objections(const v1::ListConsentsResponse& said) {
    Table table({"OBJECTION TO", "MADE", "STATE", "DECIDED", "GROUND"});
    for (const v1::Objection& of : said.objections()) {
      table.Add(
          {of.direct_marketing() ? kDirectMarketing : of.objected_purpose(),
           TimeUtil::ToString(of.object_time()),
           EnumName(*v1::ObjectionState_descriptor(), of.state()),
           TimeOrNone(of.has_decide_time(), of.decide_time()),
           of.ground() == v1::OBJECTION_GROUND_UNSPECIFIED
               ? ""
               : EnumName(*v1::ObjectionGround_descriptor(), of.ground())});
    }
    return table.Text();
  }
  static std::string Acknowledgements(const v1::ListConsentsResponse& said) {
    Table table({"POLICY VERSION", "WHAT", "CHANNEL", "EVIDENCE", "WHEN"});
    for (const v1::Acknowledgement& of : said.acknowledgements()) {
      table.Add({std::to_string(of.policy_version()),
                 EnumName(*v1::AcknowledgementKind_descriptor(), of.kind()),
                 EnumName(*v1::Channel_descriptor(), of.channel()),
                 of.evidence(), TimeUtil::ToString(of.acknowledge_time())});
    }
    return table.Text();
  }
  static std::string Restrictions(const v1::ListConsentsResponse& said) {
    Table table({"ONLY KEPT BECAUSE", "SINCE"});
    for (const v1::Restriction& of : said.restrictions()) {
      table.Add({EnumName(*v1::RestrictionGround_descriptor(), of.ground()),
                 TimeUtil::ToString(of.set_time())});
    }
    return table.Text();
  }

  std::string subject_;
};

// `direct-marketing`, or a purpose.
template <typename Request>
void SetScope(const std::string& scope, Request& request) {
  if (scope == kDirectMarketing) {
    request.set_direct_marketing(true);
  } else {
    request.set_objected_purpose(scope);
  }
}

class ConsentObject : public Command {
 public:
  explicit ConsentObject(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("to", scope_,
                   "The purpose that is objected to, or direct-marketing")
        ->required();
  }

  absl::Status Run(Session& session) override {
    v1::RecordObjectionRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    SetScope(scope_, request);
    v1::RecordObjectionResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response,
                  response.state() == v1::OBJECTION_STATE_OPEN
                      ? "closed until it is decided: hizo consent decide\n"
                      : "closed\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string scope_;
};

class ConsentDecide : public Command {
 public:
  explicit ConsentDecide(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("to", scope_,
                   "The purpose that is objected to, or direct-marketing")
        ->required();
    app.add_option("decision", decision_, "upheld or rejected")->required();
    app.add_option("--ground", ground_,
                   "What goes before a rejected one: " +
                       NamesOf(*v1::ObjectionGround_descriptor()));
    app.add_option("--notice", notice_,
                   "UUID of the notice that the person was sent of a "
                   "rejection, yours");
  }

  absl::Status Run(Session& session) override {
    v1::DecideObjectionRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    SetScope(scope_, request);
    ASSIGN_OR_RETURN(const int decision,
                     NumberOf(*v1::ObjectionState_descriptor(), decision_));
    request.set_decision(static_cast<v1::ObjectionState>(decision));
    if (!ground_.empty()) {
      ASSIGN_OR_RETURN(const int ground,
                       NumberOf(*v1::ObjectionGround_descriptor(), ground_));
      request.set_ground(static_cast<v1::ObjectionGround>(ground));
    }
    request.set_notice(notice_);
    v1::DecideObjectionResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, request.decision() == v1::OBJECTION_STATE_UPHELD
                                ? "upheld: the purpose stays closed\n"
                                : "rejected: the purpose is open again\n");
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string scope_;
  std::string decision_;
  std::string ground_;
  std::string notice_;
};

}  // namespace

void AddConsentCommands(CommandLine& line) {
  constexpr char kList[] =
      "  hizo consent list 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";
  constexpr char kRecord[] =
      "  hizo consent record 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "communications_marketing --channel web "
      "--evidence 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2\n"
      "  hizo consent record 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "communications_marketing --channel paper "
      "--evidence 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2 --given 2026-03-15 "
      "--policy-version 1";
  constexpr char kWithdraw[] =
      "  hizo consent withdraw 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "communications_marketing";
  constexpr char kObject[] =
      "  hizo consent object 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "service_improvement\n"
      "  hizo consent object 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "direct-marketing";
  constexpr char kDecide[] =
      "  hizo consent decide 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "service_improvement upheld\n"
      "  hizo consent decide 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "service_improvement rejected --ground compelling "
      "--notice 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  constexpr char kAcknowledge[] =
      "  hizo consent acknowledge 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "notified --channel email "
      "--evidence 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2\n"
      "  hizo consent acknowledge 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
      "accepted --channel login "
      "--evidence 0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2 --policy-version 2";
  CLI::App& group = line.Group(
      {"consent", "What people have consented and objected to", kList});
  line.Add<ConsentRecord>(
      group, {"record", "Write down a consent to one purpose", kRecord});
  line.Add<ConsentAcknowledge>(
      group,
      {"acknowledge",
       "Write down that somebody was told of the policy, or has accepted it",
       kAcknowledge});
  line.Add<ConsentWithdraw>(
      group, {"withdraw", "End a consent, from the next answer on", kWithdraw});
  line.Add<ConsentList>(
      group, {"list", "All that a person has said, the withdrawn too", kList});
  line.Add<ConsentObject>(
      group,
      {"object", "Write down an objection, and close the purpose", kObject});
  line.Add<ConsentDecide>(
      group, {"decide", "Decide upon an objection that is open", kDecide});
}

}  // namespace hizo::cli
