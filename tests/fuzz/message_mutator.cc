#include "tests/fuzz/message_mutator.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <cstdint>
#include <limits>

namespace hizo::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Mutator {
 public:
  Mutator(const Mutations& mutations, std::mt19937& random)
      : mutations_(mutations), random_(random) {}

  void Mutate(Message& message) {
    const auto* descriptor = message.GetDescriptor();
    if (descriptor->field_count() == 0) return;
    const FieldDescriptor& field =
        *descriptor->field(Below(descriptor->field_count()));
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return MutateList(message, reflection, field);
    if (Below(6) == 0) return reflection.ClearField(&message, &field);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Mutate(*reflection.MutableMessage(&message, &field));
    }
    Set(message, reflection, field);
  }

 private:
  int Below(int bound) {
    return std::uniform_int_distribution<int>(0, bound - 1)(random_);
  }

  int64_t Number() {
    constexpr std::array<int64_t, 10> kEdges{
        0,
        1,
        -1,
        2,
        50,
        500,
        1'000'000'000,
        253'402'300'800,
        std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()};
    if (Below(2) == 0) return kEdges[static_cast<size_t>(Below(kEdges.size()))];
    return static_cast<int64_t>(
        std::uniform_int_distribution<uint64_t>()(random_));
  }

  std::string Text(const std::string& present) {
    const auto count = static_cast<int>(mutations_.words.size());
    switch (Below(8)) {
      case 0:
        return mutations_.garble(present);
      case 1:
        return present + present;
      case 2:
        return std::string(static_cast<size_t>(Below(70'000)), 'x');
      case 3:
        return "";
      default:
        return mutations_.words[static_cast<size_t>(Below(count))];
    }
  }

  void MutateList(Message& message, const Reflection& reflection,
                  const FieldDescriptor& field) {
    const int size = reflection.FieldSize(message, &field);
    const int choice = Below(4);
    if (size > 0 && choice == 0) {
      return reflection.RemoveLast(&message, &field);
    }
    if (size > 1 && choice == 1) {
      return reflection.SwapElements(&message, &field, Below(size),
                                     Below(size));
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* item =
          size > 0 && choice == 2
              ? reflection.MutableRepeatedMessage(&message, &field, Below(size))
              : reflection.AddMessage(&message, &field);
      return Mutate(*item);
    }
    // The only other lists of the API.
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    reflection.AddString(&message, &field, Text("x"));
  }

  void Set(Message& message, const Reflection& reflection,
           const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, &field,
                                   static_cast<int32_t>(Number()));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(&message, &field, Number());
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, &field,
                                    static_cast<uint32_t>(Number()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection.SetUInt64(&message, &field,
                                    static_cast<uint64_t>(Number()));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection.SetDouble(&message, &field,
                                    static_cast<double>(Number()));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.SetFloat(&message, &field,
                                   static_cast<float>(Number()));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, Below(2) == 0);
      case FieldDescriptor::CPPTYPE_ENUM:
        // One more than there are: an open enum takes any number.
        return reflection.SetEnumValue(
            &message, &field, Below(field.enum_type()->value_count() + 1));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(
            &message, &field, Text(reflection.GetString(message, &field)));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return;
    }
  }

  const Mutations& mutations_;
  std::mt19937& random_;
};

}  // namespace

void MutateMessage(Message& message, const Mutations& mutations,
                   std::mt19937& random) {
  Mutator(mutations, random).Mutate(message);
}

void ForEachText(Message& message,
                 const std::function<void(std::string&)>& visit) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> present;
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    const bool text = field->type() == FieldDescriptor::TYPE_STRING;
    const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!text && !nested) continue;
    if (!field->is_repeated()) {
      if (nested) {
        ForEachText(*reflection.MutableMessage(&message, field), visit);
      } else {
        std::string value = reflection.GetString(message, field);
        visit(value);
        reflection.SetString(&message, field, std::move(value));
      }
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (nested) {
        ForEachText(*reflection.MutableRepeatedMessage(&message, field, i),
                    visit);
      } else {
        std::string value = reflection.GetRepeatedString(message, field, i);
        visit(value);
        reflection.SetRepeatedString(&message, field, i, std::move(value));
      }
    }
  }
}

}  // namespace hizo::fuzz
