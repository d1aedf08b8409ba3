#include "service/policy/forbidden.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "service/base/pii.h"
#include "service/policy/utf8.h"

namespace hizo::policy {
namespace {

constexpr size_t kCardDigitsMin = 14;
constexpr size_t kCardDigitsMax = 19;
constexpr size_t kSeparatorsMax = 3;
constexpr size_t kCodeDigitsMin = 3;  // or one more

// The zeros of the scripts that have decimal digits (Unicode 14, category Nd);
// each is followed by its one to nine.
constexpr std::array<char32_t, 66> kZeros = {
    0x0030,  0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,
    0x0B66,  0x0BE6,  0x0C66,  0x0CE6,  0x0D66,  0x0DE6,  0x0E50,  0x0ED0,
    0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,
    0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,
    0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0,
    0x1E950, 0x1FBF0};

// 0 to 9, or -1.
int DigitValue(char32_t c) {
  const auto* const after = std::ranges::upper_bound(kZeros, c);
  if (after == kZeros.begin()) return -1;
  const char32_t value = c - *(after - 1);
  return value < 10 ? static_cast<int>(value) : -1;
}

bool IsSpace(char32_t c) {
  return c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

constexpr char32_t kLongVowel = 0x30FC;

bool IsDash(char32_t c) {
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == kLongVowel ||
         c == 0xFE58 || c == 0xFE63 || c == 0xFF0D || c == 0xFF70;
}

// Soft hyphen, zero-width spaces and joiners, byte order mark.
bool IsInvisible(char32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 ||
         c == 0xFEFF;
}

char LowerCase(char32_t c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

// The long vowel sign of Japanese is often typed for a dash between digits.
enum class LongVowel : uint8_t { kIsDash, kIsLetter };

// Digits, spaces and dashes as ASCII, letters in lower case, the rest as it is.
// Bytes that are not UTF-8 stay, and part what they stand between.
std::string Fold(std::string_view text, LongVowel vowel) {
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const CodePoint first = FirstCodePoint(text);
    const char32_t c = first.value;
    text.remove_prefix(first.bytes.size());
    if (c < 0x80) {
      folded.push_back(c == '\t' ? ' ' : LowerCase(c));
    } else if (const int digit = DigitValue(c); digit >= 0) {
      folded.push_back(static_cast<char>('0' + digit));
    } else if (IsSpace(c)) {
      folded.push_back(' ');
    } else if (IsDash(c) && (c != kLongVowel || vowel == LongVowel::kIsDash)) {
      folded.push_back('-');
    } else if (c >= 0xFF01 && c <= 0xFF5E) {
      folded.push_back(LowerCase(c - 0xFEE0));
    } else if (!IsInvisible(c)) {
      folded.append(first.bytes);
    }
  }
  return folded;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A bound for the digits of all scripts in `text`, without decoding it: what is
// not ASCII counts as one.
size_t DigitsAtMost(std::string_view text) {
  constexpr uint8_t kFirstOfSeveral = 0xC0;
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) {
    return IsDigit(c) || static_cast<uint8_t>(c) >= kFirstOfSeveral;
  }));
}

// Countries and the sizes of their IBANs, from the registry of ISO 13616.
struct Iban {
  std::string_view country;
  size_t size;
};
constexpr std::array kIbans = {
    Iban{"ad", 24}, Iban{"ae", 23}, Iban{"al", 28}, Iban{"at", 20},
    Iban{"az", 28}, Iban{"ba", 20}, Iban{"be", 16}, Iban{"bg", 22},
    Iban{"bh", 22}, Iban{"bi", 27}, Iban{"br", 29}, Iban{"by", 28},
    Iban{"ch", 21}, Iban{"cr", 22}, Iban{"cy", 28}, Iban{"cz", 24},
    Iban{"de", 22}, Iban{"dj", 27}, Iban{"dk", 18}, Iban{"do", 28},
    Iban{"ee", 20}, Iban{"eg", 29}, Iban{"es", 24}, Iban{"fi", 18},
    Iban{"fk", 18}, Iban{"fo", 18}, Iban{"fr", 27}, Iban{"gb", 22},
    Iban{"ge", 22}, Iban{"gi", 23}, Iban{"gl", 18}, Iban{"gr", 27},
    Iban{"gt", 28}, Iban{"hr", 21}, Iban{"hu", 28}, Iban{"ie", 22},
    Iban{"il", 23}, Iban{"iq", 23}, Iban{"is", 26}, Iban{"it", 27},
    Iban{"jo", 30}, Iban{"kw", 30}, Iban{"kz", 20}, Iban{"lb", 28},
    Iban{"lc", 32}, Iban{"li", 21}, Iban{"lt", 20}, Iban{"lu", 20},
    Iban{"lv", 21}, Iban{"ly", 25}, Iban{"mc", 27}, Iban{"md", 24},
    Iban{"me", 22}, Iban{"mk", 19}, Iban{"mn", 20}, Iban{"mr", 27},
    Iban{"mt", 31}, Iban{"mu", 30}, Iban{"ni", 28}, Iban{"nl", 18},
    Iban{"no", 15}, Iban{"om", 23}, Iban{"pk", 24}, Iban{"pl", 28},
    Iban{"ps", 29}, Iban{"pt", 25}, Iban{"qa", 29}, Iban{"ro", 24},
    Iban{"rs", 22}, Iban{"ru", 33}, Iban{"sa", 24}, Iban{"sc", 31},
    Iban{"sd", 18}, Iban{"se", 24}, Iban{"si", 19}, Iban{"sk", 24},
    Iban{"sm", 27}, Iban{"so", 23}, Iban{"st", 25}, Iban{"sv", 28},
    Iban{"tl", 23}, Iban{"tn", 24}, Iban{"tr", 26}, Iban{"ua", 29},
    Iban{"va", 22}, Iban{"vg", 24}, Iban{"xk", 20}, Iban{"ye", 30}};

bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetterOrDigit(char c) { return IsLetter(c) || IsDigit(c); }

// The country code, two digits and the rest, without what parts them: whether
// the two digits are right (ISO 7064, MOD 97-10).
bool IbanDigitsAreRight(std::string_view iban) {
  uint32_t rest = 0;
  for (size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    rest = IsDigit(c) ? rest * 10 + static_cast<uint32_t>(c - '0')
                      : rest * 100 + static_cast<uint32_t>(c - 'a') + 10;
    rest %= 97;
  }
  return rest == 1;
}

// How many bytes of `folded`, from the first, are an IBAN; 0 if none are.
size_t IbanAtFront(std::string_view folded) {
  const auto* const country = std::ranges::find_if(
      kIbans, [&](const Iban& of) { return folded.starts_with(of.country); });
  if (country == kIbans.end()) return 0;
  std::string iban;
  size_t end = 0;
  while (end < folded.size() && iban.size() < country->size) {
    const char c = folded[end++];
    if (IsLetterOrDigit(c)) {
      iban.push_back(c);
    } else if ((c != ' ' && c != '-') || !IsLetterOrDigit(folded[end - 2])) {
      return 0;
    }
  }
  if (iban.size() < country->size || !IsDigit(iban[2]) || !IsDigit(iban[3]) ||
      (end < folded.size() && IsLetterOrDigit(folded[end])) ||
      !IbanDigitsAreRight(iban)) {
    return 0;
  }
  return end;
}

// How many bytes of `folded`, from the first, are a UUID as RFC 9562 writes it,
// with its variant and a version; 0 if none are. One without a letter is none:
// a number in that dress would be meant.
size_t UuidAtFront(std::string_view folded) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-vxxx-wxxx-xxxxxxxxxxxx";
  if (folded.size() < kForm.size()) return 0;
  bool letters = false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const char c = folded[i];
    const bool letter = c >= 'a' && c <= 'f';
    letters = letters || letter;
    const bool fits = kForm[i] == '-'   ? c == '-'
                      : kForm[i] == 'v' ? c >= '1' && c <= '8'
                      : kForm[i] == 'w'
                          ? c == '8' || c == '9' || c == 'a' || c == 'b'
                          : letter || IsDigit(c);
    if (!fits) return 0;
  }
  const bool ends =
      folded.size() == kForm.size() || !IsLetterOrDigit(folded[kForm.size()]);
  return letters && ends ? kForm.size() : 0;
}

// Puts dots for what has digits of its own that would by chance pass for a
// card's: those of one IBAN in a hundred, and of one UUID in some thousands.
// Of an IBAN, country, size and check digits must all fit.
void BlankIbansAndUuids(std::string& folded) {
  for (size_t i = 0; i < folded.size(); ++i) {
    if (i > 0 && IsLetterOrDigit(folded[i - 1])) continue;
    const std::string_view rest = std::string_view(folded).substr(i);
    const size_t size = std::max(IbanAtFront(rest), UuidAtFront(rest));
    std::fill_n(folded.begin() + static_cast<std::ptrdiff_t>(i), size, '.');
  }
}

// Numbers whose first digits lie in a range belong to a brand and have so many
// digits. ISO/IEC 7812 as the brands publish it.
struct Brand {
  uint32_t first;  // of the range, padded to six digits
  uint32_t last;
  size_t digits_min;
  size_t digits_max;
};
constexpr std::array kBrands = {
    Brand{220000, 220499, 16, 19},  // Mir
    Brand{222100, 272099, 16, 16},  // Mastercard
    Brand{300000, 305999, 14, 19},  // Diners Club
    Brand{309500, 309599, 14, 19},
    Brand{340000, 349999, 15, 15},  // American Express
    Brand{352800, 358999, 16, 19},  // JCB
    Brand{360000, 369999, 14, 19},  // Diners Club
    Brand{370000, 379999, 15, 15},  // American Express
    Brand{380000, 399999, 14, 19},  // Diners Club
    Brand{400000, 499999, 16, 16},  // Visa
    Brand{400000, 499999, 19, 19},
    Brand{501800, 501899, 14, 19},  // Maestro
    Brand{502000, 502099, 14, 19},
    Brand{503800, 503899, 14, 19},
    Brand{508500, 508999, 16, 16},  // RuPay
    Brand{510000, 559999, 16, 16},  // Mastercard
    Brand{589300, 589399, 14, 19},  // Maestro
    Brand{601100, 601199, 16, 19},  // Discover
    Brand{620000, 629999, 16, 19},  // UnionPay
    Brand{630400, 630499, 14, 19},  // Maestro
    Brand{644000, 659999, 16, 19},  // Discover
    Brand{675900, 675999, 14, 19},  // Maestro
    Brand{676100, 676399, 14, 19},
    Brand{810000, 817199, 16, 19},  // UnionPay
};

bool IsOfABrand(std::string_view digits) {
  uint32_t first = 0;
  for (const char c : digits.substr(0, 6)) {
    first = first * 10 + static_cast<uint32_t>(c - '0');
  }
  return std::ranges::any_of(kBrands, [&](const Brand& brand) {
    return first >= brand.first && first <= brand.last &&
           digits.size() >= brand.digits_min &&
           digits.size() <= brand.digits_max;
  });
}

// ISO/IEC 7812-1 Annex B.
bool CheckDigitIsRight(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += i % 2 == 1 ? doubled : digit;
  }
  return sum % 10 == 0;
}

// Whether some of the groups, one after another, are a card number.
bool HoldsCardNumber(const std::vector<std::string_view>& groups) {
  for (size_t from = 0; from < groups.size(); ++from) {
    std::string digits;
    for (size_t to = from; to < groups.size(); ++to) {
      digits.append(groups[to].substr(0, kCardDigitsMax + 1));
      if (digits.size() > kCardDigitsMax) break;
      if (digits.size() >= kCardDigitsMin && IsOfABrand(digits) &&
          CheckDigitIsRight(digits)) {
        return true;
      }
    }
  }
  return false;
}

// The names of a verification code, as Fold leaves them.
constexpr std::array<std::string_view, 12> kCodeNames = {
    "cvv2",
    "cvc2",
    "cvv",
    "cvc",
    "security code",
    "card verification",
    "セキュリティコード",
    "セキュリティーコード",
    "カード確認番号",
    "安全码",
    "安全碼",
    "보안코드",
};
// What may stand between the name and the code.
constexpr std::array<std::string_view, 8> kFillers = {
    "code", "number", "value", "no", "is", "は", "が", "番号"};

// Removes from the front of `text` what may stand before the code.
void SkipFillers(std::string_view& text) {
  for (bool more = true; more;) {
    const size_t plain = text.find_first_not_of(" :=#-.()[]\"'/");
    text.remove_prefix(std::min(plain, text.size()));
    more = false;
    for (const std::string_view filler : kFillers) {
      if (!text.starts_with(filler)) continue;
      text.remove_prefix(filler.size());
      more = true;
    }
  }
}

bool BeginsWithCode(std::string_view text) {
  SkipFillers(text);
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  return digits == kCodeDigitsMin || digits == kCodeDigitsMin + 1;
}

bool HoldsCodeNamed(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const bool in_a_word =
        IsLetter(name[0]) && at > 0 && IsLetter(text[at - 1]);
    if (!in_a_word && BeginsWithCode(text.substr(at + name.size()))) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool LooksLikeCardNumber(std::string_view text) {
  if (DigitsAtMost(text) < kCardDigitsMin) return false;
  std::string blanked = Fold(text, LongVowel::kIsDash);
  BlankIbansAndUuids(blanked);
  const base::Pii kept(std::move(blanked));
  const std::string_view folded = kept.Reveal();
  std::vector<std::string_view> groups;
  size_t separators = 0;
  for (size_t i = 0; i < folded.size();) {
    if (IsDigit(folded[i])) {
      const size_t end = folded.find_first_not_of("0123456789", i);
      groups.push_back(folded.substr(i, end - i));
      i = std::min(end, folded.size());
      separators = 0;
      continue;
    }
    const bool parts = folded[i] != ' ' && folded[i] != '-';
    if (parts || ++separators > kSeparatorsMax) {
      if (HoldsCardNumber(groups)) return true;
      groups.clear();
    }
    ++i;
  }
  return HoldsCardNumber(groups);
}

bool LooksLikeCardCode(std::string_view field_text) {
  if (DigitsAtMost(field_text) < kCodeDigitsMin) return false;
  const base::Pii folded(Fold(field_text, LongVowel::kIsLetter));
  return std::ranges::any_of(kCodeNames, [&](std::string_view name) {
    return HoldsCodeNamed(folded.Reveal(), name);
  });
}

}  // namespace hizo::policy
