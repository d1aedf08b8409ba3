// Bundles: of one person with many records, and of many ordinary people.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/age.h"
#include "crypto/record_cipher.h"
#include "service/vault/row_keys.h"
#include "storage/engine.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/measure.h"
#include "tests/testing/vault_fixture.h"

namespace hizo::bench {
namespace {

using std::chrono::duration;
using std::chrono::steady_clock;
using vault::Attempt;

constexpr size_t kRecordsPerPerson = 10;  // with account and profile
constexpr size_t kPeople = 300;
constexpr size_t kAtOnce = 200;
constexpr size_t kExporters = 8;
constexpr size_t kOpened = 50'000;
constexpr double kGoalBundles = 1000;  // a second, for a core
constexpr double kGoalBytes = 64.0 * 1024 * 1024;

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}
template <typename T>
T Require(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

class ExportingVault {
 public:
  ExportingVault() : vault_(OnDisk()) {}

  base::SubjectId NewPerson(size_t number, size_t payments) {
    std::vector<vault::NewRecord> records;
    records.push_back(Texts("account", "email",
                            "p" + std::to_string(number) + "@example.com"));
    records.push_back(Texts("profile", "full_name", "Ann Other"));
    const vault::Call call = vault_.CallOf(
        test::kFull, policy::Action::kSubjectCreate, test::kService);
    const auto subject = Require(vault_.Run(call, [&](Attempt& attempt) {
                           return vault_.store().subjects().Create(
                               attempt, call, std::move(records));
                         })).subject;
    // The first one makes the key that the others need.
    for (size_t done = 0; done < payments;) {
      const size_t some = done == 0 ? 1 : std::min(kAtOnce, payments - done);
      Pay(subject, done, some);
      done += some;
    }
    return subject;
  }

  struct Exported {
    size_t records = 0;
    size_t bytes = 0;
    double held = 0;  // more memory than at its start, at most
  };
  Exported Export(base::SubjectId subject) {
    const double before = ResidentBytes(getpid());
    auto made = Require(vault_.store().exports().Begin(
        {subject, bundle::Selection::kPortability, bundle::Language::kEnglish,
         recipient_}));
    Exported exported;
    for (size_t index = 0;; ++index) {
      const vault::Call call = vault_.CallOf(
          test::kFull, policy::Action::kExportBundle, test::kService);
      const auto chunk = Require(vault_.Run(call, [&](Attempt& attempt) {
        return made->Next(attempt, call, index);
      }));
      exported.bytes += chunk.bytes.size();
      exported.records = chunk.records;
      exported.held = std::max(exported.held, ResidentBytes(getpid()) - before);
      if (chunk.last) return exported;
    }
  }

  // The rows of a person's payments, read and left alone; how many.
  size_t Scan(base::SubjectId subject) {
    const std::string prefix = vault::RecordPrefix(test::kAcme, subject, 4);
    storage::ScanRange range = storage::PrefixRange(prefix, 500);
    size_t rows = 0;
    for (;;) {
      const auto page = Require(vault_.data().Scan(range));
      rows += page.size();
      if (page.size() < range.limit) return rows;
      range.from = page.back().key + '\0';
    }
  }

 private:
  static test::VaultFixture::Options OnDisk() {
    test::VaultFixture::Options options;
    options.engines = test::VaultFixture::Engines::kRocksDb;
    return options;
  }
  static vault::NewRecord Texts(const std::string& of, const std::string& field,
                                const std::string& text) {
    vault::NewRecord record;
    record.record_class = of;
    record.fields.push_back({field, vault::Text{base::Pii(text)}});
    return record;
  }
  void Pay(base::SubjectId subject, size_t first, size_t count) {
    std::vector<std::unique_ptr<test::Pending>> pending;
    for (size_t i = first; i < first + count; ++i) {
      vault::NewRecord record =
          Texts("transaction", "item", "item " + Filler(i, 40));
      record.fields.push_back(
          {"amount", vault::Money{"JPY", static_cast<int64_t>(i)}});
      record.event_time = base::FromMicros(1'700'000'000'000'000 +
                                           static_cast<int64_t>(i) * 1'000'000);
      vault_.clock().Advance(std::chrono::milliseconds(1));
      const vault::Call call = vault_.CallOf(
          test::kFull, policy::Action::kRecordPut, test::kService);
      auto attempt = vault_.NewAttempt(call);
      const absl::Status put =
          vault_.store()
              .records()
              .Put(*attempt, call, {subject, std::move(record), {}, {}, {}})
              .status();
      Require(put);
      attempt->Conclude(put);
      pending.push_back(std::make_unique<test::Pending>());
      vault_.Submit(std::move(attempt), *pending.back());
    }
    absl::Status all;
    for (auto& of : pending) all.Update(of->Wait().status);
    Require(all);
  }

  test::VaultFixture vault_;
  const std::string recipient_ =
      crypto::AgeIdentity::Random().recipient().ToText();
};

double SecondsOf(const std::function<void()>& work) {
  const auto start = steady_clock::now();
  work();
  return duration<double>(steady_clock::now() - start).count();
}

// Encrypting so many bytes and nothing else.
double SecondsToEncrypt(size_t bytes) {
  const crypto::AgeRecipient recipient =
      crypto::AgeIdentity::Random().recipient();
  const std::string piece(size_t{384} << 10, 'p');
  return SecondsOf([&] {
    auto writer = *crypto::AgeWriter::ForRecipients({&recipient, 1});
    std::string out;
    for (size_t done = 0; done < bytes; done += piece.size()) {
      out.clear();
      writer.Write(piece, out);
    }
    writer.Finish(out);
  });
}

// Opening as many sealed records as a payment of this person, and nothing else:
// what no export can do without, whatever it writes.
double SecondsToOpen(size_t count) {
  const crypto::Key dek = crypto::Key::Random();
  const std::string id(16, 'i');
  const crypto::RecordPlace place = {1, id, 4, id};
  crypto::RecordSealer sealer(dek, place, {});
  Require(sealer.Put(401, std::string(47, 't')));
  Require(sealer.Put(402, std::string(14, 'm')));
  Require(sealer.Put(0xFFFF, std::string(10, 'e')));
  const std::string bytes = std::move(sealer).Finish();
  const double seconds = SecondsOf([&] {
    for (size_t i = 0; i < kOpened; ++i) {
      const auto row = Require(crypto::SealedRow::Parse(bytes));
      const auto opener =
          Require(crypto::RecordOpener::Create(dek, place, row));
      for (const auto& field : row.fields()) {
        Require(opener.Field(row, field.number));
      }
    }
  });
  return seconds * static_cast<double>(count) / kOpened;
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The bundles of all, several under way at a time so that they share commits;
// how many for a second of a processor, the committer's and RocksDB's included.
double BundlesPerProcessorSecond(ExportingVault& vault,
                                 const std::vector<base::SubjectId>& people) {
  const double before = ProcessorSeconds();
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  {
    std::vector<std::jthread> exporters;
    for (size_t i = 0; i < kExporters; ++i) {
      exporters.emplace_back([&] {
        for (size_t at = next++; at < people.size(); at = next++) {
          try {
            vault.Export(people[at]);
          } catch (const std::exception&) {
            failed = true;
            return;
          }
        }
      });
    }
  }
  if (failed) throw std::runtime_error("a bundle was not made");
  return static_cast<double>(people.size()) / (ProcessorSeconds() - before);
}

}  // namespace

Figures ExportBundle(const Settings& settings) {
  ExportingVault vault;
  Say("export_bundle: one person with " + std::to_string(settings.people) +
      " records");
  const base::SubjectId busy = vault.NewPerson(0, settings.people);
  std::vector<base::SubjectId> people;
  for (size_t i = 1; i <= kPeople; ++i) {
    people.push_back(vault.NewPerson(i, kRecordsPerPerson));
  }
  const auto count = static_cast<double>(settings.people);
  std::vector<Sample> records;
  std::vector<Sample> ceilings;
  std::vector<Sample> openings;
  std::vector<Sample> bundles;
  std::vector<Sample> alone;
  double held = 0;
  for (size_t run = 0; run < kRuns; ++run) {
    Say("export_bundle: scan, encrypt, export");
    const double scan = SecondsOf([&] { vault.Scan(busy); });
    ExportingVault::Exported exported;
    const double whole = SecondsOf([&] { exported = vault.Export(busy); });
    const double encrypt = SecondsToEncrypt(exported.bytes);
    records.push_back({.per_second = count / whole});
    ceilings.push_back({.per_second = count / std::max(scan, encrypt)});
    openings.push_back({.per_second = count / SecondsToOpen(settings.people)});
    held = std::max(held, exported.held);
    bundles.push_back({.per_second = BundlesPerProcessorSecond(vault, people)});
    const double all = SecondsOf([&] {
      for (const base::SubjectId& person : people) vault.Export(person);
    });
    alone.push_back({.per_second = static_cast<double>(kPeople) / all});
  }
  return {{"export_bundle", MedianOf(records).per_second, "records/s",
           MedianOf(ceilings).per_second, std::nullopt, std::nullopt, kRuns,
           "the slower of RocksDB's scan and age alone"},
          {"export_bundle_opening", MedianOf(records).per_second, "records/s",
           MedianOf(openings).per_second, std::nullopt, std::nullopt, kRuns,
           "opening as many sealed records, and nothing else"},
          {"export_bundle_people", MedianOf(bundles).per_second, "bundles/s",
           kGoalBundles, std::nullopt, std::nullopt, kRuns,
           "goal for a core, ordinary people; for a second of processor time"},
          {"export_bundle_single", MedianOf(alone).per_second, "bundles/s",
           kGoalBundles, std::nullopt, std::nullopt, kRuns,
           "the same, one after the other, each waiting for its commit"},
          {"export_bundle_memory", held, "bytes", kGoalBytes, std::nullopt,
           std::nullopt, kRuns, "goal, of one export, as much more as held"}};
}

}  // namespace hizo::bench
