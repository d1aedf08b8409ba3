#include "crypto/digest.h"

#include <string>
#include <thread>
#include <vector>

#include "crypto/big_endian.h"
#include "gtest/gtest.h"
#include "tests/crypto/each_suite.h"
#include "tests/crypto/format_vectors.h"
#include "tests/crypto/hex.h"

namespace hizo::crypto {
namespace {

using std::string_literals::operator""s;

TEST(Sha256Test, GivesThePublishedDigests) {  // FIPS 180-4 examples
  EXPECT_EQ(ToHex(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      ToHex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256StreamTest, IsTheDigestOfAllThatCame) {
  Sha256Stream stream;
  EXPECT_EQ(stream.Sum(), Sha256(""));
  std::string all;
  for (size_t size = 0; size < 200; size += 7) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    all += piece;
    stream.Add(piece);
    EXPECT_EQ(stream.Sum(), Sha256(all)) << size;
  }
}

TEST(Sha256StreamTest, ACopyGoesOnByItself) {
  Sha256Stream one;
  one.Add("ab");
  Sha256Stream other(one);
  one.Add("c");
  other.Add("x");
  EXPECT_EQ(one.Sum(), Sha256("abc"));
  EXPECT_EQ(other.Sum(), Sha256("abx"));
  other = one;
  other.Add("d");
  EXPECT_EQ(other.Sum(), Sha256("abcd"));
  EXPECT_EQ(one.Sum(), Sha256("abc"));
}

TEST(Sha256Test, ThreadsDoNotDisturbEachOther) {
  const Digest expected = Sha256("abc");
  const auto work = [&expected] {
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(Sha256("abc"), expected);
  };
  const std::jthread first(work);
  const std::jthread second(work);
  work();
}

// The tree heads of the eight leaves that Certificate Transparency's own tests
// use, for every size.
TEST(MerkleTest, GivesThePublishedTreeHeads) {
  const std::vector<std::string> entries = {
      "",
      FromHex("00"),
      FromHex("10"),
      FromHex("2021"),
      FromHex("3031"),
      FromHex("40414243"),
      FromHex("5051525354555657"),
      FromHex("606162636465666768696a6b6c6d6e6f")};
  std::vector<Digest> leaf;
  for (const std::string& entry : entries) leaf.push_back(LeafHash(entry));
  const Digest n01 = NodeHash(leaf[0], leaf[1]);
  const Digest n0123 = NodeHash(n01, NodeHash(leaf[2], leaf[3]));
  const Digest n45 = NodeHash(leaf[4], leaf[5]);
  EXPECT_EQ(ToHex(leaf[0]),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(ToHex(n01),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  EXPECT_EQ(ToHex(NodeHash(n01, leaf[2])),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
  EXPECT_EQ(ToHex(n0123),
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
  EXPECT_EQ(ToHex(NodeHash(n0123, leaf[4])),
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4");
  EXPECT_EQ(ToHex(NodeHash(n0123, n45)),
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef");
  EXPECT_EQ(ToHex(NodeHash(n0123, NodeHash(n45, leaf[6]))),
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c");
  EXPECT_EQ(ToHex(NodeHash(n0123, NodeHash(n45, NodeHash(leaf[6], leaf[7])))),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(MerkleTest, ALeafIsNoNode) {
  const Digest left = LeafHash("left");
  const Digest right = LeafHash("right");
  const std::string both =
      std::string(AsBytes(left)) + std::string(AsBytes(right));
  EXPECT_NE(LeafHash(both), NodeHash(left, right));
  EXPECT_NE(NodeHash(left, right), NodeHash(right, left));
}

TEST(PrfFormatTest, GivesWhatAnIndependentImplementationGives) {
  const Key key = KeyFromHex(kVectorDek);
  const Key aes_key = key.In(kAesSuite);
  EXPECT_EQ(ToHex(Prf(key, "label", {"ab", "c"})), kVectorPrf);
  EXPECT_EQ(ToHex(Prf(aes_key, "label", {"ab", "c"})), kVectorAesPrf);
  EXPECT_EQ(ToHex(DeriveKey(key, "label", {"ab", "c"}).Expose()), kVectorPrf);
  EXPECT_EQ(ToHex(DeriveKey(aes_key, "label", {"ab", "c"}).Expose()),
            kVectorAesDerived);
}

class PrfTest : public testing::Test, public EachSuite {
 protected:
  const Key key_ = Key::Random(GetParam());
};
INSTANTIATE_TEST_SUITE_P(EachSuite, PrfTest, AllSuites(), SuiteName);

TEST_P(PrfTest, DependsOnKeyLabelAndParts) {
  const Digest digest = Prf(key_, "label", {"part"});
  EXPECT_EQ(Prf(key_, "label", {"part"}), digest);
  EXPECT_NE(Prf(Key::Random(GetParam()), "label", {"part"}), digest);
  EXPECT_NE(Prf(key_, "lebal", {"part"}), digest);
  EXPECT_NE(Prf(key_, "label", {"trap"}), digest);
  EXPECT_NE(Prf(key_, "label", {}), digest);
  EXPECT_NE(Prf(key_, "label", {"part", ""}), digest);
}

TEST_P(PrfTest, TellsPartsApartByTheirLengths) {
  EXPECT_NE(Prf(key_, "l", {"ab", "c"}), Prf(key_, "l", {"a", "bc"}));
  EXPECT_NE(Prf(key_, "l", {"abc"}), Prf(key_, "l", {"abc", ""}));
  EXPECT_NE(Prf(key_, "l", {"\0"s}), Prf(key_, "l", {""}));
  EXPECT_NE(Prf(key_, "l", {}), Prf(key_, "l\0"s, {}));
}

TEST_P(PrfTest, ADerivedKeyIsOfTheSameSuite) {
  const Key derived = DeriveKey(key_, "label", {"part"});
  EXPECT_EQ(derived.suite(), GetParam());
  EXPECT_EQ(DeriveKey(key_, "label", {"part"}).Expose(), derived.Expose());
  EXPECT_NE(DeriveKey(key_, "label", {"trap"}).Expose(), derived.Expose());
}

TEST(AppendLengthPrefixedTest, WritesLengthAndBytes) {
  std::string out = "x";
  AppendLengthPrefixed(out, "abc");
  AppendLengthPrefixed(out, "");
  EXPECT_EQ(out, "x\0\0\0\3abc\0\0\0\0"s);
}

TEST(BigEndianTest, WritesTheHighestByteFirst) {
  EXPECT_EQ(BigEndian(uint8_t{0xab}), "\xab");
  EXPECT_EQ(BigEndian(uint16_t{0x0102}), "\x01\x02");
  EXPECT_EQ(BigEndian(uint32_t{0xfffefdfc}), "\xff\xfe\xfd\xfc");
  EXPECT_EQ(BigEndian(uint64_t{1}), "\0\0\0\0\0\0\0\1"s);
}

TEST(BigEndianTest, ReadsWhatItWrote) {
  const std::string bytes = "x" + BigEndian(uint64_t{0xf1e2d3c4b5a69788});
  EXPECT_EQ(LoadBigEndian<uint64_t>(bytes, 1), 0xf1e2d3c4b5a69788);
  EXPECT_EQ(LoadBigEndian<uint32_t>(bytes, 1), 0xf1e2d3c4);
  EXPECT_EQ(LoadBigEndian<uint16_t>(bytes, 7), 0x9788);
  EXPECT_EQ(LoadBigEndian<uint8_t>(bytes, 8), 0x88);
}

}  // namespace
}  // namespace hizo::crypto
