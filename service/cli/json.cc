// The part of output.h that needs Protobuf and a JSON library.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "hizo/v1/value.pb.h"
#include "service/cli/output.h"

namespace hizo::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace pb = google::protobuf;

Json ToJson(const pb::Message& message);

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ToJson(const v1::Address& address) {
  Json json = {{"country", address.country()}};
  if (!address.postal_code().empty()) {
    json["postal_code"] = address.postal_code();
  }
  if (!address.region().empty()) json["region"] = address.region();
  if (!address.locality().empty()) json["locality"] = address.locality();
  if (address.lines_size() > 0) json["lines"] = address.lines();
  return json;
}

Json ToJson(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kText:
      return value.text();
    case v1::Value::kInteger:
      return value.integer();
    case v1::Value::kBoolean:
      return value.boolean();
    case v1::Value::kMoney:
      return {{"currency", value.money().currency()},
              {"minor_units", value.money().minor_units()}};
    case v1::Value::kAddress:
      return ToJson(value.address());
    case v1::Value::kTimestamp:
      return {{"timestamp", DisplayText(value.timestamp())}};
    case v1::Value::kBlob:
      return {{"base64", absl::Base64Escape(value.blob())}};
    case v1::Value::kJson:
      return {{"json", Json::parse(value.json(), nullptr, false)}};
    case v1::Value::KIND_NOT_SET:
      return nullptr;
  }
  return nullptr;
}

Json ToJson(const v1::Record& record) {
  Json fields = Json::object();
  Json masked = Json::array();
  for (const v1::Field& field : record.fields()) {
    fields[field.name()] = ToJson(field.value());
    if (field.masked()) masked.push_back(field.name());
  }
  return {{"record_class", record.record_class()},
          {"record_id", record.record_id()},
          {"event_time", record.has_event_time()
                             ? Json(DisplayText(record.event_time()))
                             : Json(nullptr)},
          {"etag", record.etag()},
          {"fields", std::move(fields)},
          {"masked", std::move(masked)}};
}

Json ScalarToJson(const pb::Message& message, const pb::FieldDescriptor& field,
                  int index) {
  const pb::Reflection& get = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return get.GetBool(message, &field);
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return get.GetInt32(message, &field);
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return get.GetInt64(message, &field);
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return EnumName(*field.enum_type(),
                      repeated
                          ? get.GetRepeatedEnumValue(message, &field, index)
                          : get.GetEnumValue(message, &field));
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return repeated ? get.GetRepeatedString(message, &field, index)
                      : get.GetString(message, &field);
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
      if (!repeated && !get.HasField(message, &field)) return nullptr;
      return ToJson(repeated ? get.GetRepeatedMessage(message, &field, index)
                             : get.GetMessage(message, &field));
    default:
      return nullptr;  // the API has no other types
  }
}

Json ToJson(const pb::Message& message) {
  if (const auto* time = dynamic_cast<const pb::Timestamp*>(&message)) {
    return DisplayText(*time);
  }
  if (const auto* record = dynamic_cast<const v1::Record*>(&message)) {
    return ToJson(*record);
  }
  Json json = Json::object();
  const pb::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    if (!field.is_repeated()) {
      json[field.name()] = ScalarToJson(message, field, 0);
      continue;
    }
    Json& list = json[field.name()] = Json::array();
    const int size = message.GetReflection()->FieldSize(message, &field);
    for (int j = 0; j < size; ++j) {
      list.push_back(ScalarToJson(message, field, j));
    }
  }
  return json;
}

Json ToJson(std::initializer_list<JsonMember> members) {
  Json json = Json::object();
  for (const auto& [name, value] : members) {
    Json& member = json[std::string(name)];
    std::visit([&](const auto& held) { member = held; }, value);
  }
  return json;
}

}  // namespace

std::string JsonText(const pb::Message& message) {
  return Dump(ToJson(message));
}

std::string JsonText(std::initializer_list<JsonMember> members) {
  return Dump(ToJson(members));
}

std::string JsonText(std::initializer_list<JsonMember> members,
                     const pb::Message& message) {
  Json json = ToJson(members);
  json.update(ToJson(message));
  return Dump(json);
}

std::string EnumName(const pb::EnumDescriptor& type, int number) {
  const pb::EnumValueDescriptor* value = type.FindValueByNumber(number);
  if (value == nullptr) return std::to_string(number);
  const std::string& unspecified = type.value(0)->name();
  return value->name().substr(unspecified.size() -
                              std::string_view("UNSPECIFIED").size());
}

std::string DisplayText(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kText:
      return value.text();
    case v1::Value::kMoney:
      return value.money().currency() + ' ' +
             std::to_string(value.money().minor_units()) + " (minor units)";
    case v1::Value::kAddress: {
      const v1::Address& address = value.address();
      std::string text = Join(address.lines(), ", ");
      for (const std::string& part :
           {address.locality(), address.region(), address.postal_code(),
            address.country()}) {
        if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
      }
      return text;
    }
    case v1::Value::kTimestamp:
      return DisplayText(value.timestamp());
    case v1::Value::kBlob:
      return std::to_string(value.blob().size()) + " bytes";
    case v1::Value::kJson:
      return value.json();
    default:
      return Dump(ToJson(value));
  }
}

std::string DisplayText(const pb::Timestamp& time) {
  return pb::util::TimeUtil::ToString(time);
}

}  // namespace hizo::cli
