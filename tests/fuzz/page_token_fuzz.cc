// Hostile text as a page token, and honest tokens that were altered.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/reason.h"
#include "service/vault/page_token.h"
#include "tests/fuzz/require.h"

namespace hizo::vault {
namespace {

using base::Reason;
using fuzz::Require;

constexpr char kQuery[] = "query";

class Tokens {
 public:
  Tokens()
      : call_{
            principal_, tenant_, policy::Action::kRecordList,           1, true,
            {},         {},      base::Timestamp(std::chrono::hours(1))} {
    principal_.spiffe_id = "spiffe://a/b";
  }

  std::string Seal(std::string_view position) const {
    return SealPageToken(key_, call_, kQuery, position);
  }
  // The position; fails but for a reason.
  absl::StatusOr<std::string> Open(std::string_view token) const {
    auto position = OpenPageToken(key_, call_, kQuery, token);
    Require(position.ok() ||
                base::ReasonOf(position.status()) == Reason::kPageTokenInvalid,
            "one reason refuses a token");
    return position;
  }

 private:
  const crypto::Key key_ = crypto::Key::Random();
  policy::Principal principal_;
  const policy::TenantSpec tenant_;
  Call call_;
};

void Run(std::string_view bytes) {
  static const Tokens tokens;
  Require(!tokens.Open(bytes).ok(), "nobody makes a token up");
  const std::string token = tokens.Seal(bytes);
  const auto position = tokens.Open(token);
  Require(position.ok() && *position == bytes, "a token says where it was");
  if (bytes.size() < 2) return;
  // The first two bytes say which character becomes what.
  std::string altered = token;
  char& letter = altered[static_cast<uint8_t>(bytes[0]) % altered.size()];
  if (letter == bytes[1]) return;
  letter = bytes[1];
  Require(!tokens.Open(altered).ok(), "an altered token is refused");
  Require(!tokens.Open(token.substr(0, token.size() - 1)).ok(),
          "a cut token is refused");
  Require(!tokens.Open(token + bytes[1]).ok(), "so is a longer one");
}

}  // namespace
}  // namespace hizo::vault

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::vault::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
