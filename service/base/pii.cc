#include "service/base/pii.h"

#include <cstring>

namespace hizo::base {

void Pii::Wipe() {
  // A moved-from string still holds its text in the small-string buffer, past
  // its size of 0: growing to the capacity, which never reallocates, makes all
  // of it ours to overwrite.
  text_.resize(text_.capacity());
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace hizo::base
