#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/base/reason.h"
#include "service/vault/records.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::vault {
namespace {

using base::Reason;
using base::SubjectId;
using test::HasReason;
using test::IsOk;
using test::IsOkAndHolds;
using test::kBilling;
using test::kClerk;
using test::kNobody;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class DeleteFieldsTest : public ::testing::Test {
 protected:
  DeleteFieldsTest() {
    EXPECT_THAT(
        Put(vault_, ann_,
            RecordOf("profile", {{"full_name", "Ann"}, {"note", "old"}})),
        IsOk());
    EXPECT_THAT(Put(vault_, ann_,
                    RecordOf("account", {{"email", "ann@example.com"},
                                         {"phone", "+81312345678"},
                                         {"plan", "free"}})),
                IsOk());
  }
  DeleteFieldsInput InputOf(const std::string& record_class,
                            std::vector<std::string> fields) const {
    DeleteFieldsInput input;
    input.subject = ann_;
    input.record_class = record_class;
    input.fields = std::move(fields);
    return input;
  }
  absl::StatusOr<DeletedFields> Delete(const Call& call,
                                       const DeleteFieldsInput& input) {
    return vault_.Run(call, [&](Attempt& attempt) {
      return vault_.store().records().DeleteFields(attempt, call, input);
    });
  }
  absl::StatusOr<DeletedFields> Delete(const DeleteFieldsInput& input) {
    return Delete(FullCall(vault_, Action::kRecordDeleteFields), input);
  }
  TextFields Profile() {
    const auto shown = Get(vault_, ann_, "profile", {"full_name", "note"});
    return shown.ok() ? TextsOf(*shown) : TextFields();
  }
  size_t IndexRows() {
    return test::RowsOf(vault_.keys(), base::kSpaceIndex).size();
  }
  std::vector<IndexPointer> Pointers() {
    return AdmitFully(vault_, kFull, ann_).grant.facts().pointers;
  }

  VaultFixture vault_;
  const SubjectId ann_ = NewPerson(vault_, "ann@example.com");
};

TEST_F(DeleteFieldsTest, DeletesWhatIsNamedAndNothingElse) {
  const auto deleted = Delete(InputOf("profile", {"note"}));
  ASSERT_THAT(deleted, IsOk());
  EXPECT_FALSE(deleted->record_removed);
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann")));
  const auto shown = Get(vault_, ann_, "profile", {"full_name"});
  ASSERT_THAT(shown, IsOk());
  EXPECT_EQ(shown->etag, EtagOf(deleted->written.version));
}

TEST_F(DeleteFieldsTest, RecordsWhatWasDeletedAndTheRowThatIsLeft) {
  ASSERT_THAT(Delete(InputOf("profile", {"note"})), IsOk());
  const audit::Event event = vault_.LastEvent();
  EXPECT_EQ(event.action, Action::kRecordDeleteFields);
  EXPECT_THAT(event.fields, ElementsAre(204));
  EXPECT_EQ(event.view, policy::View::kNone);
  EXPECT_EQ(event.records, 1U);
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].class_number, 2);
  EXPECT_THAT(event.writes[0].commitment, ::testing::Not(Each(uint8_t{0})));
}

TEST_F(DeleteFieldsTest, AFieldThatIsNotThereIsNoError) {
  EXPECT_THAT(Delete(InputOf("profile", {"note", "birth_date"})), IsOk());
  EXPECT_THAT(Delete(InputOf("profile", {"note"})), IsOk());
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "Ann")));
}

TEST_F(DeleteFieldsTest, KeepsARequiredField) {
  const auto deleted = Delete(InputOf("profile", {"full_name"}));
  EXPECT_THAT(deleted, HasReason(Reason::kRequiredFieldMissing));
  EXPECT_EQ(base::FieldOf(deleted.status()), 201);
  EXPECT_THAT(Profile(), SizeIs(2));
}

TEST_F(DeleteFieldsTest, TheLastFieldTakesTheRecordWithIt) {
  const std::string row = RecordKey(kAcme, ann_, 2, {});
  const auto deleted = Delete(InputOf("profile", {"full_name", "note"}));
  ASSERT_THAT(deleted, IsOk());
  EXPECT_TRUE(deleted->record_removed);
  EXPECT_THAT(vault_.data().Get(row), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(Get(vault_, ann_, "profile", {"note"}),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Delete(InputOf("profile", {"note"})),
              HasReason(Reason::kRecordNotFound));
}

TEST_F(DeleteFieldsTest, ARemovedRecordIsTheNextVersionWithoutACommitment) {
  const auto before =
      Put(vault_, ann_, RecordOf("profile", {{"full_name", "A"}}));
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(Delete(InputOf("profile", {"full_name"})), IsOk());
  const audit::Event event = vault_.LastEvent();
  ASSERT_THAT(event.writes, SizeIs(1));
  EXPECT_EQ(event.writes[0].version, before->version.version + 1);
  EXPECT_THAT(event.writes[0].commitment, Each(uint8_t{0}));
}

TEST_F(DeleteFieldsTest, ARecordCanBeWrittenAgainUnderAnotherEtag) {
  const auto before = Get(vault_, ann_, "profile", {"note"});
  ASSERT_THAT(Delete(InputOf("profile", {"full_name", "note"})), IsOk());
  ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "B"}})),
              IsOk());
  const auto after = Get(vault_, ann_, "profile", {"full_name"});
  ASSERT_THAT(after, IsOk());
  EXPECT_NE(after->etag, before->etag);
  EXPECT_THAT(TextsOf(*after), ElementsAre(Pair("full_name", "B")));
}

TEST_F(DeleteFieldsTest, ADeletedAddressFindsNobodyAndIsFree) {
  const size_t rows = IndexRows();
  ASSERT_THAT(Delete(InputOf("account", {"email"})), IsOk());
  EXPECT_EQ(IndexRows(), rows - 1);
  EXPECT_THAT(Find(vault_, "account.email", "ann@example.com"),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Find(vault_, "account.phone", "+81312345678"),
              IsOkAndHolds(ElementsAre(ann_)));
  EXPECT_THAT(Create(vault_, RecordsOf(RecordOf(
                                 "account", {{"email", "ann@example.com"}}))),
              IsOk());
}

TEST_F(DeleteFieldsTest, ARemovedRecordLeavesNoIndexRow) {
  ASSERT_THAT(Delete(InputOf("account", {"email", "phone", "plan"})), IsOk());
  EXPECT_EQ(IndexRows(), 0U);
}

// Erasure must reach every shard that the person was ever in.
TEST_F(DeleteFieldsTest, PointersStay) {
  const std::vector<IndexPointer> before = Pointers();
  ASSERT_THAT(Delete(InputOf("account", {"email", "phone", "plan"})), IsOk());
  EXPECT_EQ(Pointers(), before);
}

TEST_F(DeleteFieldsTest, WorksOnOneRecordOfASeries) {
  const auto one = Put(vault_, ann_, PaymentOf(1, base::FromMicros(5)));
  const auto other = Put(vault_, ann_, PaymentOf(2, base::FromMicros(6)));
  ASSERT_TRUE(one.ok() && other.ok());
  DeleteFieldsInput input = InputOf("transaction", {"item"});
  EXPECT_THAT(Delete(input), HasReason(Reason::kValueInvalid));
  input.record_id = one->name.id;
  ASSERT_THAT(Delete(input), IsOk());
  const auto kept = Get(vault_, ann_, "transaction", {"amount"}, one->name.id);
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->event_time, base::FromMicros(5));
  input.fields = {"amount"};
  ASSERT_THAT(Delete(input), IsOk());
  EXPECT_THAT(Get(vault_, ann_, "transaction", {"amount"}, one->name.id),
              HasReason(Reason::kRecordNotFound));
  EXPECT_THAT(Get(vault_, ann_, "transaction", {"amount"}, other->name.id),
              IsOk());
}

TEST_F(DeleteFieldsTest, OnlyIfTheRecordIsAsTheCallerBelieves) {
  const auto shown = Get(vault_, ann_, "profile", {"note"});
  ASSERT_THAT(shown, IsOk());
  for (const auto& fields :
       std::vector<std::vector<std::string>>{{"note"}, {"full_name", "note"}}) {
    DeleteFieldsInput input = InputOf("profile", fields);
    input.etag = "0000000000000000-1";
    EXPECT_THAT(Delete(input), HasReason(Reason::kEtagMismatch));
  }
  EXPECT_THAT(Profile(), SizeIs(2));
  DeleteFieldsInput input = InputOf("profile", {"note"});
  input.etag = shown->etag;
  EXPECT_THAT(Delete(input), IsOk());
  EXPECT_THAT(Delete(input), HasReason(Reason::kEtagMismatch));
}

TEST_F(DeleteFieldsTest, TheSameRequestHasOneEffectAndOneAnswer) {
  Call call = FullCall(vault_, Action::kRecordDeleteFields);
  call.request = RequestOf(1);
  call.body = "body";
  const DeleteFieldsInput input = InputOf("profile", {"full_name", "note"});
  const auto first = Delete(call, input);
  ASSERT_THAT(first, IsOk());
  // Written again meanwhile: the repeat must not delete that.
  ASSERT_THAT(Put(vault_, ann_, RecordOf("profile", {{"full_name", "B"}})),
              IsOk());
  const auto second = Delete(call, input);
  ASSERT_THAT(second, IsOk());
  EXPECT_TRUE(second->record_removed);
  EXPECT_THAT(Profile(), ElementsAre(Pair("full_name", "B")));
  call.body = "other body";
  EXPECT_THAT(Delete(call, input), HasReason(Reason::kRequestIdReused));
}

TEST_F(DeleteFieldsTest, RefusesNamesThatAreNotThere) {
  EXPECT_THAT(Delete(InputOf("profile", {"nothing"})),
              HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(Delete(InputOf("nothing", {"note"})),
              HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(Delete(InputOf("credential", {"password_hash"})),
              HasReason(Reason::kFieldUnknown));
  EXPECT_THAT(Delete(InputOf("profile", {})), HasReason(Reason::kValueInvalid));
  EXPECT_THAT(Delete(InputOf("profile", std::vector<std::string>(129, "note"))),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(Profile(), SizeIs(2));
}

TEST_F(DeleteFieldsTest, IsRefusedToWhoMayNotAndForWhoIsNotThere) {
  const DeleteFieldsInput input = InputOf("profile", {"note"});
  for (const char* caller : {kNobody, kClerk}) {
    EXPECT_THAT(
        Delete(vault_.CallOf(caller, Action::kRecordDeleteFields, kBilling),
               input),
        HasReason(Reason::kCallerNotEntitled));
    EXPECT_EQ(vault_.LastEvent().outcome, audit::Outcome::kDenied);
  }
  EXPECT_THAT(Delete(vault_.CallOf(test::kOtherFull,
                                   Action::kRecordDeleteFields, kService),
                     input),
              HasReason(Reason::kSubjectNotFound));
  EXPECT_THAT(Profile(), SizeIs(2));
}

TEST_F(DeleteFieldsTest, KeepsFieldsThatTheCatalogueDoesNotKnow) {
  constexpr crypto::FieldNumber kUnknown = 399;
  const RecordName name{3, {}};
  ASSERT_THAT(Put(vault_, ann_, RecordOf("billing", {{"card_last4", "4242"}})),
              IsOk());
  const auto& records = vault_.services().records;
  {
    Admitted admitted = AdmitFully(vault_, kFull, ann_);
    const auto present = records.Read(*admitted.attempt, admitted.grant, name);
    RecordChange change;
    change.keep = {301};
    change.put.push_back(
        {kUnknown, EncodeValue(TextOf("of old"), Source::kProvided)});
    ASSERT_THAT(records.Write(*admitted.attempt, admitted.grant, name,
                              &**present, change),
                IsOk());
    ASSERT_THAT(vault_.Commit(std::move(admitted.attempt)).status, IsOk());
  }
  const auto deleted = Delete(InputOf("billing", {"card_last4"}));
  ASSERT_THAT(deleted, IsOk());
  EXPECT_FALSE(deleted->record_removed);
  const Admitted admitted = AdmitFully(vault_, kFull, ann_);
  const auto present = records.Read(*admitted.attempt, admitted.grant, name);
  ASSERT_TRUE(present.ok() && present->has_value());
  EXPECT_THAT((*present)->Fields(), ElementsAre(kUnknown));
}

TEST_F(DeleteFieldsTest, DeletesNothingWhenTheDiskIsFull) {
  vault_.data().FailCommit(1, test::FaultyEngine::When::kBeforeApplied,
                           absl::ResourceExhaustedError("injected"));
  EXPECT_THAT(Delete(InputOf("account", {"email", "phone", "plan"})),
              HasReason(Reason::kAuditUnavailable));
  EXPECT_THAT(Find(vault_, "account.email", "ann@example.com"),
              IsOkAndHolds(ElementsAre(ann_)));
  EXPECT_THAT(Get(vault_, ann_, "account", {"email"}), IsOk());
}

}  // namespace
}  // namespace hizo::vault
