#include "tests/integration/canary_records.h"

#include "tests/integration/requests.h"

namespace hizo::test {

void SetText(v1::NewRecord& record, const std::string& field,
             const std::string& text) {
  v1::Field& added = *record.add_fields();
  added.set_name(field);
  added.mutable_value()->set_text(text);
}

namespace {

void SetAddress(v1::NewRecord& record, const std::string& field,
                Canaries& canaries) {
  v1::Field& added = *record.add_fields();
  added.set_name(field);
  v1::Address& address = *added.mutable_value()->mutable_address();
  address.set_country("JP");
  address.set_locality(canaries.Word());
  address.add_lines(canaries.Word());
}

void SetJson(v1::NewRecord& record, const std::string& field,
             Canaries& canaries) {
  v1::Field& added = *record.add_fields();
  added.set_name(field);
  added.mutable_value()->set_json(R"({"name":")" + canaries.Word() + R"("})");
}

}  // namespace

v1::NewRecord AccountOf(const Person& person, Canaries& canaries) {
  v1::NewRecord account = RecordOf("account", {{"email", person.email}});
  SetText(account, "caller_reference", person.reference);
  SetText(account, "username", canaries.Word());
  SetText(account, "mobile_mail_address", canaries.Email());
  SetJson(account, "account_contact", canaries);
  return account;
}

v1::NewRecord ProfileOf(Canaries& canaries) {
  v1::NewRecord profile = RecordOf(
      "profile", {{"full_name", canaries.Word()},
                  {"company_name", canaries.Word() + " " + canaries.Word()}});
  SetText(profile, "phone_number", canaries.Phone());
  SetText(profile, "mobile_phone_number", canaries.Phone());
  SetAddress(profile, "postal_address", canaries);
  return profile;
}

v1::NewRecord BillingOf(Canaries& canaries) {
  v1::NewRecord billing = RecordOf(
      "billing",
      {{"billing_name", canaries.Word()}, {"payment_token", canaries.Word()}});
  SetText(billing, "billing_email", canaries.Email());
  SetAddress(billing, "billing_address", canaries);
  return billing;
}

std::vector<std::string> NamesOf(const v1::NewRecord& record) {
  std::vector<std::string> names;
  for (const v1::Field& field : record.fields()) names.push_back(field.name());
  return names;
}

}  // namespace hizo::test
