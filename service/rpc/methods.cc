#include "service/rpc/methods.h"

#include <utility>

#include "service/base/status_macros.h"
#include "service/rpc/adder.h"

namespace hizo::rpc {
namespace {

using vault::Attempt;
using vault::Call;

absl::Status AddAdmin(const Adder& adder, const vault::AccessGate& gate,
                      ReadStatus read_status) {
  return adder.Add<v1::GetStatusRequest, v1::GetStatusResponse>(
      "AdminService.GetStatus", Lane::kServe,
      [&gate, read_status = std::move(read_status)](
          Attempt& attempt, const Call& call, const v1::GetStatusRequest&)
          -> absl::StatusOr<v1::GetStatusResponse> {
        RETURN_IF_ERROR(gate.AdmitStore(attempt, call));
        return read_status();
      });
}

}  // namespace

absl::StatusOr<MethodTable> MakeMethods(const vault::Store& store,
                                        const policy::Catalogue& catalogue,
                                        ReadStatus read_status) {
  MethodTable table;
  const Adder adder{table, catalogue};
  RETURN_IF_ERROR(AddSubjects(adder, store));
  RETURN_IF_ERROR(AddRecords(adder, store));
  RETURN_IF_ERROR(AddPolicies(adder, store));
  RETURN_IF_ERROR(AddConsents(adder, store));
  RETURN_IF_ERROR(AddErasures(adder, store));
  RETURN_IF_ERROR(AddExports(adder, store));
  RETURN_IF_ERROR(AddRecipients(adder, store));
  RETURN_IF_ERROR(AddBackups(adder, store));
  RETURN_IF_ERROR(AddKeys(adder, store));
  RETURN_IF_ERROR(AddPurges(adder, store));
  RETURN_IF_ERROR(AddRestrictions(adder, store));
  RETURN_IF_ERROR(AddRetentions(adder, store));
  RETURN_IF_ERROR(AddCredentials(adder, store));
  RETURN_IF_ERROR(AddAudits(adder, store));
  RETURN_IF_ERROR(AddAdmin(adder, store.gate(), std::move(read_status)));
  RETURN_IF_ERROR(table.CheckComplete());
  return table;
}

}  // namespace hizo::rpc
