// AboutSubject: a subcommand that names a person, makes one call and says what
// came of it. Whoever derives from it knows the messages.
//
// Threads: not for concurrent use.
#ifndef HIZO_SERVICE_CLI_ABOUT_SUBJECT_H_
#define HIZO_SERVICE_CLI_ABOUT_SUBJECT_H_

#include <string>

#include "absl/status/status.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"

namespace hizo::cli {

// kFill is Session::Fill for a call that reads, Session::FillWrite for others.
template <typename Request, typename Response,
          void (Session::*kFill)(v1::RequestContext&) const>
class AboutSubject : public Command {
 public:
  explicit AboutSubject(CLI::App& app) { AddSubjectOption(app, subject_); }

  absl::Status Run(Session& session) override {
    Request request;
    (session.*kFill)(*request.mutable_context());
    request.set_subject(subject_);
    Response response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    session.Print(response, Say(response));
    return absl::OkStatus();
  }

 private:
  virtual std::string Say(const Response& response) const = 0;
  std::string subject_;
};

}  // namespace hizo::cli

#endif  // HIZO_SERVICE_CLI_ABOUT_SUBJECT_H_
