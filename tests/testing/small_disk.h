// SmallDisk: a disk of its own below a directory, which can be filled up and
// made read-only. It is seen by this process and its children only.
//
// Mounting is for root; see Permitted. Threads: one thread at a time.
#ifndef HIZO_TESTS_TESTING_SMALL_DISK_H_
#define HIZO_TESTS_TESTING_SMALL_DISK_H_

#include <cstddef>
#include <filesystem>

namespace hizo::test {

class SmallDisk {
 public:
  // Whether this process may mount; if not, the test must be skipped.
  static bool Permitted();

  // Puts the disk where `directory` is, and what lies there on it. Throws if
  // it cannot.
  SmallDisk(std::filesystem::path directory, size_t megabytes);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  // Until Free, no more than `left` bytes are.
  void Fill(size_t left);
  void Free();
  // Only while nobody has a file open for writing.
  void MakeReadOnly();
  void MakeWritable();

 private:
  void Remount(unsigned long flags);
  const std::filesystem::path directory_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_SMALL_DISK_H_
