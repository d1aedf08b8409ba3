// hizo record ...: records of people.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_split.h"
#include "hizo/v1/record.pb.h"
#include "service/base/status_macros.h"
#include "service/cli/command.h"
#include "service/cli/failure.h"
#include "service/cli/input.h"
#include "service/cli/output.h"
#include "service/cli/values.h"

namespace hizo::cli {
namespace {

constexpr int kPageSizeMax = 500;

void AddFieldsOption(CLI::App& app, std::vector<std::string>& fields,
                     const char* what, const auto&... required) {
  app.add_option("--fields", fields, what)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required(required...);
}

class RecordPut : public Command {
 public:
  explicit RecordPut(CLI::App& app) {
    AddSubjectOption(app, subject_);
    app.add_option("class", class_, "Class of the record")->required();
    app.add_option("file", file_, "JSON object of fields; - is stdin")
        ->default_val("-");
    app.add_option("--record-id", record_id_,
                   "Change this record of a series instead of adding one");
    app.add_option("--event-time", event_time_,
                   "When it happened, for a record of a series");
    app.add_option("--etag", etag_, "Write only if the record has this etag");
    AddFieldsOption(app, fields_,
                    "Change only these; those that the object lacks are "
                    "removed",
                    false);
  }

  absl::Status Run(Session& session) override {
    ASSIGN_OR_RETURN(const std::string json,
                     ReadDocument(file_, session.terminal));
    v1::PutRecordRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(subject_);
    request.set_record_id(record_id_);
    request.set_etag(etag_);
    v1::NewRecord& record = *request.mutable_record();
    record.set_record_class(class_);
    RETURN_IF_ERROR(ParseFields(json, record));
    if (!event_time_.empty()) {
      RETURN_IF_ERROR(ParseTime(event_time_, *record.mutable_event_time()));
    }
    for (const std::string& field : fields_) {
      request.mutable_update_mask()->add_paths(field);
    }
    v1::PutRecordResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"", ""});
    table.Add({"record", response.record().record_id()});
    table.Add({"etag", response.record().etag()});
    session.Print(response, table.Text());
    return absl::OkStatus();
  }

 private:
  std::string subject_;
  std::string class_;
  std::string file_;
  std::string record_id_;
  std::string event_time_;
  std::string etag_;
  std::vector<std::string> fields_;
};

// Selection is what all reads have in common: which class, what of it, how.
struct Selection {
  explicit Selection(CLI::App& app) {
    app.add_option("class", record_class, "Class of the record")->required();
    AddFieldsOption(app, fields, "Names of the fields wanted, a,b,c", true);
    CLI::Option* show = app.add_flag("--plain", plain, "Show values");
    app.add_flag_callback(
           "--masked", [] {}, "Show masks (the default)")
        ->excludes(show);
  }

  void Fill(auto& request) const {
    request.set_record_class(record_class);
    for (const std::string& field : fields) {
      request.mutable_read_mask()->add_paths(field);
    }
    request.set_view(plain ? v1::VIEW_PLAIN : v1::VIEW_MASKED);
  }

  std::vector<std::string> Cells(const v1::Record& record) const {
    std::vector<std::string> cells;
    for (const std::string& name : fields) {
      const auto field =
          std::ranges::find(record.fields(), name, &v1::Field::name);
      cells.push_back(
          field == record.fields().end() ? "" : DisplayText(field->value()));
    }
    return cells;
  }

  std::string record_class;
  std::vector<std::string> fields;
  bool plain = false;
};

struct Whose {
  explicit Whose(CLI::App& app) { AddSubjectOption(app, subject); }
  std::string subject;
};

// Reading is a selection of what is held of one person.
struct Reading {
  explicit Reading(CLI::App& app) : whose(app), selection(app) {}

  void Fill(auto& request) const {
    request.set_subject(whose.subject);
    selection.Fill(request);
  }

  Whose whose;
  Selection selection;
};

class RecordGet : public Command {
 public:
  explicit RecordGet(CLI::App& app) : reading_(app) {
    app.add_option("--record-id", record_id_, "Which record of a series");
  }

  absl::Status Run(Session& session) override {
    v1::GetRecordRequest request;
    session.Fill(*request.mutable_context());
    reading_.Fill(request);
    request.set_record_id(record_id_);
    v1::GetRecordResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"FIELD", "VALUE"});
    for (const v1::Field& field : response.record().fields()) {
      table.Add({field.name(), DisplayText(field.value())});
    }
    session.Print(response.record(), table.Text());
    return absl::OkStatus();
  }

 private:
  Reading reading_;
  std::string record_id_;
};

class RecordList : public Command {
 public:
  explicit RecordList(CLI::App& app) : reading_(app) {
    app.add_option("--limit", limit_, "At most this many records")
        ->default_val(kPageSizeMax)
        ->check(CLI::PositiveNumber);
  }

  absl::Status Run(Session& session) override {
    v1::ListRecordsRequest request;
    session.Fill(*request.mutable_context());
    reading_.Fill(request);
    std::vector<std::string> header = {"RECORD", "EVENT TIME"};
    const std::vector<std::string>& fields = reading_.selection.fields;
    header.insert(header.end(), fields.begin(), fields.end());
    Table table(std::move(header));
    int left = limit_;
    do {
      request.set_page_size(std::min(left, kPageSizeMax));
      v1::ListRecordsResponse page;
      RETURN_IF_ERROR(session.client.Call(request, page));
      for (const v1::Record& record : page.records()) {
        session.Print(record, "");
        table.Add(Row(record));
      }
      left -= page.records_size();
      request.set_page_token(page.next_page_token());
    } while (left > 0 && !request.page_token().empty());
    if (session.format == Format::kTable) session.terminal.out << table.Text();
    return absl::OkStatus();
  }

 private:
  std::vector<std::string> Row(const v1::Record& record) const {
    std::vector<std::string> row = {
        record.record_id(),
        record.has_event_time() ? DisplayText(record.event_time()) : ""};
    const std::vector<std::string> cells = reading_.selection.Cells(record);
    row.insert(row.end(), cells.begin(), cells.end());
    return row;
  }

  Reading reading_;
  int limit_ = 0;
};

class RecordBatchGet : public Command {
 public:
  explicit RecordBatchGet(CLI::App& app) : selection_(app) {
    app.add_option("subjects", subjects_,
                   "UUIDs of people, for a series SUBJECT/RECORD; - reads them "
                   "from stdin, one a line")
        ->default_val("-");
  }

  absl::Status Run(Session& session) override {
    if (subjects_ == std::vector<std::string>{"-"}) {
      ASSIGN_OR_RETURN(const std::string lines,
                       ReadDocument("-", session.terminal));
      subjects_ =
          absl::StrSplit(lines, absl::ByAnyChar("\r\n"), absl::SkipEmpty());
    }
    std::vector<std::string> header = {"SUBJECT", "REASON"};
    header.insert(header.end(), selection_.fields.begin(),
                  selection_.fields.end());
    Table table(std::move(header));
    for (size_t first = 0; first < subjects_.size(); first += kBatchMax) {
      RETURN_IF_ERROR(Ask(session, first, table));
    }
    if (session.format == Format::kTable) session.terminal.out << table.Text();
    if (refused_ == 0) return absl::OkStatus();
    return Fail({.exit = ExitCode::kRefused,
                 .text = std::to_string(refused_) + " of " +
                         std::to_string(subjects_.size()) + " were refused",
                 .reason = reason_,
                 .field = {}});
  }

 private:
  static constexpr size_t kBatchMax = 1000;

  // Those from `first` on, as many as one call takes.
  absl::Status Ask(const Session& session, size_t first, Table& table) {
    v1::BatchGetRecordsRequest request;
    session.Fill(*request.mutable_context());
    selection_.Fill(request);
    const size_t end = std::min(first + kBatchMax, subjects_.size());
    for (size_t i = first; i < end; ++i) {
      const size_t slash = subjects_[i].find('/');
      v1::RecordKey& key = *request.add_records();
      key.set_subject(subjects_[i].substr(0, slash));
      if (slash != std::string::npos) {
        key.set_record_id(subjects_[i].substr(slash + 1));
      }
    }
    size_t next = first;
    return session.client.BatchGet(
        request, [&](const v1::BatchGetRecordsResponse& message) {
          for (const v1::BatchGetItem& item : message.items()) {
            if (next < end) Take(session, subjects_[next++], item, table);
          }
        });
  }

  void Take(const Session& session, const std::string& subject,
            const v1::BatchGetItem& item, Table& table) {
    if (session.format == Format::kJson) {
      session.terminal.out << JsonText({{"subject", subject}}, item) << '\n';
    }
    std::string reason;
    if (item.reason() != v1::REASON_UNSPECIFIED) {
      reason = EnumName(*v1::Reason_descriptor(), item.reason());
      if (refused_++ == 0) reason_ = reason;
    }
    std::vector<std::string> row = {subject, reason};
    const std::vector<std::string> cells = selection_.Cells(item.record());
    row.insert(row.end(), cells.begin(), cells.end());
    table.Add(std::move(row));
  }

  Selection selection_;
  std::vector<std::string> subjects_;
  size_t refused_ = 0;
  std::string reason_;  // of the first
};

class RecordDeleteFields : public Command {
 public:
  explicit RecordDeleteFields(CLI::App& app) : whose_(app) {
    app.add_option("class", class_, "Class of the record")->required();
    AddFieldsOption(app, fields_, "Names of the fields to delete, a,b,c", true);
    app.add_option("--record-id", record_id_, "Which record of a series");
    app.add_option("--etag", etag_, "Delete only if the record has this etag");
  }

  absl::Status Run(Session& session) override {
    v1::DeleteFieldsRequest request;
    session.FillWrite(*request.mutable_context());
    request.set_subject(whose_.subject);
    request.set_record_class(class_);
    request.set_record_id(record_id_);
    request.set_etag(etag_);
    for (const std::string& field : fields_) {
      request.mutable_delete_mask()->add_paths(field);
    }
    v1::DeleteFieldsResponse response;
    RETURN_IF_ERROR(session.client.Call(request, response));
    Table table({"", ""});
    table.Add({"record", response.record_removed()
                             ? "removed, nothing was left"
                             : "etag " + response.record().etag()});
    table.Add({"backups", response.not_erased_from_backups()
                              ? "older copies go on holding the values"
                              : "older copies end with the next renewal"});
    session.Print(response, table.Text());
    return absl::OkStatus();
  }

 private:
  Whose whose_;
  std::string class_;
  std::vector<std::string> fields_;
  std::string record_id_;
  std::string etag_;
};

}  // namespace

void AddRecordCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      {"record", "Write, read and delete records of people",
       "  hizo record get 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 profile "
       "--fields full_name"});
  line.Add<RecordPut>(
      group,
      {"put", "Write a record, whole or some of its fields",
       "  hizo record put 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 profile "
       "profile.json\n"
       "  hizo record put 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 transaction "
       "invoice.json --event-time 2026-05-10T00:00:00Z"});
  line.Add<RecordGet>(
      group, {"get", "Read fields of a record, masked unless --plain",
              "  hizo record get 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 profile "
              "--fields full_name,phone_number\n"
              "  hizo record get 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 billing "
              "--fields card_last4 --plain --json"});
  line.Add<RecordBatchGet>(
      group,
      {"batch-get", "Read the same fields of many people",
       "  hizo record batch-get profile --fields full_name "
       "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
       "a8f0a3c2-1f6e-4a7b-8f3e-9b1d2c3e4f50\n"
       "  hizo record batch-get profile --fields full_name --json < subjects"});
  line.Add<RecordDeleteFields>(
      group,
      {"delete-fields",
       "Delete fields of a record, or with the last one the record",
       "  hizo record delete-fields 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 "
       "profile --fields phone_number,company_name"});
  line.Add<RecordList>(
      group,
      {"list", "Read the records of a class, oldest write first",
       "  hizo record list 6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10 transaction "
       "--fields invoice_number,amount --plain"});
}

}  // namespace hizo::cli
