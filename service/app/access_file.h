// Who may do what, as a file: deploy/access.example.yaml shows and explains the
// form.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_ACCESS_FILE_H_
#define HIZO_SERVICE_APP_ACCESS_FILE_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "service/policy/access_table.h"

namespace hizo::app {

// Reads `file`. kNotFound if it is missing; kInvalidArgument with file and line
// for unknown keys, wrong types and missing parts. Whether the names in it
// exist is for policy::AccessTable::Create to say.
absl::StatusOr<policy::AccessSource> ReadAccess(
    const std::filesystem::path& file);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_ACCESS_FILE_H_
