// The files that are shipped in deploy/ work as they are.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/app/access_file.h"
#include "service/app/catalogue_file.h"
#include "service/app/config.h"
#include "service/app/yaml_reader.h"
#include "service/policy/access_table.h"
#include "service/policy/catalogue.h"
#include "tests/service/app/temp_folder.h"

namespace hizo::app {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kDeploy =
    std::filesystem::path(HIZO_SOURCE_DIR) / "deploy";

class ShippedFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<policy::CatalogueSource> source =
        ReadCatalogue(kDeploy / "catalogue.yaml");
    ASSERT_TRUE(source.ok()) << source.status();
    absl::StatusOr<std::unique_ptr<const policy::Catalogue>> catalogue =
        policy::Catalogue::Create(*std::move(source));
    ASSERT_TRUE(catalogue.ok()) << catalogue.status();
    catalogue_ = *std::move(catalogue);
    absl::StatusOr<policy::AccessSource> access =
        ReadAccess(kDeploy / "access.example.yaml");
    ASSERT_TRUE(access.ok()) << access.status();
    access_source_ = *std::move(access);
    absl::StatusOr<std::unique_ptr<const policy::AccessTable>> table =
        policy::AccessTable::Create(access_source_, *catalogue_);
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }

  const policy::FieldSpec& Field(const std::string& name) const {
    const policy::FieldSpec* field = catalogue_->FindField(name);
    if (field == nullptr) ADD_FAILURE() << "no field " << name;
    static const policy::FieldSpec kNone;
    return field == nullptr ? kNone : *field;
  }
  const policy::Principal& Principal(const std::string& name) const {
    const policy::Principal* found =
        table_->Find("spiffe://hizo.example/acme/" + name);
    if (found == nullptr) ADD_FAILURE() << "no principal " << name;
    static const policy::Principal kNone;
    return found == nullptr ? kNone : *found;
  }
  // Whether some grant gives `action` on `field` for `purpose`.
  bool Grants(const std::string& who, policy::Action action,
              const std::string& purpose, const std::string& field,
              bool plain) const {
    const policy::PurposeNumber number =
        catalogue_->FindPurpose(purpose)->number;
    const std::vector<policy::Grant>& grants = Principal(who).grants;
    return std::any_of(
        grants.begin(), grants.end(), [&](const policy::Grant& grant) {
          return grant.actions.test(static_cast<size_t>(action)) &&
                 grant.purposes.test(number) && grant.plain >= plain &&
                 (field.empty() || grant.fields.test(Field(field).index));
        });
  }

  std::unique_ptr<const policy::Catalogue> catalogue_;
  policy::AccessSource access_source_;
  std::unique_ptr<const policy::AccessTable> table_;
};

// Numbers that stores out there already hold: an edit of the catalogue that
// changes one of them would read other people's fields under these names.
TEST_F(ShippedFilesTest, NumbersStayAsTheyWere) {
  const std::pair<std::string, int> kPurposes[] = {
      {"service_delivery", 1},
      {"support", 2},
      {"billing", 3},
      {"communications_service", 4},
      {"communications_marketing", 5},
      {"security", 6},
      {"authentication", 7},
      {"identity_verification", 8},
      {"legal_compliance", 9},
      {"tax_audit", 10},
      {"legal_retention", 11},
      {"breach_notification", 12},
      {"rights_response", 13},
      {"security_audit", 14},
      {"onboarding", 15},
      {"operations", 16},
      {"service_improvement", 17},
      {"data_analytics", 18}};
  for (const auto& [name, number] : kPurposes) {
    const policy::PurposeSpec* purpose = catalogue_->FindPurpose(name);
    ASSERT_NE(purpose, nullptr) << name;
    EXPECT_EQ(purpose->number, number) << name;
  }
  const std::pair<std::string, int> kClasses[] = {{"account", 1},
                                                  {"profile", 2},
                                                  {"billing", 3},
                                                  {"transaction", 4},
                                                  {"credential", 5}};
  for (const auto& [name, number] : kClasses) {
    ASSERT_NE(catalogue_->FindClass(name), nullptr) << name;
    EXPECT_EQ(catalogue_->FindClass(name)->number, number) << name;
  }
  const std::pair<std::string, int> kFields[] = {
      {"account.username", 101},
      {"account.email", 102},
      {"account.pc_mail_address", 113},
      {"profile.full_name", 201},
      {"profile.postal_address", 206},
      {"billing.payment_token", 302},
      {"billing.tax_registration_number", 309},
      {"transaction.invoice_number", 401},
      {"transaction.usage_fee_calculation", 410},
      {"credential.password_hash", 501}};
  for (const auto& [name, number] : kFields) {
    EXPECT_EQ(Field(name).number, number) << name;
  }
}

TEST_F(ShippedFilesTest, EveryFieldIsNumberedAfterItsClass) {
  for (const policy::FieldSpec& field : catalogue_->fields()) {
    EXPECT_EQ(field.number / 100, field.class_number) << field.full_name;
  }
}

TEST_F(ShippedFilesTest, ThePaymentTokenLeavesTheVaultForBillingOnly) {
  const policy::FieldSpec& token = Field("billing.payment_token");
  EXPECT_EQ(token.mask, policy::Mask::kHidden);
  EXPECT_EQ(token.export_kind, policy::Export::kNever);
  EXPECT_EQ(token.sensitivity, policy::Sensitivity::kCredential);
  EXPECT_EQ(token.purposes.count(), 2U);  // billing, and being taken over
  EXPECT_FALSE(Grants("support", policy::Action::kRecordGet, "support",
                      "billing.payment_token", false));
}

TEST_F(ShippedFilesTest, CredentialsAreBeyondEveryGrant) {
  EXPECT_TRUE(catalogue_->FindClass("credential")->internal);
  for (const auto& principal : access_source_.principals) {
    const policy::Principal* found = table_->Find(principal.spiffe_id);
    ASSERT_NE(found, nullptr);
    for (const policy::Grant& grant : found->grants) {
      EXPECT_FALSE(grant.fields.test(Field("credential.password_hash").index));
    }
  }
}

TEST_F(ShippedFilesTest, PeopleAreFoundByNamesThatAreTheirs) {
  std::set<std::string> searchable;
  std::set<std::string> unique;
  for (const policy::FieldSpec& field : catalogue_->fields()) {
    if (field.searchable) searchable.insert(field.full_name);
    if (field.unique) unique.insert(field.full_name);
  }
  EXPECT_THAT(unique,
              ::testing::ElementsAre("account.caller_reference",
                                     "account.email", "account.username"));
  EXPECT_THAT(searchable,
              ::testing::IsSupersetOf(
                  {"account.mobile_mail_address", "account.pc_mail_address",
                   "profile.phone_number", "profile.mobile_phone_number",
                   "profile.ip_phone_number"}));
}

TEST_F(ShippedFilesTest, AnImporterMayWriteEveryFieldButReadNone) {
  for (const policy::FieldSpec& field : catalogue_->fields()) {
    if (catalogue_->ClassByNumber(field.class_number)->internal) continue;
    EXPECT_TRUE(Grants("importer", policy::Action::kRecordImport, "onboarding",
                       field.full_name, false))
        << field.full_name;
    EXPECT_TRUE(
        field.purposes.test(catalogue_->FindPurpose("onboarding")->number))
        << field.full_name;
  }
  EXPECT_FALSE(
      Grants("importer", policy::Action::kRecordGet, "onboarding", "", false));
}

TEST_F(ShippedFilesTest, SupportSeesMasksAndStorefrontValues) {
  const auto get = policy::Action::kRecordGet;
  EXPECT_TRUE(Grants("support", get, "support", "profile.full_name", false));
  EXPECT_FALSE(Grants("support", get, "support", "profile.full_name", true));
  EXPECT_TRUE(
      Grants("storefront", get, "service_delivery", "profile.full_name", true));
  EXPECT_FALSE(Grants("storefront", get, "communications_marketing",
                      "profile.full_name", true));
}

TEST_F(ShippedFilesTest, AuditorAndOperatorTouchNobodysData) {
  for (const char* name : {"auditor", "operator"}) {
    for (const policy::Grant& grant : Principal(name).grants) {
      EXPECT_TRUE(grant.fields.none()) << name;
      EXPECT_FALSE(grant.plain) << name;
    }
  }
  EXPECT_TRUE(Principal("auditor").Is(policy::RoleKind::kAuditor));
  EXPECT_TRUE(Principal("operator").Is(policy::RoleKind::kAdministrator));
  EXPECT_TRUE(Grants("operator", policy::Action::kAdminStatus, "operations", "",
                     false));
  EXPECT_TRUE(Grants("operator", policy::Action::kBackupCreate, "operations",
                     "", false));
  EXPECT_FALSE(Grants("operator", policy::Action::kBackupRestore, "operations",
                      "", false));
  EXPECT_TRUE(Grants("operator", policy::Action::kAuditCheckpoint, "operations",
                     "", false));
  EXPECT_TRUE(Grants("auditor", policy::Action::kAuditQuery, "security_audit",
                     "", false));
}

TEST_F(ShippedFilesTest, TheTenantTakesJapaneseNumbers) {
  const policy::TenantSpec* tenant = table_->Tenant(base::TenantId{1});
  ASSERT_NE(tenant, nullptr);
  EXPECT_EQ(tenant->name, "acme");
  EXPECT_EQ(tenant->default_region, "JP");
}

TEST_F(ShippedFilesTest, ABadSpiffeIdIsRefused) {
  for (const char* id :
       {"https://hizo.example/acme/x", "spiffe://hizo.example",
        "spiffe:///acme/x", "spiffe://hizo.example/acme//x",
        "spiffe://hizo.example/acme/x y", "spiffe://hizo.example/../x", "x"}) {
    policy::AccessSource source = access_source_;
    source.principals[0].spiffe_id = id;
    EXPECT_EQ(policy::AccessTable::Create(source, *catalogue_).status().code(),
              absl::StatusCode::kInvalidArgument)
        << id;
  }
}

TEST_F(ShippedFilesTest, DoubledNumbersAreRefused) {
  const absl::StatusOr<policy::CatalogueSource> good =
      ReadCatalogue(kDeploy / "catalogue.yaml");
  ASSERT_TRUE(good.ok());
  policy::CatalogueSource fields = *good;
  fields.fields[1].number = fields.fields[0].number;
  EXPECT_FALSE(policy::Catalogue::Create(fields).ok());
  policy::CatalogueSource purposes = *good;
  purposes.purposes[1].number = purposes.purposes[0].number;
  EXPECT_FALSE(policy::Catalogue::Create(purposes).ok());
  policy::CatalogueSource classes = *good;
  classes.classes[1].number = classes.classes[0].number;
  EXPECT_FALSE(policy::Catalogue::Create(classes).ok());
  policy::AccessSource tenants = access_source_;
  tenants.tenants.push_back(tenants.tenants[0]);
  tenants.tenants.back().name = "other";
  EXPECT_FALSE(policy::AccessTable::Create(tenants, *catalogue_).ok());
}

// Every field of the sample people has a place in the catalogue; what the
// catalogue requires is there.
TEST_F(ShippedFilesTest, TheSamplePeopleFitTheCatalogue) {
  std::ifstream in(kDeploy / "sample" / "people.jsonl");
  std::string line;
  int people = 0;
  for (; std::getline(in, line); ++people) {
    const nlohmann::json person = nlohmann::json::parse(line);
    for (const auto& [class_name, held] : person.items()) {
      const policy::ClassSpec* of = catalogue_->FindClass(class_name);
      ASSERT_NE(of, nullptr) << class_name;
      EXPECT_EQ(held.is_array(), of->series) << class_name;
      const nlohmann::json records =
          held.is_array() ? held : nlohmann::json::array({{{"fields", held}}});
      for (const nlohmann::json& record : records) {
        for (const auto& [field, value] : record["fields"].items()) {
          EXPECT_NE(catalogue_->FindField(*of, field), nullptr) << field;
        }
        for (const policy::FieldSpec* field : of->fields) {
          EXPECT_TRUE(!field->required ||
                      record["fields"].contains(field->name))
              << people << " " << field->full_name;
        }
      }
    }
  }
  EXPECT_EQ(people, 1000);
}

// All but the places, which are the operator's, must hold as written.
TEST_F(ShippedFilesTest, TheExampleConfigurationLoads) {
  const TempFolder folder;
  std::vector<Override> places;
  for (const char* name : {"tls.cert", "tls.key", "tls.client_ca"}) {
    places.push_back({name, folder.Write(name, "x").string()});
  }
  places.push_back({"catalogue", (kDeploy / "catalogue.yaml").string()});
  places.push_back({"access", (kDeploy / "access.example.yaml").string()});
  const absl::StatusOr<Config> config =
      LoadConfig(kDeploy / "hizod.example.yaml", places);
  ASSERT_TRUE(config.ok()) << config.status();
  const Config defaults;
  EXPECT_EQ(config->listen, defaults.listen);
  EXPECT_EQ(config->commit_queue, defaults.commit_queue);
  EXPECT_EQ(config->max_message_bytes, defaults.max_message_bytes);
  EXPECT_EQ(config->slots.size(), 2U);
}

// Every setting is shown in the example, so that nobody has to guess.
TEST_F(ShippedFilesTest, TheExampleConfigurationShowsEverySetting) {
  const absl::StatusOr<YamlValue> root =
      ReadYaml(kDeploy / "hizod.example.yaml");
  ASSERT_TRUE(root.ok()) << root.status();
  std::set<std::string> shown;
  for (const YamlValue& item : root->items) {
    if (item.kind != YamlValue::Kind::kMap) shown.insert(item.key);
    for (const YamlValue& inner : item.items) {
      shown.insert(item.key + "." + inner.key);
    }
  }
  // As comments: there are no such files from the start.
  std::ifstream in(kDeploy / "hizod.example.yaml");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  for (const char* name :
       {"password.breached_file", "witness.command", "slot_passphrase_file"}) {
    const std::string full = name;
    const std::string last = full.substr(full.rfind('.') + 1);
    EXPECT_THAT(text, HasSubstr("# " + last + ": /"));
    shown.insert(full);
  }
  for (const SettingHelp& setting : Settings()) {
    if (setting.name == "password.test_cost") continue;  // not for operators
    EXPECT_TRUE(shown.contains(setting.name)) << setting.name;
  }
}

}  // namespace
}  // namespace hizo::app
