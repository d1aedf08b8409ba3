// Matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(engine.Commit(batch), IsOk());
//   EXPECT_THAT(Decode(bytes), StatusIs(absl::StatusCode::kDataLoss));
//   EXPECT_THAT(ParsePort("80"), IsOkAndHolds(80));
//   EXPECT_THAT(vault.Get(request), HasReason(base::Reason::kRecordNotFound));
#ifndef HIZO_TESTS_TESTING_STATUS_MATCHERS_H_
#define HIZO_TESTS_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "service/base/reason.h"

namespace hizo::test {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << "whose status is " << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code,
          std::string(negation ? "has no" : "has") + " status " +
              absl::StatusCodeToString(code)) {
  *result_listener << "whose status is " << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

MATCHER_P(HasReason, reason,
          std::string(negation ? "has not" : "has") + " the reason " +
              std::string(base::NameOf(reason))) {
  *result_listener << "whose status is " << StatusOf(arg).ToString()
                   << " and whose reason is "
                   << base::NameOf(base::ReasonOf(StatusOf(arg)));
  return base::ReasonOf(StatusOf(arg)) == reason;
}

MATCHER_P(
    IsOkAndHolds, value,
    std::string(negation ? "is not OK or holds nothing that "
                         : "is OK and holds a value that ") +
        ::testing::DescribeMatcher<typename std::decay_t<arg_type>::value_type>(
            value)) {
  if (!arg.ok()) {
    *result_listener << "whose status is " << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_STATUS_MATCHERS_H_
