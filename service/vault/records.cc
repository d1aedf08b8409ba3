#include "service/vault/records.h"

#include <algorithm>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/vault/byte_codec.h"
#include "service/vault/page_token.h"
#include "service/vault/row_keys.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using policy::FieldSpec;

RecordName NameOf(const policy::ClassSpec& spec,
                  const std::optional<base::RecordId>& id) {
  return {spec.number, id.value_or(base::RecordId())};
}

// What a repeat of a put is answered with.
std::string EncodeWritten(const WrittenRecord& written) {
  ByteWriter out;
  out.PutRaw(written.name.id.bytes())
      .Put(written.version.version)
      .Put(written.version.epoch);
  return std::move(out).Take();
}

absl::StatusOr<WrittenRecord> DecodeWritten(const policy::ClassSpec* spec,
                                            std::string_view bytes) {
  ByteReader in(bytes);
  WrittenRecord written{spec, {}, {}};
  const auto id = base::RecordId::FromBytes(in.GetRaw(base::RecordId::kSize));
  written.version.version = in.Get<uint64_t>();
  written.version.epoch = in.Get<uint64_t>();
  if (!in.done() || !id.has_value() || spec == nullptr) {
    return Fail(Reason::kIntegrityFailure);
  }
  written.name = NameOf(*spec, id);
  return written;
}

// Adds to `ask` the fields that the stored row holds, which a put without a
// mask removes.
void AddPresentFields(const Services& services, const crypto::SealedRow& row,
                      Ask& ask) {
  for (const auto& field : row.fields()) {
    const FieldSpec* spec = services.catalogue.FieldByNumber(field.number);
    if (spec != nullptr) ask.fields.set(spec->index);
  }
}

// Whether a put makes a record with an id of its own.
bool AddsToSeries(const PutRecordInput& input, const policy::ClassSpec& spec) {
  return spec.series && !input.record_id.has_value();
}

}  // namespace

// The fields of a selection, looked up; `error` if some are not there.
struct Records::Selected {
  const policy::ClassSpec* spec = nullptr;
  std::vector<const FieldSpec*> fields;
  policy::View view = policy::View::kMasked;
  absl::Status error;

  Ask AskFor(base::SubjectId subject) const {
    Ask ask;
    ask.subject = subject;
    ask.view = view;
    if (spec != nullptr) ask.classes.set(spec->number);
    for (const FieldSpec* field : fields) ask.fields.set(field->index);
    return ask;
  }
};

Records::Selected Records::Select(const ReadSelection& selection) const {
  Selected selected;
  selected.view = selection.view;
  selected.spec = services_.catalogue.FindClass(selection.record_class);
  if (selected.spec == nullptr || selected.spec->internal) {
    selected.spec = nullptr;
    selected.error = Fail(Reason::kFieldUnknown);
    return selected;
  }
  if (selection.fields.empty()) selected.error = Fail(Reason::kValueInvalid);
  if (selection.fields.size() > kFieldsPerRecordMax) {
    selected.error = Fail(Reason::kTooLarge);
    return selected;
  }
  selected.fields.reserve(selection.fields.size());
  for (const std::string& name : selection.fields) {
    const FieldSpec* field =
        services_.catalogue.FindField(*selected.spec, name);
    if (field == nullptr) {
      selected.error = Fail(Reason::kFieldUnknown);
    } else if (std::ranges::find(selected.fields, field) ==
               selected.fields.end()) {
      selected.fields.push_back(field);
    }
  }
  return selected;
}

absl::StatusOr<PutMode> Records::ModeOf(const PutRecordInput& input,
                                        const ResolvedRecord& record) const {
  PutMode mode{std::nullopt, input.etag};
  if (!input.update_mask.has_value()) return mode;
  if (input.update_mask->size() > kFieldsPerRecordMax) {
    return Fail(Reason::kTooLarge);
  }
  mode.mask.emplace();
  for (const std::string& name : *input.update_mask) {
    const FieldSpec* field = services_.catalogue.FindField(*record.spec, name);
    if (field == nullptr) return Fail(Reason::kFieldUnknown);
    mode.mask->push_back(field);
  }
  for (const ResolvedRecord::Field& field : record.fields) {
    if (std::ranges::find(*mode.mask, field.spec) == mode.mask->end()) {
      return Fail(Reason::kValueInvalid, field.spec->number);
    }
  }
  return mode;
}

absl::StatusOr<WrittenRecord> Records::Put(Attempt& attempt, const Call& call,
                                           PutRecordInput input) const {
  ResolvedRecord record =
      RecordWriter::Resolve(services_.catalogue, std::move(input.record));
  Ask ask;
  ask.subject = input.subject;
  RecordWriter::AddTo(ask, record);
  ask.classes.set(policy::kClassFacts);
  if (record.spec != nullptr && input.update_mask.has_value()) {
    for (const std::string& name : *input.update_mask) {
      const FieldSpec* field =
          services_.catalogue.FindField(*record.spec, name);
      if (field != nullptr) ask.fields.set(field->index);
    }
  }
  absl::StatusOr<std::optional<crypto::SealedRow>> row = std::nullopt;
  if (record.spec != nullptr && !AddsToSeries(input, *record.spec)) {
    row = services_.records.Look(attempt, call.tenant.id, input.subject,
                                 NameOf(*record.spec, input.record_id));
    // A damaged one is an error only for whom the gate lets in.
    if (row.ok() && row->has_value() && !input.update_mask.has_value()) {
      AddPresentFields(services_, **row, ask);
    }
  }
  ASSIGN_OR_RETURN(AccessGrant grant, services_.gate.Admit(attempt, call, ask));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeWritten(record.spec, *repeated);
  return PutNew(attempt, call, grant, std::move(input), std::move(record),
                std::move(row));
}

absl::StatusOr<WrittenRecord> Records::PutNew(
    Attempt& attempt, const Call& call, AccessGrant& grant,
    PutRecordInput input, ResolvedRecord record,
    absl::StatusOr<std::optional<crypto::SealedRow>> row) const {
  if (record.unknown) return Fail(Reason::kFieldUnknown);
  ASSIGN_OR_RETURN(const PutMode mode, ModeOf(input, record));
  const bool series = record.spec->series;
  if (!series && input.record_id.has_value()) {
    return Fail(Reason::kValueInvalid);
  }
  const bool adds = AddsToSeries(input, *record.spec);
  const RecordName name =
      adds ? RecordName{record.spec->number, NewRecordId(call.now, 0)}
           : NameOf(*record.spec, input.record_id);
  std::optional<OpenRecord> present;
  if (!adds) {
    RETURN_IF_ERROR(row.status());
    ASSIGN_OR_RETURN(present,
                     services_.records.Open(grant, name, *std::move(row)));
    if (series && !present.has_value()) return Fail(Reason::kRecordNotFound);
  }
  if (series && present.has_value() && mode.mask.has_value() &&
      !record.event_time.has_value()) {
    ASSIGN_OR_RETURN(record.event_time, present->EventTime());
  }
  RETURN_IF_ERROR(RecordWriter::CheckShape(record));
  const policy::ClassNumber class_number = record.spec->number;
  RETURN_IF_ERROR(
      services_.user_keys.Ensure(attempt, grant, {&class_number, 1}));
  RecordWriter writer(services_);
  std::vector<IndexPointer> pointers;
  ASSIGN_OR_RETURN(const WrittenRecord written,
                   writer.Write(attempt, call, grant, name,
                                present.has_value() ? &*present : nullptr,
                                std::move(record), mode, pointers));
  RETURN_IF_ERROR(writer.SavePointers(attempt, grant, pointers));
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeWritten(written)));
  return written;
}

absl::StatusOr<DeletedFields> Records::DeleteFields(
    Attempt& attempt, const Call& call, const DeleteFieldsInput& input) const {
  const Selected selected =
      Select({input.record_class, input.fields, policy::View::kNone});
  ASSIGN_OR_RETURN(
      AccessGrant grant,
      services_.gate.Admit(attempt, call, selected.AskFor(input.subject)));
  RETURN_IF_ERROR(selected.error);
  if (selected.spec->series != input.record_id.has_value()) {
    return Fail(Reason::kValueInvalid);
  }
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) {
    ASSIGN_OR_RETURN(const WrittenRecord written,
                     DecodeWritten(selected.spec, *repeated));
    return DeletedFields{written, written.version.version == 0, !renews_};
  }
  ASSIGN_OR_RETURN(const DeletedFields deleted,
                   DeleteSelected(attempt, call, grant, selected, input));
  RETURN_IF_ERROR(services_.requests.Remember(attempt, call,
                                              EncodeWritten(deleted.written)));
  return deleted;
}

absl::StatusOr<DeletedFields> Records::DeleteSelected(
    Attempt& attempt, const Call& call, AccessGrant& grant,
    const Selected& selected, const DeleteFieldsInput& input) const {
  const RecordName name = NameOf(*selected.spec, input.record_id);
  ASSIGN_OR_RETURN(const auto present,
                   services_.records.Read(attempt, grant, name));
  if (!present.has_value()) return Fail(Reason::kRecordNotFound);
  RecordWriter writer(services_);
  const PutMode mode{selected.fields, input.etag};
  const auto goes = [&selected](policy::FieldNumber number) {
    return std::ranges::find(selected.fields, number, &FieldSpec::number) !=
           selected.fields.end();
  };
  if (std::ranges::all_of(present->Fields(), goes)) {
    RETURN_IF_ERROR(writer.Remove(attempt, call, grant, name, *present, mode));
    return DeletedFields{{selected.spec, name, {}}, true, !renews_};
  }
  ResolvedRecord nothing;
  nothing.spec = selected.spec;
  ASSIGN_OR_RETURN(nothing.event_time, present->EventTime());
  std::vector<IndexPointer> pointers;
  ASSIGN_OR_RETURN(const WrittenRecord written,
                   writer.Write(attempt, call, grant, name, &*present,
                                std::move(nothing), mode, pointers));
  return DeletedFields{written, false, !renews_};
}

absl::StatusOr<ShownRecord> Records::Show(const AccessGrant& grant,
                                          const Selected& selected,
                                          const RecordName& name,
                                          const OpenRecord& record) const {
  ShownRecord shown{
      selected.spec, name.id, std::nullopt, EtagOf(record.version()), {}};
  if (selected.spec->series) {
    ASSIGN_OR_RETURN(shown.event_time, record.EventTime());
  }
  shown.fields.reserve(selected.fields.size());
  for (const FieldSpec* field : selected.fields) {
    ASSIGN_OR_RETURN(auto value, record.Read(grant, *field));
    if (!value.has_value()) continue;
    const bool masked = grant.view() != policy::View::kPlain;
    if (masked) value = Text{MaskValue(*field, *value)};
    shown.fields.push_back({field, masked, *std::move(value)});
  }
  return shown;
}

absl::StatusOr<ShownRecord> Records::Get(Attempt& attempt, const Call& call,
                                         const GetRecordInput& input) const {
  const Selected selected = Select(input.selection);
  ASSIGN_OR_RETURN(
      const AccessGrant grant,
      services_.gate.Admit(attempt, call, selected.AskFor(input.subject)));
  RETURN_IF_ERROR(selected.error);
  if (selected.spec->series != input.record_id.has_value()) {
    return Fail(Reason::kValueInvalid);
  }
  const RecordName name = NameOf(*selected.spec, input.record_id);
  ASSIGN_OR_RETURN(const auto record,
                   services_.records.Read(attempt, grant, name));
  if (!record.has_value()) return Fail(Reason::kRecordNotFound);
  attempt.event().records = 1;
  return Show(grant, selected, name, *record);
}

absl::StatusOr<RecordPage> Records::List(Attempt& attempt, const Call& call,
                                         const ListRecordsInput& input) const {
  const Selected selected = Select(input.selection);
  ASSIGN_OR_RETURN(
      const AccessGrant grant,
      services_.gate.Admit(attempt, call, selected.AskFor(input.subject)));
  RETURN_IF_ERROR(selected.error);
  ASSIGN_OR_RETURN(const size_t limit, PageSize(input.page_size));
  ByteWriter query;
  query.PutRaw(input.subject.bytes())
      .Put(selected.spec->number)
      .Put(static_cast<uint8_t>(selected.view));
  for (const FieldSpec* field : selected.fields) query.Put(field->number);
  const std::string query_bytes = std::move(query).Take();
  const crypto::Key& token_key =
      services_.store_keys.PageTokenKey(call.tenant.id);
  std::optional<base::RecordId> after;
  if (!input.page_token.empty()) {
    ASSIGN_OR_RETURN(
        const std::string position,
        OpenPageToken(token_key, call, query_bytes, input.page_token));
    after = base::RecordId::FromBytes(position);
    if (!after.has_value()) return Fail(Reason::kPageTokenInvalid);
  }
  ASSIGN_OR_RETURN(const auto listed,
                   services_.records.List(attempt, grant, selected.spec->number,
                                          after, limit));
  RecordPage page;
  for (const RecordStore::Listed& entry : listed.entries) {
    ASSIGN_OR_RETURN(ShownRecord shown,
                     Show(grant, selected, entry.name, entry.record));
    page.records.push_back(std::move(shown));
  }
  if (listed.more) {
    page.next_page_token = SealPageToken(token_key, call, query_bytes,
                                         listed.entries.back().name.id.bytes());
  }
  attempt.event().records = static_cast<uint32_t>(page.records.size());
  return page;
}

}  // namespace hizo::vault
