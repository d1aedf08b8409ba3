// hizo recipient ...: whom people's bundles may be sent to.
#include <CLI/CLI.hpp>
#include <map>

#include "hizo/v1/export.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

class RecipientAdd : public Command {
 public:
  explicit RecipientAdd(CLI::App& app) {
    app.add_option("name", name_, "What it is called: people are told it")
        ->required();
    app.add_option("--to", key_, "Who alone opens bundles: age1...")
        ->required();
    app.add_option("--kind", kind_, "What it is")
        ->check(CLI::IsMember({"company", "agent", "authority"}))
        ->required();
    app.add_option("--agreement", agreement_, "Your reference of its ground")
        ->required();
    app.add_option("--etag", etag_, "Of the one of this name, to replace it");
  }

  absl::Status Run(Session& session) override {
    static const std::map<std::string, v1::RecipientKind> kKinds = {
        {"company", v1::RECIPIENT_KIND_COMPANY},
        {"agent", v1::RECIPIENT_KIND_AGENT},
        {"authority", v1::RECIPIENT_KIND_AUTHORITY}};
    v1::RegisterRecipientRequest request;
    session.FillWrite(*request.mutable_context());
    v1::Recipient& recipient = *request.mutable_recipient();
    recipient.set_name(name_);
    recipient.set_key(key_);
    recipient.set_kind(kKinds.at(kind_));
    recipient.set_agreement(agreement_);
    request.set_etag(etag_);
    v1::RegisterRecipientResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response,
                  (response.changed() ? "registered, with the etag "
                                      : "was registered so, with the etag ") +
                      response.etag() + "\n");
    return absl::OkStatus();
  }

 private:
  std::string name_;
  std::string key_;
  std::string kind_;
  std::string agreement_;
  std::string etag_;
};

class RecipientRemove : public Command {
 public:
  explicit RecipientRemove(CLI::App& app) {
    app.add_option("name", name_, "What it is called")->required();
    app.add_option("--etag", etag_, "That it must have");
  }

  absl::Status Run(Session& session) override {
    v1::RemoveRecipientRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_name(name_);
    request.set_etag(etag_);
    v1::RemoveRecipientResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, "nothing is sent there any more\n");
    return absl::OkStatus();
  }

 private:
  std::string name_;
  std::string etag_;
};

class RecipientList : public Command {
 public:
  explicit RecipientList(CLI::App&) {}

  absl::Status Run(Session& session) override {
    v1::ListRecipientsRequest request;
    session.Fill(*request.mutable_context());
    v1::ListRecipientsResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"NAME", "KIND", "AGREEMENT", "SINCE", "ETAG", "KEY"});
    for (const v1::Recipient& one : response.recipients()) {
      table.Add({one.name(),
                 EnumName(*v1::RecipientKind_descriptor(), one.kind()),
                 one.agreement(), DisplayText(one.register_time()), one.etag(),
                 one.key()});
    }
    session.Print(response, table.Text());
    return absl::OkStatus();
  }
};

}  // namespace

void AddRecipientCommands(CommandLine& line) {
  constexpr char kAdd[] =
      "  hizo recipient add other-shop --to "
      "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --kind "
      "company --agreement art20/2026-07";
  CLI::App& group = line.Group(
      {"recipient", "Say whom people's bundles may be sent to", kAdd});
  line.Add<RecipientAdd>(
      group,
      {"add", "Register a recipient; the same again changes nothing", kAdd});
  line.Add<RecipientRemove>(group,
                            {"remove", "End that anything is sent to one",
                             "  hizo recipient remove other-shop"});
  line.Add<RecipientList>(
      group, {"list", "List all recipients", "  hizo recipient list"});
}

}  // namespace hizo::cli
