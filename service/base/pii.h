// Pii: a value that came from a person.
//
// It cannot be printed, formatted, compared or copied by accident, and is
// overwritten when it dies. `Reveal` shows it, `Clone` copies it: both can be
// searched for. Threads: as any value type.
#ifndef HIZO_SERVICE_BASE_PII_H_
#define HIZO_SERVICE_BASE_PII_H_

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace hizo::base {

class Pii {
 public:
  Pii() = default;
  explicit Pii(std::string text) : text_(std::move(text)) {}
  Pii(Pii&& other) noexcept : text_(std::move(other.text_)) { other.Wipe(); }
  Pii& operator=(Pii&& other) noexcept {
    if (this != &other) {
      Wipe();
      text_ = std::move(other.text_);
      other.Wipe();
    }
    return *this;
  }
  Pii(const Pii&) = delete;
  Pii& operator=(const Pii&) = delete;
  ~Pii() { Wipe(); }

  Pii Clone() const { return Pii(text_); }
  std::string_view Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  size_t size() const { return text_.size(); }

  bool operator==(const Pii&) const = delete;

 private:
  void Wipe();  // overwrites all of the buffer, small-string buffer included
  std::string text_;
};
std::ostream& operator<<(std::ostream&, const Pii&) = delete;

}  // namespace hizo::base

#endif  // HIZO_SERVICE_BASE_PII_H_
