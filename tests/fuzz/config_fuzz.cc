// Hostile text as each of the files that an operator writes: configuration,
// catalogue, access, policy. Refused with a line, or taken whole; never a
// crash, and never at more cost than its size.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/config.h"
#include "service/app/policy_file.h"
#include "service/app/yaml_reader.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/policy/company_policy.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch_file.h"

namespace hizo::app {
namespace {

using fuzz::Require;

void CheckRefusal(const absl::Status& status) {
  Require(status.ok() || absl::IsInvalidArgument(status) ||
              absl::IsNotFound(status),
          "two statuses refuse a file");
}

size_t CountValues(const YamlValue& value) {
  size_t count = 1;
  for (const YamlValue& item : value.items) count += CountValues(item);
  return count;
}

const policy::Catalogue& ShippedCatalogue() {
  static const auto catalogue = [] {
    auto source = ReadCatalogue(HIZO_SOURCE_DIR "/deploy/catalogue.yaml");
    Require(source.ok(), "the shipped catalogue is good");
    auto made = policy::Catalogue::Create(*std::move(source));
    Require(made.ok(), "the shipped catalogue makes sense");
    return *std::move(made);
  }();
  return *catalogue;
}

void Run(std::string_view bytes) {
  static const fuzz::ScratchFile file;
  const auto& path = file.Holding(bytes);
  const auto yaml = ParseYaml(std::string(bytes), "text");
  CheckRefusal(yaml.status());
  Require(!yaml.ok() || CountValues(*yaml) <= bytes.size() + 1,
          "a text holds no more values than letters");
  CheckRefusal(LoadConfig(path, {}).status());
  auto catalogue = ReadCatalogue(path);
  CheckRefusal(catalogue.status());
  if (catalogue.ok()) {
    CheckRefusal(policy::Catalogue::Create(*std::move(catalogue)).status());
  }
  const auto access = ReadAccess(path);
  CheckRefusal(access.status());
  if (access.ok()) {
    CheckRefusal(
        policy::AccessTable::Create(*access, ShippedCatalogue()).status());
  }
  const auto policy_of = [](const std::string& profile,
                            const std::string& statutory,
                            const std::string& overlay) {
    const auto read = ReadPolicy({profile, statutory, overlay});
    CheckRefusal(read.status());
    if (!read.ok()) return;
    CheckRefusal(
        policy::CompanyPolicy::Create(*read, ShippedCatalogue()).status());
  };
  const std::string folder = HIZO_SOURCE_DIR "/deploy/policies/";
  const std::string profile = folder + "i7relay.yaml";
  const std::string statutory = folder + "statutory_overlay.yaml";
  policy_of(path, statutory, folder + "operator/i7relay.yaml");
  policy_of(profile, path, folder + "operator/i7relay.yaml");
  policy_of(profile, statutory, path);
  Require(yaml.ok() || (!catalogue.ok() && !access.ok()),
          "what is no map is no file of ours");
}

}  // namespace
}  // namespace hizo::app

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::app::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
