// Every call says what it does and every field what it may carry, and the
// numbers that are stored mean the same in the API and in the code.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hizo/v1/admin.pb.h"
#include "hizo/v1/audit.pb.h"
#include "hizo/v1/consent.pb.h"
#include "hizo/v1/credential.pb.h"
#include "hizo/v1/erasure.pb.h"
#include "hizo/v1/export.pb.h"
#include "hizo/v1/options.pb.h"
#include "hizo/v1/policy.pb.h"
#include "hizo/v1/reason.pb.h"
#include "hizo/v1/record.pb.h"
#include "hizo/v1/restriction.pb.h"
#include "hizo/v1/subject.pb.h"
#include "hizo/v1/value.pb.h"
#include "service/audit/event.h"
#include "service/base/reason.h"
#include "service/policy/access_table.h"
#include "service/policy/action.h"
#include "service/policy/catalogue.h"
#include "service/policy/decision.h"

namespace hizo::architecture {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Every file of hizo.v1: those that declare services and all that they import.
void AddFile(const FileDescriptor* file, std::set<const FileDescriptor*>& all) {
  if (file->package() != "hizo.v1" || !all.insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) {
    AddFile(file->dependency(i), all);
  }
}
std::set<const FileDescriptor*> AllFiles() {
  std::set<const FileDescriptor*> all;
  for (const Descriptor* message :
       {v1::GetStatusRequest::descriptor(), v1::QueryAuditRequest::descriptor(),
        v1::CheckPurposeRequest::descriptor(),
        v1::PlanErasureRequest::descriptor(),
        v1::PlaceLegalHoldRequest::descriptor(),
        v1::ExportBundleRequest::descriptor(),
        v1::GetEffectivePolicyRequest::descriptor(),
        v1::SetPasswordRequest::descriptor(),
        v1::GetRecordRequest::descriptor(),
        v1::GetSubjectRequest::descriptor()}) {
    AddFile(message->file(), all);
  }
  return all;
}

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const FileDescriptor* file : AllFiles()) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

v1::Action ActionOf(const MethodDescriptor& method) {
  return method.options().GetExtension(v1::action);
}

// Fields below `message` without a sensitivity.
void CollectUndeclared(const Descriptor& message,
                       std::vector<std::string>& undeclared) {
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    if (field.options().GetExtension(v1::sensitivity) ==
        v1::SENSITIVITY_UNSPECIFIED) {
      undeclared.push_back(field.full_name());
    }
  }
  for (int i = 0; i < message.nested_type_count(); ++i) {
    CollectUndeclared(*message.nested_type(i), undeclared);
  }
}

TEST(EveryRpcIsDeclaredTest, TheWalkFindsTheWholeApi) {
  EXPECT_THAT(AllFiles(), SizeIs(13));
  EXPECT_GE(AllMethods().size(), 21U);
}

TEST(EveryRpcIsDeclaredTest, EveryMethodHasAnActionOfItsOwn) {
  std::set<v1::Action> seen;
  for (const MethodDescriptor* method : AllMethods()) {
    // Two proofs of one log: who may have one may have the other.
    if (method->name() == "GetConsistencyProof") {
      EXPECT_EQ(ActionOf(*method), v1::ACTION_AUDIT_PROVE);
      continue;
    }
    EXPECT_NE(ActionOf(*method), v1::ACTION_UNSPECIFIED) << method->full_name();
    EXPECT_TRUE(seen.insert(ActionOf(*method)).second) << method->full_name();
  }
}

TEST(EveryRpcIsDeclaredTest, EveryFieldHasASensitivity) {
  std::vector<std::string> undeclared;
  for (const FileDescriptor* file : AllFiles()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      CollectUndeclared(*file->message_type(i), undeclared);
    }
  }
  EXPECT_THAT(undeclared, IsEmpty());
}

TEST(EveryRpcIsDeclaredTest, AFieldWithoutASensitivityIsFound) {
  std::vector<std::string> undeclared;
  CollectUndeclared(*google::protobuf::MethodOptions::descriptor(), undeclared);
  EXPECT_THAT(undeclared,
              ::testing::Contains("google.protobuf.MethodOptions.deprecated"));
}

TEST(EveryRpcIsDeclaredTest, EveryRequestStatesItsContextFirst) {
  for (const MethodDescriptor* method : AllMethods()) {
    const auto* field = method->input_type()->FindFieldByNumber(1);
    ASSERT_NE(field, nullptr) << method->full_name();
    EXPECT_EQ(field->name(), "context") << method->full_name();
    EXPECT_EQ(field->message_type(), v1::RequestContext::descriptor())
        << method->full_name();
  }
}

// No message is shared by two methods, and no method streams both ways: the
// transport has no such shape.
TEST(EveryRpcIsDeclaredTest, NoMessageServesTwoMethods) {
  std::set<const Descriptor*> seen;
  for (const MethodDescriptor* method : AllMethods()) {
    EXPECT_TRUE(seen.insert(method->input_type()).second);
    EXPECT_TRUE(seen.insert(method->output_type()).second);
    EXPECT_FALSE(method->client_streaming() && method->server_streaming())
        << method->full_name();
  }
}

TEST(EveryRpcIsDeclaredTest, NoAnswerCarriesACredential) {
  for (const MethodDescriptor* method : AllMethods()) {
    const Descriptor& answer = *method->output_type();
    for (int i = 0; i < answer.field_count(); ++i) {
      EXPECT_NE(answer.field(i)->options().GetExtension(v1::sensitivity),
                v1::SENSITIVITY_CREDENTIAL)
          << answer.field(i)->full_name();
    }
  }
}

// The number and name of each value but the first, prefix cut off.
using Names = std::vector<std::string>;
Names NamesOf(const EnumDescriptor& values, std::string_view prefix) {
  Names names;
  for (int i = 1; i < values.value_count(); ++i) {
    EXPECT_EQ(values.value(i)->number(), i) << values.value(i)->full_name();
    const std::string& name = values.value(i)->name();
    EXPECT_TRUE(name.starts_with(prefix)) << name;
    names.push_back(name.substr(prefix.size()));
  }
  return names;
}

TEST(StoredNumbersTest, ReasonsAreThoseOfTheApi) {
  const Names names = NamesOf(*v1::Reason_descriptor(), "REASON_");
  ASSERT_THAT(names, SizeIs(base::kReasonCount - 1));
  for (int i = 1; i < base::kReasonCount; ++i) {
    const auto reason = base::ReasonFromNumber(static_cast<uint32_t>(i));
    ASSERT_TRUE(reason.has_value());
    EXPECT_EQ(base::NameOf(*reason), names[static_cast<size_t>(i) - 1]);
  }
}

// "SUBJECT_CREATE" for "subject.create".
std::string ApiNameOf(policy::Action action) {
  std::string name(policy::NameOf(action));
  for (char& c : name) {
    c = c == '.'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

TEST(StoredNumbersTest, ActionsAreThoseOfTheApi) {
  const Names names = NamesOf(*v1::Action_descriptor(), "ACTION_");
  ASSERT_THAT(names, SizeIs(policy::kActionCount - 1));
  for (int i = 1; i < policy::kActionCount; ++i) {
    EXPECT_EQ(ApiNameOf(static_cast<policy::Action>(i)),
              names[static_cast<size_t>(i) - 1]);
  }
}

TEST(StoredNumbersTest, OutcomesAreThoseOfTheApi) {
  EXPECT_THAT(NamesOf(*v1::Outcome_descriptor(), "OUTCOME_"),
              ElementsAre("ALLOWED", "DENIED", "FAILED"));
  EXPECT_EQ(static_cast<int>(audit::Outcome::kAllowed), v1::OUTCOME_ALLOWED);
  EXPECT_EQ(static_cast<int>(audit::Outcome::kDenied), v1::OUTCOME_DENIED);
  EXPECT_EQ(static_cast<int>(audit::Outcome::kFailed), v1::OUTCOME_FAILED);
}

TEST(StoredNumbersTest, ViewsAreThoseOfTheApi) {
  EXPECT_THAT(NamesOf(*v1::View_descriptor(), "VIEW_"),
              ElementsAre("MASKED", "PLAIN"));
  EXPECT_EQ(static_cast<int>(policy::View::kMasked), v1::VIEW_MASKED);
  EXPECT_EQ(static_cast<int>(policy::View::kPlain), v1::VIEW_PLAIN);
}

TEST(StoredNumbersTest, StatesAreThoseOfTheApi) {
  EXPECT_THAT(NamesOf(*v1::SubjectState_descriptor(), "SUBJECT_STATE_"),
              ElementsAre("ACTIVE", "CANCELLED", "PARTIALLY_SHREDDED"));
  EXPECT_EQ(static_cast<int>(policy::SubjectState::kActive),
            v1::SUBJECT_STATE_ACTIVE);
  EXPECT_EQ(static_cast<int>(policy::SubjectState::kCancelled),
            v1::SUBJECT_STATE_CANCELLED);
  EXPECT_EQ(static_cast<int>(policy::SubjectState::kRetained),
            v1::SUBJECT_STATE_PARTIALLY_SHREDDED);
}

// "LAST_FOUR" of FieldMasking for Mask::kLastFour: one further on, since the
// first value of a proto's enum is never sent.
template <typename Enum>
void ExpectLast(const EnumDescriptor& values, Enum last, const char* name) {
  EXPECT_EQ(values.value_count(), static_cast<int>(last) + 2);
  EXPECT_EQ(values.value(values.value_count() - 1)->name(), name);
}

TEST(PolicyEnumsTest, AreThoseOfTheCatalogueOneFurtherOn) {
  ExpectLast(*v1::FieldType_descriptor(), policy::FieldType::kJson,
             "FIELD_TYPE_JSON");
  ExpectLast(*v1::FieldMasking_descriptor(), policy::Mask::kHidden,
             "FIELD_MASKING_HIDDEN");
  ExpectLast(*v1::FieldExport_descriptor(), policy::Export::kNever,
             "FIELD_EXPORT_NEVER");
  ExpectLast(*v1::RoleKind_descriptor(), policy::RoleKind::kAdministrator,
             "ROLE_KIND_ADMINISTRATOR");
  EXPECT_EQ(static_cast<int>(policy::FieldType::kEmail) + 1,
            v1::FIELD_TYPE_EMAIL);
  EXPECT_EQ(static_cast<int>(policy::Mask::kLastFour) + 1,
            v1::FIELD_MASKING_LAST_FOUR);
  EXPECT_EQ(static_cast<int>(policy::Sensitivity::kCredential),
            v1::SENSITIVITY_CREDENTIAL);
}

}  // namespace
}  // namespace hizo::architecture
