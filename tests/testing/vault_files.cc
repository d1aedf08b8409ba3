#include "tests/testing/vault_files.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace hizo::test {
namespace {

constexpr char kAccess[] = R"(
tenants:
  acme: {number: 1, default_region: JP}
  globex: {number: 2}
roles:
  full:
    kind: service
    grants:
      - actions: [subject.create, subject.get, subject.find, subject.cancel,
          record.put, record.get, record.batch_get, record.list,
          record.delete_fields, record.import, credential.set,
          credential.verify, credential.change, credential.import,
          credential.revoke, credential.get, credential.unlock, consent.check,
          erasure.plan, erasure.execute, erasure.cancel, erasure.get, erasure.verify,
          hold.place, hold.release, consent.record, consent.withdraw,
          consent.list, consent.object, consent.decide, consent.acknowledge,
          restriction.set,
          restriction.lift]
        purposes: [service_delivery, onboarding, billing, support,
          authentication, tax_audit, legal_claim, communications_service,
          communications_marketing, service_improvement]
        fields: ["*"]
        plain: true
      - actions: [export.bundle, export.import, export.transmit,
          recipient.register, recipient.remove, recipient.list]
        purposes: [rights_response, onboarding]
        fields: ["*"]
        plain: true
  masked:
    kind: service
    grants:
      - actions: [subject.get, subject.find, record.get, record.batch_get,
          record.list]
        purposes: [support]
        fields: ["*"]
  auditor:
    kind: auditor
    grants:
      - actions: [audit.query, audit.checkpoint, audit.prove, audit.export,
          audit.history, audit.breach]
        purposes: [security_audit]
  operator:
    kind: administrator
    grants:
      - actions: [admin.status, policy.get, policy.validate, policy.activate, policy.conflicts, keys.rotate, store.purge, backup.create, backup.list,
          backup.verify, credential.unlock_caller, credential.rotate_pepper,
          retention.list, retention.run, retention.mark_loss]
        purposes: [operations]
principals:
  spiffe://hizo.example/acme/full: {tenant: acme, roles: [full]}
  spiffe://hizo.example/acme/masked: {tenant: acme, roles: [masked]}
  spiffe://hizo.example/acme/powerless: {tenant: acme, roles: []}
  spiffe://hizo.example/acme/auditor: {tenant: acme, roles: [auditor]}
  spiffe://hizo.example/acme/operator: {tenant: acme, roles: [operator]}
  spiffe://hizo.example/globex/full: {tenant: globex, roles: [full]}
  spiffe://hizo.example/globex/auditor: {tenant: globex, roles: [auditor]}
)";

// Two slots, so that one can be lost.
constexpr char kConfig[] = R"(
listen: 127.0.0.1:0
storage: {data_dir: data, keys_dir: keys, cache_mb: 16}
slots: [slot-a/root, slot-b/root]
anchor: outside/anchor
backup: {dir: backups}
tls: {cert: server.pem, key: server.key, client_ca: ca.pem}
catalogue: catalogue.yaml
access: access.yaml
password: {cost: 4, test_cost: true}
memory: {require_lock: false}
reflection: true
)";

template <typename T>
T Require(absl::StatusOr<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

std::string FileName(std::string caller) {
  caller.replace(caller.find('/'), 1, "-");
  return caller;
}

}  // namespace

VaultFiles::VaultFiles() {
  const Identity server = authority_.Issue("DNS:localhost,IP:127.0.0.1");
  Write("ca.pem", authority_.certificate());
  Write("server.pem", server.certificate);
  Write("server.key", server.key);
  Write("access.yaml", kAccess);
  Write("hizod.yaml", kConfig);
  std::filesystem::copy(HIZO_SOURCE_DIR "/deploy/catalogue.yaml", directory());
}

std::filesystem::path VaultFiles::config_file() const {
  return directory() / "hizod.yaml";
}

app::Config VaultFiles::LoadConfig() const {
  return Require(app::LoadConfig(config_file(), {}));
}

void VaultFiles::AdoptPolicy(const std::string& company,
                             const std::filesystem::path& overlay) const {
  const std::string policies = HIZO_SOURCE_DIR "/deploy/policies/";
  const std::string operators = overlay.empty()
                                    ? policies + "operator/" + company + ".yaml"
                                    : overlay.string();
  std::string access = kAccess;
  const std::string region = "default_region: JP";
  access.insert(access.find(region) + region.size(),
                ", policy: {profile: " + policies + company +
                    ".yaml, statutory: " + policies +
                    "statutory_overlay.yaml, operator: " + operators + "}");
  Write("access.yaml", access);
}

const Identity& VaultFiles::IdentityOf(const std::string& name) {
  const auto found = identities_.find(name);
  if (found != identities_.end()) return found->second;
  return identities_
      .emplace(name, authority_.Issue("URI:spiffe://hizo.example/" + name))
      .first->second;
}

Peer::Options VaultFiles::PeerOptions(const std::string& name,
                                      const std::string& address) {
  return {address, authority_.certificate(), IdentityOf(name)};
}

std::filesystem::path VaultFiles::WriteClient(const std::string& name,
                                              const std::string& address,
                                              const std::string& purpose) {
  const std::string stem = FileName(name);
  Write(stem + ".pem", IdentityOf(name).certificate);
  Write(stem + ".key", IdentityOf(name).key);
  return Write(stem + ".yaml",
               "address: " + address + "\nca: ca.pem\ncert: " + stem +
                   ".pem\nkey: " + stem + ".key\npurpose: " + purpose + "\n");
}

std::filesystem::path VaultFiles::Write(const std::string& name,
                                        const std::string& text) const {
  const std::filesystem::path file = directory() / name;
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
  return file;
}

std::string ReadFile(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace hizo::test
