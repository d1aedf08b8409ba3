// A bundle of somebody who never lived, with awkward values, and what it takes
// to open it.
#ifndef HIZO_TESTS_SERVICE_BUNDLE_SAMPLE_H_
#define HIZO_TESTS_SERVICE_BUNDLE_SAMPLE_H_

#include <string>
#include <string_view>
#include <vector>

#include "crypto/age.h"
#include "crypto/minisign.h"
#include "service/bundle/manifest.h"
#include "service/bundle/person.h"
#include "service/bundle/reader.h"
#include "service/bundle/statements.h"
#include "service/bundle/writer.h"

namespace hizo::bundle {

inline constexpr char kSampleSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";
inline constexpr char kOtherSubject[] = "a8f0a3c2-1f6e-4a7b-8f3e-9b1d2c3e4f50";
inline constexpr char kSampleId[] = "0b6f4f6e-7d6b-4c53-9d0b-3f2f4f6a1c22";

About SampleAbout();
// A signed head of a log of entries that are the same each time; SampleAbout
// has one of 12, and a proof of number 9.
std::string SampleCheckpoint(const std::string& origin, size_t size);
// account, profile, billing.
std::vector<Record> SampleRecords();
// Invoices.
std::vector<Record> SampleSeries(size_t count);
Record Invoice(size_t number);

// Consents, one of them withdrawn, objections and a restriction.
Statements SampleStatements();

// The keys of a test, made once.
class Keys {
 public:
  Keys();
  crypto::AgeWriter NewWriter() const;
  crypto::AgeOpeners Openers() const;
  const crypto::AgeIdentity& identity() const { return identity_; }
  const crypto::MinisignSigner& signer() const { return signer_; }
  const std::string& public_key() const { return signer_.public_key(); }

 private:
  crypto::AgeIdentity identity_;
  crypto::MinisignSigner signer_;
};

// Members in order, as they would be written.
struct Piece {
  std::string name;
  std::string content;
  Kind kind = Kind::kOther;
};
std::vector<Piece> SamplePieces(size_t invoices = 3);
struct Made {
  std::string file;       // encrypted
  std::string signature;  // of it
};
Made Make(const Keys& keys, const std::vector<Piece>& pieces,
          const About& about = SampleAbout());
Made MakeSample(const Keys& keys, size_t invoices = 3);

// Any archive, encrypted.
std::string Encrypt(const Keys& keys, std::string_view archive);
// The archive of an encrypted bundle.
std::string Decrypt(const Keys& keys, std::string_view file);

// Bytes of `file` in pieces of `size`.
Bytes BytesOf(std::string file, size_t size = 10'000);
absl::StatusOr<Verified> Read(const Keys& keys, const std::string& file,
                              std::vector<Member>* members = nullptr);

}  // namespace hizo::bundle

#endif  // HIZO_TESTS_SERVICE_BUNDLE_SAMPLE_H_
