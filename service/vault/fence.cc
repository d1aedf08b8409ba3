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
  if (fence.stage == FenceStage::kSealed) {
    out.Put(fence.epoch);
  } else {
    if (fence.stage == FenceStage::kInGrace) {
      out.Put(static_cast<uint64_t>(base::ToMicros(fence.due)));
    }
    out.PutRaw(fence.deks);
  }
  return std::move(out).Take();
}

absl::StatusOr<Fence> DecodeFence(std::string_view bytes) {
  ByteReader in(bytes);
  const auto format = in.Get<uint8_t>();
  Fence fence;
  fence.stage = static_cast<FenceStage>(in.Get<uint8_t>());
  if (fence.stage == FenceStage::kSealed) {
    fence.epoch = in.Get<uint64_t>();
  } else {
    if (fence.stage == FenceStage::kInGrace) {
      fence.due = base::FromMicros(static_cast<int64_t>(in.Get<uint64_t>()));
    }
    fence.deks = in.GetRest();
  }
  const bool known =
      fence.stage >= FenceStage::kFenced && fence.stage <= FenceStage::kInGrace;
  if (!in.done() || format != kFormat || !known) {
    return absl::DataLossError("a fence in the keys store is damaged");
  }
  return fence;
}

}  // namespace hizo::vault
