// Overwrites memory as it is given back, for the whole process that this file
// is linked into: values of people pass through strings and buffers of gRPC,
// Protobuf and OpenSSL that nobody can ask to clean up, and freed memory keeps
// what it held until it is used again.
//
// A free of the executable takes the place of glibc's in every shared library
// too, and operator delete ends in it. Only free and realloc give memory back;
// what allocates is left as it is. To be linked as an object, not from an
// archive, where glibc's would be found first.
//
// Threads: as malloc's.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

// Of glibc, under the names that it exports beside those replaced here.
extern "C" void GlibcFree(void* block) __asm__("__libc_free");
extern "C" void* GlibcRealloc(void* block,
                              size_t size) __asm__("__libc_realloc");

namespace {

// To its very end: a block is mostly larger than what was asked for, and what
// was there before shows how much its user knew.
void Wipe(void* block, size_t from, size_t until) {
  explicit_bzero(static_cast<char*>(block) + from, until - from);
}

}  // namespace

extern "C" void free(void* block) {
  if (block == nullptr) return;
  Wipe(block, 0, malloc_usable_size(block));
  GlibcFree(block);
}

extern "C" void* realloc(void* block, size_t size) {
  if (block == nullptr) return std::malloc(size);
  if (size == 0) {
    std::free(block);
    return nullptr;
  }
  const size_t usable = malloc_usable_size(block);
  if (size <= usable) {
    // Stays where it is; what is cut off is given back unseen by free.
    Wipe(block, size, usable);
    return GlibcRealloc(block, size);
  }
  // Left to glibc, a block that must move would leave its bytes behind.
  void* const moved = std::malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, usable);
  std::free(block);
  return moved;
}
