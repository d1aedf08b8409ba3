#include "service/cli/output.h"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include "absl/strings/str_format.h"

namespace hizo::cli {
namespace {

constexpr size_t kColumnGap = 2;

// Utf8Locale makes mbrtowc and wcwidth of this thread speak UTF-8 whatever the
// environment says; glibc has C.UTF-8 built in.
class Utf8Locale {
 public:
  Utf8Locale()
      : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
        before_(uselocale(locale_)) {}
  ~Utf8Locale() {
    uselocale(before_);
    if (locale_ != nullptr) freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};

bool TurnsDirection(wchar_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// Calls `use(bytes, character)` for each character of `text`, with character -1
// for a byte that is not part of well-formed UTF-8.
template <typename Use>
void ForEachCharacter(std::string_view text, Use use) {
  const Utf8Locale locale;
  while (!text.empty()) {
    mbstate_t state{};
    wchar_t character = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): not with a state of one's own.
    size_t size = mbrtowc(&character, text.data(), text.size(), &state);
    if (size == 0) size = 1;  // NUL
    if (size > text.size()) {
      size = 1;
      character = static_cast<wchar_t>(-1);
    }
    use(text.substr(0, size), character);
    text.remove_prefix(size);
  }
}

std::string Escaped(std::string_view bytes, wchar_t character) {
  const bool malformed = character == static_cast<wchar_t>(-1);
  const unsigned number = malformed ? static_cast<unsigned char>(bytes[0])
                                    : static_cast<unsigned>(character);
  return malformed ? absl::StrFormat("\\x%02X", number)
                   : absl::StrFormat("\\u{%04X}", number);
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  ForEachCharacter(text, [&](std::string_view, wchar_t character) {
    width += static_cast<size_t>(std::max(wcwidth(character), 0));
  });
  return width;
}

std::string Printable(std::string_view text) {
  std::string out;
  ForEachCharacter(text, [&](std::string_view bytes, wchar_t character) {
    if (wcwidth(character) >= 0 && character != 0 &&
        !TurnsDirection(character)) {
      out += bytes;
    } else {
      out += Escaped(bytes, character);
    }
  });
  return out;
}

Table::Table(std::vector<std::string> header) { Add(std::move(header)); }

void Table::Add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = Printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - DisplayWidth(row[i]) + kColumnGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (!line.empty()) text += line + '\n';
  }
  return text;
}

}  // namespace hizo::cli
