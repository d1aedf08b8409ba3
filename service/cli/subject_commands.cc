// hizo subject ...: people.
#include <CLI/CLI.hpp>

#include "hizo/v1/subject.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

class SubjectCreate : public Command {
 public:
  explicit SubjectCreate(CLI::App& app) {
    app.add_option("file", file_,
                   "JSON of the person, as a line of an import; - is stdin")
        ->default_val("-");
  }

  absl::Status Run(Session& session) override {
    ASSIGN_OR_RETURN(const std::string json,
                     ReadDocument(file_, session.terminal));
    v1::CreateSubjectRequest request;
    session.FillWrite(*request.mutable_context());
    RETURN_IF_ERROR(ParsePerson(json, *request.mutable_records()));
    v1::CreateSubjectResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"CLASS", "RECORD", "ETAG"});
    for (const v1::RecordRef& record : response.records()) {
      table.Add({record.record_class(), record.record_id(), record.etag()});
    }
    session.Print(response,
                  "subject " + response.subject() + "\n\n" + table.Text());
    return absl::OkStatus();
  }

 private:
  std::string file_;
};

class SubjectGet : public Command {
 public:
  explicit SubjectGet(CLI::App& app) { AddSubjectOption(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::GetSubjectRequest request;
    session.Fill(*request.mutable_context());
    request.set_subject(subject_);
    v1::GetSubjectResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table person({"", ""});
    person.Add({"subject", response.subject()});
    person.Add({"created", DisplayText(response.create_time())});
    if (response.has_cancel_time()) {
      person.Add({"cancelled", DisplayText(response.cancel_time())});
    }
    Table classes({"CLASS", "RECORDS", "FIELDS"});
    for (const v1::ClassSummary& held : response.classes()) {
      classes.Add({held.record_class(), std::to_string(held.records()),
                   Join(held.fields(), ", ")});
    }
    session.Print(response, person.Text() + '\n' + classes.Text());
    return absl::OkStatus();
  }

 private:
  std::string subject_;
};

class SubjectCancel : public Command {
 public:
  explicit SubjectCancel(CLI::App& app) { AddSubjectOption(app, subject_); }

  absl::Status Run(Session& session) override {
    v1::CancelAccountRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    v1::CancelAccountResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response,
                  "cancelled " + DisplayText(response.cancel_time()) + '\n');
    return absl::OkStatus();
  }

 private:
  std::string subject_;
};

class SubjectFind : public Command {
 public:
  explicit SubjectFind(CLI::App& app) {
    app.add_option("key", key_,
                   "FIELD=VALUE; - reads it from stdin, so that other users of "
                   "this machine do not see it")
        ->default_val("-");
  }

  absl::Status Run(Session& session) override {
    if (key_ == "-") {
      ASSIGN_OR_RETURN(key_, ReadLine(session.terminal));
    }
    v1::FindSubjectRequest request;
    session.Fill(*request.mutable_context());
    RETURN_IF_ERROR(ParseLookup(key_, *request.mutable_key()));
    do {
      v1::FindSubjectResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      std::string found = page.subject() + '\n';
      for (const std::string& other : page.more_subjects()) {
        found += other + '\n';
      }
      session.Print(page, found);
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return absl::OkStatus();
  }

 private:
  std::string key_;
};

}  // namespace

void AddSubjectCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"subject", "Create, describe and find people, cancel accounts",
       "  hizo subject find account.email=hanako@example.com"});
  line.Add<SubjectCreate>(group,
                          {"create", "Create a person with first records",
                           "  hizo subject create person.json\n"
                           "  hizo subject create - --json"});
  line.Add<SubjectGet>(
      group, {"get", "What is held of a person, without any value",
              "  hizo subject get 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10"});
  line.Add<SubjectCancel>(
      group, {"cancel", "Cancel a person's account; what is held stays",
              "  hizo subject cancel 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
              "--purpose service_delivery"});
  line.Add<SubjectFind>(
      group,
      {"find", "Find a person by a searchable value, or several who share it",
       "  hizo subject find account.email=hanako@example.com\n"
       "  hizo subject find -"});
}

}  // namespace hizo::cli
