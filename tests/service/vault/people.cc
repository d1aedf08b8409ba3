#include "tests/service/vault/people.h"

#include <stdexcept>

#include "service/policy/retention.h"

namespace hizo::vault {
namespace {

base::SubjectId NewPersonOf(VaultFixture& vault, const char* actor,
                            const std::string& email) {
  const Call call = vault.CallOf(actor, Action::kSubjectCreate, kService);
  const auto created =
      Create(vault, call,
             RecordsOf(RecordOf("account", {{"email", email}}),
                       RecordOf("profile", {{"full_name", "Ann Other"}})));
  if (!created.ok()) throw std::runtime_error(created.status().ToString());
  return created->subject;
}

}  // namespace

Value TextOf(std::string_view text) {
  return Text{base::Pii(std::string(text))};
}

std::string RevealText(const Value& value) {
  const auto* text = std::get_if<Text>(&value);
  return text == nullptr ? "(no text)" : std::string(text->text.Reveal());
}

base::RequestId RequestOf(uint8_t number) {
  return *base::RequestId::FromBytes(
      std::string(base::RequestId::kSize, static_cast<char>(number)));
}

NewRecord RecordOf(std::string record_class, const TextFields& fields) {
  NewRecord record;
  record.record_class = std::move(record_class);
  for (const auto& [name, text] : fields) {
    record.fields.push_back({name, TextOf(text)});
  }
  return record;
}

NewRecord PaymentOf(int64_t yen, base::Timestamp time) {
  NewRecord record;
  record.record_class = "transaction";
  record.fields.push_back({"amount", Money{"JPY", yen}});
  record.event_time = time;
  return record;
}

Call FullCall(const VaultFixture& vault, Action action) {
  return vault.CallOf(kFull, action, kService);
}

NewRecord InvoiceOf(int64_t yen, const std::string& day) {
  const auto time = policy::DayFromText(day).value();
  NewRecord record = PaymentOf(yen, base::Timestamp(time));
  record.fields.push_back({"invoice_date", TextOf(day)});
  return record;
}

absl::StatusOr<CreatedSubject> Create(VaultFixture& vault,
                                      std::vector<NewRecord> records) {
  return Create(vault, FullCall(vault, Action::kSubjectCreate),
                std::move(records));
}

absl::StatusOr<CreatedSubject> Create(VaultFixture& vault, const Call& call,
                                      std::vector<NewRecord> records) {
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().subjects().Create(attempt, call, std::move(records));
  });
}

base::SubjectId NewPerson(VaultFixture& vault, const std::string& email) {
  return NewPersonOf(vault, kFull, email);
}

base::SubjectId NewPersonOfGlobex(VaultFixture& vault,
                                  const std::string& email) {
  return NewPersonOf(vault, test::kOtherFull, email);
}

absl::StatusOr<WrittenRecord> Put(VaultFixture& vault, const Call& call,
                                  PutRecordInput input) {
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().records().Put(attempt, call, std::move(input));
  });
}

absl::StatusOr<WrittenRecord> Put(VaultFixture& vault, base::SubjectId subject,
                                  NewRecord record) {
  PutRecordInput input;
  input.subject = subject;
  input.record = std::move(record);
  return Put(vault, FullCall(vault, Action::kRecordPut), std::move(input));
}

absl::StatusOr<WrittenRecord> PutMasked(VaultFixture& vault,
                                        base::SubjectId subject,
                                        NewRecord record,
                                        std::vector<std::string> mask) {
  PutRecordInput input;
  input.subject = subject;
  input.record = std::move(record);
  input.update_mask = std::move(mask);
  return Put(vault, FullCall(vault, Action::kRecordPut), std::move(input));
}

absl::StatusOr<ShownRecord> Get(VaultFixture& vault, base::SubjectId subject,
                                const std::string& record_class,
                                const std::vector<std::string>& fields,
                                std::optional<base::RecordId> id) {
  const Call call = FullCall(vault, Action::kRecordGet);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().records().Get(
        attempt, call,
        {subject, id, {record_class, fields, policy::View::kPlain}});
  });
}

TextFields TextsOf(const ShownRecord& record) {
  TextFields texts;
  for (const ShownRecord::Field& field : record.fields) {
    texts.emplace_back(field.spec->name, RevealText(field.value));
  }
  return texts;
}

absl::StatusOr<std::vector<base::SubjectId>> Find(VaultFixture& vault,
                                                  const Call& call,
                                                  const std::string& field,
                                                  const std::string& value) {
  const auto page = vault.Run(call, [&](Attempt& attempt) {
    return vault.store().subjects().Find(attempt, call,
                                         {field, base::Pii(value), 0, ""});
  });
  if (!page.ok()) return page.status();
  return page->subjects;
}

absl::StatusOr<std::vector<base::SubjectId>> Find(VaultFixture& vault,
                                                  const std::string& field,
                                                  const std::string& value) {
  return Find(vault, FullCall(vault, Action::kSubjectFind), field, value);
}

absl::StatusOr<Erasure> Erase(VaultFixture& vault, base::SubjectId subject,
                              std::chrono::days grace) {
  const Call call = FullCall(vault, Action::kErasureExecute);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().erasures().Execute(attempt, call, subject, grace);
  });
}

absl::Status CancelErasure(VaultFixture& vault, base::SubjectId subject) {
  const Call call = FullCall(vault, Action::kErasureCancel);
  return vault
      .Run(call,
           [&](Attempt& attempt) {
             const absl::Status cancelled =
                 vault.store().erasures().Cancel(attempt, call, subject);
             return cancelled.ok() ? absl::StatusOr<bool>(true) : cancelled;
           })
      .status();
}

absl::StatusOr<Erasure> GetErasure(VaultFixture& vault,
                                   base::SubjectId subject) {
  const Call call = FullCall(vault, Action::kErasureGet);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().erasures().Get(attempt, call, subject);
  });
}

absl::StatusOr<ErasureCheck> VerifyErasure(VaultFixture& vault,
                                           base::SubjectId subject) {
  const Call call = FullCall(vault, Action::kErasureVerify);
  return vault.Run(call, [&](Attempt& attempt) {
    return vault.store().erasures().Verify(attempt, call, subject);
  });
}

Admitted AdmitFully(VaultFixture& vault, std::string_view actor,
                    base::SubjectId subject) {
  const Call call = vault.CallOf(actor, Action::kRecordPut, kService);
  Ask ask;
  ask.subject = subject;
  ask.view = policy::View::kPlain;
  for (const policy::FieldSpec& field : vault.catalogue().fields()) {
    if (field.class_number != policy::kClassCredential) {
      ask.fields.set(field.index);
    }
  }
  ask.classes.set(policy::kClassFacts);
  auto attempt = vault.NewAttempt(call);
  auto grant = vault.services().gate.Admit(*attempt, call, ask);
  if (!grant.ok()) throw std::runtime_error(grant.status().ToString());
  return {std::move(attempt), *std::move(grant)};
}

}  // namespace hizo::vault
