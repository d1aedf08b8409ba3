#include "service/vault/exports.h"

#include <algorithm>
#include <utility>

#include "crypto/age.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "service/audit/proofs.h"
#include "service/audit/query.h"
#include "service/audit/tree.h"
#include "service/base/reason.h"
#include "service/base/status_macros.h"
#include "service/bundle/contact.h"
#include "service/bundle/documents.h"
#include "service/bundle/statements.h"
#include "service/bundle/tar.h"
#include "service/vault/value_json.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;
using bundle::Kind;
using policy::FieldSpec;

// A chunk ends with the member that brings it to this size.
constexpr size_t kChunkSize = size_t{256} << 10;
// A part may end in the middle of what was read: the rest is read again.
constexpr size_t kRowsPerRead = 128;
constexpr size_t kEventsPerRead = 1500;  // some 384 KiB of lines

std::string WhyWithheld(const FieldSpec& field) {
  if (field.sensitivity == policy::Sensitivity::kCredential) return "secret";
  if (field.export_kind == policy::Export::kNever) return "third_party";
  if (field.interest_only) return "interest_only";
  // A portable one is left out only where its value is derived.
  return field.export_kind == policy::Export::kPortable ||
                 field.source == policy::Source::kDerived
             ? "derived"
             : "on_request";
}

bundle::Source ToBundle(Source source) {
  switch (source) {
    case Source::kProvided:
      return bundle::Source::kProvided;
    case Source::kObserved:
      return bundle::Source::kObserved;
    case Source::kDerived:
      break;
  }
  return bundle::Source::kDerived;
}

audit::Filter HistoryOf(const Call& call, const AccessGrant& grant) {
  audit::Filter filter;
  filter.tenant = call.tenant.id;
  filter.subject = grant.facts().audit_reference;
  return filter;
}

// Rows as of `snapshot`. A class that was given new keys since takes its older
// rows along: then this is no damage, and a new export will do.
absl::StatusOr<RecordStore::Listing> RowsAt(
    const RecordStore& records, const storage::Reader& snapshot,
    const AccessGrant& grant, policy::ClassNumber class_number,
    const std::optional<base::RecordId>& after, size_t limit) {
  auto listed = records.GlanceAt(snapshot, grant, class_number, after, limit);
  if (listed.ok() || !records.Glance(grant, class_number, after, limit).ok()) {
    return listed;
  }
  return Fail(Reason::kConflict);
}

// That the newest entry of `filter` among the first `size` is in the log;
// nullopt if there is none.
absl::StatusOr<std::optional<bundle::AuditProof>> ProofOf(
    const storage::Reader& reader, const audit::TreeEdge& edge, uint64_t size,
    const audit::Filter& filter) {
  ASSIGN_OR_RETURN(const audit::Page page,
                   audit::Query(reader, size, filter,
                                audit::Order::kNewestFirst, std::nullopt, 1));
  if (page.events.empty()) return std::nullopt;
  bundle::AuditProof proof;
  proof.sequence = page.events.front().sequence;
  ASSIGN_OR_RETURN(auto entry, reader.Get(audit::EntryKey(proof.sequence)));
  if (!entry.has_value()) return Fail(Reason::kIntegrityFailure);
  proof.entry = *std::move(entry);
  ASSIGN_OR_RETURN(proof.path,
                   audit::InclusionProof(reader, edge, size, proof.sequence));
  return proof;
}

}  // namespace

policy::FieldSet ExportedFields(const policy::Catalogue& catalogue,
                                bundle::Selection selection) {
  policy::FieldSet fields;
  for (const FieldSpec& field : catalogue.fields()) {
    const bool portable = field.export_kind == policy::Export::kPortable;
    const bool access = field.export_kind == policy::Export::kAccessOnly &&
                        selection == bundle::Selection::kAccess;
    fields.set(field.index, portable || access);
  }
  return fields & ~catalogue.internal_fields();
}

Exports::Exports(const Services& services, const Recipients& recipients,
                 std::string origin)
    : services_(services),
      recipients_(recipients),
      origin_(std::move(origin)),
      signer_(crypto::DeriveKey(services.store_keys.AuditSigningSeed(),
                                "hizo/bundle-signer/v1", {})) {}

absl::StatusOr<std::unique_ptr<BundleExport>> Exports::Begin(
    ExportInput input) const {
  std::optional<crypto::AgeRecipient> key;
  if (input.transmission.has_value()) {
    if (input.transmission->authorisation.is_nil() ||
        input.selection != bundle::Selection::kPortability) {
      return Fail(Reason::kValueInvalid);
    }
  } else {
    auto parsed = crypto::AgeRecipient::Parse(input.recipient);
    if (!parsed.ok()) return Fail(Reason::kValueInvalid);
    key = *std::move(parsed);
  }
  return std::make_unique<BundleExport>(
      BundleExport::Parts{services_, signer_, origin_, recipients_},
      std::move(input), std::move(key));
}

BundleExport::BundleExport(const Parts& parts, ExportInput input,
                           std::optional<crypto::AgeRecipient> key)
    : parts_(parts),
      input_(std::move(input)),
      key_(std::move(key)),
      fields_(ExportedFields(parts.services.catalogue, input_.selection)) {}

BundleExport::State BundleExport::State::Clone() const {
  State copy(writer.Clone(), key);
  copy.phase = phase;
  copy.next_class = next_class;
  copy.after = after;
  copy.part = part;
  copy.history_from = history_from;
  copy.withheld = withheld;
  copy.series = series;
  copy.readers = readers;
  copy.records = records;
  copy.unsent = unsent;
  copy.signature = signature;
  copy.sent = sent;
  return copy;
}

absl::StatusOr<AccessGrant> BundleExport::Admit(Attempt& attempt,
                                                const Call& call) const {
  Ask ask;
  ask.subject = input_.subject;
  ask.fields = fields_;
  ask.view = policy::View::kPlain;
  return parts_.services.gate.Admit(attempt, call, ask);
}

absl::StatusOr<ExportChunk> BundleExport::Next(Attempt& attempt,
                                               const Call& call, size_t index) {
  if (index != made_index_ && index != made_index_ + 1) {
    return Fail(Reason::kInternal);
  }
  // Asking for the next one says that the last one was given.
  if (index == made_index_ + 1) given_ = std::move(made_);
  made_.reset();
  made_index_ = index;
  if (index > 0 && !given_.has_value()) return Fail(Reason::kInternal);
  ASSIGN_OR_RETURN(const AccessGrant grant, Admit(attempt, call));
  ASSIGN_OR_RETURN(const auto key, KeyOfNow(attempt, call));
  ExportChunk chunk;
  std::string bytes;
  if (index == 0) {
    ASSIGN_OR_RETURN(made_, Begin(call, grant, key, bytes));
  } else {
    if (key != given_->key) return Fail(Reason::kConflict);
    made_ = given_->Clone();
    bytes = std::move(made_->unsent);
  }
  const uint64_t before = index == 0 ? 0 : given_->records;
  RETURN_IF_ERROR(Fill(call, grant, *made_, std::move(bytes), chunk));
  attempt.event().records = static_cast<uint32_t>(made_->records - before);
  if (chunk.receipt.has_value()) {
    attempt.event().recipient->file = *chunk.receipt;
  }
  return chunk;
}

absl::Status BundleExport::Fill(const Call& call, const AccessGrant& grant,
                                State& state, std::string bytes,
                                ExportChunk& chunk) {
  while (bytes.size() < kChunkSize && state.phase != Phase::kDone) {
    RETURN_IF_ERROR(Step(call, grant, state, bytes));
  }
  if (state.phase == Phase::kDone && state.signature.empty()) {
    state.signature = state.writer.Finish(parts_.signer, bytes);
  }
  chunk.bytes = bytes.substr(0, kExportChunkMax);
  state.unsent = bytes.substr(chunk.bytes.size());
  chunk.last = state.phase == Phase::kDone && state.unsent.empty();
  if (chunk.last) chunk.signature = state.signature;
  chunk.records = state.records;
  chunk.bundle_id = state.writer.manifest().about.id;
  if (input_.transmission.has_value()) {
    state.sent.Add(chunk.bytes);
    if (chunk.last) chunk.receipt = state.sent.Sum();
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::AgeRecipient> BundleExport::KeyOfNow(
    Attempt& attempt, const Call& call) const {
  if (!input_.transmission.has_value()) return *key_;
  ASSIGN_OR_RETURN(const auto recipient,
                   parts_.recipients.Find(attempt, call.tenant.id,
                                          input_.transmission->recipient));
  if (!recipient.has_value()) return Fail(Reason::kRecipientUnknown);
  attempt.event().recipient = InEvent(*recipient);
  attempt.event().recipient->authorisation = input_.transmission->authorisation;
  return recipient->key;
}

absl::StatusOr<BundleExport::State> BundleExport::Begin(
    const Call& call, const AccessGrant& grant, const crypto::AgeRecipient& key,
    std::string& out) {
  const Services& services = parts_.services;
  const audit::Head head = services.log.head();
  ASSIGN_OR_RETURN(snapshot_, services.data.NewSnapshot());
  log_size_ = head.size;
  bundle::About about;
  about.id = base::UuidText(crypto::RandomBytes(base::RequestId::kSize));
  about.created = call.now;
  about.selection = input_.selection;
  about.language = input_.language;
  about.subject = base::ToText(grant.subject());
  about.origin = parts_.origin;
  about.tenant = call.tenant.name;
  about.catalogue_version = services.catalogue.version();
  about.catalogue_digest = services.catalogue.digest();
  about.checkpoint = head.checkpoint;
  about.checkpoint_key = services.log.verifier_key();
  if (!input_.transmission.has_value()) {
    ASSIGN_OR_RETURN(about.proof, ProofOf(services.data, services.log.edge(),
                                          log_size_, HistoryOf(call, grant)));
  }
  ASSIGN_OR_RETURN(auto age, crypto::AgeWriter::ForRecipients({&key, 1}));
  State state(bundle::Writer(std::move(age), std::move(about)), key);
  RETURN_IF_ERROR(AddProfile(grant, state, out));
  return state;
}

absl::StatusOr<bundle::Record> BundleExport::Take(const AccessGrant& grant,
                                                  const policy::ClassSpec& spec,
                                                  const RecordName& name,
                                                  const OpenRecord& record,
                                                  State& state) const {
  bundle::Record taken;
  taken.record_class = spec.name;
  if (spec.series) {
    taken.id = base::ToText(name.id);
    ASSIGN_OR_RETURN(taken.event_time, record.EventTime());
  }
  taken.fields.reserve(spec.fields.size());
  for (const FieldSpec* field : spec.fields) {
    if (!fields_.test(field->index)) {
      if (record.Has(*field)) ++state.withheld[field->number];
      continue;
    }
    ASSIGN_OR_RETURN(const auto read, record.ReadSourced(grant, *field));
    if (!read.has_value()) continue;
    // Whatever the catalogue of now says of others.
    if (read->source == Source::kDerived &&
        input_.selection == bundle::Selection::kPortability) {
      ++state.withheld[field->number];
      continue;
    }
    taken.fields.push_back(
        {field->name, ValueToJson(read->value), ToBundle(read->source)});
    if (read->source != Source::kProvided) {
      ++state.writer.manifest().sources[std::string(NameOf(read->source))];
    }
  }
  if (!taken.fields.empty()) {
    ++state.records;
    ++state.writer.manifest().records[spec.name];
  }
  return taken;
}

absl::Status BundleExport::AddProfile(const AccessGrant& grant, State& state,
                                      std::string& out) {
  profile_.clear();
  for (const policy::ClassSpec& spec : parts_.services.catalogue.classes()) {
    if (spec.series || spec.internal || !grant.Covers(spec.number)) continue;
    ASSIGN_OR_RETURN(auto listed, RowsAt(parts_.services.records, *snapshot_,
                                         grant, spec.number, {}, 1));
    for (const RecordStore::Listed& entry : listed.entries) {
      ASSIGN_OR_RETURN(bundle::Record record,
                       Take(grant, spec, entry.name, entry.record, state));
      if (!record.fields.empty()) profile_.push_back(std::move(record));
    }
  }
  const bundle::About about = state.writer.manifest().about;
  const std::string profile = bundle::ProfileJson(about, profile_);
  if (profile.size() > bundle::kMemberSizeMax) return Fail(Reason::kTooLarge);
  state.writer.Add(bundle::kProfileName, profile, Kind::kProfile, out);
  state.writer.Add(bundle::kSchemaName, bundle::ProfileSchema(), Kind::kOther,
                   out);
  state.writer.Add("contact.vcf", bundle::ContactCard(about, profile_),
                   Kind::kOther, out);
  state.writer.Add("profile.jsonld", bundle::PersonJsonLd(about, profile_),
                   Kind::kOther, out);
  return absl::OkStatus();
}

absl::Status BundleExport::Step(const Call& call, const AccessGrant& grant,
                                State& state, std::string& out) {
  switch (state.phase) {
    case Phase::kSeries:
      return AddSeries(grant, state, out);
    case Phase::kConsents:
      // What was said to this company, and who asked what here, is no other
      // company's business.
      state.phase =
          input_.transmission.has_value() ? Phase::kReport : Phase::kHistory;
      if (!input_.transmission.has_value()) AddConsents(grant, state, out);
      return absl::OkStatus();
    case Phase::kHistory:
      return AddHistory(call, grant, state, out);
    case Phase::kReport:
      AddReport(grant, state, out);
      return absl::OkStatus();
    case Phase::kPage:
      AddPage(grant, state, out);
      return absl::OkStatus();
    case Phase::kDone:
      break;
  }
  return absl::OkStatus();
}

absl::Status BundleExport::AddSeries(const AccessGrant& grant, State& state,
                                     std::string& out) {
  const auto& classes = parts_.services.catalogue.classes();
  if (state.next_class == classes.size()) {
    state.phase = Phase::kConsents;
    return absl::OkStatus();
  }
  const policy::ClassSpec& spec = classes[state.next_class];
  if (!spec.series || spec.internal || !grant.Covers(spec.number)) {
    ++state.next_class;
    return absl::OkStatus();
  }
  SeriesPart part(spec, fields_, state.writer.manifest().about);
  if (!state.after.has_value()) state.series.push_back(part.NewPageSeries());
  bool more = true;
  while (more && part.lines().size() < bundle::kPartSize) {
    ASSIGN_OR_RETURN(const auto listed,
                     RowsAt(parts_.services.records, *snapshot_, grant,
                            spec.number, state.after, kRowsPerRead));
    more = listed.more;
    for (const RecordStore::Listed& entry : listed.entries) {
      ASSIGN_OR_RETURN(const bundle::Record record,
                       Take(grant, spec, entry.name, entry.record, state));
      state.after = entry.name.id;
      if (record.fields.empty()) continue;
      part.Add(record);
      state.series.back().Add(record);
      more = true;  // others of this page may follow
      if (part.lines().size() >= bundle::kPartSize) break;
    }
    if (part.lines().size() < bundle::kPartSize) more = listed.more;
  }
  RETURN_IF_ERROR(part.WriteTo(state.writer, state.part, out));
  ++state.part;
  if (!more) {
    ++state.next_class;
    state.after.reset();
    state.part = 1;
  }
  return absl::OkStatus();
}

void BundleExport::AddConsents(const AccessGrant& grant, State& state,
                               std::string& out) const {
  const bundle::Statements said =
      StatementsOf(parts_.services.catalogue, grant.facts().said);
  state.writer.Add(bundle::kConsentsName,
                   bundle::ConsentsJson(state.writer.manifest().about, said),
                   Kind::kOther, out);
  state.writer.Add(bundle::kConsentsSchemaName, bundle::ConsentsSchema(),
                   Kind::kOther, out);
}

absl::Status BundleExport::AddHistory(const Call& call,
                                      const AccessGrant& grant, State& state,
                                      std::string& out) {
  ASSIGN_OR_RETURN(const audit::Page page,
                   audit::Query(*snapshot_, log_size_, HistoryOf(call, grant),
                                audit::Order::kOldestFirst, state.history_from,
                                kEventsPerRead));
  std::string lines;
  for (const audit::Found& found : page.events) {
    AppendHistoryLine(parts_.services.catalogue, found, lines);
    state.readers.Add(found.event);
  }
  if (!lines.empty()) {
    state.writer.Add(bundle::PartName("access-history", state.part++, "ndjson"),
                     lines, Kind::kOther, out);
  }
  state.history_from = page.next;
  if (!page.next.has_value()) state.phase = Phase::kReport;
  return absl::OkStatus();
}

void BundleExport::AddReport(const AccessGrant& grant, State& state,
                             std::string& out) const {
  for (const policy::ClassSpec& spec : parts_.services.catalogue.classes()) {
    for (const FieldSpec* field : spec.fields) {
      const auto counted = state.withheld.find(field->number);
      uint64_t count = counted == state.withheld.end() ? 0 : counted->second;
      // Of Hizo's own classes only that the person has them is known here.
      const auto held = grant.HeldClasses();
      if (spec.internal && WhyWithheld(*field) == "secret" &&
          std::ranges::find(held, spec.number) != held.end()) {
        count = 1;
      }
      if (count == 0) continue;
      state.writer.manifest().withheld.push_back(
          {field->full_name, WhyWithheld(*field), count});
    }
  }
  if (input_.selection == bundle::Selection::kAccess) {
    state.writer.Add(
        "access-report.json",
        AccessReport(parts_.services.catalogue, grant, fields_, state.readers),
        Kind::kOther, out);
  }
  state.phase = Phase::kPage;
}

void BundleExport::AddPage(const AccessGrant& grant, State& state,
                           std::string& out) const {
  bundle::Statements said;
  if (!input_.transmission.has_value()) {
    said = StatementsOf(parts_.services.catalogue, grant.facts().said);
  }
  std::string page =
      bundle::PageHtml(state.writer.manifest(), profile_, state.series, said);
  // What is too large for a page stands in the files.
  if (page.size() > bundle::kMemberSizeMax) {
    page = bundle::PageHtml(state.writer.manifest(), {}, {}, said);
  }
  state.writer.Add(bundle::kPageName, page, Kind::kOther, out);
  state.phase = Phase::kDone;
}

}  // namespace hizo::vault
