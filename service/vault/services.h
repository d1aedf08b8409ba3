// Services: the parts of the vault that every use case is made of, by
// reference, so that each use case takes one argument and shows what it uses.
//
// Lifetime: what it refers to outlives it; see store.h.
#ifndef HIZO_SERVICE_VAULT_SERVICES_H_
#define HIZO_SERVICE_VAULT_SERVICES_H_

#include "service/audit/log.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "service/vault/access_gate.h"
#include "service/vault/record_store.h"
#include "service/vault/requests.h"
#include "service/vault/store_keys.h"
#include "service/vault/subject_index.h"
#include "service/vault/user_keys.h"
#include "storage/engine.h"

namespace hizo::vault {

struct Services {
  const policy::Catalogue& catalogue;
  const policy::AccessTable& access;
  const storage::Engine& keys;
  const storage::Engine& data;
  const StoreKeys& store_keys;
  const UserKeys& user_keys;
  const FactsStore& facts;
  const AccessGate& gate;
  const RecordStore& records;
  const SubjectIndex& index;
  const Requests& requests;
  const audit::Log& log;
};

}  // namespace hizo::vault

#endif  // HIZO_SERVICE_VAULT_SERVICES_H_
