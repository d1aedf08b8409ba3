#include "crypto/normalise.h"

#include <phonenumbers/phonenumberutil.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unistr.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "absl/status/status.h"

namespace hizo::crypto {
namespace {

constexpr size_t kTextMax = 4 * 1024 * 1024;
constexpr size_t kEmailMax = 254;
constexpr size_t kEmailLocalMax = 64;
constexpr size_t kPhoneDigitsMax = 32;
constexpr size_t kE164Max = 16;  // plus sign, 15 digits
constexpr int32_t kHandleMax = 64;
constexpr size_t kReferenceMax = 128;
constexpr size_t kPasswordMax = 4096;
// Longer than anything that may come out of it, so that short work is made of
// the rest: NFC shortens a text to a quarter at the very most.
constexpr size_t kShortTextMax = 4096;

absl::Status NotText() { return absl::InvalidArgumentError("not valid text"); }
absl::Status NotEmail() {
  return absl::InvalidArgumentError("not an e-mail address");
}
absl::Status NotPhone() {
  return absl::InvalidArgumentError("not a phone number");
}
absl::Status NotHandle() { return absl::InvalidArgumentError("not a handle"); }
absl::Status NotReference() {
  return absl::InvalidArgumentError("not a reference");
}
absl::Status NotPassword() {
  return absl::InvalidArgumentError("not a password");
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// nullopt if `text` is not UTF-8. ICU's own conversion would put U+FFFD where
// it fails, and two different values would become one.
std::optional<icu::UnicodeString> Decode(std::string_view text) {
  const auto size = static_cast<int32_t>(text.size());
  icu::UnicodeString decoded;
  char16_t* const buffer = decoded.getBuffer(size + 1);
  if (buffer == nullptr) return std::nullopt;
  int32_t length = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8(buffer, decoded.getCapacity(), &length, text.data(), size,
                &error);
  decoded.releaseBuffer(U_SUCCESS(error) ? length : 0);
  if (U_FAILURE(error)) return std::nullopt;
  return decoded;
}

std::string Encode(const icu::UnicodeString& text) {
  std::string encoded;
  text.toUTF8String(encoded);
  return encoded;
}

// Fails only where the library is installed without its data.
template <typename T>
T& Required(T* thing) {
  if (thing == nullptr) {
    std::fputs("hizo: ICU has no data\n", stderr);
    std::abort();
  }
  return *thing;
}

const icu::Normalizer2& Nfc() {
  UErrorCode error = U_ZERO_ERROR;
  return Required(icu::Normalizer2::getNFCInstance(error));
}

const icu::Normalizer2& Nfkc() {
  UErrorCode error = U_ZERO_ERROR;
  return Required(icu::Normalizer2::getNFKCInstance(error));
}

icu::UnicodeString ToNfc(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  return Nfc().normalize(text, error);
}

icu::UnicodeString Trimmed(const icu::UnicodeString& text) {
  int32_t begin = 0;
  int32_t end = text.length();
  while (begin < end && u_isUWhiteSpace(text.char32At(begin))) {
    begin = text.moveIndex32(begin, 1);
  }
  while (end > begin && u_isUWhiteSpace(text.char32At(end - 1))) {
    end = text.moveIndex32(end, -1);
  }
  return text.tempSubStringBetween(begin, end);
}

// Full-width and half-width forms become the usual ones (RFC 8264 5.2.1), and
// nothing else does: NFKC would also merge what people tell apart.
icu::UnicodeString FoldWidth(const icu::UnicodeString& text) {
  icu::UnicodeString folded;
  icu::UnicodeString usual;
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    const UChar32 c = text.char32At(at);
    const int32_t type = u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE);
    const bool odd_width = type == U_DT_WIDE || type == U_DT_NARROW;
    if (odd_width && Nfkc().getRawDecomposition(c, usual)) {
      folded.append(usual);
    } else {
      folded.append(c);
    }
  }
  return folded;
}

// In no language's own way: a Turkish server must agree with the others.
icu::UnicodeString Lowered(icu::UnicodeString text) {
  return ToNfc(text.toLower(icu::Locale::getRoot()));
}

// Whether `accepts` holds for every code point.
template <typename Predicate>
bool AllOf(const icu::UnicodeString& text, Predicate accepts) {
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    if (!accepts(text.char32At(at))) return false;
  }
  return true;
}

// RFC 5322 atext with RFC 6531's additions, as far as it can be seen.
bool IsLocalPartCharacter(UChar32 c) {
  constexpr std::u16string_view kSpecials = u"()<>[]:;@\\,\"";
  if (c > 0xffff) return u_isgraph(c);
  return u_isgraph(c) &&
         kSpecials.find(static_cast<char16_t>(c)) == std::u16string_view::npos;
}

bool IsLocalPart(const icu::UnicodeString& local) {
  return !local.isEmpty() && !local.startsWith(u'.') && !local.endsWith(u'.') &&
         local.indexOf(u"..") < 0 && AllOf(local, IsLocalPartCharacter);
}

struct CloseIdna {
  void operator()(UIDNA* idna) const { uidna_close(idna); }
};

const UIDNA* Idna() {
  static const std::unique_ptr<UIDNA, CloseIdna> idna = [] {
    UErrorCode error = U_ZERO_ERROR;
    return std::unique_ptr<UIDNA, CloseIdna>(&Required(uidna_openUTS46(
        UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
            UIDNA_NONTRANSITIONAL_TO_ASCII,
        &error)));
  }();
  return idna.get();
}

// The A-labels of a domain of at least two, nullopt if it is none.
std::optional<std::string> AsciiDomain(std::string_view domain) {
  std::string ascii(kEmailMax + 1, '\0');
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode error = U_ZERO_ERROR;
  const int32_t size = uidna_nameToASCII_UTF8(
      Idna(), domain.data(), static_cast<int32_t>(domain.size()), ascii.data(),
      static_cast<int32_t>(ascii.size()), &info, &error);
  if (U_FAILURE(error) || info.errors != 0) return std::nullopt;
  ascii.resize(static_cast<size_t>(size));
  // Only now: UTS #46 makes dots out of other characters too.
  if (ascii.ends_with('.')) ascii.pop_back();
  if (ascii.find('.') == std::string::npos) return std::nullopt;
  return ascii;
}

bool IsPhonePunctuation(UChar32 c) {
  constexpr UChar32 kMinus = 0x2212;
  constexpr UChar32 kKatakanaDash = 0x30fc;
  const int8_t category = u_charType(c);
  // Format characters: address books put direction marks around a number.
  return u_isUWhiteSpace(c) || category == U_DASH_PUNCTUATION ||
         category == U_FORMAT_CHAR || c == '(' || c == ')' || c == '.' ||
         c == '/' || c == kMinus || c == kKatakanaDash;
}

// The plus sign and ASCII digits of a number, nullopt if there is more to it:
// the library itself takes letters, and numbers out of the middle of a text.
std::optional<std::string> DialledDigits(const icu::UnicodeString& text) {
  std::string dialled;
  const bool usual = AllOf(FoldWidth(text), [&dialled](UChar32 c) {
    const int32_t digit = u_charDigitValue(c);
    if (digit >= 0) {
      dialled.push_back(static_cast<char>('0' + digit));
      return dialled.size() <= kPhoneDigitsMax;
    }
    if (c == '+' && dialled.empty()) {
      dialled.push_back('+');
      return true;
    }
    return IsPhonePunctuation(c);
  });
  if (!usual) return std::nullopt;
  return dialled;
}

std::optional<std::string> ToE164(const std::string& dialled,
                                  const std::string& region) {
  using i18n::phonenumbers::PhoneNumberUtil;
  i18n::phonenumbers::PhoneNumber number;
  const PhoneNumberUtil& library = *PhoneNumberUtil::GetInstance();
  if (library.Parse(dialled, region, &number) !=
          PhoneNumberUtil::NO_PARSING_ERROR ||
      library.IsPossibleNumberWithReason(number) !=
          PhoneNumberUtil::IS_POSSIBLE) {
    return std::nullopt;
  }
  std::string e164;
  library.Format(number, PhoneNumberUtil::E164, &e164);
  // The library knows longer ones, which no network would carry.
  if (e164.size() > kE164Max) return std::nullopt;
  return e164;
}

// PRECIS IdentifierClass (RFC 8264 9): what is left of a compatibility
// character after the width was folded is refused, not replaced.
bool IsHandleCharacter(UChar32 c) {
  constexpr uint32_t kLetterDigits = U_GC_LL_MASK | U_GC_LU_MASK |
                                     U_GC_LO_MASK | U_GC_LM_MASK |
                                     U_GC_MN_MASK | U_GC_MC_MASK | U_GC_ND_MASK;
  if (c == '.' || c == '_' || c == '-') return true;
  return (U_GET_GC_MASK(c) & kLetterDigits) != 0 &&
         !u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

bool IsMark(UChar32 c) { return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0; }

bool IsNfkc(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  return Nfkc().isNormalized(text, error) != 0;
}

// NormalisePassword for what is not ASCII: all on the way lies in the slab.
absl::StatusOr<Secret> NfcSecret(std::string_view text) {
  constexpr int32_t kUnitsMax = Secret::kSizeMax / sizeof(char16_t);
  UErrorCode error = U_ZERO_ERROR;
  Secret decoded(Secret::kSizeMax);
  Secret composed(Secret::kSizeMax);
  Secret encoded(kPasswordMax);
  auto* const units =
      reinterpret_cast<char16_t*>(decoded.ExposeMutable().data());
  auto* const nfc_units =
      reinterpret_cast<char16_t*>(composed.ExposeMutable().data());
  int32_t length = 0;
  u_strFromUTF8(units, kUnitsMax, &length, text.data(),
                static_cast<int32_t>(text.size()), &error);
  length = unorm2_normalize(unorm2_getNFCInstance(&error), units, length,
                            nfc_units, kUnitsMax, &error);
  int32_t size = 0;
  u_strToUTF8(reinterpret_cast<char*>(encoded.ExposeMutable().data()),
              static_cast<int32_t>(kPasswordMax), &size, nfc_units, length,
              &error);
  if (U_FAILURE(error)) return NotPassword();
  return Secret::CopyOf(encoded.Expose().substr(0, static_cast<size_t>(size)));
}

}  // namespace

absl::StatusOr<std::string> NormaliseText(std::string_view text) {
  if (text.size() > kTextMax || text.find('\0') != std::string_view::npos) {
    return NotText();
  }
  if (IsAscii(text)) return std::string(text);
  const std::optional<icu::UnicodeString> decoded = Decode(text);
  if (!decoded.has_value()) return NotText();
  return Encode(ToNfc(*decoded));
}

absl::StatusOr<std::string> NormaliseEmail(std::string_view text) {
  if (text.size() > kShortTextMax) return NotEmail();
  const std::optional<icu::UnicodeString> decoded = Decode(text);
  if (!decoded.has_value()) return NotEmail();
  const icu::UnicodeString address = ToNfc(FoldWidth(Trimmed(*decoded)));
  const int32_t at = address.indexOf(u'@');
  if (at < 0) return NotEmail();
  const icu::UnicodeString local = Lowered(address.tempSubString(0, at));
  const std::optional<std::string> domain =
      AsciiDomain(Encode(address.tempSubString(at + 1)));
  if (!IsLocalPart(local) || !domain.has_value()) return NotEmail();
  std::string email = Encode(local);
  if (email.size() > kEmailLocalMax) return NotEmail();
  email.append("@").append(*domain);
  if (email.size() > kEmailMax) return NotEmail();
  return email;
}

absl::StatusOr<std::string> NormalisePhone(std::string_view text,
                                           std::string_view default_region) {
  if (text.size() > kShortTextMax) return NotPhone();
  const std::optional<icu::UnicodeString> decoded = Decode(text);
  if (!decoded.has_value()) return NotPhone();
  const std::optional<std::string> dialled = DialledDigits(*decoded);
  if (!dialled.has_value()) return NotPhone();
  const std::optional<std::string> e164 =
      ToE164(*dialled, std::string(default_region));
  // One trunk prefix is dropped; a number that still has one is none.
  if (!e164.has_value() || ToE164(*e164, "") != e164) return NotPhone();
  return *e164;
}

absl::StatusOr<std::string> NormaliseHandle(std::string_view text) {
  if (text.size() > kShortTextMax) return NotHandle();
  const std::optional<icu::UnicodeString> decoded = Decode(text);
  if (!decoded.has_value()) return NotHandle();
  const icu::UnicodeString handle = Lowered(FoldWidth(*decoded));
  if (handle.isEmpty() || handle.countChar32() > kHandleMax ||
      IsMark(handle.char32At(0)) || !IsNfkc(handle) ||
      !AllOf(handle, IsHandleCharacter)) {
    return NotHandle();
  }
  return Encode(handle);
}

absl::StatusOr<std::string> NormaliseReference(std::string_view text) {
  if (text.size() > kShortTextMax) return NotReference();
  const std::optional<icu::UnicodeString> decoded = Decode(text);
  if (!decoded.has_value()) return NotReference();
  const icu::UnicodeString reference = ToNfc(Trimmed(*decoded));
  const bool clean = AllOf(reference, [](UChar32 c) { return !u_iscntrl(c); });
  std::string encoded = Encode(reference);
  if (!clean || encoded.empty() || encoded.size() > kReferenceMax) {
    return NotReference();
  }
  return encoded;
}

absl::StatusOr<Secret> NormalisePassword(std::string_view text) {
  if (text.empty()) return NotPassword();
  if (!IsAscii(text)) return NfcSecret(text);
  if (text.size() > kPasswordMax) return NotPassword();
  return Secret::CopyOf(text);
}

}  // namespace hizo::crypto
