#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "hizo/v1/record.pb.h"
#include "service/base/status_macros.h"
#include "service/rpc/adder.h"
#include "service/rpc/convert.h"
#include "service/rpc/item_statuses.h"

namespace hizo::rpc {
namespace {

using base::Fail;
using base::Reason;
using vault::Attempt;
using vault::Call;

constexpr int kBatchItemsMax = 1000;
constexpr size_t kBatchSharedBytesMax = size_t{16} << 10U;
// BatchGetRecordsResponse.items on the wire: length-delimited.
constexpr uint32_t kItemsTag =
    v1::BatchGetRecordsResponse::kItemsFieldNumber << 3U | 2U;

absl::StatusOr<v1::PutRecordResponse> Put(const vault::Records& records,
                                          Attempt& attempt, const Call& call,
                                          const v1::PutRecordRequest& request) {
  vault::PutRecordInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.record, ToNewRecord(request.record()));
  ASSIGN_OR_RETURN(input.record_id,
                   ToOptionalId<base::RecordId>(request.record_id()));
  if (request.has_update_mask()) {
    input.update_mask.emplace(request.update_mask().paths().begin(),
                              request.update_mask().paths().end());
  }
  if (!request.etag().empty()) input.etag = request.etag();
  ASSIGN_OR_RETURN(const auto written,
                   records.Put(attempt, call, std::move(input)));
  v1::PutRecordResponse response;
  *response.mutable_record() = FromWritten(written);
  return response;
}

absl::StatusOr<v1::GetRecordResponse> Get(const vault::Records& records,
                                          Attempt& attempt, const Call& call,
                                          const v1::GetRecordRequest& request) {
  vault::GetRecordInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.record_id,
                   ToOptionalId<base::RecordId>(request.record_id()));
  input.selection =
      ToSelection(request.record_class(), request.read_mask(), request.view());
  ASSIGN_OR_RETURN(const auto shown, records.Get(attempt, call, input));
  v1::GetRecordResponse response;
  *response.mutable_record() = FromShown(shown);
  return response;
}

// The answer of one item of a batch.
absl::StatusOr<v1::BatchGetItem> GetOne(const vault::Records& records,
                                        Attempt& attempt, const Call& call,
                                        const v1::GetRecordRequest& request) {
  ASSIGN_OR_RETURN(v1::GetRecordResponse response,
                   Get(records, attempt, call, request));
  v1::BatchGetItem item;
  *item.mutable_record() = std::move(*response.mutable_record());
  return item;
}

// Each item is a GetRecordRequest. What they share is copied for each that is
// begun, and so must be small.
absl::StatusOr<Items> SplitBatchGet(std::string_view body) {
  v1::BatchGetRecordsRequest batch;
  if (!batch.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Fail(Reason::kMalformedRequest);
  }
  if (batch.records().empty()) return Fail(Reason::kValueInvalid);
  v1::GetRecordRequest shared;
  *shared.mutable_context() = std::move(*batch.mutable_context());
  shared.set_record_class(batch.record_class());
  *shared.mutable_read_mask() = std::move(*batch.mutable_read_mask());
  shared.set_view(batch.view());
  if (batch.records_size() > kBatchItemsMax ||
      shared.ByteSizeLong() > kBatchSharedBytesMax) {
    return Fail(Reason::kTooLarge);
  }
  Items items;
  items.count = static_cast<size_t>(batch.records_size());
  items.body_of = [shared = std::move(shared),
                   records =
                       std::move(*batch.mutable_records())](size_t index) {
    const v1::RecordKey& key = records[static_cast<int>(index)];
    v1::GetRecordRequest request = shared;
    request.set_subject(key.subject());
    request.set_record_id(key.record_id());
    return request.SerializeAsString();
  };
  return items;
}

std::string PackBatch(const policy::Catalogue& catalogue,
                      const std::vector<ItemResult>& results) {
  std::string message;
  google::protobuf::io::StringOutputStream stream(&message);
  google::protobuf::io::CodedOutputStream out(&stream);
  for (const ItemResult& result : results) {
    std::string refusal;
    if (!result.status.ok()) {
      v1::BatchGetItem item;
      item.set_reason(static_cast<v1::Reason>(base::ReasonOf(result.status)));
      const auto* field = catalogue.FieldByNumber(base::FieldOf(result.status));
      if (field != nullptr) item.set_field(field->full_name);
      refusal = item.SerializeAsString();
    }
    // An item is encoded already; it need not be decoded to stand in a list.
    const std::string& item = result.status.ok() ? result.answer : refusal;
    out.WriteTag(kItemsTag);
    out.WriteVarint32(static_cast<uint32_t>(item.size()));
    out.WriteString(item);
  }
  out.Trim();
  return message;
}

absl::StatusOr<v1::ListRecordsResponse> List(
    const vault::Records& records, Attempt& attempt, const Call& call,
    const v1::ListRecordsRequest& request) {
  vault::ListRecordsInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  input.selection =
      ToSelection(request.record_class(), request.read_mask(), request.view());
  input.page_size = request.page_size();
  input.page_token = request.page_token();
  ASSIGN_OR_RETURN(const auto page, records.List(attempt, call, input));
  v1::ListRecordsResponse response;
  for (const vault::ShownRecord& record : page.records) {
    *response.add_records() = FromShown(record);
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<v1::DeleteFieldsResponse> DeleteFields(
    const vault::Records& records, Attempt& attempt, const Call& call,
    const v1::DeleteFieldsRequest& request) {
  vault::DeleteFieldsInput input;
  ASSIGN_OR_RETURN(input.subject, ToId<base::SubjectId>(request.subject()));
  ASSIGN_OR_RETURN(input.record_id,
                   ToOptionalId<base::RecordId>(request.record_id()));
  input.record_class = request.record_class();
  input.fields.assign(request.delete_mask().paths().begin(),
                      request.delete_mask().paths().end());
  if (!request.etag().empty()) input.etag = request.etag();
  ASSIGN_OR_RETURN(const auto deleted,
                   records.DeleteFields(attempt, call, input));
  v1::DeleteFieldsResponse response;
  *response.mutable_record() = FromWritten(deleted.written);
  if (deleted.record_removed) response.mutable_record()->clear_etag();
  response.set_record_removed(deleted.record_removed);
  response.set_not_erased_from_backups(deleted.stays_in_copies);
  return response;
}

absl::StatusOr<v1::ImportStatus> ImportOne(
    const vault::Subjects& subjects, Attempt& attempt, const Call& call,
    const v1::ImportRecordsRequest& request) {
  ASSIGN_OR_RETURN(auto records, ToNewRecords(request.records()));
  ASSIGN_OR_RETURN(const vault::CreatedSubject created,
                   subjects.Create(attempt, call, std::move(records)));
  v1::ImportStatus status;
  status.set_subject(base::ToText(created.subject));
  status.set_repeated_request(created.repeated);
  *status.mutable_commit_time() = FromTimestamp(call.now);
  return status;
}

absl::Status AddBatchGet(const Adder& adder, const vault::Records& records) {
  Method method;
  method.run = Unary<v1::GetRecordRequest, v1::BatchGetItem>(
      adder.catalogue,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return GetOne(records, attempt, call, request);
      });
  method.split = SplitBatchGet;
  method.summarise =
      [&catalogue = adder.catalogue](const std::vector<ItemResult>& results) {
        return PackBatch(catalogue, results);
      };
  return adder.table.Add("RecordService.BatchGetRecords", std::move(method));
}

absl::Status AddImport(const Adder& adder, const vault::Subjects& subjects) {
  const policy::Catalogue& catalogue = adder.catalogue;
  Method method;
  method.run = Unary<v1::ImportRecordsRequest, v1::ImportStatus>(
      catalogue,
      [&subjects](Attempt& attempt, const Call& call, const auto& request) {
        return ImportOne(subjects, attempt, call, request);
      });
  method.summarise = [&catalogue](const std::vector<ItemResult>& items) {
    return StatusesOf<v1::ImportRecordsResponse>(catalogue, items);
  };
  return adder.table.Add("RecordService.ImportRecords", std::move(method));
}

}  // namespace

absl::Status AddRecords(const Adder& adder, const vault::Store& store) {
  const vault::Records& records = store.records();
  RETURN_IF_ERROR((adder.Add<v1::PutRecordRequest, v1::PutRecordResponse>(
      "RecordService.PutRecord", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return Put(records, attempt, call, request);
      })));
  RETURN_IF_ERROR((adder.Add<v1::GetRecordRequest, v1::GetRecordResponse>(
      "RecordService.GetRecord", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return Get(records, attempt, call, request);
      })));
  RETURN_IF_ERROR((adder.Add<v1::ListRecordsRequest, v1::ListRecordsResponse>(
      "RecordService.ListRecords", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return List(records, attempt, call, request);
      })));
  RETURN_IF_ERROR((adder.Add<v1::DeleteFieldsRequest, v1::DeleteFieldsResponse>(
      "RecordService.DeleteFields", Lane::kServe,
      [&records](Attempt& attempt, const Call& call, const auto& request) {
        return DeleteFields(records, attempt, call, request);
      })));
  RETURN_IF_ERROR(AddBatchGet(adder, records));
  return AddImport(adder, store.subjects());
}

}  // namespace hizo::rpc
