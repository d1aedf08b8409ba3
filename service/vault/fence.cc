#include "service/vault/fence.h"

#include <utility>

#include "absl/status/status.h"
#include "service/vault/byte_codec.h"

namespace hizo::vault {
namespace {

constexpr uint8_t kFormat = 1;

}  // namespace

std::string EncodeFence(const Fence& fence) {
  ByteWriter out;
  out.Put(kFormat).Put(static_cast<uint8_t>(fence.stage));
  if (fence.stage == FenceStage::kFenced) {
    out.PutRaw(fence.deks);
  } else {
    out.Put(fence.epoch);
  }
  return std::move(out).Take();
}

absl::StatusOr<Fence> DecodeFence(std::string_view bytes) {
  ByteReader in(bytes);
  const auto format = in.Get<uint8_t>();
  Fence fence;
  fence.stage = static_cast<FenceStage>(in.Get<uint8_t>());
  if (fence.stage == FenceStage::kFenced) {
    fence.deks = in.GetRest();
  } else {
    fence.epoch = in.Get<uint64_t>();
  }
  const bool known =
      fence.stage == FenceStage::kFenced || fence.stage == FenceStage::kSealed;
  if (!in.done() || format != kFormat || !known) {
    return absl::DataLossError("a fence in the keys store is damaged");
  }
  return fence;
}

}  // namespace hizo::vault
