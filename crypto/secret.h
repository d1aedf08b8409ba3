// Secret bytes: keys, passwords, what they are derived from.
//
// A Secret lives in one slab of memory that is locked against swapping, left
// out of core dumps and guarded at both ends; it is wiped when it dies. It can
// be moved but not copied, printed, hashed or compared by accident: its bytes
// are reached only through `Expose`, which can be searched for.
//
// Threads: distinct objects may be used concurrently; one object as any value
// type. Lifetime: the slab is made at first use and lives as long as the
// process.
#ifndef HIZO_CRYPTO_SECRET_H_
#define HIZO_CRYPTO_SECRET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "crypto/suite.h"

namespace hizo::crypto {

// Secret is a fixed number of bytes in the locked slab, zeroed at birth.
class Secret {
 public:
  static constexpr size_t kSizeMax = 16 * 1024;

  // Makes a secret of `size` bytes, 1 to kSizeMax. Aborts if the slab is
  // exhausted: what is alive at once is bounded by threads and queue lengths,
  // so that exhaustion is a bug and never an answer to input.
  explicit Secret(size_t size);
  static Secret CopyOf(std::string_view bytes);
  static Secret Random(size_t size);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  size_t size() const { return size_; }
  std::string_view Expose() const;
  std::span<uint8_t> ExposeMutable();

  bool operator==(const Secret&) const = delete;

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};
std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Key is a Secret of 32 bytes and the suite that it is used in.
class Key {
 public:
  static constexpr size_t kSize = 32;

  // All zero; to be filled through mutable_data.
  explicit Key(Suite suite = kFirstSuite) : secret_(kSize), suite_(suite) {}
  static Key Random(Suite suite = kFirstSuite);
  // `bytes` must be kSize long; anything else aborts.
  static Key CopyOf(std::string_view bytes, Suite suite = kFirstSuite);
  // A second copy of the same key, made on purpose.
  Key Clone() const { return In(suite_); }
  // The same bytes as a key of `suite`: for seeds, from which keys of either
  // suite are derived and which seal nothing themselves.
  Key In(Suite suite) const;

  Suite suite() const { return suite_; }
  std::string_view Expose() const { return secret_.Expose(); }
  const uint8_t* data() const;
  uint8_t* mutable_data();

  bool operator==(const Key&) const = delete;

 private:
  Secret secret_;
  Suite suite_;
};
std::ostream& operator<<(std::ostream&, const Key&) = delete;

// ConstantTimeEquals compares without telling by its time where they differ.
// Different lengths are unequal; the lengths themselves are not hidden.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

// WipeString overwrites the characters of `text` and empties it.
void WipeString(std::string& text);

// StackWipe overwrites, at its end, what the functions that were called in its
// scope left on this thread's stack: whole keys can lie there in registers that
// were saved for a call. For threads that open keys and are idle afterwards;
// others write over their stacks soon.
class StackWipe {
 public:
  StackWipe() = default;
  StackWipe(const StackWipe&) = delete;
  StackWipe& operator=(const StackWipe&) = delete;
  ~StackWipe();
};

// WipeStack overwrites what earlier calls have left below its caller's frame.
void WipeStack();

// How the slab is doing.
struct SlabStatus {
  size_t capacity_bytes;
  size_t used_bytes;
  bool locked;  // false: the system refused mlock; secrets may reach swap
};
SlabStatus GetSlabStatus();

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_SECRET_H_
