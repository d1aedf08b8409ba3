#include <memory>
#include <utility>

#include "hizo/v1/export.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"
#include "service/rpc/item_statuses.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Reason;

bundle::Language ToLanguage(v1::BundleLanguage language) {
  return language == v1::BUNDLE_LANGUAGE_JAPANESE ? bundle::Language::kJapanese
                                                  : bundle::Language::kEnglish;
}

absl::StatusOr<vault::ExportInput> ToInput(
    const v1::ExportBundleRequest& request) {
  vault::ExportInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  if (request.selection() == v1::BUNDLE_SELECTION_ACCESS) {
    input.selection = bundle::Selection::kAccess;
  }
  input.language = ToLanguage(request.language());
  input.recipient = request.recipient();
  return input;
}

absl::StatusOr<vault::ExportInput> ToInput(
    const v1::TransmitBundleRequest& request) {
  vault::ExportInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  input.language = ToLanguage(request.language());
  vault::Transmission& transmission = input.transmission.emplace();
  transmission.recipient = request.recipient();
  ASSIGN_OR_RETURN(transmission.authorisation,
                   ToId<base::AuthorisationId>(request.authorisation()));
  return input;
}

void SetReceipt(const vault::ExportChunk&, v1::ExportBundleResponse&) {}
void SetReceipt(const vault::ExportChunk& chunk,
                v1::TransmitBundleResponse& response) {
  if (!chunk.receipt.has_value()) return;
  response.set_sha256(std::string(crypto::AsBytes(*chunk.receipt)));
}

// A bundle as it is made; the requests differ in whom it is for.
template <typename Request, typename Response>
class BundleSequence : public Sequence {
 public:
  BundleSequence(const vault::Exports& exports,
                 const policy::Catalogue& catalogue, Request request)
      : exports_(exports),
        catalogue_(catalogue),
        request_(std::move(request)) {}

  absl::StatusOr<std::string> Run(const Incoming& incoming,
                                  vault::Attempt& attempt,
                                  size_t index) override {
    ASSIGN_OR_RETURN(const vault::Call call,
                     CallOf(incoming, request_.context(), catalogue_));
    attempt.event().purpose = call.purpose;
    attempt.event().request = call.request;
    if (made_ == nullptr) {
      ASSIGN_OR_RETURN(auto input, ToInput(request_));
      ASSIGN_OR_RETURN(made_, exports_.Begin(std::move(input)));
    }
    ASSIGN_OR_RETURN(vault::ExportChunk chunk,
                     made_->Next(attempt, call, index));
    ended_ = chunk.last;
    Response response;
    SetReceipt(chunk, response);
    response.set_chunk(std::move(chunk.bytes));
    response.set_bundle_id(chunk.bundle_id);
    response.set_records(static_cast<int64_t>(chunk.records));
    if (chunk.last) {
      response.set_signature(chunk.signature);
      response.set_public_key(exports_.public_key());
    }
    return response.SerializeAsString();
  }
  bool ended() const override { return ended_; }

 private:
  const vault::Exports& exports_;
  const policy::Catalogue& catalogue_;
  const Request request_;
  std::unique_ptr<vault::BundleExport> made_;
  bool ended_ = false;
};

template <typename Request, typename Response>
absl::StatusOr<Items> BeginBundle(const vault::Exports& exports,
                                  const policy::Catalogue& catalogue,
                                  std::string_view body) {
  Request request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Fail(Reason::kMalformedRequest);
  }
  Items items;
  items.body_of = [](size_t) { return std::string(); };
  items.sequence = std::make_unique<BundleSequence<Request, Response>>(
      exports, catalogue, std::move(request));
  return items;
}

// Each piece is a message by itself.
std::string PackPiece(const std::vector<ItemResult>& results) {
  return results.empty() ? "" : results.front().answer;
}

absl::StatusOr<v1::ImportBundleItem> TakePiece(
    const vault::Imports& imports, vault::Attempt& attempt,
    const vault::Call& call, const v1::ImportBundleRequest& request) {
  vault::ImportPiece piece;
  ASSIGN_OR_RETURN(piece.subject,
                   ToOptionalId<base::SubjectId>(request.subject()));
  if (request.first_record() < 0 || request.record_count() < 0) {
    return Fail(Reason::kValueInvalid);
  }
  piece.manifest = request.manifest();
  piece.signature = request.signature();
  piece.member = request.member();
  piece.content = request.content();
  piece.first = static_cast<uint64_t>(request.first_record());
  piece.count = static_cast<uint64_t>(request.record_count());
  ASSIGN_OR_RETURN(const auto taken, imports.Take(attempt, call, piece));
  v1::ImportBundleItem item;
  item.set_subject(base::ToText(taken.subject));
  item.set_records(static_cast<int32_t>(taken.records));
  item.set_repeated_request(taken.repeated);
  *item.mutable_commit_time() = FromTimestamp(call.now);
  return item;
}

absl::Status AddImport(const Adder& adder, const vault::Imports& imports) {
  Method method;
  method.run = Unary<v1::ImportBundleRequest, v1::ImportBundleItem>(
      adder.catalogue,
      [&imports](vault::Attempt& attempt, const vault::Call& call,
                 const auto& request) {
        return TakePiece(imports, attempt, call, request);
      });
  method.summarise =
      [&catalogue = adder.catalogue](const std::vector<ItemResult>& items) {
        return StatusesOf<v1::ImportBundleResponse>(catalogue, items);
      };
  return adder.table.Add("ExportService.ImportBundle", std::move(method));
}

template <typename Request, typename Response>
absl::Status AddBundle(const Adder& adder, const vault::Exports& exports,
                       std::string_view name) {
  Method method;
  // Every item is made by its sequence.
  method.run = [](const Incoming&, vault::Attempt&) {
    return absl::StatusOr<std::string>(Fail(Reason::kInternal));
  };
  method.split = [&exports,
                  &catalogue = adder.catalogue](std::string_view body) {
    return BeginBundle<Request, Response>(exports, catalogue, body);
  };
  method.summarise = PackPiece;
  return adder.table.Add(name, std::move(method));
}

}  // namespace

absl::Status AddExports(const Adder& adder, const vault::Store& store) {
  RETURN_IF_ERROR((AddBundle<v1::ExportBundleRequest, v1::ExportBundleResponse>(
      adder, store.exports(), "ExportService.ExportBundle")));
  RETURN_IF_ERROR(
      (AddBundle<v1::TransmitBundleRequest, v1::TransmitBundleResponse>(
          adder, store.exports(), "ExportService.TransmitBundle")));
  return AddImport(adder, store.imports());
}

}  // namespace hizo::rpc
