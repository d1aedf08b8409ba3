#include "service/bundle/json_text.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace hizo::bundle {
namespace {

constexpr size_t kDepthMax = 40;

// Follows a document without keeping it.
class Strict : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool key(std::string& name) override {
    return keys_.back().insert(name).second;
  }
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool Enter() {
    keys_.emplace_back();
    return keys_.size() <= kDepthMax;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

// In the library's own spelling, so that what is read and written again is the
// same; without its copies, for there is one for every value. What needs no
// other spelling, which is nearly all, is taken in runs.
void AppendJsonString(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr std::string_view kNamed = "\b\t\n\f\r\"\\";
  constexpr std::string_view kNames = "btnfr\"\\";
  out.push_back('"');
  size_t run = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= ' ' && byte != '"' && byte != '\\') continue;
    out.append(text.substr(run, i - run));
    run = i + 1;
    const size_t named = kNamed.find(text[i]);
    if (named != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kNames[named]);
    } else {
      out.append("\\u00");
      out.push_back(kDigits[byte >> 4U]);
      out.push_back(kDigits[byte & 15U]);
    }
  }
  out.append(text.substr(run));
  out.push_back('"');
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

bool IsStrictJson(std::string_view text) {
  Strict strict;
  return nlohmann::json::sax_parse(text.begin(), text.end(), &strict);
}

}  // namespace hizo::bundle
