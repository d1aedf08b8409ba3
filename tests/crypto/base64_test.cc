#include "crypto/base64.h"

#include <optional>
#include <string>

#include "crypto/random.h"
#include "gtest/gtest.h"

namespace hizo::crypto {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, WritesThePublishedExamples) {
  EXPECT_EQ(ToBase64("", Padding::kEquals), "");
  EXPECT_EQ(ToBase64("f", Padding::kEquals), "Zg==");
  EXPECT_EQ(ToBase64("fo", Padding::kEquals), "Zm8=");
  EXPECT_EQ(ToBase64("foo", Padding::kEquals), "Zm9v");
  EXPECT_EQ(ToBase64("f", Padding::kNone), "Zg");
  EXPECT_EQ(ToBase64("foobar", Padding::kNone), "Zm9vYmFy");
}

TEST(Base64Test, ReadsWhatItWrites) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string bytes = RandomBytes(size);
    for (const Padding padding : {Padding::kNone, Padding::kEquals}) {
      EXPECT_EQ(FromBase64(ToBase64(bytes, padding), padding), bytes);
    }
  }
}

TEST(Base64Test, RefusesEveryOtherSpelling) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9v\n", " Zm9v",
                           "Zm 9v", "Zm9-", "Zm9_", "Z", "====", "Zg==Zg=="}) {
    EXPECT_EQ(FromBase64(text, Padding::kEquals), std::nullopt) << text;
  }
  for (const char* text : {"Zg==", "Zh", "Zm9v=", "Zm9v\r", "Z", "Zm9vZ"}) {
    EXPECT_EQ(FromBase64(text, Padding::kNone), std::nullopt) << text;
  }
}

// libsodium 1.0.18 reads some of them.
TEST(Base64Test, RefusesBytesThatAreNoCharacters) {
  const std::string good = ToBase64(RandomBytes(96), Padding::kNone);
  for (size_t i = 0; i < good.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string bad = good;
      bad[i] = static_cast<char>(byte);
      const auto read = FromBase64(bad, Padding::kNone);
      ASSERT_TRUE(!read.has_value() || ToBase64(*read, Padding::kNone) == bad)
          << i << " " << byte;
    }
  }
}

}  // namespace
}  // namespace hizo::crypto
