// Tar headers as an attacker writes them.
#ifndef HIZO_TESTS_SERVICE_BUNDLE_RAW_TAR_H_
#define HIZO_TESTS_SERVICE_BUNDLE_RAW_TAR_H_

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace hizo::bundle {

struct RawEntry {
  std::string path = {};
  std::string content = {};
  char type = '0';
  std::string link = {};
  std::string size = {};  // octal; that of the content if empty
  std::string mode = "000644 ";
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
};

// Header, as libarchive spells it, and padded content.
inline std::string RawMember(const RawEntry& entry) {
  std::string header(512, '\0');
  const auto put = [&header](size_t at, std::string_view text, size_t max) {
    header.replace(at, std::min(text.size(), max),
                   std::string(text.substr(0, max)));
  };
  char octal[16];
  std::snprintf(octal, sizeof octal, "%011zo ", entry.content.size());
  put(0, entry.path, 100);
  put(100, entry.mode, 7);
  put(108, "000000 ", 7);
  put(116, "000000 ", 7);
  put(124, entry.size.empty() ? octal : entry.size, 12);
  put(136, "14524770400 ", 12);
  header.replace(148, 8, 8, ' ');
  header[156] = entry.type;
  put(157, entry.link, 100);
  put(257, entry.magic, 8);
  put(329, "000000 ", 7);
  put(337, "000000 ", 7);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(octal, sizeof octal, "%06o", sum);
  put(148, std::string(octal, 6) + std::string("\0 ", 2), 8);
  std::string padded = entry.content;
  padded.resize((padded.size() + 511) / 512 * 512, '\0');
  return header + padded;
}

}  // namespace hizo::bundle

#endif  // HIZO_TESTS_SERVICE_BUNDLE_RAW_TAR_H_
