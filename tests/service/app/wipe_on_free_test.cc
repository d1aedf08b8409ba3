// Linked with what replaces free: memory that was given back, by whatever way
// and in whichever library, shows nothing of what it held.
#include <google/protobuf/wrappers.pb.h>
#include <grpc/slice.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hizo::app {
namespace {

constexpr char kMark = '\xA7';
constexpr size_t kLookedAtMax = 100'000;  // below what is mapped by itself
constexpr size_t kSizes[] = {1, 24, 25, 100, 1000, 1033, 5000, 60'000};

// Memory that is the allocator's now. Known by a number, so that the compiler
// does not see what is done here; looked at before anybody allocates again.
class Place {
 public:
  Place(const void* at, size_t size) : at_(Hidden(at)), size_(size) {}

  // How many marks are left, in runs: glibc links free blocks with addresses,
  // a byte of which may be any.
  size_t Marks() const {
    constexpr size_t kRunMin = 4;
    static std::array<char, kLookedAtMax> bytes;
    const volatile auto* const from = reinterpret_cast<const char*>(at_);
    for (size_t i = 0; i < size_; ++i) bytes[i] = from[i];
    size_t marks = 0;
    size_t run = 0;
    for (size_t i = 0; i < size_; ++i) {
      run = bytes[i] == kMark ? run + 1 : 0;
      if (run >= kRunMin) marks += run == kRunMin ? kRunMin : 1;
    }
    return marks;
  }
  bool Is(const void* at) const { return at_ == Hidden(at); }
  void* block() const { return reinterpret_cast<void*>(at_); }

 private:
  static uintptr_t Hidden(const void* at) {
    volatile uintptr_t hidden = reinterpret_cast<uintptr_t>(at);
    return hidden;
  }

  uintptr_t at_;
  size_t size_;
};

Place Marked(void* block, size_t size) {
  const Place place(block, size);
  // The compiler knows what was asked for, and would stop at its end.
  std::memset(place.block(), kMark, size);
  return place;
}

// All of a block, what was not asked for too.
Place AllMarked(void* block) {
  return Marked(block, malloc_usable_size(block));
}

class WipeOnFreeTest : public ::testing::Test {
 protected:
  // What was given back stays with the allocator, where it can be looked at.
  static void SetUpTestSuite() {
    ASSERT_EQ(mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()), 1);
  }
};

TEST_F(WipeOnFreeTest, TheTestSeesWhatIsNotWiped) {
  std::vector<char> kept(1000, kMark);
  EXPECT_GT(Place(kept.data(), kept.size()).Marks(), 900U);
}

TEST_F(WipeOnFreeTest, AfterEveryWayToAllocate) {
  for (const size_t size : kSizes) {
    SCOPED_TRACE(size);
    void* aligned = nullptr;
    ASSERT_EQ(posix_memalign(&aligned, 64, size), 0);
    for (void* const block :
         {std::malloc(size), std::calloc(1, size), std::realloc(nullptr, size),
          std::aligned_alloc(256, size), memalign(4096, size), valloc(size),
          reallocarray(nullptr, 1, size), aligned}) {
      ASSERT_NE(block, nullptr);
      const Place place = AllMarked(block);
      std::free(block);
      EXPECT_EQ(place.Marks(), 0U);
    }
  }
}

TEST_F(WipeOnFreeTest, NothingMayBeFreed) {
  std::free(nullptr);
  EXPECT_EQ(std::realloc(std::malloc(100), 0), nullptr);
}

struct alignas(256) Aligned {
  std::array<char, 512> bytes;
};

TEST_F(WipeOnFreeTest, AfterEveryDelete) {
  for (const size_t size : kSizes) {
    SCOPED_TRACE(size);
    auto array = std::make_unique<char[]>(size);
    const Place place = Marked(array.get(), size);
    array.reset();
    EXPECT_EQ(place.Marks(), 0U);
    void* const sized = ::operator new(size);
    const Place sized_place = Marked(sized, size);
    ::operator delete(sized, size);
    EXPECT_EQ(sized_place.Marks(), 0U);
  }
  auto aligned = std::make_unique<Aligned>();
  const Place place = Marked(aligned.get(), sizeof(Aligned));
  aligned.reset();
  EXPECT_EQ(place.Marks(), 0U);
}

TEST_F(WipeOnFreeTest, WhenAStringOrAVectorGrows) {
  std::string text(1000, kMark);
  const Place place(text.data(), text.size());
  text.append(100'000, kMark);
  ASSERT_FALSE(place.Is(text.data()));
  EXPECT_EQ(place.Marks(), 0U);
  std::vector<std::string> texts = {std::string(10, kMark)};
  const Place small(texts.data(), sizeof(std::string));
  texts.reserve(1000);
  EXPECT_EQ(small.Marks(), 0U);
}

TEST_F(WipeOnFreeTest, WhenABlockMovesToGrow) {
  for (const size_t size : kSizes) {
    SCOPED_TRACE(size);
    void* const block = std::malloc(size);
    const Place place = Marked(block, size);
    void* const grown = std::realloc(block, size + 200'000);
    ASSERT_NE(grown, nullptr);
    EXPECT_FALSE(place.Is(grown));
    EXPECT_EQ(place.Marks(), 0U);
    EXPECT_EQ(std::count(static_cast<char*>(grown),
                         static_cast<char*>(grown) + size, kMark),
              static_cast<ptrdiff_t>(size));
    std::free(grown);
  }
}

TEST_F(WipeOnFreeTest, WhatIsCutOffWhenABlockShrinks) {
  for (const size_t size : {2000U, 60'000U}) {
    void* const block = std::malloc(size);
    const Place place = AllMarked(block);
    void* const shrunk = std::realloc(block, 100);
    ASSERT_TRUE(place.Is(shrunk));
    EXPECT_EQ(place.Marks(), 100U);
    std::free(shrunk);
    EXPECT_EQ(place.Marks(), 0U);
  }
}

TEST_F(WipeOnFreeTest, KeepsABlockThatHasRoom) {
  void* const block = std::malloc(100);
  const Place place = Marked(block, 100);
  void* const same = std::realloc(block, 102);
  EXPECT_TRUE(place.Is(same));
  EXPECT_EQ(place.Marks(), 100U);
  std::free(same);
}

TEST_F(WipeOnFreeTest, LargeBlocksKeepTheirBytesWhenTheyMove) {
  size_t size = 1000;
  auto* block = static_cast<char*>(std::malloc(size));
  std::memset(block, kMark, size);
  while (size < 50'000'000) {
    block = static_cast<char*>(std::realloc(block, size * 3));
    ASSERT_NE(block, nullptr);
    std::memset(block + size, kMark, size * 2);
    size *= 3;
  }
  while (size > 1000) {
    size /= 3;
    block = static_cast<char*>(std::realloc(block, size));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(std::count(block, block + size, kMark),
              static_cast<ptrdiff_t>(size));
  }
  std::free(block);
}

TEST_F(WipeOnFreeTest, WhatCannotGrowStaysAsItIs) {
  void* const block = std::malloc(100);
  const Place place = Marked(block, 100);
  // As much as there can never be, and not known to the compiler.
  volatile size_t too_much = SIZE_MAX / 2;
  EXPECT_EQ(std::realloc(block, too_much), nullptr);
  EXPECT_EQ(place.Marks(), 100U);
  std::free(place.block());
}

// Each of them frees in code of its own shared object.

TEST_F(WipeOnFreeTest, InsideOpenSsl) {
  void* const block = OPENSSL_malloc(1000);
  const Place place = Marked(block, 1000);
  OPENSSL_free(block);
  EXPECT_EQ(place.Marks(), 0U);
  void* const moving = OPENSSL_malloc(1000);
  const Place before = Marked(moving, 1000);
  void* const moved = OPENSSL_realloc(moving, 100'000);
  EXPECT_FALSE(before.Is(moved));
  EXPECT_EQ(before.Marks(), 0U);
  OPENSSL_free(moved);
}

TEST_F(WipeOnFreeTest, InsideGrpc) {
  grpc_slice slice = grpc_slice_malloc(8192);
  const Place place = Marked(GRPC_SLICE_START_PTR(slice), 8192);
  grpc_slice_unref(slice);
  EXPECT_EQ(place.Marks(), 0U);
}

TEST_F(WipeOnFreeTest, InsideProtobuf) {
  auto message = std::make_unique<google::protobuf::StringValue>();
  message->set_value(std::string(1000, kMark));
  const Place place(message->value().data(), 1000);
  message.reset();
  EXPECT_EQ(place.Marks(), 0U);
}

TEST_F(WipeOnFreeTest, InsideRocksDb) {
  auto batch = std::make_unique<rocksdb::WriteBatch>();
  ASSERT_TRUE(batch->Put("key", std::string(1000, kMark)).ok());
  const Place place(batch->Data().data(), batch->GetDataSize());
  ASSERT_GT(place.Marks(), 900U);
  batch.reset();
  EXPECT_EQ(place.Marks(), 0U);
}

TEST_F(WipeOnFreeTest, ThreadsKeepTheirBlocks) {
  const auto work = [](char mark) {
    std::vector<std::pair<char*, size_t>> blocks(64);
    for (size_t i = 0; i < 20'000; ++i) {
      auto& [block, size] = blocks[i * 7 % blocks.size()];
      ASSERT_EQ(std::count(block, block + size, mark),
                static_cast<ptrdiff_t>(size));
      if (i % 3 == 0) {
        std::free(block);
        block = nullptr;
      }
      size = 1 + i * 131 % 3000;
      block = static_cast<char*>(std::realloc(block, size));
      std::memset(block, mark, size);
    }
    for (const auto& [block, size] : blocks) std::free(block);
  };
  const std::jthread first(work, 'a');
  const std::jthread second(work, 'b');
  work('c');
}

TEST_F(WipeOnFreeTest, WhatOneThreadTookAnotherMayFree) {
  void* const block = std::malloc(1000);
  const Place place = AllMarked(block);
  std::thread([block] { std::free(block); }).join();
  EXPECT_EQ(place.Marks(), 0U);
}

}  // namespace
}  // namespace hizo::app
