// Manifest: what is in a bundle, byte for byte, and where it comes from. It is
// what the bundle's signature is of, and the last member but that.
//
// Threads: value types.
#ifndef HIZO_SERVICE_BUNDLE_MANIFEST_H_
#define HIZO_SERVICE_BUNDLE_MANIFEST_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/bundle/person.h"

namespace hizo::bundle {

inline constexpr char kManifestName[] = "manifest.json";
inline constexpr char kSignatureName[] = "manifest.json.minisig";
inline constexpr char kFormat[] = "hizo-bundle/1";

// What a member is: an importer takes records and leaves the rest to people.
enum class Kind : uint8_t { kProfile = 1, kSeries = 2, kOther = 3 };

struct Listed {
  std::string name;
  uint64_t size = 0;
  std::string sha256;  // 64 hexadecimal digits
  Kind kind = Kind::kOther;
};

struct Manifest {
  About about;
  // How many records there are of each class.
  std::map<std::string, uint64_t> records;
  // How many values there are of each source other than the person.
  std::map<std::string, uint64_t> sources;
  std::vector<Withheld> withheld;
  std::vector<Listed> members;  // in the order of the archive

  std::string folder() const { return "hizo-bundle-" + about.id; }
};

std::string ToJson(const Manifest& manifest);
// A Refusal for anything that ToJson does not write.
absl::StatusOr<Manifest> ParseManifest(std::string_view json);

// kUnproved unless the checkpoint is a head of the log of that origin, signed
// by its key, and the proof, if there is one, shows its entry in it.
absl::Status CheckAudit(const About& about);

// Whether `content` is what `listed` says.
bool IsOf(const Listed& listed, std::string_view content);
Listed ListedOf(std::string name, std::string_view content, Kind kind);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_MANIFEST_H_
