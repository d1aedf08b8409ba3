// Writer: makes a bundle, member by member: tar into age, hashed and signed on
// the way. There is no plaintext bundle: what comes out is encrypted.
//
// What is held is one member, one chunk of age and the list of members, however
// large the bundle is. Threads: one object from one thread at a time.
#ifndef HIZO_SERVICE_BUNDLE_WRITER_H_
#define HIZO_SERVICE_BUNDLE_WRITER_H_

#include <string>
#include <string_view>

#include "crypto/age.h"
#include "crypto/minisign.h"
#include "service/bundle/manifest.h"

namespace hizo::bundle {

class Writer {
 public:
  Writer(crypto::AgeWriter age, About about);
  Writer(Writer&&) = default;
  Writer& operator=(Writer&&) = default;

  // A second one that goes on from here; of the output of the two, only one's
  // may ever be given away.
  Writer Clone() const;

  // Adds a member; appends to `out` what of the bundle is settled by now.
  // `name` is IsMemberName and new, `content` at most kMemberSizeMax.
  void Add(std::string_view name, std::string_view content, Kind kind,
           std::string& out);
  // Adds manifest and signature and ends the bundle. Returns a signature of
  // all that came out, for whoever passes the bundle on.
  std::string Finish(const crypto::MinisignSigner& signer, std::string& out);

  Manifest& manifest() { return manifest_; }
  const Manifest& manifest() const { return manifest_; }

 private:
  void Append(std::string_view name, std::string_view content,
              std::string& out);
  crypto::AgeWriter age_;
  crypto::MinisignHash hash_;
  Manifest manifest_;
};

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_WRITER_H_
