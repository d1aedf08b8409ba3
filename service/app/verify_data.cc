#include "service/app/verify_data.h"

#include <memory>
#include <string>
#include <utility>

#include "service/app/instance.h"
#include "service/app/restore.h"
#include "service/app/stores.h"
#include "service/base/status_macros.h"
#include "service/vault/store.h"
#include "storage/anchor.h"

namespace hizo::app {

absl::StatusOr<vault::DataVerdict> VerifyData(const Config& config,
                                              const base::Clock& clock) {
  RETURN_IF_ERROR(CheckNoRestore(config));
  ASSIGN_OR_RETURN(const Declared declared, ReadDeclared(config));
  ASSIGN_OR_RETURN(const Engines engines,
                   OpenEngines(config, Opening::kExisting, nullptr));
  ASSIGN_OR_RETURN(const base::StoreId id,
                   vault::StoreKeys::IdOf(*engines.keys));
  ASSIGN_OR_RETURN(auto anchor,
                   storage::Anchor::Open(config.anchor, std::string(id.bytes()),
                                         /*create=*/false));
  ASSIGN_OR_RETURN(const vault::RootSlots slots, OpenSlots(config));
  ASSIGN_OR_RETURN(
      const auto store,
      vault::Store::Open({*engines.keys, *engines.data, slots,
                          config.store_name, SuiteOf(config)},
                         std::move(anchor), PolicyOf(declared), clock, {}));
  return vault::DataCheck({*engines.keys, *engines.data, store->store_keys(),
                           *declared.access, store->log().head().size})
      .Run();
}

}  // namespace hizo::app
