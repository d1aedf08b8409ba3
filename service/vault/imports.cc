#include "service/vault/imports.h"

#include <algorithm>
#include <set>
#include <utility>

#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/bundle/reader.h"
#include "service/bundle/refusal.h"
#include "service/vault/byte_codec.h"
#include "service/vault/value_json.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using bundle::Refusal;

// So many records of one millisecond are told apart by their ids.
constexpr uint64_t kOrdinals = 4096;

absl::Status ReasonOfRefusal(const absl::Status& status) {
  const auto refusal = bundle::RefusalOf(status);
  return Fail(refusal == Refusal::kUnknownSchema ? Reason::kValueInvalid
                                                 : Reason::kIntegrityFailure);
}

// What it was elsewhere it stays, whatever the catalogue here says of others.
Source FromBundle(bundle::Source source) {
  switch (source) {
    case bundle::Source::kProvided:
      return Source::kProvided;
    case bundle::Source::kObserved:
      return Source::kObserved;
    case bundle::Source::kDerived:
      break;
  }
  return Source::kDerived;
}

absl::StatusOr<NewRecord> ToNewRecord(const bundle::Record& record) {
  NewRecord fresh;
  fresh.record_class = record.record_class;
  fresh.event_time = record.event_time;
  for (const bundle::Field& field : record.fields) {
    auto value = ValueFromJson(field.json.Reveal());
    if (!value.has_value()) return Fail(Reason::kValueInvalid);
    fresh.fields.push_back(
        {field.name, *std::move(value), FromBundle(field.source)});
  }
  return fresh;
}

// What a repeat is answered with.
std::string EncodeImported(const ImportedPiece& imported) {
  ByteWriter out;
  out.PutRaw(imported.subject.bytes()).Put(imported.records);
  return std::move(out).Take();
}

absl::StatusOr<ImportedPiece> DecodeImported(std::string_view bytes) {
  ByteReader in(bytes);
  ImportedPiece imported;
  imported.repeated = true;
  const auto subject =
      base::SubjectId::FromBytes(in.GetRaw(base::SubjectId::kSize));
  imported.records = in.Get<uint64_t>();
  if (!in.done() || !subject.has_value()) {
    return Fail(Reason::kIntegrityFailure);
  }
  imported.subject = *subject;
  return imported;
}

}  // namespace

absl::StatusOr<std::vector<NewRecord>> Imports::RecordsOf(
    const ImportPiece& piece) const {
  absl::StatusOr<bundle::Manifest> manifest =
      bundle::Refuse(Refusal::kOtherSigner);
  for (const std::string& key : trusted_) {
    manifest = bundle::OpenManifest(piece.manifest, piece.signature, key);
    if (bundle::RefusalOf(manifest.status()) != Refusal::kOtherSigner) break;
  }
  if (!manifest.ok()) return ReasonOfRefusal(manifest.status());
  auto records = bundle::RecordsOf(*manifest, {piece.member, piece.content});
  if (!records.ok()) return ReasonOfRefusal(records.status());
  // A profile makes a person; a series belongs to one who is there.
  const bool profile = std::ranges::none_of(*records, [](const auto& record) {
    return record.event_time.has_value();
  });
  if (profile == piece.subject.has_value()) return Fail(Reason::kValueInvalid);
  if (!profile && (piece.count == 0 || piece.count > kImportedRecordsMax ||
                   piece.first > records->size() ||
                   piece.count > records->size() - piece.first)) {
    return Fail(Reason::kValueInvalid);
  }
  const size_t first = profile ? 0 : piece.first;
  const size_t count = profile ? records->size() : piece.count;
  std::vector<NewRecord> fresh;
  for (size_t i = first; i < first + count; ++i) {
    ASSIGN_OR_RETURN(NewRecord record, ToNewRecord((*records)[i]));
    fresh.push_back(std::move(record));
  }
  return fresh;
}

absl::StatusOr<ImportedPiece> Imports::Take(Attempt& attempt, const Call& call,
                                            const ImportPiece& piece) const {
  RETURN_IF_ERROR(services_.gate.MayAsk(attempt, call, Ask()));
  ASSIGN_OR_RETURN(auto records, RecordsOf(piece));
  if (piece.subject.has_value()) {
    return Append(attempt, call, piece, std::move(records));
  }
  const uint64_t count = records.size();
  ASSIGN_OR_RETURN(const CreatedSubject created,
                   subjects_.Create(attempt, call, std::move(records)));
  return ImportedPiece{created.subject, count, created.repeated};
}

absl::StatusOr<ImportedPiece> Imports::Append(
    Attempt& attempt, const Call& call, const ImportPiece& piece,
    std::vector<NewRecord> records) const {
  // It makes nobody, so that it needs the permission to write to somebody.
  Call put = call;
  put.action = policy::Action::kRecordPut;
  Ask ask;
  ask.subject = piece.subject;
  std::vector<ResolvedRecord> resolved;
  std::set<policy::ClassNumber> classes;
  for (NewRecord& record : records) {
    resolved.push_back(
        RecordWriter::Resolve(services_.catalogue, std::move(record)));
    RecordWriter::AddTo(ask, resolved.back());
    if (resolved.back().spec != nullptr) {
      classes.insert(resolved.back().spec->number);
    }
  }
  ASSIGN_OR_RETURN(AccessGrant grant, services_.gate.Admit(attempt, put, ask));
  ASSIGN_OR_RETURN(const auto repeated,
                   services_.requests.Recall(attempt, call));
  if (repeated.has_value()) return DecodeImported(*repeated);
  for (const ResolvedRecord& record : resolved) {
    RETURN_IF_ERROR(RecordWriter::CheckShape(record));
  }
  const std::vector<policy::ClassNumber> needed(classes.begin(), classes.end());
  RETURN_IF_ERROR(services_.user_keys.Ensure(attempt, grant, needed));
  RecordWriter writer(services_);
  std::vector<IndexPointer> pointers;
  // Pieces of one member that come in the same moment keep their order.
  auto ordinal = static_cast<uint16_t>(piece.first % kOrdinals);
  for (ResolvedRecord& record : resolved) {
    const RecordName name{record.spec->number,
                          NewRecordId(call.now, ordinal++)};
    RETURN_IF_ERROR(writer
                        .Write(attempt, put, grant, name, nullptr,
                               std::move(record), {}, pointers)
                        .status());
  }
  RETURN_IF_ERROR(writer.SavePointers(attempt, grant, pointers));
  const ImportedPiece imported{grant.subject(), records.size(), false};
  RETURN_IF_ERROR(
      services_.requests.Remember(attempt, call, EncodeImported(imported)));
  return imported;
}

}  // namespace hizo::vault
