#include "service/bundle/contact.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "service/bundle/values.h"

namespace hizo::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLineOctets = 75;

// The value of a field by its full name, "" if there is none.
std::string_view Find(std::span<const Record> records,
                      std::string_view record_class, std::string_view name) {
  for (const Record& record : records) {
    if (record.record_class != record_class) continue;
    const auto field = std::ranges::find(record.fields, name, &Field::name);
    if (field != record.fields.end()) return field->json.Reveal();
  }
  return "";
}

struct Contact {
  std::string name;
  std::string nickname;
  std::string company;
  std::vector<std::string> emails;
  // Kind of RFC 6350 and number.
  std::vector<std::pair<std::string, std::string>> phones;
  std::vector<std::pair<std::string, AddressText>> addresses;
};

Contact ContactOf(std::span<const Record> records) {
  Contact contact;
  contact.name = TextOf(Find(records, "profile", "full_name"));
  contact.nickname = TextOf(Find(records, "account", "username"));
  contact.company = TextOf(Find(records, "profile", "company_name"));
  for (const char* name : {"email", "pc_mail_address", "mobile_mail_address"}) {
    std::string email = TextOf(Find(records, "account", name));
    if (!email.empty() &&
        std::ranges::find(contact.emails, email) == contact.emails.end()) {
      contact.emails.push_back(std::move(email));
    }
  }
  constexpr std::pair<const char*, const char*> kPhones[] = {
      {"phone_number", "voice"},
      {"mobile_phone_number", "cell"},
      {"ip_phone_number", "voice"}};
  for (const auto& [name, kind] : kPhones) {
    std::string number = TextOf(Find(records, "profile", name));
    if (!number.empty()) contact.phones.emplace_back(kind, std::move(number));
  }
  AddressText home = AddressOf(Find(records, "profile", "postal_address"));
  if (!home.empty()) contact.addresses.emplace_back("home", std::move(home));
  AddressText work = AddressOf(Find(records, "billing", "billing_address"));
  if (!work.empty()) contact.addresses.emplace_back("", std::move(work));
  return contact;
}

// RFC 6350, section 3.4.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out.append("\\n");
    } else if (c == '\\' || c == ',' || c == ';') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) >= ' ' || c == '\t') {
      out.push_back(c);
    }
  }
  return out;
}

// Folds a line after 75 octets, between characters (section 3.2).
void AppendLine(std::string_view line, std::string& out) {
  size_t room = kLineOctets;
  while (line.size() > room) {
    size_t cut = room;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80) {
      --cut;
    }
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = kLineOctets - 1;
  }
  out.append(line).append("\r\n");
}

std::string AddressLine(const std::string& kind, const AddressText& address) {
  const auto part = [&address](size_t i) { return Escaped(address.parts[i]); };
  // Post office box and extended address stay empty.
  return "ADR" + (kind.empty() ? "" : ";TYPE=" + kind) + ":;;" + part(4) + ";" +
         part(3) + ";" + part(2) + ";" + part(1) + ";" + part(0);
}

// The one of them that says best who it is; never empty, as FN must not be.
std::string FormattedName(const About& about, const Contact& contact) {
  for (const std::string& name :
       {contact.name, contact.company, contact.nickname}) {
    if (!name.empty()) return name;
  }
  return contact.emails.empty() ? about.subject : contact.emails.front();
}

}  // namespace

std::string ContactCard(const About& about, std::span<const Record> records) {
  const Contact contact = ContactOf(records);
  std::string out;
  AppendLine("BEGIN:VCARD", out);
  AppendLine("VERSION:4.0", out);
  AppendLine("PRODID:-//Hizo//bundle 1//EN", out);
  AppendLine("UID:urn:uuid:" + about.subject, out);
  AppendLine("FN:" + Escaped(FormattedName(about, contact)), out);
  if (!contact.nickname.empty()) {
    AppendLine("NICKNAME:" + Escaped(contact.nickname), out);
  }
  if (!contact.company.empty()) {
    AppendLine("ORG:" + Escaped(contact.company), out);
  }
  for (const std::string& email : contact.emails) {
    AppendLine("EMAIL:" + Escaped(email), out);
  }
  for (const auto& [kind, number] : contact.phones) {
    AppendLine("TEL;VALUE=uri;TYPE=" + kind + ":tel:" + number, out);
  }
  for (const auto& [kind, address] : contact.addresses) {
    AppendLine(AddressLine(kind, address), out);
  }
  AppendLine("END:VCARD", out);
  return out;
}

std::string PersonJsonLd(const About& about, std::span<const Record> records) {
  const Contact contact = ContactOf(records);
  Json json;
  json["@context"] = "https://schema.org";
  json["@type"] = "Person";
  json["identifier"] = "urn:uuid:" + about.subject;
  json["name"] = FormattedName(about, contact);
  if (!contact.nickname.empty()) json["alternateName"] = contact.nickname;
  if (!contact.emails.empty()) json["email"] = contact.emails;
  if (!contact.company.empty()) {
    json["worksFor"] = {{"@type", "Organization"}, {"name", contact.company}};
  }
  for (const auto& [kind, number] : contact.phones) {
    json["telephone"].push_back(number);
  }
  for (const auto& [kind, address] : contact.addresses) {
    Json one = {{"@type", "PostalAddress"},
                {"addressCountry", address.parts[0]},
                {"postalCode", address.parts[1]},
                {"addressRegion", address.parts[2]},
                {"addressLocality", address.parts[3]},
                {"streetAddress", address.parts[4]}};
    json["address"].push_back(std::move(one));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hizo::bundle
