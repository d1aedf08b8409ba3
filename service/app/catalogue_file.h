// The catalogue as a file: deploy/catalogue.yaml shows and explains the form.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_CATALOGUE_FILE_H_
#define HIZO_SERVICE_APP_CATALOGUE_FILE_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "service/policy/catalogue.h"

namespace hizo::app {

// Reads `file`. kNotFound if it is missing; kInvalidArgument with file and line
// for unknown keys, names and purposes, wrong types and missing parts. Whether
// it makes sense as a whole is for policy::Catalogue::Create to say.
absl::StatusOr<policy::CatalogueSource> ReadCatalogue(
    const std::filesystem::path& file);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_CATALOGUE_FILE_H_
