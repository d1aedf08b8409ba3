#include "tests/testing/vault_fixture.h"

namespace hizo::test {
namespace {

using policy::FieldSpec;
using policy::FieldType;
using policy::Mask;
using policy::RoleKind;

policy::PurposeSpec Purpose(policy::PurposeNumber number, std::string name) {
  return {number, std::move(name), "A purpose."};
}

policy::ClassSpec Class(policy::ClassNumber number, std::string name) {
  policy::ClassSpec spec;
  spec.number = number;
  spec.name = std::move(name);
  return spec;
}

FieldSpec Field(policy::FieldNumber number, std::string name, FieldType type,
                Mask mask) {
  FieldSpec field;
  field.number = number;
  field.class_number = number / 100;
  field.name = std::move(name);
  field.type = type;
  field.mask = mask;
  field.size_max = 4096;
  field.purposes.set(kService).set(kSupport).set(kBilling).set(kLegalClaim);
  return field;
}

FieldSpec Searchable(FieldSpec field) {
  field.searchable = true;
  field.purposes.set(kAuthentication);
  return field;
}

FieldSpec Unique(FieldSpec field) {
  field.unique = true;
  return Searchable(std::move(field));
}

FieldSpec Required(FieldSpec field) {
  field.required = true;
  return field;
}

FieldSpec Sized(FieldSpec field, size_t size_max) {
  field.size_max = size_max;
  return field;
}

std::vector<FieldSpec> Fields() {
  std::vector<FieldSpec> fields = {
      Unique(Field(101, "username", FieldType::kHandle, Mask::kEnds)),
      Unique(Field(102, "email", FieldType::kEmail, Mask::kEmail)),
      Unique(Field(103, "reference", FieldType::kReference, Mask::kLastFour)),
      Searchable(Field(104, "phone", FieldType::kPhone, Mask::kPhone)),
      Field(105, "plan", FieldType::kChoice, Mask::kNone),
      Required(Field(201, "full_name", FieldType::kText, Mask::kInitials)),
      Field(202, "birth_date", FieldType::kDate, Mask::kYear),
      Field(203, "address", FieldType::kAddress, Mask::kRegion),
      Sized(Field(204, "note", FieldType::kText, Mask::kFirstTwo), 100),
      Field(205, "newsletter", FieldType::kBoolean, Mask::kNone),
      Field(206, "points", FieldType::kInteger, Mask::kHidden),
      Field(207, "photo", FieldType::kBytes, Mask::kNone),
      Field(208, "settings", FieldType::kJson, Mask::kNone),
      Field(209, "last_seen", FieldType::kTimestamp, Mask::kYear),
      Field(301, "card_last4", FieldType::kText, Mask::kHidden),
      Field(302, "balance", FieldType::kMoney, Mask::kHidden),
      Required(Field(401, "amount", FieldType::kMoney, Mask::kNone)),
      Field(402, "item", FieldType::kText, Mask::kFirstTwo),
      Field(501, "password_hash", FieldType::kText, Mask::kHidden),
  };
  fields[4].choices = {"free", "paid"};
  for (FieldSpec& field : fields) field.export_kind = policy::Export::kPortable;
  fields[14].export_kind = policy::Export::kAccessOnly;  // card_last4
  fields[18].export_kind = policy::Export::kNever;       // password_hash
  fields[18].sensitivity = policy::Sensitivity::kCredential;
  fields[1].purposes.set(kMarketing);  // email
  fields[5].purposes.set(kMarketing);  // full_name
  // Not for billing.
  fields[6].purposes.reset(kBilling);
  return fields;
}

}  // namespace

policy::CatalogueSource VaultCatalogueSource() {
  policy::CatalogueSource source;
  source.version = 7;
  source.purposes = {Purpose(kService, "service"),
                     Purpose(kSupport, "support"),
                     Purpose(kBilling, "billing"),
                     Purpose(kMarketing, "marketing"),
                     Purpose(kAuthentication, "authentication"),
                     Purpose(kTaxAudit, "tax_audit"),
                     Purpose(kSecurityAudit, "security_audit"),
                     Purpose(kLegalClaim, "legal_claim")};
  source.purposes[2].outlives_account = true;  // billing
  source.purposes[5].outlives_account = true;  // tax_audit
  source.purposes[7].outlives_account = true;  // legal_claim
  source.purposes[7].for_holds = true;
  source.classes = {Class(1, "account"), Class(2, "profile"),
                    Class(3, "billing"), Class(4, "transaction"),
                    Class(policy::kClassCredential, "credential")};
  source.classes[3].series = true;
  source.classes[4].internal = true;
  source.fields = Fields();
  return source;
}

void KeepTransactions(policy::CatalogueSource& source) {
  source.fields.push_back(
      Required(Field(403, "invoice_date", FieldType::kDate, Mask::kYear)));
  for (policy::FieldSpec& field : source.fields) {
    if (field.class_number == 4) field.purposes.set(kTaxAudit);
  }
  policy::RetentionSpec& retention = source.classes[3].retention.emplace();
  retention.law = "Tax Act 57-4(6)";
  retention.year_ends_month = 3;
  retention.year_ends_day = 31;
  retention.begins_after_months = 2;
  retention.years = 7;
  retention.dated_by = "invoice_date";
  retention.purposes.set(kTaxAudit);
}

void LogUsage(policy::CatalogueSource& source) {
  policy::ClassSpec usage = Class(8, "usage");
  usage.series = true;
  usage.ends.emplace().days = 90;
  usage.ends->marked_by = "marked";
  usage.ends->limited_by = "days";
  source.classes.push_back(usage);
  for (const FieldSpec& field :
       {Required(Field(801, "endpoint", FieldType::kText, Mask::kNone)),
        Field(802, "marked", FieldType::kBoolean, Mask::kNone),
        Field(803, "days", FieldType::kInteger, Mask::kNone)}) {
    source.fields.push_back(field);
    source.fields.back().export_kind = policy::Export::kPortable;
  }
}

policy::AccessSource VaultAccessSource() {
  const std::vector<std::string> all_purposes = {
      "service",   "support",     "billing",  "authentication",
      "tax_audit", "legal_claim", "marketing"};
  policy::AccessSource source;
  source.tenants = {{kAcme, "acme", "JP"}, {kGlobex, "globex", ""}};
  source.roles = {
      {"full",
       RoleKind::kService,
       {{{"subject.create",
          "subject.get",
          "subject.find",
          "subject.cancel",
          "record.put",
          "record.get",
          "record.batch_get",
          "record.list",
          "record.delete_fields",
          "record.import",
          "credential.set",
          "credential.verify",
          "credential.change",
          "credential.import",
          "credential.revoke",
          "credential.unlock",
          "credential.get",
          "credential.unlock_caller",
          "credential.rotate_pepper",
          "consent.check",
          "erasure.plan",
          "erasure.execute",
          "erasure.cancel",
          "erasure.get",
          "erasure.verify",
          "keys.rotate",
          "store.purge",
          "hold.place",
          "hold.release",
          "consent.record",
          "consent.withdraw",
          "consent.list",
          "consent.object",
          "consent.decide",
          "consent.acknowledge",
          "policy.validate",
          "policy.activate",
          "policy.conflicts",
          "restriction.set",
          "restriction.lift",
          "export.bundle",
          "export.import",
          "export.transmit",
          "recipient.register",
          "recipient.remove",
          "recipient.list",
          "retention.list",
          "retention.run",
          "retention.mark_loss"},
         all_purposes,
         {"*"},
         true}}},
      {"masked",
       RoleKind::kService,
       {{{"subject.get", "subject.find", "record.get", "record.batch_get",
          "record.list"},
         {"support"},
         {"*"},
         false}}},
      {"clerk",
       RoleKind::kService,
       {{{"record.put", "record.get"},
         {"billing"},
         {"profile.full_name", "account.phone"},
         true}}},
      {"auditor",
       RoleKind::kAuditor,
       {{{"audit.query", "audit.checkpoint", "audit.prove", "audit.export",
          "audit.history", "audit.breach"},
         {"security_audit"},
         {},
         false}}},
  };
  source.principals = {
      {kFull, "acme", {"full"}},
      {kMaskedOnly, "acme", {"masked"}},
      {kClerk, "acme", {"clerk"}},
      {kAuditor, "acme", {"auditor"}},
      {kNobody, "acme", {}},
      {kOtherFull, "globex", {"full"}},
      {kOtherAuditor, "globex", {"auditor"}},
  };
  return source;
}

policy::PolicySource VaultPolicySource() {
  const auto purpose = [](std::string id, std::string clause) {
    policy::PolicySource::Purpose made;
    made.id = std::move(id);
    made.clause = std::move(clause);
    made.where = "profile:1";
    made.marketing = false;
    return made;
  };
  policy::PolicySource source;
  source.profile_id = "small";
  source.where = "operator:1";
  source.version_where = "operator:1";
  source.version = 3;
  source.digest = "c0ffee";
  source.cancelling_withdraws = true;
  source.purposes = {purpose("service", "2.1"), purpose("support", "2.2"),
                     purpose("marketing", "2.3")};
  source.purposes.back().marketing = true;
  for (const char* name : {"account", "profile", "billing", "transaction"}) {
    source.classes.push_back({name, "1", true});
  }
  source.uses = {
      {"service",
       "operator:2",
       {"service", "authentication"},
       policy::Basis::kContract},
      {"support", "operator:3", {}, policy::Basis::kLegitimateInterest},
      {"marketing", "operator:4", {}, policy::Basis::kConsent}};
  source.required_by_law = {{"billing", "Billing Act 1", "operator:5"},
                            {"tax_audit", "Tax Act 57-4(6)", "operator:6"},
                            {"legal_claim", "GDPR 17(3)(e)", "operator:7"}};
  return source;
}

}  // namespace hizo::test
