#include "tests/attack/history.h"

#include <algorithm>
#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/base/keyspace.h"
#include "service/policy/retention.h"
#include "service/vault/deks_row.h"
#include "service/vault/row_keys.h"
#include "tests/service/vault/people.h"

namespace hizo::test {
namespace {

namespace fs = std::filesystem;
using base::SubjectId;
using vault::NewPerson;
using vault::RecordOf;

}  // namespace

std::string HexOf(const SubjectId& subject) {
  std::string hex = base::ToText(subject);
  std::erase(hex, '-');
  return hex;
}

History::History(VaultFixture& vault, fs::path directory,
                 std::vector<std::string> old)
    : old_slots(std::move(old)),
      vault_(vault),
      directory_(std::move(directory)) {
  KeepSlots();
}

fs::path History::SlotFile(size_t i) const {
  return vault_.directory() / (i == 0 ? "slot" : "slot" + std::to_string(i));
}

std::vector<std::string> History::SlotsOfNow() const {
  std::vector<std::string> slots;
  for (size_t i = 0; i < vault_.slots().size(); ++i) {
    slots.push_back(SlotFile(i).string());
  }
  return slots;
}

void History::KeepSlots() {
  for (size_t i = 0; i < vault_.slots().size(); ++i) {
    const fs::path to = directory_ / ("old" + std::to_string(old_slots.size()));
    fs::copy_file(SlotFile(i), to);
    old_slots.push_back(to.string());
  }
}

std::string History::NewEmail() {
  last_email_ = "e" + std::to_string(emails_++) + "@example.com";
  return last_email_;
}

std::map<std::pair<std::string, int>, std::set<uint32_t>>
History::GenerationsOfNow() const {
  std::map<std::pair<std::string, int>, std::set<uint32_t>> generations;
  for (const auto& row : RowsOf(vault_.keys(), base::kSpaceDeks)) {
    const std::string subject = HexOf(vault::ParsePersonsRow(row.key)->subject);
    if (!living.contains(subject)) continue;
    const auto deks = vault::DecodeDeksRow(row.value);
    for (const vault::WrappedDek& wrapped : deks->wrapped) {
      generations[{subject, wrapped.class_number}].insert(wrapped.generation);
    }
  }
  return generations;
}

void History::PutInvoice(const SubjectId& subject, int yen) {
  const policy::Day today = policy::DayOf(vault_.clock().Now());
  ASSERT_THAT(
      Put(vault_, subject, vault::InvoiceOf(yen, policy::ToText(today))),
      IsOk());
}

void History::RotateKeys() {
  const vault::Call call = vault::FullCall(vault_, policy::Action::kKeysRotate);
  ASSERT_THAT(vault_.Run(call,
                         [&](vault::Attempt& attempt) {
                           return vault_.store().key_rotations().Begin(
                               attempt, call, true);
                         }),
              IsOk());
  for (bool more = true; more;) {
    const auto rotated = vault_.store().RotateKeys();
    ASSERT_THAT(rotated, IsOk());
    more = *rotated;
  }
  KeepSlots();
}

void History::Create(int step) {
  present_.push_back(NewPerson(vault_, NewEmail()));
  emails_of[HexOf(present_.back())] = last_email_;
  if (step % 2 != 0) PutInvoice(present_.back(), step);
}

void History::Erase(int step, size_t which) {
  const SubjectId subject = present_[which];
  ASSERT_THAT(
      vault::Erase(vault_, subject, std::chrono::days(step % 3 == 0 ? 30 : 0)),
      IsOk());
  if (step % 6 == 0) {
    ASSERT_THAT(vault::CancelErasure(vault_, subject), IsOk());
    return;
  }
  erased.insert(HexOf(subject));
  gone_.push_back(subject);
  present_.erase(present_.begin() + static_cast<std::ptrdiff_t>(which));
}

void History::EndTermsAndRenew(int step) {
  // A term is seven years and some: they end all the time.
  vault_.clock().Advance(std::chrono::hours(24 * 75));
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  KeepSlots();
  if (step % 2 == 0) return;
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  KeepSlots();
}

void History::Step(int step) {
  const size_t which = present_.empty() ? 0 : random_() % present_.size();
  const auto what = random_() % 10;
  if (what < 3) return Create(step);
  if (what >= 7 && what < 9) return EndTermsAndRenew(step);
  if (what == 9) {
    ASSERT_THAT(vault_.Reopen(), IsOk());
    return;
  }
  if (present_.empty()) return;
  if (what == 6) return Erase(step, which);
  if (what == 5) return PutInvoice(present_[which], step);
  ASSERT_THAT(vault::Put(vault_, present_[which],
                         RecordOf("account", {{"email", NewEmail()}})),
              IsOk());
  emails_of[HexOf(present_[which])] = last_email_;
}

void History::Run(int steps, const std::function<void(int step)>& after_step) {
  for (int step = 0; step < steps; ++step) {
    if (step == steps / 2) RotateKeys();
    ASSERT_NO_FATAL_FAILURE(Step(step));
    after_step(step);
  }
  ASSERT_THAT(vault_.store().FinishErasures(), IsOk());
  ASSERT_THAT(vault_.store().Renew(), IsOk());
  after_step(steps);
  for (const SubjectId& subject : present_) living.insert(HexOf(subject));
  for (const SubjectId& subject : gone_) {
    const auto erasure = vault::GetErasure(vault_, subject);
    ASSERT_THAT(erasure, IsOk());
    if (!erasure->kept.empty()) kept_part.insert(HexOf(subject));
    if (erasure->receipts.size() == 2) ++expired;
  }
}

}  // namespace hizo::test
