// Hostile requests of every method, by callers of every kind, through dispatch
// and use case to a store in memory.
//
// An input is a line "Service.Method caller", then the request in protobuf's
// text form; what is not in that form is taken for the bytes of the request.
// "@ann" stands for a person who exists, "@page" for the last page token.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstdint>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "hizo/v1/subject.pb.h"
#include "service/base/reason.h"
#include "service/base/worker_pool.h"
#include "service/rpc/dispatch.h"
#include "service/rpc/methods.h"
#include "service/vault/miss_limits.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/fuzz/require.h"
#include "tests/testing/vault_fixture.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max)
    __attribute__((weak));

namespace hizo::fuzz {
namespace {

using base::Reason;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// After so many calls the store has grown enough.
constexpr size_t kCallsPerWorld = 2000;
constexpr char kCreateAnn[] = R"(context { purpose: "service" }
records { record_class: "account"
  fields { name: "email" value { text: "ann@example.com" } }
  fields { name: "username" value { text: "ann" } } }
records { record_class: "profile"
  fields { name: "full_name" value { text: "Ann Other" } } })";
constexpr const char* kWords[] = {"@ann",
                                  "@page",
                                  "service",
                                  "support",
                                  "billing",
                                  "authentication",
                                  "security_audit",
                                  "account",
                                  "profile",
                                  "transaction",
                                  "credential",
                                  "email",
                                  "account.email",
                                  "username",
                                  "phone",
                                  "full_name",
                                  "birth_date",
                                  "address",
                                  "photo",
                                  "settings",
                                  "amount",
                                  "item",
                                  "plan",
                                  "free",
                                  "*",
                                  "ann@example.com",
                                  "+81312345678",
                                  "JP",
                                  "JPY",
                                  "1990-02-29",
                                  "4111 1111 1111 1111",
                                  "{\"a\":[1]}",
                                  "{\"a\":1,\"a\":2}",
                                  "00112233-4455-6677-8899-aabbccddeeff",
                                  "ANN@EXAMPLE.COM ",
                                  "\xE2\x80\xAE\xF0\x9F\x98\x80",
                                  "profile.full_name",
                                  "other-shop",
                                  "."};

const std::map<std::string, std::string, std::less<>> kCallers = {
    {"full", test::kFull},     {"masked", test::kMaskedOnly},
    {"clerk", test::kClerk},   {"auditor", test::kAuditor},
    {"nobody", test::kNobody}, {"other", test::kOtherFull},
};

struct Answered {
  absl::Status status;
  std::string bytes;
};

class PromisedExchange final : public rpc::Exchange {
 public:
  PromisedExchange(Request request, std::promise<Answered> answer)
      : Exchange(std::move(request)), answer_(std::move(answer)) {}
  void Answer(const absl::Status& status, std::string answer) override {
    answer_.set_value({status, std::move(answer)});
  }

 private:
  std::promise<Answered> answer_;
};

struct Input {
  std::string method;  // "SubjectService.GetSubject"
  std::string caller;
  std::string body;  // text form, or bytes
};

Input Split(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  const std::string_view body =
      bytes.substr(std::min(bytes.size(), line.size() + 1));
  const size_t space = std::min(line.find(' '), line.size());
  return {std::string(line.substr(0, space)),
          std::string(line.substr(std::min(space + 1, line.size()))),
          std::string(body)};
}

// nullptr where there is no such method.
const google::protobuf::MethodDescriptor* DescriptorOf(
    const std::string& method) {
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      "hizo.v1." + method);
}

std::unique_ptr<Message> NewMessage(
    const google::protobuf::Descriptor* descriptor) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(descriptor)
          ->New());
}

// Without a word on the standard error for each that is not in the form.
bool ParseText(const std::string& text, Message& message) {
  class Silent final : public google::protobuf::io::ErrorCollector {
    void AddError(int, google::protobuf::io::ColumnNumber,
                  const std::string&) override {}
  };
  Silent silent;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  return parser.ParseFromString(text, &message);
}

// What comes in may be forged; what the vault holds is not.
constexpr std::string_view kSequences[] = {"ExportService.ExportBundle",
                                           "ExportService.TransmitBundle"};
constexpr char kTakesForgeries[] = "ExportService.ImportBundle";

class World {
 public:
  World()
      : limits_(vault_.Policy().access, 0),
        passwords_({.threads = 1, .queue_max = 4}),
        reruns_({.threads = 1, .queue_max = 4}),
        methods_(Methods(vault_)),
        dispatch_({vault_.catalogue(), vault_.Policy().access,
                   vault_.store().policies().table(), vault_.clock(),
                   vault_.store().committer(), limits_, passwords_, reruns_,
                   pacer_}) {
    v1::CreateSubjectResponse created;
    const Answered answer =
        Call({"SubjectService.CreateSubject", "full", kCreateAnn});
    Require(created.ParseFromString(answer.bytes), "Ann is there");
    ann_ = created.subject();
  }

  void Run(const Input& input) {
    const uint64_t before = EventCount();
    const Answered answer = Call(input);
    Require(EventCount() > before, "every call leaves an event");
    const audit::Event event = vault_.LastEvent();
    if (answer.status.ok()) {
      const auto* descriptor = DescriptorOf(input.method);
      Require(descriptor != nullptr, "only what is there succeeds");
      // Each item of a stream has an answer that is no message of the API's.
      if (descriptor->client_streaming() || descriptor->server_streaming()) {
        return;
      }
      const auto response = NewMessage(descriptor->output_type());
      Require(response->ParseFromString(answer.bytes), "answers are messages");
      RememberPage(*response);
      return;
    }
    const Reason reason = base::ReasonOf(answer.status);
    Require(reason != Reason::kNone && reason != Reason::kInternal &&
                (reason != Reason::kIntegrityFailure ||
                 input.method == kTakesForgeries) &&
                reason != Reason::kAuditUnavailable &&
                reason != Reason::kOutcomeUnknown,
            "no request is the vault's own fault");
    Require(event.outcome != audit::Outcome::kAllowed && event.writes.empty(),
            "what failed is told as such");
  }

 private:
  static rpc::MethodTable Methods(test::VaultFixture& vault) {
    auto methods = rpc::MakeMethods(vault.store(), vault.catalogue(),
                                    [] { return v1::GetStatusResponse(); });
    Require(methods.ok(), "the methods are complete");
    return *std::move(methods);
  }
  uint64_t EventCount() { return vault_.store().log().head().size; }

  std::string BytesOf(const Input& input) const {
    const auto* descriptor = DescriptorOf(input.method);
    if (descriptor == nullptr) return input.body;
    const auto message = NewMessage(descriptor->input_type());
    if (!ParseText(input.body, *message)) return input.body;
    ForEachText(*message, [this](std::string& text) {
      if (text == "@ann") text = ann_;
      if (text == "@page") text = page_;
    });
    return message->SerializeAsString();
  }

  Answered Call(const Input& input) {
    rpc::Exchange::Request request;
    std::string path = "/hizo.v1." + input.method;
    std::ranges::replace(path.begin() + 9, path.end(), '.', '/');
    request.method = methods_.Find(path);
    const auto caller = kCallers.find(input.caller);
    request.actor = caller == kCallers.end() ? input.caller : caller->second;
    request.body = BytesOf(input);
    // Of a sequence, the first item.
    rpc::Items items;
    if (request.method != nullptr &&
        std::ranges::find(kSequences, input.method) != std::end(kSequences)) {
      auto split = request.method->split(request.body);
      if (split.ok()) {
        items = *std::move(split);
        request.sequence = items.sequence.get();
      } else {
        request.refused = base::ReasonOf(split.status());
      }
    }
    std::promise<Answered> promise;
    auto future = promise.get_future();
    dispatch_.Serve(std::make_unique<PromisedExchange>(std::move(request),
                                                       std::move(promise)));
    return future.get();
  }

  void RememberPage(const Message& response) {
    const auto* field =
        response.GetDescriptor()->FindFieldByName("next_page_token");
    if (field == nullptr) return;
    std::string page = response.GetReflection()->GetString(response, field);
    if (!page.empty()) page_ = std::move(page);
  }

  test::VaultFixture vault_;
  vault::MissLimits limits_;
  base::WorkerPool passwords_;
  base::WorkerPool reruns_;
  rpc::Pacer pacer_{std::chrono::nanoseconds(0)};
  const rpc::MethodTable methods_;
  rpc::Dispatch dispatch_;
  std::string ann_;
  std::string page_;
};

void Run(std::string_view bytes) {
  // Never destroyed: at the end OpenSSL has cleaned up what it would still use.
  static std::optional<World>& world =
      *std::make_unique<std::optional<World>>().release();
  static size_t calls = 0;
  if (calls++ % kCallsPerWorld == 0) {
    world.reset();
    world.emplace();
  }
  world->Run(Split(bytes));
}

std::string Garble(std::string text) {
  const size_t size = text.size();
  text.resize(size + 16);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size,
                               text.size()));
  return text;
}

// The input with one thing changed; nullopt if it is in no form to do so.
std::optional<std::string> Mutated(const Input& input, unsigned seed) {
  const auto* descriptor = DescriptorOf(input.method);
  if (descriptor == nullptr) return std::nullopt;
  const auto message = NewMessage(descriptor->input_type());
  if (!ParseText(input.body, *message)) return std::nullopt;
  std::mt19937 random(seed);
  Mutations mutations{{std::begin(kWords), std::end(kWords)}, Garble};
  MutateMessage(*message, mutations, random);
  std::string text;
  if (!TextFormat::PrintToString(*message, &text)) return std::nullopt;
  return input.method + " " + input.caller + "\n" + text;
}

}  // namespace
}  // namespace hizo::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hizo::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t size_max, unsigned seed) {
  // Now and then as bytes, so that other methods, callers and broken forms come
  // up as well.
  if (seed % 16 != 0) {
    const auto mutated = hizo::fuzz::Mutated(
        hizo::fuzz::Split({reinterpret_cast<const char*>(data), size}), seed);
    if (mutated.has_value() && mutated->size() <= size_max) {
      std::copy(mutated->begin(), mutated->end(), data);
      return mutated->size();
    }
  }
  return LLVMFuzzerMutate(data, size, size_max);
}
