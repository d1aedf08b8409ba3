#include "crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "crypto/random.h"

namespace hizo::crypto {
namespace {

constexpr size_t kSlotSize = 32;
constexpr size_t kSlotsPerWord = 64;
constexpr size_t kWords = 3072;
constexpr size_t kSlabSize = kWords * kSlotsPerWord * kSlotSize;
constexpr uint64_t kFullWord = ~uint64_t{0};

[[noreturn]] void Die(const char* why) {
  std::fputs(why, stderr);
  std::abort();
}

// More than a word of slots is rounded up to whole words.
size_t SlotsFor(size_t size) {
  const size_t slots = (size + kSlotSize - 1) / kSlotSize;
  if (slots <= kSlotsPerWord) return slots;
  return (slots + kSlotsPerWord - 1) / kSlotsPerWord * kSlotsPerWord;
}

// The bits at which `slots` consecutive set bits of `free` begin.
uint64_t RunStarts(uint64_t free, size_t slots) {
  uint64_t starts = free;
  for (size_t have = 1; have < slots;) {
    const size_t step = std::min(have, slots - have);
    starts &= starts >> step;
    have += step;
  }
  return starts;
}

uint64_t LowBits(size_t count) { return kFullWord >> (kSlotsPerWord - count); }

// One sodium_malloc for all secrets, because each costs 25 us and a page of
// its own that mlock soon refuses. A bit per slot tells whether it is taken;
// free slots are all zero. Small runs grow from the bottom, blocks of whole
// words from the top, so that they do not splinter each other's space.
class Slab {
 public:
  Slab() : memory_(Allocate()) {
    // sodium_malloc locks too, but keeps to itself whether it could.
    locked_ = sodium_mlock(memory_.get(), kSlabSize) == 0;
    sodium_memzero(memory_.get(), kSlabSize);
  }

  uint8_t* Take(size_t size) {
    const size_t slots = SlotsFor(size);
    const std::lock_guard<std::mutex> lock(mutex_);
    used_ += slots;
    const size_t slot =
        slots <= kSlotsPerWord ? TakeRun(slots) : TakeWords(slots);
    return memory_.get() + slot * kSlotSize;
  }

  void Give(uint8_t* data, size_t size) {
    sodium_memzero(data, size);
    const size_t slots = SlotsFor(size);
    const size_t slot = static_cast<size_t>(data - memory_.get()) / kSlotSize;
    const size_t word = slot / kSlotsPerWord;
    const std::lock_guard<std::mutex> lock(mutex_);
    used_ -= slots;
    if (slots <= kSlotsPerWord) {
      taken_[word] &= ~(LowBits(slots) << slot % kSlotsPerWord);
    } else {
      std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(word),
                  slots / kSlotsPerWord, 0);
    }
    first_open_word_ = std::min(first_open_word_, word);
  }

  SlabStatus Status() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {kSlabSize, used_ * kSlotSize, locked_};
  }

 private:
  struct Free {
    void operator()(uint8_t* memory) const { sodium_free(memory); }
  };
  using Memory = std::unique_ptr<uint8_t, Free>;

  static Memory Allocate() {
    if (sodium_init() < 0) Die("hizo: libsodium does not start\n");
    Memory memory(static_cast<uint8_t*>(sodium_malloc(kSlabSize)));
    if (memory == nullptr) Die("hizo: no memory for secrets\n");
    return memory;
  }

  size_t TakeRun(size_t slots) {
    while (first_open_word_ < kWords && taken_[first_open_word_] == kFullWord) {
      ++first_open_word_;
    }
    for (size_t word = first_open_word_; word < kWords; ++word) {
      const uint64_t starts = RunStarts(~taken_[word], slots);
      if (starts == 0) continue;
      const auto bit = static_cast<size_t>(std::countr_zero(starts));
      taken_[word] |= LowBits(slots) << bit;
      return word * kSlotsPerWord + bit;
    }
    Die("hizo: the memory for secrets is exhausted\n");
  }

  size_t TakeWords(size_t slots) {
    const size_t words = slots / kSlotsPerWord;
    size_t open = 0;
    for (size_t word = kWords; word-- > 0;) {
      open = taken_[word] == 0 ? open + 1 : 0;
      if (open < words) continue;
      std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(word), words,
                  kFullWord);
      return word * kSlotsPerWord;
    }
    Die("hizo: the memory for secrets is exhausted\n");
  }

  Memory memory_;
  bool locked_ = false;
  std::mutex mutex_;
  std::array<uint64_t, kWords> taken_{};
  size_t first_open_word_ = 0;  // every word below it is full
  size_t used_ = 0;
};

// Never destroyed: secrets with static lifetime may outlive any destructor.
Slab& TheSlab() {
  static Slab& slab = *std::make_unique<Slab>().release();
  return slab;
}

}  // namespace

Secret::Secret(size_t size) : size_(size) {
  if (size == 0 || size > kSizeMax) Die("hizo: a secret of impossible size\n");
  data_ = TheSlab().Take(size);
}

Secret Secret::CopyOf(std::string_view bytes) {
  Secret secret(bytes.size());
  std::memcpy(secret.data_, bytes.data(), bytes.size());
  return secret;
}

Secret Secret::Random(size_t size) {
  Secret secret(size);
  FillRandom(secret.ExposeMutable());
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  Secret taken(std::move(other));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

Secret::~Secret() {
  if (data_ != nullptr) TheSlab().Give(data_, size_);
}

std::string_view Secret::Expose() const {
  return {reinterpret_cast<const char*>(data_), size_};
}

std::span<uint8_t> Secret::ExposeMutable() { return {data_, size_}; }

Key Key::Random(Suite suite) {
  Key key(suite);
  FillRandom(key.secret_.ExposeMutable());
  return key;
}

Key Key::CopyOf(std::string_view bytes, Suite suite) {
  if (bytes.size() != kSize) Die("hizo: a key of impossible size\n");
  Key key(suite);
  std::memcpy(key.mutable_data(), bytes.data(), kSize);
  return key;
}

Key Key::In(Suite suite) const { return CopyOf(Expose(), suite); }

const uint8_t* Key::data() const {
  return reinterpret_cast<const uint8_t*>(secret_.Expose().data());
}

uint8_t* Key::mutable_data() { return secret_.ExposeMutable().data(); }

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void WipeString(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

StackWipe::~StackWipe() {
  constexpr size_t kDepth = size_t{64} << 10;
  sodium_stackzero(kDepth);
}

void WipeStack() { const StackWipe wipe; }

SlabStatus GetSlabStatus() { return TheSlab().Status(); }

}  // namespace hizo::crypto
