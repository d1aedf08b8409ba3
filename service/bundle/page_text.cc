#include "service/bundle/page_text.h"

#include "service/bundle/labels.h"

namespace hizo::bundle {

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '"':
        out.append("&quot;");
        break;
      case '\'':
        out.append("&#39;");
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n') out.push_back(c);
    }
  }
}

void AppendBoth(std::string_view english, std::string_view japanese,
                std::string& out) {
  out.append("<span lang=\"en\">").append(english);
  out.append("</span><span lang=\"ja\">").append(japanese).append("</span>");
}

void AppendLabel(std::string_view name, std::string& out) {
  AppendBoth(LabelOf(name, Language::kEnglish),
             LabelOf(name, Language::kJapanese), out);
}

std::string ShownTime(std::string text) {
  const size_t middle = text.find('T');
  const size_t part = text.find('.');
  if (part != std::string::npos) text.erase(part);
  if (text.ends_with('Z')) text.pop_back();
  if (middle != std::string::npos) text[middle] = ' ';
  return text + " UTC";
}

}  // namespace hizo::bundle
