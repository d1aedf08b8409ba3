#include "service/vault/json_check.h"

#include <nlohmann/json.hpp>

namespace hizo::vault {

bool IsJsonDocument(std::string_view text) {
  return nlohmann::json::accept(text.begin(), text.end());
}

}  // namespace hizo::vault
