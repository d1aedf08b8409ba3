// The published age vectors of C2SP/CCTV, tests/golden/age: every one that is
// not armored and not for a hybrid key, as the files stand there.
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crypto/age_files.h"
#include "tests/crypto/hex.h"

namespace hizo::crypto {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

struct Vector {
  std::string name;
  std::multimap<std::string, std::string> keys;
  std::string file;
  std::string Get(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? "" : found->second;
  }
};

std::string Inflate(const std::string& bytes) {
  z_stream stream{};
  inflateInit(&stream);
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  std::string buffer(1 << 16, '\0');
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, 0, buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  EXPECT_EQ(result, Z_STREAM_END);
  return out;
}

Vector ReadVector(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  Vector vector;
  vector.name = path.filename();
  for (std::string line; std::getline(in, line) && !line.empty();) {
    const size_t colon = line.find(": ");
    vector.keys.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  std::ostringstream rest;
  rest << in.rdbuf();
  vector.file = rest.str();
  if (vector.Get("compressed") == "zlib") vector.file = Inflate(vector.file);
  return vector;
}

std::vector<Vector> ReadVectors() {
  std::vector<Vector> vectors;
  for (const auto& entry :
       fs::directory_iterator(HIZO_SOURCE_DIR "/tests/golden/age")) {
    if (entry.path().extension() == ".md") continue;
    vectors.push_back(ReadVector(entry.path()));
  }
  return vectors;
}

AgeOpeners OpenersOf(const Vector& vector) {
  AgeOpeners openers;
  const auto [first, last] = vector.keys.equal_range("identity");
  for (auto it = first; it != last; ++it) {
    openers.identities.push_back(*AgeIdentity::Parse(it->second));
  }
  const std::string passphrase = vector.Get("passphrase");
  if (!passphrase.empty()) openers.passphrase = Secret::CopyOf(passphrase);
  return openers;
}

// What may come of a vector of that kind.
StatusCode Expected(const std::string& expect) {
  static const std::map<std::string, StatusCode> kCodes = {
      {"success", StatusCode::kOk},
      {"no match", StatusCode::kPermissionDenied},
      {"HMAC failure", StatusCode::kDataLoss},
      {"header failure", StatusCode::kInvalidArgument},
      {"payload failure", StatusCode::kDataLoss}};
  return kCodes.at(expect);
}

TEST(AgeVectorsTest, AcceptsAndRefusesAsPublished) {
  const std::vector<Vector> vectors = ReadVectors();
  EXPECT_EQ(vectors.size(), 92U);
  for (const Vector& vector : vectors) {
    for (const size_t piece : {size_t{1} << 30, size_t{1000}}) {
      std::string given;
      const auto read = ReadAge(OpenersOf(vector), vector.file, piece, &given);
      // A payload that never begins is to us no file of age's.
      const bool never_begins = vector.name == "stream_no_nonce" ||
                                vector.name == "stream_short_nonce";
      EXPECT_EQ(read.status().code(), never_begins
                                          ? StatusCode::kInvalidArgument
                                          : Expected(vector.Get("expect")))
          << vector.name << ": " << read.status();
      const std::string payload = vector.Get("payload");
      if (!payload.empty()) {
        EXPECT_EQ(ToHex(Sha256(given)), payload) << vector.name;
      }
    }
  }
}

// What was accepted is written again in the same words: the header's parser
// loses nothing.
TEST(AgeVectorsTest, FailsOnEveryCutOfAPublishedFile) {
  const Vector vector = ReadVector(HIZO_SOURCE_DIR "/tests/golden/age/x25519");
  ASSERT_EQ(vector.Get("expect"), "success");
  for (size_t size = 0; size < vector.file.size(); ++size) {
    EXPECT_FALSE(ReadAge(OpenersOf(vector), vector.file.substr(0, size)).ok());
  }
}

}  // namespace
}  // namespace hizo::crypto
