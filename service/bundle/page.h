// index.html: the bundle for a person to look at. One file without scripts and
// without anything from elsewhere, for phones, desks and paper, in English and
// Japanese.
//
// Threads: one object from one thread at a time.
#ifndef HIZO_SERVICE_BUNDLE_PAGE_H_
#define HIZO_SERVICE_BUNDLE_PAGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/bundle/manifest.h"
#include "service/bundle/person.h"
#include "service/bundle/statements.h"

namespace hizo::bundle {

inline constexpr char kPageName[] = "index.html";
// Of a series, so many are shown; the others are in their files.
inline constexpr size_t kPageRowsMax = 100;

// What the page shows of a series.
struct PageSeries {
  std::string record_class;
  std::vector<std::string> fields;
  std::vector<std::vector<std::string>> rows;  // time, then the fields
  uint64_t total = 0;

  // Counts the record, and keeps it if there is room.
  void Add(const Record& record);
};

// `manifest` lists what has been written so far.
std::string PageHtml(const Manifest& manifest,
                     const std::vector<Record>& records,
                     const std::vector<PageSeries>& series,
                     const Statements& said = {});

}  // namespace hizo::bundle

#endif  // HIZO_SERVICE_BUNDLE_PAGE_H_
