#include "tests/integration/canaries.h"

#include <google/protobuf/descriptor.h>

#include <cctype>
#include <cstring>

#include "crypto/random.h"

namespace hizo::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Few enough letters that a word stays in the buffer of a small string, where
// it is easily left behind.
constexpr size_t kWordSize = 12;
constexpr size_t kPhoneDigits = 8;
constexpr int kNumberBits = 52;

// `size` characters out of the range that begins with `first`.
std::string Characters(size_t size, char first, int range) {
  std::string characters;
  for (const char random : crypto::RandomBytes(size)) {
    characters +=
        static_cast<char>(first + static_cast<unsigned char>(random) % range);
  }
  return characters;
}

std::string LittleEndian(uint64_t number) {
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

std::string Varint(uint64_t number) {
  std::string bytes;
  for (; number >= 128; number >>= 7) {
    bytes += static_cast<char>(number | 128);
  }
  return bytes + static_cast<char>(number);
}

}  // namespace

std::string Canaries::NextName(const std::string& kind) {
  return kind + " " + std::to_string(++count_);
}

std::string Canaries::Word() {
  std::string word = Characters(kWordSize, 'a', 26);
  word[0] = static_cast<char>(std::toupper(word[0]));
  needles_.AddText(NextName("word"), word);
  return word;
}

std::string Canaries::Email() { return Word() + "@canary.example"; }

std::string Canaries::Hash() {
  constexpr size_t kSaltAndHash = 53;
  constexpr size_t kPart = 20;
  const std::string letters = Characters(kSaltAndHash, 'a', 26);
  const std::string name = NextName("hash");
  for (size_t at = 0; at + kPart <= kSaltAndHash; at += kPart) {
    needles_.AddText(name, letters.substr(at, kPart));
  }
  return "$2b$04$" + letters;
}

std::string Canaries::Phone() {
  const std::string digits = Characters(kPhoneDigits, '0', 10);
  const std::string head = digits.substr(0, 4);
  const std::string tail = digits.substr(4);
  const std::string name = NextName("phone");
  needles_.Add(name, "90-" + head + "-" + tail);
  needles_.Add(name, "8190" + digits);
  std::string units;
  for (const char c : digits) units += {c, '\0'};
  needles_.Add(name, units);
  // As libphonenumber holds it.
  needles_.Add(name, LittleEndian(std::stoull("90" + digits)));
  return "090-" + head + "-" + tail;
}

std::string Canaries::Bytes() {
  std::string bytes = crypto::RandomBytes(16);
  needles_.Add(NextName("bytes"), bytes);
  return bytes;
}

int64_t Canaries::Number() {
  uint64_t number = 0;
  std::memcpy(&number, crypto::RandomBytes(sizeof(number)).data(),
              sizeof(number));
  number = number >> (64 - kNumberBits) | uint64_t{1} << (kNumberBits - 1);
  const std::string name = NextName("number");
  needles_.Add(name, LittleEndian(number));
  needles_.Add(name, Varint(number));
  needles_.Add(name, std::to_string(number));
  return static_cast<int64_t>(number);
}

void Canaries::Fill(Message& message) {
  const auto* type = message.GetDescriptor();
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->name() == "context") continue;
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const bool inner = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (text) {
      const std::string value =
          field->type() == FieldDescriptor::TYPE_BYTES ? Bytes() : Word();
      if (field->is_repeated()) {
        reflection->AddString(&message, field, value);
      } else {
        reflection->SetString(&message, field, value);
      }
    } else if (inner) {
      Fill(field->is_repeated() ? *reflection->AddMessage(&message, field)
                                : *reflection->MutableMessage(&message, field));
    }
  }
}

}  // namespace hizo::test
