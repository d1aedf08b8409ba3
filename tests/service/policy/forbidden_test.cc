#include "service/policy/forbidden.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hizo::policy {
namespace {

class CardNumberTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CardNumberTest, IsFound) {
  EXPECT_TRUE(LooksLikeCardNumber(GetParam())) << GetParam();
}

// Numbers that the brands publish for tests.
INSTANTIATE_TEST_SUITE_P(
    Published, CardNumberTest,
    ::testing::Values("4242 4242 4242 4242", "4242424242424242",
                      "4111111111111111", "4012888888881881",
                      "5555 5555 5555 4444", "5105105105105100",
                      "2223003122003222", "3782 822463 10005",
                      "371449635398431", "3530111333300000", "3566002020360505",
                      "30569309025904", "38520000023237", "36227206271667",
                      "6011111111111117", "6011000990139424",
                      "6200000000000005", "6205500000000000004",
                      "2200000000000004", "6759649826438453"));

INSTANTIATE_TEST_SUITE_P(
    Embedded, CardNumberTest,
    ::testing::Values("please charge 4242 4242 4242 4242, thanks",
                      "card:4242424242424242.", "4242 4242 4242 4242 12/27 123",
                      "1) 4242-4242-4242-4242", "{\"n\":\"4242424242424242\"}",
                      "カード番号は4242424242424242です",
                      "first 1234, then\n5555555555554444\nlast",
                      "2025 4242 4242 4242 4242 2026",
                      "no\xff"
                      "4242424242424242"));

INSTANTIATE_TEST_SUITE_P(
    Parted, CardNumberTest,
    ::testing::Values("4242-4242-4242-4242", "4242 - 4242 - 4242 - 4242",
                      "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
                      "4242\u00a04242\u20094242\u30004242",
                      "4242\u20104242\u20134242\uff0d4242",
                      "4242\u30fc4242\u30fc4242\u30fc4242",
                      "4242\t4242\t4242\t4242",
                      "4242\u200b4242\u00ad4242\ufeff4242"));

INSTANTIATE_TEST_SUITE_P(
    OtherScripts, CardNumberTest,
    ::testing::Values("４２４２４２４２４２４２４２４２",
                      "４２４２　４２４２　４２４２　４２４２",
                      "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "४२४२ ४२४२ ४२४२ ४२४२",
                      "4２4٢4२4242424242",
                      "\U0001D7D2\U0001D7D042424242424242"));

// `prefix`, zeros and the right check digit, `size` digits in all.
std::string NumberOf(const std::string& prefix, size_t size) {
  const std::string number =
      prefix + std::string(size - 1 - prefix.size(), '0');
  int sum = 0;
  for (size_t i = 0; i < number.size(); ++i) {
    const int digit = number[number.size() - 1 - i] - '0';
    const int doubled = digit * 2 / 10 + digit * 2 % 10;
    sum += i % 2 == 0 ? doubled : digit;
  }
  return number + static_cast<char>('0' + (10 - sum % 10) % 10);
}

struct Brand {
  const char* name;
  std::vector<std::string> prefixes;
  std::vector<size_t> sizes;
};
class BrandTest : public ::testing::TestWithParam<Brand> {};

TEST_P(BrandTest, IsFoundAtItsLengthsAndNoOther) {
  for (const std::string& prefix : GetParam().prefixes) {
    for (size_t size = 13; size <= 20; ++size) {
      const bool expected =
          std::ranges::find(GetParam().sizes, size) != GetParam().sizes.end();
      const std::string number = NumberOf(prefix, size);
      EXPECT_EQ(LooksLikeCardNumber(number), expected) << number;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrandTest,
    ::testing::Values(
        Brand{"Visa", {"4", "4999"}, {16, 19}},
        Brand{"Mastercard", {"51", "55", "2221", "2720"}, {16}},
        Brand{"Amex", {"34", "37"}, {15}},
        Brand{"Jcb", {"3528", "3589"}, {16, 17, 18, 19}},
        Brand{"Diners",
              {"300", "305", "3095", "36", "38", "39"},
              {14, 15, 16, 17, 18, 19}},
        Brand{"Discover", {"6011", "644", "65"}, {16, 17, 18, 19}},
        Brand{"UnionPay", {"62", "8100", "8171"}, {16, 17, 18, 19}},
        Brand{"Maestro",
              {"5018", "5020", "5038", "5893", "6304", "6759", "6763"},
              {14, 15, 16, 17, 18, 19}},
        Brand{"Mir", {"2200", "2204"}, {16, 17, 18, 19}},
        Brand{"Nobody",
              {"0", "1", "2025", "2205", "2220", "2721", "3527", "3590", "306",
               "3094", "3096", "50", "56", "600", "8099", "8172", "9"},
              {}}),
    [](const auto& test) { return test.param.name; });

class InnocentNumberTest : public ::testing::TestWithParam<const char*> {};

TEST_P(InnocentNumberTest, IsLetPass) {
  EXPECT_FALSE(LooksLikeCardNumber(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Each, InnocentNumberTest,
    ::testing::Values(
        "", "42", "4242", "4242 4242 4242 4241", "4242 4242 4242 424",
        "0000000000000000", "9999999999999995", "1234567812345670",
        // Thirteen digits: tax registration number, bar code.
        "T4222222222222", "4222222222222", "4901234567894",
        // Twenty digits, sixteen of which would do.
        "42424242424242420000", "00004242424242424242",
        // Telephone numbers and dates.
        "+81 90 1234 5678", "03-1234-5678 / 090-1234-5678",
        "2025-01-31 23:59:59.123456", "20250131235959123", "1700000000000000",
        // Parted by more than spaces and dashes.
        "4242,4242,4242,4242", "4242.4242.4242.4242", "4242x4242x4242x4242",
        "4242    4242    4242    4242", "4242\n4242\n4242\n4242",
        "6f1c4242-4242-4242-a242-424242424242", "INV-2025-0000-0042",
        "hello, world"));

TEST(CardNumberTest, OneWrongDigitIsNoCardNumber) {
  const std::string card = "4242424242424242";
  for (size_t i = 0; i < card.size(); ++i) {
    std::string wrong = card;
    wrong[i] = static_cast<char>('0' + (wrong[i] - '0' + 1) % 10);
    EXPECT_FALSE(LooksLikeCardNumber(wrong)) << wrong;
  }
}

TEST(CardNumberTest, IsFoundAtTheEndOfALongText) {
  std::string text;
  while (text.size() < 60'000) text += "12 3456-78 ab 901 ";
  EXPECT_FALSE(LooksLikeCardNumber(text));
  EXPECT_TRUE(LooksLikeCardNumber(text + "; 378282246310005"));
}

TEST(CardNumberTest, LooksThroughAnEndlessNumberOnce) {
  EXPECT_FALSE(LooksLikeCardNumber(std::string(65'536, '4')));
}

// The IBAN of an account in a country: with the right check digits.
std::string IbanOf(const std::string& country, const std::string& account) {
  const auto number_of = [](char c) {
    return c >= 'A' ? std::to_string(c - 'A' + 10) : std::string(1, c);
  };
  int rest = 0;
  for (const char c : account + country + "00") {
    for (const char digit : number_of(c)) rest = (rest * 10 + digit - '0') % 97;
  }
  const std::string check = std::to_string(98 - rest);
  return country + (check.size() == 1 ? "0" : "") + check + account;
}

std::string InFours(const std::string& text, const std::string& separator) {
  std::string parted;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i % 4 == 0) parted += separator;
    parted += text[i];
  }
  return parted;
}

constexpr char kCard[] = "4242424242424242";

// Sixteen digits of an Austrian account that a card could have.
TEST(IbanTest, IsNoCardNumberHoweverItIsWritten) {
  const std::string iban = IbanOf("AT", kCard);
  std::string small = iban;
  small[0] = 'a';
  for (const std::string& text :
       {iban, small, InFours(iban, " "), InFours(iban, "-"),
        InFours(iban, "\u00a0"), "IBAN: " + InFours(iban, " ") + ", thanks",
        "(" + iban + ")", iban + " " + iban, "口座 " + iban}) {
    EXPECT_FALSE(LooksLikeCardNumber(text)) << text;
  }
}

// Examples of the registry.
INSTANTIATE_TEST_SUITE_P(Ibans, InnocentNumberTest,
                         ::testing::Values("DE89 3704 0044 0532 0130 00",
                                           "AT61 1904 3002 3457 3201",
                                           "GB29 NWBK 6016 1331 9268 19",
                                           "NO93 8601 1117 947",
                                           "FR14 2004 1010 0505 0001 3M02 606",
                                           "MT84MALT011000012345MTLCAST001S"));

TEST(IbanTest, ACardNumberBesideOneIsFound) {
  const std::string iban = IbanOf("AT", "1904300234573201");
  ASSERT_EQ(iban, "AT611904300234573201");
  for (const std::string& text :
       {iban + " " + kCard, kCard + (" " + iban),
        InFours(iban, " ") + "-" + kCard, IbanOf("AT", kCard) + "\n" + kCard}) {
    EXPECT_TRUE(LooksLikeCardNumber(text)) << text;
  }
}

TEST(IbanTest, ACardNumberBehindSomeLettersIsNoIban) {
  const std::string iban = IbanOf("AT", kCard);
  std::string wrong = iban;
  wrong[2] = static_cast<char>('0' + (wrong[2] - '0' + 1) % 10);
  for (const std::string& text :
       {InFours(wrong, " "),                // check digits
        InFours(IbanOf("DE", kCard), " "),  // a German one is longer
        InFours(IbanOf("ZZ", kCard), " "),  // no country
        "X" + InFours(iban, " "),           // a part of another word
        InFours(iban, " ") + "x",           // and of a longer one
        InFours(iban, "  "),                // written as nobody does
        "AT" + std::string(kCard).insert(0, " "),
        "AT 61" + InFours(iban, " ").substr(4)}) {
    EXPECT_TRUE(LooksLikeCardNumber(text)) << text;
  }
}

// One in a hundred of them looked like a card's before they were left out.
TEST(IbanTest, NoAccountOfACountryIsTakenForACard) {
  uint64_t state = 1;
  for (int i = 0; i < 5000; ++i) {
    std::string account;
    while (account.size() < 18) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      account += static_cast<char>('0' + (state >> 33) % 10);
    }
    const std::string iban = InFours(IbanOf("DE", account), " ");
    EXPECT_FALSE(LooksLikeCardNumber(iban)) << iban;
  }
}

// A UUID with the digits in it, the rest of it letters where there is room.
TEST(UuidTest, IsNoCardNumberWhereverItStands) {
  for (const char* text : {"c8a04242-4242-4242-8242-4242b0000000",
                           "Reference C8A04242-4242-4242-8242-4242B0000000.",
                           "a4424242-4242-4242-8424-2b0000000000@example.com",
                           "{424242a4-4242-4242-8424-378282246310}",
                           "3782a822-4631-4005-8378-282246310005"}) {
    EXPECT_FALSE(LooksLikeCardNumber(text)) << text;
  }
}

TEST(UuidTest, ACardNumberThatLooksLikeNoneIsFound) {
  for (const char* text :
       {"00000000-4242-4242-8242-424242424242 4242 4242 4242 4242",
        "c8a0b242-4242-4242-8242-42424242-4242-4242-4242",  // too many groups
        "xc8a04242-4242-4242-4242-4242b0000000",            // in a word
        "c8a0b000-4242-4242-4242-4242b0000000",             // no variant
        "c8a0b000-0000-9000-8000-4242-4242-4242-4242",      // no version
        "c8a0b000-0000-4000-8000-0000b0000000 4242424242424242",
        "00000000-0000-4000-8000-4242424242424242"}) {
    EXPECT_TRUE(LooksLikeCardNumber(text)) << text;
  }
}

// An address made of one was refused once in some thousands.
TEST(UuidTest, NoneIsTakenForACard) {
  uint64_t state = 1;
  for (int i = 0; i < 50'000; ++i) {
    std::string uuid = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    for (char& c : uuid) {
      if (c != 'x') continue;
      state = state * 6364136223846793005U + 1442695040888963407U;
      c = "0123456789abcdef"[(state >> 33) % 16];
    }
    EXPECT_FALSE(LooksLikeCardNumber(uuid)) << uuid;
  }
}

class CardCodeTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CardCodeTest, IsFound) {
  EXPECT_TRUE(LooksLikeCardCode(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Each, CardCodeTest,
    ::testing::Values("CVV: 123", "cvv 123", "CVV123", "cvv2: 1234", "CVC=999",
                      "cvc2 (123)", "Security code: 123",
                      "my SECURITY CODE is 1234.", "security code no. 123",
                      "card verification value 123", "{\"cvv\":\"123\"}",
                      "CVC code: 123", "exp 12/27 cvv: 123",
                      "セキュリティコード：１２３",
                      "セキュリティコードは123です",
                      "セキュリティーコード 1234", "ＣＶＶ：１２３",
                      "安全码：123", "보안코드 123", "CVV\u00a0\u2013\u00a0123",
                      "CVV: ١٢٣", "csv cvv: 12, cvv: 123"));

class InnocentCodeTest : public ::testing::TestWithParam<const char*> {};

TEST_P(InnocentCodeTest, IsLetPass) {
  EXPECT_FALSE(LooksLikeCardCode(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Each, InnocentCodeTest,
    ::testing::Values("", "CVV", "123", "CVV: 12", "CVV: 12345", "cvv: abc",
                      "where is the cvv on my card?", "CVV and 123 more",
                      "recvv: 123", "postal code 123-4567", "area code 123",
                      "verification code: 1234",
                      "social security number 123-45-6789",
                      "security code of conduct 2024", "コード 123",
                      "\xff\xfe 123"));

}  // namespace
}  // namespace hizo::policy
