// MethodTable: every method that Hizo serves, with what the proto says of it.
//
// A method comes in as bytes and goes out as bytes: decoding, the use case and
// encoding are one function, made by `Unary` from the message types, so that
// no service can forget the context, the purpose or the encoding.
// Threads: const methods may be called concurrently once filled.
#ifndef HIZO_SERVICE_RPC_METHOD_TABLE_H_
#define HIZO_SERVICE_RPC_METHOD_TABLE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hizo/v1/value.pb.h"
#include "service/base/reason.h"
#include "service/policy/access_table.h"
#include "service/policy/action.h"
#include "service/policy/catalogue.h"
#include "service/vault/attempt.h"
#include "service/vault/call.h"

namespace hizo::rpc {

// Where a method runs: at once on the thread that received it, or, if it
// computes a password hash, on the password pool.
enum class Lane : uint8_t { kServe, kPassword };
// One message in, one out; or many in, each an item; or one in that asks for
// many items or pages, and many out. Each item or page is decided, recorded and
// released by itself.
enum class Shape : uint8_t { kUnary, kClientStream, kServerStream };

// What dispatch knows of a call before its bytes are understood.
struct Incoming {
  const policy::Principal& principal;
  const policy::TenantSpec& tenant;
  policy::Action action;
  std::string_view body;
  base::Timestamp now;
  const policy::CompanyPolicy* company = nullptr;
};

// What became of one item of a stream.
struct ItemResult {
  absl::Status status;
  std::string answer;
};

// Sequence makes the items of an answer one after the other, each from where
// the one before left off; how many there are shows only at the end.
class Sequence {
 public:
  Sequence() = default;
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;
  virtual ~Sequence() = default;

  // The item `index`: 0 first, then one after the other, each perhaps several
  // times until it was given.
  virtual absl::StatusOr<std::string> Run(const Incoming& incoming,
                                          vault::Attempt& attempt,
                                          size_t index) = 0;
  // Whether the item that was made last ends the answer.
  virtual bool ended() const = 0;
};

// What one message asks for: how many items, and the bytes of each, at least
// one; or a sequence, an item of which that fails ends the call with its
// status.
struct Items {
  size_t count = 0;
  std::function<std::string(size_t index)> body_of;
  std::unique_ptr<Sequence> sequence;
};

struct Method {
  std::string path;  // "/hizo.v1.SubjectService/CreateSubject"
  policy::Action action = policy::Action::kNone;
  Lane lane = Lane::kServe;
  Shape shape = Shape::kUnary;
  std::function<absl::StatusOr<std::string>(const Incoming&, vault::Attempt&)>
      run;
  // Only for streams: a message made of what became of items. Of a client's
  // stream, the one answer, of all of them; of a server's, one of its messages,
  // of those that come next.
  std::function<std::string(const std::vector<ItemResult>&)> summarise;
  // Only for a server's stream of items: these, whose bytes `run` takes.
  std::function<absl::StatusOr<Items>(std::string_view body)> split;
  // Only for a server's stream of pages, each of which is an answer of `run`:
  // the request for the page after `answer` to `body`; nullopt after the last
  // one. A page that fails ends the stream.
  std::function<std::optional<std::string>(std::string_view body,
                                           std::string_view answer)>
      follow;
};

class MethodTable {
 public:
  // Adds the method that the proto calls `name` ("SubjectService.GetSubject");
  // its action is read from the method's option. kInternal if there is no such
  // method, it has no action, or it is there already: the server then does not
  // start.
  absl::Status Add(std::string_view name, Method method);
  // kInternal if a method of the proto package is missing.
  absl::Status CheckComplete() const;

  const Method* Find(const std::string& path) const;
  const std::map<std::string, Method>& methods() const { return methods_; }

 private:
  std::map<std::string, Method> methods_;
};

// What a request's context adds to what is known of the call. kMalformed for a
// request id that is no UUID; an unknown purpose is left to the decision.
absl::StatusOr<vault::Call> CallOf(const Incoming& incoming,
                                   const v1::RequestContext& context,
                                   const policy::Catalogue& catalogue);

// A method's function from a use case's: StatusOr<Response>(Attempt&, const
// Call&, const Request&).
template <typename Request, typename Response, typename UseCase>
std::function<absl::StatusOr<std::string>(const Incoming&, vault::Attempt&)>
Unary(const policy::Catalogue& catalogue, UseCase use_case) {
  return [&catalogue, use_case = std::move(use_case)](
             const Incoming& incoming,
             vault::Attempt& attempt) -> absl::StatusOr<std::string> {
    Request request;
    if (!request.ParseFromArray(incoming.body.data(),
                                static_cast<int>(incoming.body.size()))) {
      return base::Fail(base::Reason::kMalformedRequest);
    }
    const absl::StatusOr<vault::Call> call =
        CallOf(incoming, request.context(), catalogue);
    if (!call.ok()) return call.status();
    attempt.event().purpose = call->purpose;
    attempt.event().request = call->request;
    const absl::StatusOr<Response> response = use_case(attempt, *call, request);
    if (!response.ok()) return response.status();
    return response->SerializeAsString();
  };
}

}  // namespace hizo::rpc

#endif  // HIZO_SERVICE_RPC_METHOD_TABLE_H_
