#include "crypto/bech32.h"

#include <optional>
#include <string>

#include "crypto/random.h"
#include "gtest/gtest.h"

namespace hizo::crypto {
namespace {

// The identity of the published age vectors.
constexpr char kIdentity[] =
    "AGE-SECRET-KEY-"
    "1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

TEST(Bech32Test, ReadsThePublishedExamplesOfBip173) {
  EXPECT_EQ(FromBech32("a", "A12UEL5L"), "");
  EXPECT_EQ(FromBech32("a", "a12uel5l"), "");
  EXPECT_EQ(FromBech32("split",
                       "split1checkupstagehandshakeupstreamerranterredcaperred"
                       "2y9e3w")
                .has_value(),
            true);
}

TEST(Bech32Test, ReadsAKeyOfAge) {
  const auto bytes = FromBech32("age-secret-key-", kIdentity);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->size(), 32U);
  std::string again = ToBech32("age-secret-key-", *bytes);
  for (char& c : again) c = static_cast<char>(toupper(c));
  EXPECT_EQ(again, kIdentity);
}

TEST(Bech32Test, ReadsWhatItWrites) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string bytes = RandomBytes(size);
    EXPECT_EQ(FromBech32("age", ToBech32("age", bytes)), bytes);
  }
}

TEST(Bech32Test, RefusesEveryChangedCharacter) {
  const std::string good = ToBech32("age", RandomBytes(32));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'q' ? 'p' : 'q';
    EXPECT_EQ(FromBech32("age", bad), std::nullopt) << i;
  }
}

TEST(Bech32Test, RefusesWhatIsNoSpelling) {
  const std::string good = ToBech32("age", RandomBytes(32));
  std::string mixed = good;
  mixed[5] = static_cast<char>(toupper('q'));
  for (const std::string& bad :
       {std::string(), std::string("age"), std::string("age1"), good + "q",
        good.substr(0, good.size() - 1), " " + good, good + "\n", mixed,
        std::string("1nwldj5"), std::string("age1b") + good.substr(5),
        "age1" + std::string(2000, 'q')}) {
    EXPECT_EQ(FromBech32("age", bad), std::nullopt) << bad;
  }
  EXPECT_EQ(FromBech32("agf", good), std::nullopt);
  EXPECT_EQ(FromBech32("ag", good), std::nullopt);
}

// A key of five-bit groups that do not end with their bytes.
TEST(Bech32Test, RefusesStrayBits) {
  EXPECT_EQ(FromBech32("a", "a1lqfn3a"), std::nullopt);
}

}  // namespace
}  // namespace hizo::crypto
