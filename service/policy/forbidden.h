// Forbidden: what must never be stored, found by its form in free text.
//
// Both look through full-width forms, digits of every script, and spaces and
// dashes of every kind. They are for free text: the caller exempts fields whose
// type says what the digits are (phone, date, timestamp, integer, money,
// reference), where a number could look like a card's by chance.
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_POLICY_FORBIDDEN_H_
#define HIZO_SERVICE_POLICY_FORBIDDEN_H_

#include <string_view>

namespace hizo::policy {

// Whether somewhere in `text` stands a number that a payment card could have:
// it begins and is as long as one brand's numbers are, and its check digit
// (Luhn) is right. Its digits may be parted by up to three spaces or dashes at
// a time; it begins and ends where a group of digits does, so that a part of a
// longer number is not taken for one.
// Numbers of 13 digits are let pass, since Visa no longer gives such out, and
// Japanese tax registration numbers and bar codes have as many. The digits of
// an IBAN (ISO 13616) and of a UUID (RFC 9562) are their own.
bool LooksLikeCardNumber(std::string_view text);

// Whether somewhere in `field_text` a card's verification code is named and
// given: "CVV: 123", "security code 1234", with the names that are used in
// English, Japanese, Chinese and Korean.
bool LooksLikeCardCode(std::string_view field_text);

}  // namespace hizo::policy

#endif  // HIZO_SERVICE_POLICY_FORBIDDEN_H_
