// Reading many people at once, and deleting.
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/ids.h"
#include "tests/cli/fake_vault.h"

namespace hizo::cli {
namespace {

using ::hizo::test::CliRun;
using ::hizo::test::RunCli;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSubject[] = "6f1c6f0e-4a51-4d0c-9a53-2a7d6a1b9e10";

class RecordCommandsTest : public ::testing::Test {
 protected:
  CliRun Run(std::vector<std::string> arguments, const std::string& in = "") {
    return RunCli(vault_, std::move(arguments), in);
  }
  static v1::BatchGetItem NameOf(const std::string& name) {
    v1::BatchGetItem item;
    item.mutable_record()->set_record_class("profile");
    v1::Field& field = *item.mutable_record()->add_fields();
    field.set_name("full_name");
    field.mutable_value()->set_text(name);
    return item;
  }
  static v1::BatchGetItem NotFound() {
    v1::BatchGetItem item;
    item.set_reason(v1::REASON_SUBJECT_NOT_FOUND);
    return item;
  }
  static v1::BatchGetRecordsResponse MessageOf(
      const std::vector<v1::BatchGetItem>& items) {
    v1::BatchGetRecordsResponse message;
    for (const v1::BatchGetItem& item : items) *message.add_items() = item;
    return message;
  }

  test::FakeVault vault_;
};

TEST_F(RecordCommandsTest, ShowsEveryAnswerBesideItsPerson) {
  vault_.batches = {{MessageOf({NameOf("A")}), MessageOf({NameOf("B")})}};
  const CliRun run = Run({"record", "batch-get", "profile", "p1", "p2/r2",
                          "--fields", "full_name", "--plain"});
  EXPECT_EQ(run.exit, 0) << run.err;
  EXPECT_EQ(run.out,
            "SUBJECT  REASON  full_name\n"
            "p1               A\n"
            "p2/r2            B\n");
  const auto& request = vault_.batch_requests.at(0);
  ASSERT_EQ(request.records_size(), 2);
  EXPECT_EQ(request.records(0).subject(), "p1");
  EXPECT_EQ(request.records(0).record_id(), "");
  EXPECT_EQ(request.records(1).subject(), "p2");
  EXPECT_EQ(request.records(1).record_id(), "r2");
  EXPECT_EQ(request.record_class(), "profile");
  EXPECT_EQ(request.read_mask().paths(0), "full_name");
  EXPECT_EQ(request.view(), v1::VIEW_PLAIN);
}

TEST_F(RecordCommandsTest, ARefusedOneIsToldAndEndsInARefusal) {
  vault_.batches = {{MessageOf({NotFound(), NameOf("B")})}};
  const CliRun run =
      Run({"--json", "record", "batch-get", "profile", "--fields", "full_name"},
          "p1\r\n\np2\n");
  EXPECT_EQ(run.exit, 1);
  EXPECT_THAT(run.out, HasSubstr("{\"subject\":\"p1\",\"record\":null,"
                                 "\"reason\":\"SUBJECT_NOT_FOUND\""));
  EXPECT_THAT(run.out, HasSubstr("{\"subject\":\"p2\",\"record\":{"));
  EXPECT_THAT(run.err, HasSubstr("\"reason\":\"SUBJECT_NOT_FOUND\""));
  EXPECT_THAT(run.err, HasSubstr("1 of 2 were refused"));
}

TEST_F(RecordCommandsTest, AsksForAThousandAtATime) {
  std::string lines;
  for (int i = 0; i < 1001; ++i) lines += "p" + std::to_string(i) + "\n";
  vault_.batches = {
      {MessageOf(std::vector<v1::BatchGetItem>(1000, NameOf("A")))},
      {MessageOf({NameOf("Z")})}};
  const CliRun run =
      Run({"record", "batch-get", "profile", "--fields", "full_name"}, lines);
  EXPECT_EQ(run.exit, 0) << run.err;
  ASSERT_EQ(vault_.batch_requests.size(), 2U);
  EXPECT_EQ(vault_.batch_requests[0].records_size(), 1000);
  EXPECT_EQ(vault_.batch_requests[1].records(0).subject(), "p1000");
  EXPECT_THAT(run.out, HasSubstr("p1000            Z\n"));
}

TEST_F(RecordCommandsTest, AnAnswerThatIsTooShortIsAFailure) {
  vault_.batches = {{MessageOf({NameOf("A")})}};
  EXPECT_EQ(Run({"record", "batch-get", "profile", "p1", "p2", "--fields",
                 "full_name"})
                .exit,
            1);
}

TEST_F(RecordCommandsTest, RecordDeleteFieldsTellsWhatIsLeftAndOfBackups) {
  auto& response = vault_.delete_fields.response;
  response.mutable_record()->set_etag("e3");
  response.set_not_erased_from_backups(true);
  const CliRun run = Run({"record", "delete-fields", kSubject, "profile",
                          "--fields", "a,b", "--etag", "e2"});
  EXPECT_EQ(run.out,
            "record   etag e3\n"
            "backups  older copies go on holding the values\n");
  const auto& request = vault_.delete_fields.request;
  EXPECT_EQ(request.subject(), kSubject);
  EXPECT_EQ(request.record_class(), "profile");
  EXPECT_THAT(request.delete_mask().paths(), ElementsAre("a", "b"));
  EXPECT_EQ(request.etag(), "e2");
  EXPECT_TRUE(base::UuidBytes(request.context().request_id()).has_value());
  response.set_record_removed(true);
  response.set_not_erased_from_backups(false);
  EXPECT_EQ(Run({"record", "delete-fields", kSubject, "transaction",
                 "--record-id", "r", "--fields", "a"})
                .out,
            "record   removed, nothing was left\n"
            "backups  older copies end with the next renewal\n");
  EXPECT_EQ(vault_.delete_fields.request.record_id(), "r");
  EXPECT_EQ(Run({"record", "delete-fields", kSubject, "profile"}).exit, 2);
}

}  // namespace
}  // namespace hizo::cli
