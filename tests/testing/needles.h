// Needles: byte strings that must not be somewhere, looked for all at once.
//
//   Needles needles;
//   needles.Add("name of Ann", "Ann Other");
//   needles.FindIn(ReadFile(log));        // {"name of Ann"} if it is there
//
// A search costs about as much for ten thousand of them as for one: files and
// whole memories of processes can be gone through. What is found is told by
// name, so that the failure of a test shows no more than the test knows.
//
// Threads: const methods may be called concurrently.
#ifndef HIZO_TESTS_TESTING_NEEDLES_H_
#define HIZO_TESTS_TESTING_NEEDLES_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hizo::test {

class Needles {
 public:
  static constexpr size_t kSizeMin = 8;

  Needles();
  // `bytes` are at least kSizeMin (throws otherwise); several may have a name.
  void Add(std::string name, std::string_view bytes);
  // Adds `text` in the forms in which a program may have it: as it is, in
  // lower and upper case, as hexadecimal digits, base64 and UTF-16. Each piece
  // of kSizeMin characters counts: what is left of a value is found, too.
  void AddText(const std::string& name, const std::string& text);

  std::set<std::string> FindIn(std::string_view bytes) const;
  size_t size() const { return needles_.size(); }
  size_t longest() const { return longest_; }

 private:
  struct Needle {
    size_t name;
    std::string bytes;
  };
  void AddPieces(const std::string& name, std::string_view text, size_t size);

  std::vector<std::string> names_;
  std::unordered_map<std::string, size_t> name_numbers_;
  std::vector<Needle> needles_;
  size_t longest_ = 0;
  // By the first kSizeMin bytes, and before that a bit for their hash.
  std::unordered_multimap<uint64_t, size_t> by_start_;
  std::vector<uint64_t> may_start_;
};

}  // namespace hizo::test

#endif  // HIZO_TESTS_TESTING_NEEDLES_H_
