#include "tests/integration/caretaker.h"

#include <memory>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/reason.h"
#include "tests/testing/status_matchers.h"

namespace hizo::test {
namespace {

using base::Reason;
using ::testing::AnyOf;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr int kGrpcUnavailable = 14;
// What gRPC 1.51 tells of a call that comes while it shuts down.
constexpr int kGrpcCancelled = 1;
constexpr char kNobodysPassword[] = "nobody's";
// One in so many changes is repeated after it was acknowledged.
constexpr size_t kRepeatOneIn = 8;

template <typename Response>
absl::StatusOr<Response> Decoded(const Reply& reply) {
  if (reply.code != 0) return StatusOf(reply);
  Response response;
  if (reply.messages.size() != 1 ||
      !response.ParseFromString(reply.messages.front())) {
    return absl::DataLossError("the answer is no such message");
  }
  return response;
}

v1::NewRecord NewProfile(const std::string& name) {
  return RecordOf("profile", {{"full_name", name}, {"company_name", name}});
}

}  // namespace

Caretaker::Caretaker(Ledger& ledger, std::string name, uint64_t seed)
    : ledger_(ledger), name_(std::move(name)), random_(seed) {}

std::string Caretaker::NewValue() {
  return name_ + "-" + std::to_string(++values_);
}

Reply Caretaker::Send(const Peer& peer,
                      const google::protobuf::Message& request,
                      const std::string& id, Ledger::Kind kind) {
  ledger_.Sent(id, kind);
  Reply reply = peer.Call(PathOf(*request.GetDescriptor()),
                          {request.SerializeAsString()});
  // The vault gives a reason with everything that it answers.
  const Reason reason = base::ReasonOf(StatusOf(reply));
  if (reply.code != 0 && reply.reason.empty()) {
    EXPECT_THAT(reply.code, AnyOf(kGrpcUnavailable, kGrpcCancelled));
    cut_off_ = true;
    refused_ = Reason::kNone;
  } else if (reason == Reason::kOutcomeUnknown ||
             reason == Reason::kAuditUnavailable) {
    if (reason == Reason::kAuditUnavailable) ledger_.Refused(id);
    cut_off_ = true;
    refused_ = reason;
  } else if (reason != Reason::kConflict) {
    // What lost a race did nothing, and its event names no request.
    ledger_.Answered(id);
  }
  return reply;
}

template <typename Response, typename Request>
absl::StatusOr<Response> Caretaker::Ask(const Peer& peer, Request request) {
  for (;;) {
    const std::string id = NewUuid();
    request.mutable_context()->set_request_id(id);
    const Reply reply = Send(peer, request, id, Ledger::Kind::kRead);
    // A seal in between, on a busy machine.
    if (base::ReasonOf(StatusOf(reply)) == Reason::kConflict) continue;
    return Decoded<Response>(reply);
  }
}

absl::StatusOr<std::string> Caretaker::Find(const Peer& peer,
                                            const std::string& email) {
  const auto found = Ask<v1::FindSubjectResponse>(peer, FindRequest(email));
  if (!found.ok()) return found.status();
  return found->subject();
}

absl::StatusOr<Texts> Caretaker::ReadRecord(
    const Peer& peer, const std::string& subject,
    const std::string& record_class, const std::vector<std::string>& fields) {
  const auto read = Ask<v1::GetRecordResponse>(
      peer, GetRequest(subject, record_class, fields));
  if (!read.ok()) return read.status();
  return TextsOf(read->record());
}

Caretaker::Person Caretaker::NewPerson(const std::string& subject,
                                       const std::string& value) {
  return {subject, value + "@example.com", value, value, ""};
}

Texts Caretaker::ProfileOf(const Person& person) {
  Texts texts{{"full_name", person.name}};
  if (!person.company.empty()) texts["company_name"] = person.company;
  return texts;
}

absl::StatusOr<Texts> Caretaker::ReadProfileOf(const Peer& peer,
                                               const std::string& subject) {
  return ReadRecord(peer, subject, "profile", {"full_name", "company_name"});
}

bool Caretaker::Opens(const Peer& peer, const std::string& subject,
                      const std::string& password) {
  const auto verified =
      Ask<v1::VerifyPasswordResponse>(peer, VerifyRequest(subject, password));
  EXPECT_TRUE(verified.ok() || cut_off_) << verified.status();
  return verified.ok() && verified->verified();
}

// --- Changes

void Caretaker::Make(const Peer& peer, const Change& change) {
  const Person& person = people_[change.person];
  std::unique_ptr<google::protobuf::Message> message;
  const auto prepare = [&](auto request) {
    request.mutable_context()->set_request_id(change.request);
    message = std::make_unique<decltype(request)>(std::move(request));
  };
  switch (change.kind) {
    case Kind::kCreate: {
      v1::CreateSubjectRequest request =
          CreateRequest(change.value + "@example.com", change.value);
      *request.mutable_records(1) = NewProfile(change.value);
      prepare(std::move(request));
      break;
    }
    case Kind::kRename:
      prepare(PutRequest(person.subject, NewProfile(change.value)));
      break;
    case Kind::kMove:
      prepare(PutRequest(
          person.subject,
          RecordOf("account", {{"email", change.value + "@example.com"}})));
      break;
    case Kind::kForget: {
      v1::DeleteFieldsRequest request;
      *request.mutable_context() = ContextFor(kServicePurpose);
      request.set_subject(person.subject);
      request.set_record_class("profile");
      request.mutable_delete_mask()->add_paths("company_name");
      prepare(std::move(request));
      break;
    }
    case Kind::kSetPassword:
      prepare(PasswordRequest(person.subject, change.value));
      break;
  }
  unanswered_ = change;
  Reply reply;
  do {
    reply = Send(peer, *message, change.request, Ledger::Kind::kWrite);
    // Callers share a day's key and the shards of the index, so that one may
    // lose a race; nothing happened then.
  } while (base::ReasonOf(StatusOf(reply)) == Reason::kConflict);
  if (cut_off_) return;
  unanswered_.reset();
  ASSERT_EQ(reply.code, 0) << reply.reason;
  Acknowledge(change, reply.messages.front());
}

void Caretaker::Acknowledge(const Change& change, const std::string& answer) {
  Person& person = people_[change.person];
  switch (change.kind) {
    case Kind::kCreate: {
      v1::CreateSubjectResponse created;
      EXPECT_TRUE(created.ParseFromString(answer));
      EXPECT_TRUE(person.subject.empty() || person.subject == created.subject())
          << "a repeat made another person";
      person = NewPerson(created.subject(), change.value);
      break;
    }
    case Kind::kRename:
      person.name = person.company = change.value;
      break;
    case Kind::kForget:
      person.company.clear();
      break;
    case Kind::kMove:
      person.email = change.value + "@example.com";
      break;
    case Kind::kSetPassword:
      person.password = change.value;
      break;
  }
}

// --- Work

void Caretaker::Read(const Peer& peer, size_t which) {
  const Person& person = people_[which];
  switch (Below(5)) {
    case 0: {
      const auto found = Find(peer, person.email);
      EXPECT_TRUE(cut_off_ || found.value_or("") == person.subject);
      break;
    }
    case 1: {
      const auto described =
          Ask<v1::GetSubjectResponse>(peer, SubjectRequest(person.subject));
      EXPECT_TRUE(cut_off_ || described.ok()) << described.status();
      break;
    }
    case 2:
      EXPECT_TRUE(person.password.empty() ||
                  Opens(peer, person.subject, person.password) || cut_off_);
      break;
    case 3:
      EXPECT_FALSE(Opens(peer, person.subject, kNobodysPassword));
      break;
    default: {
      const auto texts = ReadProfileOf(peer, person.subject);
      if (!cut_off_) {
        EXPECT_THAT(texts, IsOkAndHolds(ProfileOf(person)));
      }
    }
  }
}

void Caretaker::MakeOneCall(const Peer& peer) {
  const size_t choice = Below(11);
  if (people_.empty() || choice < 2) {
    people_.emplace_back();
    return Make(peer,
                {Kind::kCreate, people_.size() - 1, NewValue(), NewUuid()});
  }
  const size_t which = Below(people_.size());
  if (choice < 6) return Read(peer, which);
  constexpr Kind kChanges[] = {Kind::kRename, Kind::kRename, Kind::kMove,
                               Kind::kSetPassword, Kind::kForget};
  Change change{kChanges[choice - 6], which, NewValue(), NewUuid()};
  // Deleting what is not there changes nothing.
  if (change.kind == Kind::kForget && people_[which].company.empty()) {
    change.kind = Kind::kRename;
  }
  Make(peer, change);
  if (cut_off_ || Below(kRepeatOneIn) != 0) return;
  change.acknowledged = true;
  Make(peer, change);
}

void Caretaker::Work(const Peer& peer, const std::function<bool()>& go_on) {
  do {
    MakeOneCall(peer);
  } while (!cut_off_ && !::testing::Test::HasFatalFailure() && go_on());
}

// --- After the vault came back

bool Caretaker::WasDone(const Peer& peer, const Change& change) {
  const Person& person = people_[change.person];
  const std::string email = change.value + "@example.com";
  switch (change.kind) {
    case Kind::kCreate: {
      const auto found = Find(peer, email);
      if (found.ok()) CheckPerson(peer, NewPerson(*found, change.value));
      EXPECT_TRUE(found.ok() ||
                  base::ReasonOf(found.status()) == Reason::kSubjectNotFound)
          << found.status();
      return found.ok();
    }
    case Kind::kRename:
    case Kind::kForget: {
      const auto texts = ReadProfileOf(peer, person.subject);
      EXPECT_THAT(texts, IsOk());
      if (!texts.ok()) return false;
      Person changed = person;
      changed.company = change.kind == Kind::kRename ? change.value : "";
      if (change.kind == Kind::kRename) changed.name = change.value;
      const bool done = *texts == ProfileOf(changed);
      CheckPerson(peer, done ? changed : person);
      return done;
    }
    case Kind::kMove: {
      const bool done = Find(peer, email).ok();
      Person expected = person;
      if (done) expected.email = email;
      EXPECT_EQ(Find(peer, person.email).ok(), !done);
      CheckPerson(peer, expected);
      return done;
    }
    case Kind::kSetPassword:
      break;
  }
  Person expected = person;
  const bool done = Opens(peer, person.subject, change.value);
  if (done && !person.password.empty()) {
    EXPECT_FALSE(Opens(peer, person.subject, person.password));
  }
  if (done) expected.password = change.value;
  CheckPerson(peer, expected);
  return done;
}

void Caretaker::Settle(const Peer& peer) {
  cut_off_ = false;
  if (!unanswered_.has_value()) return;
  const Change change = *unanswered_;
  // People show nothing of what became of a repeat.
  if (change.acknowledged) return Make(peer, change);
  const bool done = WasDone(peer, change);
  EXPECT_FALSE(done && refused_ == Reason::kAuditUnavailable)
      << "a change that was refused was made";
  // The ledger knows already that what was refused was not done.
  if (refused_ != Reason::kAuditUnavailable) {
    ledger_.Saw(change.request,
                done ? Ledger::Found::kDone : Ledger::Found::kNotDone);
  }
  Make(peer, change);
  EXPECT_FALSE(cut_off_);
  CheckPerson(peer, people_[change.person]);
}

void Caretaker::CheckPerson(const Peer& peer, const Person& person) {
  EXPECT_THAT(Find(peer, person.email), IsOkAndHolds(person.subject));
  EXPECT_THAT(ReadRecord(peer, person.subject, "account", {"email"}),
              IsOkAndHolds(UnorderedElementsAre(Pair("email", person.email))));
  EXPECT_THAT(ReadProfileOf(peer, person.subject),
              IsOkAndHolds(ProfileOf(person)));
  if (!person.password.empty()) {
    EXPECT_TRUE(Opens(peer, person.subject, person.password));
  }
}

void Caretaker::Verify(const Peer& peer, size_t count) {
  if (count >= people_.size()) {
    for (const Person& person : people_) CheckPerson(peer, person);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    CheckPerson(peer, people_[Below(people_.size())]);
  }
}

}  // namespace hizo::test
