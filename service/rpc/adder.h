// Adder: joins use cases to the methods of the proto, noun by noun.
//
// Threads: called once, at start. Lifetime: what the functions are given
// outlives the table.
#ifndef HIZO_SERVICE_RPC_ADDER_H_
#define HIZO_SERVICE_RPC_ADDER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "service/policy/catalogue.h"
#include "service/rpc/method_table.h"
#include "service/vault/store.h"

namespace hizo::rpc {

struct Adder {
  MethodTable& table;
  const policy::Catalogue& catalogue;

  template <typename Request, typename Response, typename UseCase>
  absl::Status Add(std::string_view name, Lane lane, UseCase use_case) const {
    Method method;
    method.lane = lane;
    method.run = Unary<Request, Response>(catalogue, std::move(use_case));
    return table.Add(name, std::move(method));
  }

  // A stream of pages: `next` makes a request ask for what follows an answer,
  // and says whether anything does.
  template <typename Request, typename Response, typename UseCase>
  absl::Status AddPages(std::string_view name, UseCase use_case,
                        bool (*next)(Request&, const Response&)) const {
    Method method;
    method.run = Unary<Request, Response>(catalogue, std::move(use_case));
    method.follow = [next](
                        std::string_view body,
                        std::string_view answer) -> std::optional<std::string> {
      Request request;
      Response response;
      if (!request.ParseFromArray(body.data(), static_cast<int>(body.size())) ||
          !response.ParseFromArray(answer.data(),
                                   static_cast<int>(answer.size())) ||
          !next(request, response)) {
        return std::nullopt;
      }
      return request.SerializeAsString();
    };
    return table.Add(name, std::move(method));
  }
};

// Each adds the methods of one service.
absl::Status AddSubjects(const Adder& adder, const vault::Store& store);
absl::Status AddRecords(const Adder& adder, const vault::Store& store);
absl::Status AddPolicies(const Adder& adder, const vault::Store& store);
absl::Status AddCredentials(const Adder& adder, const vault::Store& store);
absl::Status AddErasures(const Adder& adder, const vault::Store& store);
absl::Status AddExports(const Adder& adder, const vault::Store& store);
absl::Status AddRecipients(const Adder& adder, const vault::Store& store);
absl::Status AddRestrictions(const Adder& adder, const vault::Store& store);
absl::Status AddConsents(const Adder& adder, const vault::Store& store);
absl::Status AddAudits(const Adder& adder, const vault::Store& store);
absl::Status AddBackups(const Adder& adder, const vault::Store& store);
absl::Status AddKeys(const Adder& adder, const vault::Store& store);
absl::Status AddRetentions(const Adder& adder, const vault::Store& store);
absl::Status AddPurges(const Adder& adder, const vault::Store& store);

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_ADDER_H_
