#include "service/vault/page_token.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "service/base/reason.h"
#include "service/vault/byte_codec.h"

namespace hizo::vault {
namespace {

using base::Fail;
using base::Reason;

constexpr size_t kTokenSizeMax = 1024;

std::string AssociatedData(const Call& call, std::string_view query) {
  ByteWriter out;
  out.PutText("hizo/page/v1")
      .PutText(call.principal.spiffe_id)
      .Put(static_cast<uint32_t>(call.tenant.id))
      .Put(static_cast<uint8_t>(call.action))
      .Put(call.purpose)
      .PutText(query);
  return std::move(out).Take();
}

}  // namespace

absl::StatusOr<size_t> PageSize(int32_t asked, const PageBounds& bounds) {
  if (asked < 0) return Fail(Reason::kValueInvalid);
  if (asked == 0) return bounds.standard;
  return std::min(static_cast<size_t>(asked), bounds.max);
}

std::string SealPageToken(const crypto::Key& key, const Call& call,
                          std::string_view query, std::string_view position) {
  ByteWriter plain;
  plain.Put(static_cast<uint64_t>(base::ToMicros(call.now))).PutRaw(position);
  return absl::WebSafeBase64Escape(
      crypto::Seal(key, AssociatedData(call, query), std::move(plain).Take()));
}

absl::StatusOr<std::string> OpenPageToken(const crypto::Key& key,
                                          const Call& call,
                                          std::string_view query,
                                          std::string_view token) {
  std::string sealed;
  // Padding, line breaks and unused bits would be other spellings.
  if (token.size() > kTokenSizeMax ||
      !absl::WebSafeBase64Unescape({token.data(), token.size()}, &sealed) ||
      absl::WebSafeBase64Escape(sealed) != token) {
    return Fail(Reason::kPageTokenInvalid);
  }
  const auto opened = crypto::Open(key, AssociatedData(call, query), sealed);
  if (!opened.ok()) return Fail(Reason::kPageTokenInvalid);
  ByteReader in(*opened);
  const auto made = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
  if (!in.ok() || call.now > made + kPageTokenLife || call.now < made) {
    return Fail(Reason::kPageTokenInvalid);
  }
  return std::string(in.GetRest());
}

}  // namespace hizo::vault
