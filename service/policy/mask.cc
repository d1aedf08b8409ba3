#include "service/policy/mask.h"

#include <algorithm>
#include <vector>

#include "service/policy/utf8.h"

namespace hizo::policy {
namespace {

using Characters = std::vector<std::string_view>;

const std::string kStars = "***";
constexpr size_t kShortestShown = 3;  // of whole values, in characters

// Empty if `text` is not UTF-8: it is then not known what would be shown.
Characters Split(std::string_view text) {
  Characters characters;
  while (!text.empty()) {
    const CodePoint first = FirstCodePoint(text);
    if (first.value == kNotUtf8) return {};
    characters.push_back(first.bytes);
    text.remove_prefix(first.bytes.size());
  }
  return characters;
}

bool IsSpace(std::string_view character) {
  const char32_t c = FirstCodePoint(character).value;
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string Join(const Characters& characters, size_t from, size_t count) {
  std::string text;
  for (size_t i = from; i < from + count; ++i) text.append(characters[i]);
  return text;
}

bool IsFreeText(FieldType type) {
  switch (type) {
    case FieldType::kText:
    case FieldType::kEmail:
    case FieldType::kPhone:
    case FieldType::kHandle:
    case FieldType::kReference:
    case FieldType::kAddress:
      return true;
    default:
      return false;
  }
}

std::string Ends(const Characters& text) {
  if (text.size() < 4) return kStars;
  return Join(text, 0, 1) + kStars + Join(text, text.size() - 1, 1);
}

std::string LastFour(const Characters& text) {
  if (text.size() < 8) return kStars;
  return kStars + " " + Join(text, text.size() - 4, 4);
}

std::string FirstTwo(const Characters& text) {
  if (text.size() < 4) return kStars;
  return Join(text, 0, 2) + kStars;
}

// The first character, or nothing of a part that has no other.
std::string Initial(const Characters& part) {
  return part.size() < 2 ? "" : Join(part, 0, 1);
}

std::string Initials(const Characters& text) {
  std::vector<Characters> words(1);
  for (const std::string_view character : text) {
    if (!IsSpace(character)) {
      words.back().push_back(character);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (words.empty()) return kStars;
  std::string last = Initial(words.back()) + kStars;
  if (words.size() == 1) return last;
  const std::string first = Initial(words.front());
  return (first.empty() ? kStars : first + ".") + " " + last;
}

std::string PartOf(Mask mask, const Characters& text) {
  switch (mask) {
    case Mask::kEnds:
      return Ends(text);
    case Mask::kLastFour:
      return LastFour(text);
    case Mask::kInitials:
      return Initials(text);
    case Mask::kFirstTwo:
      return FirstTwo(text);
    default:
      return kStars;
  }
}

std::string Email(FieldType type, std::string_view text) {
  const size_t at = text.rfind('@');
  if (type != FieldType::kEmail || at == std::string_view::npos) return kStars;
  const std::string_view domain = text.substr(at + 1);
  const std::string mailbox = Initial(Split(text.substr(0, at))) + kStars;
  const size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos) return mailbox + "@" + kStars;
  return mailbox + "@" + Initial(Split(domain.substr(0, dot))) + kStars +
         std::string(domain.substr(dot));
}

// ITU-T E.164 Annex A: calling codes are 1, 7, these of two digits, or of
// three.
size_t CallingCodeSize(std::string_view digits) {
  constexpr std::string_view kTwoDigits =
      "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 "
      "56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
  if (digits[0] == '1' || digits[0] == '7') return 1;
  return kTwoDigits.find(digits.substr(0, 2)) == std::string_view::npos ? 3 : 2;
}

std::string Phone(FieldType type, std::string_view text) {
  constexpr size_t kShown = 4;
  if (type != FieldType::kPhone || !text.starts_with('+')) return kStars;
  const std::string_view digits = text.substr(1);
  const bool all_digits =
      std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!all_digits || digits.size() < kShown) return kStars;
  const size_t code = CallingCodeSize(digits);
  if (digits.size() < code + 2 * kShown) return kStars;
  return "+" + std::string(digits.substr(0, code)) + "*****" +
         std::string(digits.substr(digits.size() - kShown));
}

// Whatever follows a second comma should not have been passed.
std::string Region(FieldType type, std::string_view text) {
  if (type != FieldType::kAddress) return kStars;
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, text.find(',', comma + 1)));
}

std::string Year(FieldType type, std::string_view text) {
  constexpr size_t kYearSize = 4;
  if (type != FieldType::kDate && type != FieldType::kTimestamp) return kStars;
  const std::string_view year = text.substr(0, kYearSize);
  const bool digits =
      std::ranges::all_of(year, [](char c) { return c >= '0' && c <= '9'; });
  const bool whole =
      text.size() == kYearSize || (text.size() > kYearSize && text[4] == '-');
  return digits && whole ? std::string(year) : kStars;
}

}  // namespace

std::string ApplyMask(Mask mask, FieldType type,
                      std::string_view display_text) {
  if (mask == Mask::kNone) return std::string(display_text);
  const Characters text = Split(display_text);
  if (text.size() < kShortestShown) return kStars;
  switch (mask) {
    case Mask::kRegion:
      return Region(type, display_text);
    case Mask::kYear:
      return Year(type, display_text);
    case Mask::kEmail:
      return Email(type, display_text);
    case Mask::kPhone:
      return Phone(type, display_text);
    default:
      return IsFreeText(type) ? PartOf(mask, text) : kStars;
  }
}

}  // namespace hizo::policy
