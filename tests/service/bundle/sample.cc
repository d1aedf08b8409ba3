#include "tests/service/bundle/sample.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <map>
#include <utility>

#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "crypto/signed_note.h"
#include "service/bundle/contact.h"
#include "service/bundle/documents.h"
#include "service/bundle/page.h"

namespace hizo::bundle {
namespace {

Record RecordOf(std::string record_class,
                std::vector<std::pair<std::string, std::string>> fields) {
  Record record;
  record.record_class = std::move(record_class);
  for (auto& [name, json] : fields) {
    record.fields.push_back({name, base::Pii(std::move(json))});
  }
  return record;
}

constexpr size_t kLogSize = 12;
constexpr size_t kProved = 9;

std::string LogEntry(size_t sequence) {
  return "entry " + std::to_string(sequence);
}

crypto::Digest RootOf(size_t first, size_t count) {
  crypto::MerklePeaks peaks;
  for (size_t i = first; i < first + count; ++i) {
    peaks.Append(crypto::LeafHash(LogEntry(i)));
  }
  return peaks.Root();
}

// RFC 6962 2.1.1, by its definition.
std::vector<crypto::Digest> PathOf(size_t index, size_t first, size_t count) {
  if (count == 1) return {};
  const size_t left = std::bit_floor(count - 1);
  const bool in_left = index < first + left;
  auto path = in_left ? PathOf(index, first, left)
                      : PathOf(index, first + left, count - left);
  path.push_back(in_left ? RootOf(first + left, count - left)
                         : RootOf(first, left));
  return path;
}

}  // namespace

std::string SampleCheckpoint(const std::string& origin, size_t size) {
  const crypto::NoteSigner signer(
      origin, crypto::Key::CopyOf(std::string(crypto::Key::kSize, 'n')));
  return signer.Sign(crypto::CheckpointText({origin, {size, RootOf(0, size)}}));
}

About SampleAbout() {
  About about;
  about.id = kSampleId;
  about.created = base::FromMicros(1'790'000'000'123'456);
  about.subject = kSampleSubject;
  about.origin = "hizo/store";
  about.tenant = "acme";
  about.catalogue_version = 3;
  about.catalogue_digest = std::string(64, 'a');
  about.checkpoint = SampleCheckpoint(about.origin, kLogSize);
  about.checkpoint_key =
      crypto::NoteSigner(about.origin, crypto::Key::CopyOf(std::string(
                                           crypto::Key::kSize, 'n')))
          .verifier_key();
  about.proof =
      AuditProof{kProved, LogEntry(kProved), PathOf(kProved, 0, kLogSize)};
  return about;
}

std::vector<Record> SampleRecords() {
  std::vector<Record> records;
  records.push_back(RecordOf(
      "account", {{"username", R"("t_sato")"},
                  {"email", R"("tsato@example.com")"},
                  {"pc_mail_address", R"("t.sato+pc@example.co.jp")"},
                  {"age_attestation", "true"},
                  {"registration_info", R"({"json":{"from":"web","n":3}})"}}));
  records.push_back(RecordOf(
      "profile",
      {{"full_name", "\"佐藤, 太郎; <b>\\\"T\\\"</b> & Söhne\\\\\""},
       {"company_name",
        "\"株式会社とても長い名前の会社でありながら七十五オク"
        "テットを超えて折り返される必要がある会社\""},
       {"phone_number", R"("+81312345678")"},
       {"mobile_phone_number", R"("+819012345678")"},
       {"postal_address",
        R"({"country":"JP","postal_code":"100-0001","region":"東京都",)"
        R"("locality":"千代田区","lines":["千代田1-1","ビル; 3F"]})"}}));
  records.push_back(
      RecordOf("billing", {{"billing_name", R"x("=HYPERLINK(\"http://x\")")x"},
                           {"payment_method_type", R"("card")"}}));
  return records;
}

Record Invoice(size_t number) {
  char id[40];
  std::snprintf(id, sizeof id, "018f0000-0000-7000-8000-%012zu", number);
  Record record = RecordOf(
      "transaction",
      {{"invoice_number", "\"INV-" + std::to_string(number) + "\""},
       {"amount", R"({"currency":"JPY","minor_units":)" +
                      std::to_string(1200 + number) + "}"},
       {"invoice_name", number % 2 == 0 ? "\"=1+1\"" : "\"Sato, \\\"T\\\"\""},
       {"payment_at", R"({"timestamp":"2026-05-10T09:30:00Z"})"},
       {"refund", R"({"currency":"EUR","minor_units":-105})"}});
  record.id = id;
  record.event_time = base::FromMicros(
      1'780'000'000'000'000 + static_cast<int64_t>(number) * 86'400'000'000);
  return record;
}

std::vector<Record> SampleSeries(size_t count) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) records.push_back(Invoice(i));
  return records;
}

Statements SampleStatements() {
  constexpr char kEvidence[] = "0b9d3f5e-6f0e-4c6b-8a52-b6a3f3a0c1d2";
  const base::Timestamp then = base::FromMicros(1'780'000'000'000'000);
  const base::Timestamp later = then + std::chrono::hours(24);
  Statements said;
  said.consents = {{"communications_marketing", "Telling people about offers.",
                    3, "web", kEvidence, then, later},
                   {"data_analytics", "Counting <people> & \"comparing\".", 4,
                    "paper", kEvidence, then, std::nullopt}};
  said.objections = {{"", "", "upheld", "", then, then},
                     {"security", "Protecting accounts.", "rejected",
                      "compelling", then, later}};
  said.restrictions = {{"accuracy_contested", then}};
  return said;
}

Keys::Keys()
    : identity_(crypto::AgeIdentity::Random()),
      signer_(crypto::Key::Random()) {}

crypto::AgeWriter Keys::NewWriter() const {
  const crypto::AgeRecipient recipient = identity_.recipient();
  return *crypto::AgeWriter::ForRecipients({&recipient, 1});
}

crypto::AgeOpeners Keys::Openers() const {
  crypto::AgeOpeners openers;
  openers.identities.push_back(
      *crypto::AgeIdentity::Parse(identity_.ExposeText()));
  return openers;
}

std::vector<Piece> SamplePieces(size_t invoices) {
  const About about = SampleAbout();
  const std::vector<Record> records = SampleRecords();
  const std::vector<Record> series = SampleSeries(invoices);
  const std::vector<Column> columns = {{"invoice_number"},
                                       {"amount", Column::Shape::kMoney},
                                       {"invoice_name"},
                                       {"payment_at"},
                                       {"refund", Column::Shape::kMoney}};
  std::string lines;
  std::string table = CsvHead(columns);
  PageSeries page{"transaction",
                  {"invoice_number", "amount", "invoice_name", "payment_at"},
                  {},
                  0};
  for (const Record& record : series) {
    AppendRecordLine(about, record, lines);
    AppendCsvLine(columns, record, table);
    page.Add(record);
  }
  Manifest manifest;
  manifest.about = about;
  manifest.withheld = {{"credential.password_hash", "secret", 1},
                       {"billing.payment_token", "secret", 1}};
  std::vector<Piece> pieces = {
      {kProfileName, ProfileJson(about, records), Kind::kProfile},
      {kSchemaName, std::string(ProfileSchema()), Kind::kOther},
      {"contact.vcf", ContactCard(about, records), Kind::kOther},
      {"profile.jsonld", PersonJsonLd(about, records), Kind::kOther}};
  if (invoices > 0) {
    pieces.push_back(
        {PartName("transaction", 1, "ndjson"), lines, Kind::kSeries});
    pieces.push_back({PartName("transaction", 1, "csv"), table, Kind::kOther});
  }
  const Statements said = SampleStatements();
  pieces.push_back({kConsentsName, ConsentsJson(about, said), Kind::kOther});
  pieces.push_back(
      {kConsentsSchemaName, std::string(ConsentsSchema()), Kind::kOther});
  for (const Piece& piece : pieces) {
    manifest.members.push_back(ListedOf(piece.name, piece.content, piece.kind));
  }
  pieces.push_back(
      {kPageName, PageHtml(manifest, records, {page}, said), Kind::kOther});
  return pieces;
}

Made Make(const Keys& keys, const std::vector<Piece>& pieces,
          const About& about) {
  Writer writer(keys.NewWriter(), about);
  Made made;
  for (const Piece& piece : pieces) {
    writer.Add(piece.name, piece.content, piece.kind, made.file);
    if (piece.kind == Kind::kOther) continue;
    const auto records = piece.kind == Kind::kProfile
                             ? ReadProfile(piece.content, about.subject)
                             : ReadPart(piece.content, about.subject);
    if (!records.ok()) continue;
    for (const Record& record : *records) {
      ++writer.manifest().records[record.record_class];
      for (const Field& field : record.fields) {
        if (field.source == Source::kProvided) continue;
        ++writer.manifest().sources[std::string(NameOf(field.source))];
      }
    }
  }
  writer.manifest().withheld = {{"credential.password_hash", "secret", 1}};
  made.signature = writer.Finish(keys.signer(), made.file);
  return made;
}

Made MakeSample(const Keys& keys, size_t invoices) {
  return Make(keys, SamplePieces(invoices));
}

std::string Encrypt(const Keys& keys, std::string_view archive) {
  crypto::AgeWriter writer = keys.NewWriter();
  std::string file;
  writer.Write(archive, file);
  writer.Finish(file);
  return file;
}

std::string Decrypt(const Keys& keys, std::string_view file) {
  crypto::AgeReader reader(keys.Openers());
  std::string archive;
  if (!reader.Read(file, archive).ok() || !reader.Finish(archive).ok()) {
    return "";
  }
  return archive;
}

Bytes BytesOf(std::string file, size_t size) {
  return [file = std::move(file), size,
          at = size_t{0}]() mutable -> absl::StatusOr<std::string> {
    std::string piece = file.substr(std::min(at, file.size()), size);
    at += piece.size();
    return piece;
  };
}

absl::StatusOr<Verified> Read(const Keys& keys, const std::string& file,
                              std::vector<Member>* members) {
  return ReadBundle(BytesOf(file), keys.Openers(), keys.public_key(),
                    [members](const Member& member) {
                      if (members != nullptr) members->push_back(member);
                      return absl::OkStatus();
                    });
}

}  // namespace hizo::bundle
