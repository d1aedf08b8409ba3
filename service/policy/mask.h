// Masks: what is shown of a value to those who may know that it is there, but
// not what it is.
//
// No mask but kNone shows the length of what it hides, or more than half of
// the characters of a value or of a word, or anything of a value of one or two
// characters. What cannot be shown so is "***". Characters are Unicode code
// points; none is ever split. Threads: may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_MASK_H_
#define HIZO_SERVICE_POLICY_MASK_H_

#include <string>
#include <string_view>

#include "service/policy/catalogue.h"

namespace hizo::policy {

// `display_text` is the value as a person reads it; of an address, only
// "country, region": the rest must not be passed. What each mask shows:
//   kNone      the text
//   kEnds      first and last character: "j***e"
//   kEmail     first character of the mailbox and of the domain, and the
//              domain's last label: "j***@e***.com"
//   kPhone     of an E.164 number, its calling code and last four digits:
//              "+81*****1234"
//   kLastFour  last four characters: "*** 4242"
//   kInitials  first character of the first and of the last word:
//              "J. D***"; words are parted by any Unicode space
//   kFirstTwo  first two characters: "Ac***"
//   kRegion    country and region of an address: "JP, Tokyo"
//   kYear      the four digits of the year of a date: "1990"
//   kHidden    "***"
// kEmail, kPhone, kRegion and kYear are for fields of their own type. kEnds,
// kLastFour, kInitials and kFirstTwo are for text, e-mail, phone numbers,
// handles, references and addresses: few characters tell all of a truth value,
// a choice or a number. Of a type that it is not for, a mask shows nothing.
std::string ApplyMask(Mask mask, FieldType type, std::string_view display_text);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_MASK_H_
