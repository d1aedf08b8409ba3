// Parts of the page: text in both languages, escaped.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_PAGE_TEXT_H_
#define HIZO_SERVICE_BUNDLE_PAGE_TEXT_H_

#include <string>
#include <string_view>

namespace hizo::bundle {

// As text of HTML; control characters are left out.
void AppendEscaped(std::string_view text, std::string& out);
// HTML in both languages, of which the page shows one.
void AppendBoth(std::string_view english, std::string_view japanese,
                std::string& out);
// The labels of a name (labels.h).
void AppendLabel(std::string_view name, std::string& out);
// What TimeText writes, as people read it.
std::string ShownTime(std::string text);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_PAGE_TEXT_H_
