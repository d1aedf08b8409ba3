// Lent: objects that are dear to make, such as OpenSSL's contexts, kept by each
// thread for the next who needs one. For the units of crypto/ only.
//
// Whoever gives one back has wiped it. Threads: may be called concurrently; an
// object may be given back by another thread than took it.
#ifndef HIZO_CRYPTO_LENT_H_
#define HIZO_CRYPTO_LENT_H_

#include <memory>
#include <utility>
#include <vector>

namespace hizo::crypto {

template <typename T>
class Lent {
 public:
  static std::unique_ptr<T> Take() {
    if (Idle().empty()) return std::make_unique<T>();
    std::unique_ptr<T> object = std::move(Idle().back());
    Idle().pop_back();
    return object;
  }
  static void GiveBack(std::unique_ptr<T> object) {
    Idle().push_back(std::move(object));
  }

 private:
  static std::vector<std::unique_ptr<T>>& Idle() {
    thread_local std::vector<std::unique_ptr<T>> idle;
    return idle;
  }
};

}  // namespace hizo::crypto

#endif  // HIZO_CRYPTO_LENT_H_
