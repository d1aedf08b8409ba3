// Reading a bundle that anybody may have made: decrypted, taken apart, and held
// against its signed manifest, with nothing but the signer's public key.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_READER_H_
#define HIZO_SERVICE_BUNDLE_READER_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/age.h"
#include "service/bundle/manifest.h"
#include "service/bundle/tar.h"

namespace hizo::bundle {

// Gives the next bytes of the encrypted file, "" at its end.
using Bytes = std::function<absl::StatusOr<std::string>()>;
// Takes a member as it comes. That the bundle is good is known only once
// ReadBundle has returned: whoever must not act on a bad one reads it twice. An
// error ends the reading.
using TakeMember = std::function<absl::Status(const Member&)>;

// What was read: the manifest, and the two members that prove it.
struct Verified {
  Manifest manifest;
  std::string manifest_json;
  std::string signature;
};

// A Refusal for what is not, to the byte, a bundle that the holder of
// `public_key` (minisign's) made; an error of `bytes` or `take` as it is.
// At most a member and the manifest are held.
absl::StatusOr<Verified> ReadBundle(const Bytes& bytes,
                                    crypto::AgeOpeners openers,
                                    std::string_view public_key,
                                    const TakeMember& take);

// The manifest, if `public_key` signed it.
absl::StatusOr<Manifest> OpenManifest(std::string_view manifest_json,
                                      std::string_view signature,
                                      std::string_view public_key);

// The records of one member, which `manifest` lists with this content; empty
// for one that holds none.
absl::StatusOr<std::vector<Record>> RecordsOf(const Manifest& manifest,
                                              const Member& member);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_READER_H_
