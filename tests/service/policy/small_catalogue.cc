#include "tests/service/policy/small_catalogue.h"

#include <string>
#include <utility>

namespace hizo::policy {
namespace {

PurposeSpec Purpose(PurposeNumber number, std::string name) {
  return {.number = number, .name = std::move(name), .text = "A purpose."};
}

ClassSpec Class(ClassNumber number, std::string name) {
  ClassSpec spec;
  spec.number = number;
  spec.name = std::move(name);
  return spec;
}

FieldSpec Field(FieldNumber number, std::string name, FieldType type,
                PurposeSet purposes) {
  FieldSpec field;
  field.number = number;
  field.class_number = number / 100;
  field.name = std::move(name);
  field.type = type;
  field.purposes = purposes;
  field.size_max = 100;
  return field;
}

}  // namespace

CatalogueSource SmallCatalogueSource() {
  const PurposeSet support = PurposeSet().set(kSupport).set(kMarketing);
  const PurposeSet billing = PurposeSet().set(kBilling);
  CatalogueSource source;
  source.version = 3;
  // Out of order, as a file may have them.
  source.purposes = {Purpose(kOperations, "operations"),
                     Purpose(kBilling, "billing"), Purpose(kSupport, "support"),
                     Purpose(kMarketing, "marketing")};
  source.purposes[1].outlives_account = true;
  source.classes = {Class(2, "profile"), Class(1, "account"),
                    Class(kClassCredential, "credential")};
  source.classes.back().internal = true;
  source.fields = {
      Field(202, "note", FieldType::kText, billing),
      Field(201, "full_name", FieldType::kText, support | billing),
      Field(101, "email", FieldType::kEmail, support | billing),
      Field(102, "handle", FieldType::kHandle, support),
      Field(501, "password_hash", FieldType::kText, support | billing),
  };
  source.fields[2].searchable = true;
  source.fields[2].unique = true;
  return source;
}

std::unique_ptr<const Catalogue> SmallCatalogue() {
  return *Catalogue::Create(SmallCatalogueSource());
}

AccessSource SmallAccessSource() {
  AccessSource source;
  source.tenants = {{base::TenantId{1}, "acme", "JP"},
                    {base::TenantId{2}, "globex", ""}};
  source.roles = {
      {"agent",
       RoleKind::kService,
       {{{"subject.get", "subject.find", "record.get", "record.list"},
         {"support"},
         {"*"},
         false}}},
      {"clerk",
       RoleKind::kService,
       {{{"record.get", "record.put", "record.import", "subject.create",
          "subject.cancel"},
         {"billing"},
         {"account.email", "profile.note"},
         true}}},
      {"operator",
       RoleKind::kAdministrator,
       {{{"audit.query", "admin.status"}, {"operations"}, {}, false}}},
  };
  source.principals = {{kAgent, "acme", {"agent"}},
                       {kClerk, "acme", {"clerk"}},
                       {kOperator, "globex", {"operator"}},
                       {kBoth, "acme", {"agent", "clerk"}}};
  return source;
}

std::unique_ptr<const AccessTable> SmallAccessTable(
    const Catalogue& catalogue) {
  return *AccessTable::Create(SmallAccessSource(), catalogue);
}

FieldSet FieldsOf(const Catalogue& catalogue,
                  const std::vector<std::string_view>& full_names) {
  FieldSet fields;
  for (const std::string_view name : full_names) {
    fields.set(catalogue.FindField(name)->index);
  }
  return fields;
}

}  // namespace hizo::policy
