// How long laws, and what a profile says of them, have something kept: read out
// of a policy's files, so that no later policy keeps it shorter.
//
// Threads: may be called concurrently.
#ifndef HIZO_SERVICE_APP_LEGAL_TERMS_H_
#define HIZO_SERVICE_APP_LEGAL_TERMS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "service/app/yaml_reader.h"
#include "service/policy/company_policy.h"

namespace hizo::app {

// The days of P7Y, P24M, P90D or PT72H, also with words behind an underscore
// (P1M_after_last_send); nullopt for what is none.
std::optional<uint32_t> DaysOf(std::string_view duration);

// By name: "retention.transaction" of a profile,
// "modules.jp_tax.invoice_copy.duration" of the statutory overlay.
std::vector<policy::LegalTerm> ReadLegalTerms(const YamlValue& profile,
                                              const YamlValue& statutory);

}  // namespace hizo::app

#endif  // HIZO_SERVICE_APP_LEGAL_TERMS_H_
