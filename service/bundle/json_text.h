// Strict reading of JSON that somebody else may have written, and writing of
// strings; for .cc files of this folder.
//
// Threads: all functions may be called concurrently.
#ifndef HIZO_SERVICE_BUNDLE_JSON_TEXT_H_
#define HIZO_SERVICE_BUNDLE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace hizo::bundle {

// Appends `text`, which is UTF-8, as a JSON string.
void AppendJsonString(std::string_view text, std::string& out);
std::string JsonString(std::string_view text);

// Whether `text` is one JSON document without a key twice in one object, and
// nested at most 40 deep.
bool IsStrictJson(std::string_view text);

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_JSON_TEXT_H_
