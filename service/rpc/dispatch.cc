#include "service/rpc/dispatch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/audit/event.h"
#include "service/base/reason.h"
#include "service/vault/access_gate.h"

namespace hizo::rpc {
namespace {

using base::Reason;
using vault::AccessGate;
using vault::Attempt;

// A call that lost a race is run this often altogether.
constexpr int kRunsMax = 2;

// Whether the call hashes a password.
bool Hashes(const Exchange::Request& request) {
  return request.method != nullptr && request.method->lane == Lane::kPassword;
}

}  // namespace

std::unique_ptr<Attempt> Dispatch::NewAttempt(const Exchange& exchange) const {
  const Exchange::Request& request = exchange.request();
  audit::Event event;
  event.actor = request.actor.substr(0, audit::kActorSizeMax);
  if (request.method != nullptr) event.action = request.method->action;
  const policy::Principal* principal = parts_.access.Find(request.actor);
  if (principal != nullptr) event.tenant = principal->tenant;
  event.catalogue_version = parts_.catalogue.version();
  return std::make_unique<Attempt>(parts_.committer.position(),
                                   std::move(event));
}

void Dispatch::Serve(std::unique_ptr<Exchange> exchange) {
  const Exchange::Request& request = exchange->request();
  // What is refused already is not worth a place among the passwords.
  if (request.refused == Reason::kNone && Hashes(request)) {
    RunPassword(std::move(exchange));
  } else {
    Run(std::move(exchange));
  }
}

void Dispatch::RunPassword(std::unique_ptr<Exchange> exchange) {
  // In a deadline's own unit: there is one without end.
  const auto expected =
      std::chrono::ceil<std::chrono::microseconds>(parts_.passwords.Expected());
  const absl::Status overloaded = base::FailUntil(
      Reason::kOverloaded,
      std::max(std::chrono::ceil<std::chrono::seconds>(expected),
               std::chrono::seconds(1)));
  const base::Timestamp now = parts_.clock.Now();
  const base::Timestamp deadline = exchange->request().deadline;
  // One that is over already is told so in its turn.
  if (now <= deadline && deadline - now < expected) {
    return Refuse(std::move(exchange), overloaded);
  }
  RunOn(parts_.passwords, std::move(exchange), overloaded);
}

void Dispatch::RunOn(base::WorkerPool& pool, std::unique_ptr<Exchange> exchange,
                     const absl::Status& if_full) {
  // std::function wants to be copied, which an Exchange must not be.
  Exchange* raw = exchange.release();
  const bool accepted =
      pool.Submit([this, raw] { Run(std::unique_ptr<Exchange>(raw)); });
  if (!accepted) Refuse(std::unique_ptr<Exchange>(raw), if_full);
}

void Dispatch::Refuse(std::unique_ptr<Exchange> exchange,
                      const absl::Status& why) {
  auto attempt = NewAttempt(*exchange);
  attempt->Conclude(why);
  Submit(std::move(exchange), std::move(attempt));
}

void Dispatch::Run(std::unique_ptr<Exchange> exchange) {
  ++exchange->runs_;
  auto attempt = NewAttempt(*exchange);
  attempt->Conclude(Execute(*exchange, *attempt));
  if (attempt->missed()) CountMiss(exchange->request());
  Submit(std::move(exchange), std::move(attempt));
}

void Dispatch::CountMiss(const Exchange::Request& request) {
  const policy::Principal* principal = parts_.access.Find(request.actor);
  if (principal == nullptr || request.method == nullptr) return;
  parts_.limits.Count(*principal, request.method->action, parts_.clock.Now());
}

absl::Status Dispatch::Execute(const Exchange& exchange, Attempt& attempt) {
  const Exchange::Request& request = exchange.request();
  const policy::Principal* principal = parts_.access.Find(request.actor);
  if (principal == nullptr) {
    return AccessGate::Refuse(attempt, Reason::kUnauthenticated);
  }
  if (request.method == nullptr) return base::Fail(Reason::kMethodUnknown);
  if (request.refused != Reason::kNone) return base::Fail(request.refused);
  const base::Timestamp now = parts_.clock.Now();
  if (now > request.deadline || exchange.cancelled()) {
    return base::Fail(Reason::kDeadlineExceeded);
  }
  const absl::Status in_limits =
      parts_.limits.Check(*principal, request.method->action, now);
  if (!in_limits.ok()) {
    AccessGate::Refuse(attempt, Reason::kRateLimited).IgnoreError();
    return in_limits;
  }
  const policy::TenantSpec* tenant = parts_.access.Tenant(principal->tenant);
  if (tenant == nullptr) return base::Fail(Reason::kInternal);
  // It stays for as long as the use case looks at it.
  const vault::PolicyTable::Pin company =
      parts_.policies.InForce(attempt, tenant->id);
  const Incoming incoming{*principal,   *tenant, request.method->action,
                          request.body, now,     company.get()};
  absl::StatusOr<std::string> answer =
      request.sequence != nullptr
          ? request.sequence->Run(incoming, attempt, request.index)
          : request.method->run(incoming, attempt);
  if (!answer.ok()) return answer.status();
  attempt.Withhold(*std::move(answer));
  return absl::OkStatus();
}

void Dispatch::Submit(std::unique_ptr<Exchange> exchange,
                      std::unique_ptr<Attempt> attempt) {
  Exchange* raw = exchange.release();
  parts_.committer.Submit(
      std::move(attempt), [this, raw](std::unique_ptr<Attempt> done,
                                      const vault::Committer::Result& result) {
        Finish(std::unique_ptr<Exchange>(raw), std::move(done), result);
      });
}

void Dispatch::Finish(std::unique_ptr<Exchange> exchange,
                      std::unique_ptr<Attempt> attempt,
                      const vault::Committer::Result& result) {
  if (result.receipt == nullptr) {
    const bool lost_race = base::ReasonOf(result.status) == Reason::kConflict;
    if (!lost_race) {
      exchange->Answer(result.status, "");
    } else if (exchange->runs_ < kRunsMax) {
      base::WorkerPool& pool =
          Hashes(exchange->request()) ? parts_.passwords : parts_.reruns;
      RunOn(pool, std::move(exchange), base::Fail(Reason::kConflict));
    } else {
      Refuse(std::move(exchange), base::Fail(Reason::kConflict));
    }
    return;
  }
  const absl::Status status = attempt->status();
  std::string answer = std::move(*attempt).Release(*result.receipt);
  // That a password is not right must not tell by its time why.
  if (attempt->missed() && Hashes(exchange->request())) {
    parts_.pacer.Answer(std::move(exchange), status, std::move(answer));
  } else {
    exchange->Answer(status, std::move(answer));
  }
}

}  // namespace hizo::rpc
