// Exports: hands people their data as bundles.
//
// A bundle is made chunk by chunk. Each chunk is an Attempt of its own: it is
// decided, recorded and released by itself, so that whatever happens to the
// person meanwhile (an erasure, a restriction) ends the export at the next
// chunk. What is read is as of the moment when the first chunk was made.
//
// It is made for a key that the caller names, or at the person's word for a
// recipient that the tenant has registered; whatever happens to the
// registration meanwhile ends it, too.
//
// Threads: const methods may be called concurrently; a BundleExport from one
// thread at a time. Lifetime: services outlive both.
#ifndef HIZO_SERVICE_VAULT_EXPORTS_H_
#define HIZO_SERVICE_VAULT_EXPORTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/age_keys.h"
#include "crypto/digest.h"
#include "crypto/minisign.h"
#include "service/base/ids.h"
#include "service/bundle/page.h"
#include "service/bundle/person.h"
#include "service/bundle/writer.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"
#include "service/vault/export_report.h"
#include "service/vault/recipients.h"
#include "service/vault/record_store.h"
#include "service/vault/services.h"
#include "storage/engine.h"

namespace hizo::vault {

inline constexpr size_t kExportChunkMax = size_t{1} << 20;

// To whom a person wants their data sent.
struct Transmission {
  std::string recipient;                // a registered name
  base::AuthorisationId authorisation;  // the person's word for it
};

struct ExportInput {
  base::SubjectId subject;
  bundle::Selection selection = bundle::Selection::kPortability;
  bundle::Language language = bundle::Language::kEnglish;
  std::string recipient;  // a key of age, who alone opens the bundle
  // In place of a key; portability is then what is selected, without the
  // history of access and the proof of it.
  std::optional<Transmission> transmission = std::nullopt;
};

struct ExportChunk {
  std::string bytes;  // at most kExportChunkMax
  std::string bundle_id;
  uint64_t records = 0;  // handed out so far
  bool last = false;
  std::string signature;  // of the whole file; with the last chunk
  // SHA-256 of the whole file; with the last chunk of a transmission.
  std::optional<crypto::Digest> receipt;
};

class BundleExport {
 public:
  struct Parts {
    const Services& services;
    const crypto::MinisignSigner& signer;
    const std::string& origin;
    const Recipients& recipients;
  };
  // `key` is nullopt for a transmission.
  BundleExport(const Parts& parts, ExportInput input,
               std::optional<crypto::AgeRecipient> key);
  BundleExport(const BundleExport&) = delete;
  BundleExport& operator=(const BundleExport&) = delete;

  // The chunk `index`, as part of the Attempt: 0 first, then one after the
  // other. The same one may be asked for again as long as nobody has been given
  // it; what was made for it before must then never be given away.
  absl::StatusOr<ExportChunk> Next(Attempt& attempt, const Call& call,
                                   size_t index);

 private:
  enum class Phase { kSeries, kConsents, kHistory, kReport, kPage, kDone };
  // How far the export is; a chunk is made from one and leaves the next.
  struct State {
    State(bundle::Writer of, crypto::AgeRecipient key_of)
        : writer(std::move(of)), key(std::move(key_of)) {}
    State Clone() const;
    bundle::Writer writer;
    crypto::AgeRecipient key;  // that opens it
    Phase phase = Phase::kSeries;
    size_t next_class = 0;  // by position in the catalogue
    std::optional<base::RecordId> after;
    size_t part = 1;
    std::optional<uint64_t> history_from;
    std::map<policy::FieldNumber, uint64_t> withheld;
    std::vector<bundle::PageSeries> series;
    Readers readers;  // who was given something
    uint64_t records = 0;
    std::string unsent;     // made already, too much for the chunk before
    std::string signature;  // once all is made
    crypto::Sha256Stream sent;
  };

  absl::StatusOr<AccessGrant> Admit(Attempt& attempt, const Call& call) const;
  // Who alone opens it, as of now; notes a registered one in the event.
  absl::StatusOr<crypto::AgeRecipient> KeyOfNow(Attempt& attempt,
                                                const Call& call) const;
  // The snapshot, who it is about, and the members before the series.
  absl::StatusOr<State> Begin(const Call& call, const AccessGrant& grant,
                              const crypto::AgeRecipient& key,
                              std::string& out);
  // Makes what comes next, up to a chunk of it.
  absl::Status Fill(const Call& call, const AccessGrant& grant, State& state,
                    std::string bytes, ExportChunk& chunk);
  absl::Status AddProfile(const AccessGrant& grant, State& state,
                          std::string& out);
  // Adds a member or a part of one to `state`; leaves the phase when it is
  // over.
  absl::Status Step(const Call& call, const AccessGrant& grant, State& state,
                    std::string& out);
  absl::Status AddSeries(const AccessGrant& grant, State& state,
                         std::string& out);
  void AddConsents(const AccessGrant& grant, State& state,
                   std::string& out) const;
  absl::Status AddHistory(const Call& call, const AccessGrant& grant,
                          State& state, std::string& out);
  void AddReport(const AccessGrant& grant, State& state,
                 std::string& out) const;
  void AddPage(const AccessGrant& grant, State& state, std::string& out) const;
  // What of the record is handed out; counts what is not.
  absl::StatusOr<bundle::Record> Take(const AccessGrant& grant,
                                      const policy::ClassSpec& spec,
                                      const RecordName& name,
                                      const OpenRecord& record,
                                      State& state) const;

  const Parts parts_;
  const ExportInput input_;
  const std::optional<crypto::AgeRecipient> key_;
  const policy::FieldSet fields_;  // that are handed out
  std::unique_ptr<storage::Snapshot> snapshot_;
  uint64_t log_size_ = 0;
  std::vector<bundle::Record> profile_;
  // Of the last chunk that was asked for, and of the one before.
  std::optional<State> made_;
  std::optional<State> given_;
  size_t made_index_ = 0;
};

class Exports {
 public:
  Exports(const Services& services, const Recipients& recipients,
          std::string origin);

  // kValueInvalid for a key that is none, or a transmission that nobody has
  // authorised. Nothing is decided yet; whether a recipient is registered is
  // told, as kRecipientUnknown, by the first chunk.
  absl::StatusOr<std::unique_ptr<BundleExport>> Begin(ExportInput input) const;
  // Of the key that signs this store's bundles.
  const std::string& public_key() const { return signer_.public_key(); }

 private:
  const Services& services_;
  const Recipients& recipients_;
  const std::string origin_;
  const crypto::MinisignSigner signer_;
};

// The fields that the catalogue marks for `selection`.
policy::FieldSet ExportedFields(const policy::Catalogue& catalogue,
                                bundle::Selection selection);

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_EXPORTS_H_
