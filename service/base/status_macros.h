// RETURN_IF_ERROR and ASSIGN_OR_RETURN: the only two ways an error goes up.
#ifndef HIZO_SERVICE_BASE_STATUS_MACROS_H_
#define HIZO_SERVICE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define HIZO_MACRO_CONCAT_INNER(a, b) a##b
#define HIZO_MACRO_CONCAT(a, b) HIZO_MACRO_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                                   \
  do {                                                          \
    if (absl::Status hizo_status = (expr); !hizo_status.ok()) { \
      return hizo_status;                                       \
    }                                                           \
  } while (false)

#define ASSIGN_OR_RETURN(lhs, expr) \
  HIZO_ASSIGN_OR_RETURN_IMPL(HIZO_MACRO_CONCAT(hizo_or_, __LINE__), lhs, expr)
#define HIZO_ASSIGN_OR_RETURN_IMPL(status_or, lhs, expr) \
  auto status_or = (expr);                               \
  if (!status_or.ok()) return status_or.status();        \
  lhs = *std::move(status_or)

#endif  // HIZO_SERVICE_BASE_STATUS_MACROS_H_
