#include "service/app/policy_schema.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

// Which keys a map may have, by where it stands: `[]` is an item of a list, `*`
// any key of a map whose keys are names.
struct SchemaRow {
  std::string_view path;
  std::string_view keys;  // apart by spaces
};

constexpr SchemaRow kProfile[] = {
    {"",
     "account_deletion age ambiguities applicable_laws breach "
     "company consent contact content_licence data_classes "
     "disclosure legal_bases policy_changes profile_id "
     "prohibited_uses purposes required_for_account_issue "
     "residency_overlays retention rights rights_process roles "
     "schema_version scope security self_disclosure_disclaimer "
     "source statistics storage"},
    {"account_deletion", "clause erase_on_request limits on_cancel"},
    {"age",
     "clause directed_to_minors minimum on_discovery operator "
     "qualifier sale_ban_under"},
    {"applicable_laws", "ccpa_for clause gdpr_for named others"},
    {"breach",
     "clause cooperate_with_authorities notify_authority_within "
     "notify_users public_statement remediation"},
    {"breach.notify_users", "channel condition start within"},
    {"company", "address brand name"},
    {"consent",
     "auto_withdraw_on_cancel clause cookie_categories "
     "retroactive withdrawable"},
    {"consent.cookie_categories",
     "analytics essential functional marketing necessary"},
    {"contact",
     "clause email email_redacted_in_seed eu_contact officer "
     "support_language uk_contact website"},
    {"content_licence", "acts applies_to clause compensation"},
    {"data_classes",
     "account api_usage billing communications consent_marketing "
     "credential device_log_cookie product_ownership profile "
     "social_content transaction"},
    {"data_classes.*",
     "clause collected fields licence_to_company optional_fields "
     "policy_term processed_by storage"},
    {"disclosure", "allowed default recipients_equal_protection records sale"},
    {"disclosure.allowed[]",
     "advance_notice clause condition consent consideration "
     "examples instructions_only jurisdictions kind "
     "notice_period scope"},
    {"disclosure.recipients_equal_protection", "clause required"},
    {"legal_bases",
     "clause consent_for explicit_consent_for "
     "no_processing_without_ground per_purpose stated "
     "use_implies_agreement"},
    {"policy_changes",
     "clause consent_required continued_use_is_acceptance "
     "effective_on material_notice prior_notice"},
    {"prohibited_uses[]", "applies_to clause detail except use"},
    {"purposes[]",
     "anonymised_only clause id includes legal_basis marketing "
     "opt_out requires"},
    {"required_for_account_issue", "clause fields otherwise"},
    {"residency_overlays", "US-CA"},
    {"residency_overlays.*",
     "age clause collected_categories_12_months disclosure "
     "policy_changes prevails purposes rights rights_process "
     "source_part"},
    {"residency_overlays.*.age", "clause sale_ban_under"},
    {"residency_overlays.*.collected_categories_12_months", "clause values"},
    {"residency_overlays.*.disclosure",
     "clause sale share_cross_context_ads "
     "third_party_business_purposes"},
    {"residency_overlays.*.policy_changes",
     "clause consent_required material_notice"},
    {"residency_overlays.*.purposes", "clause new_purpose_requires"},
    {"residency_overlays.*.rights",
     "access erasure limit_sensitive non_discrimination "
     "rectification"},
    {"residency_overlays.*.rights.access", "clause cpra_name offered scope"},
    {"residency_overlays.*.rights.erasure", "clause offered"},
    {"residency_overlays.*.rights.limit_sensitive", "clause offered"},
    {"residency_overlays.*.rights.non_discrimination", "bans clause offered"},
    {"residency_overlays.*.rights.rectification", "clause offered"},
    {"residency_overlays.*.rights_process",
     "agent channel clause confirm_receipt extension "
     "if_unverifiable max_total request_record_retention "
     "respond_within verification"},
    {"residency_overlays.*.rights_process.agent", "kinds requires"},
    {"residency_overlays.*.rights_process.confirm_receipt",
     "channel unit value"},
    {"residency_overlays.*.rights_process.extension", "notice_required"},
    {"residency_overlays.*.rights_process.if_unverifiable", "action after"},
    {"residency_overlays.*.rights_process.max_total", "duration start"},
    {"residency_overlays.*.rights_process.respond_within", "duration kinds"},
    {"residency_overlays.*.rights_process.verification", "clause required"},
    {"retention",
     "account api_usage billing communications consent_marketing "
     "credential device_log_cookie product_ownership profile "
     "social_content transaction"},
    {"retention.*",
     "applies_to by_service clause duration duration_after_end "
     "purposes qualifier rule social_network_policy_also_applies "
     "start then"},
    {"retention.*.by_service", "analytics archive removal"},
    {"rights",
     "access cease_third_party_provision cease_use "
     "complaint_to_authority erasure limit_sensitive "
     "non_discrimination objection portability "
     "portability_to_third_party rectification restriction "
     "self_service withdraw_consent"},
    {"rights.*",
     "any_time authorities clause condition conditions form "
     "format includes limits name offered scope subject_to when "
     "without_hindrance"},
    {"rights_process",
     "agent channel clause confirm_receipt extension fee "
     "if_unverifiable max_total qualifier "
     "request_record_retention respond_within verification"},
    {"rights_process.verification", "method required"},
    {"roles", "clause controller_for depends_on processor_for"},
    {"scope",
     "clause contexts definitions intended_use "
     "other_services_have_own_notice protected_user_information "
     "services social_network_terms_also_apply"},
    {"scope.definitions", "personal_information user_information"},
    {"security",
     "access_audit access_control assessments at_rest "
     "certification clause considers general password_hash "
     "transit"},
    {"security.certification", "ISO27001"},
    {"self_disclosure_disclaimer", "cases clause"},
    {"source", "effective established file last_updated title"},
    {"statistics", "allowed clause for_fee form to_third_parties"},
    {"storage",
     "backups clause cross_border mechanisms named_regions "
     "primary_region provider_locations qualifier safeguards"},
};

constexpr SchemaRow kStatutory[] = {
    {"",
     "always_allowed_purposes as_checked kind modules "
     "schema_version"},
    {"modules", "appi cpra gdpr jp_email_marketing jp_tax jp_telecom"},
    {"modules.appi",
     "applies_when breach foreign_transfer record_exempt_kinds "
     "rights third_party_records"},
    {"modules.appi.applies_when", "controller_established_in"},
    {"modules.appi.breach",
     "exempt_if final preliminary subject_notice triggers"},
    {"modules.appi.breach.final", "duration if_improper_purpose"},
    {"modules.appi.breach.preliminary", "guideline_days start"},
    {"modules.appi.foreign_transfer",
     "consent_information designated equivalent_system_review "
     "mechanisms"},
    {"modules.appi.rights",
     "fee_allowed_for internal_sla reason_on_refusal response"},
    {"modules.appi.third_party_records",
     "batch contract_substitute disclosable_to_subject single"},
    {"modules.cpra",
     "agent applies_when breach confirm_receipt "
     "limit_and_opt_out never_disclose request_records respond "
     "verification"},
    {"modules.cpra.agent", "poa_exempts poa_may_be_required signed_permission"},
    {"modules.cpra.applies_when", "subject_residency_in"},
    {"modules.cpra.breach",
     "ag_sample_within_after_notice ag_threshold_over "
     "residents_within"},
    {"modules.cpra.confirm_receipt", "unit value"},
    {"modules.cpra.limit_and_opt_out", "unit value verification_allowed"},
    {"modules.cpra.request_records", "duration fields other_use start"},
    {"modules.cpra.respond",
     "clock_paused_by_verification duration extension max_total"},
    {"modules.cpra.verification",
     "account categories correction_not_by_disputed_field "
     "fee_allowed specific_pieces"},
    {"modules.gdpr",
     "applies_when breach portability_basis "
     "refusal_notice_within rights_response third_country_orders "
     "transfer_mechanisms_invalid transfer_mechanisms_valid"},
    {"modules.gdpr.applies_when", "subject_residency_in"},
    {"modules.gdpr.breach",
     "authority_within document_all exempt_if_unintelligible "
     "processor_to_controller start subject_notice"},
    {"modules.gdpr.rights_response",
     "day_of_event_counted duration extension "
     "extension_notice_within pause reasons_required start"},
    {"modules.gdpr.third_country_orders", "article default"},
    {"modules.gdpr.transfer_mechanisms_invalid", "privacy_shield"},
    {"modules.jp_email_marketing", "applies_when consent_record model"},
    {"modules.jp_email_marketing.applies_when", "recipient_in"},
    {"modules.jp_email_marketing.consent_record",
     "specified_commercial_transactions_act specified_email_act"},
    {"modules.jp_tax",
     "account_books_companies_act applies_when invoice_copy "
     "loss_year"},
    {"modules.jp_tax.applies_when", "controller_established_in"},
    {"modules.jp_tax.invoice_copy", "duration start"},
    {"modules.jp_telecom", "applies_when communications_content leak_report"},
    {"modules.jp_telecom.applies_when", "operator_is_telecom_business"},
    {"modules.jp_telecom.leak_report", "detailed first to"},
};

constexpr SchemaRow kOperator[] = {
    {"",
     "accepted_conflicts classes kind notices profile_id purposes replaces "
     "required_by_law retention schema_version version"},
};

// Maps whose keys are names, and so are checked by who reads them.
constexpr std::string_view kNamed[] = {"data_classes", "residency_overlays",
                                       "retention", "rights"};

// The names of requirements on fields, whether or not a catalogue has them.
constexpr std::string_view kFields =
    "access_time account_contact account_id account_status "
    "action_history activity_types age_attestation "
    "agent_identity_document agent_written_permission amount "
    "analytics_cookie_id api_call_frequency api_call_log "
    "api_request_content api_response_data authentication_tokens "
    "billing_address billing_email billing_name browser_type "
    "browser_version cancelled_at card_brand card_expiry card_last4 "
    "clicked_links company_name consent_event contact_preferences "
    "content_removal_record cookie_consent cookie_contents "
    "cookie_preferences currency declared_use device_diagnostic_log "
    "device_settings device_type diagnostic_reports email error_reports "
    "essential_cookie_id failed_login_counter feature_usage feedback "
    "full_name inferred_preferences inquiry_messages instrument_hash "
    "invoice_billing_snapshot invoice_date invoice_id invoice_number "
    "ip_address ip_phone_number last_login_at legal_instrument_ref "
    "limit_sensitive login_frequency marketing_cookie_id "
    "marketing_email_opt_in marketing_suppression_hmac minor_flag "
    "mobile_mail_address mobile_phone_number newsletter_subscription "
    "objection operating_system opt_out own_timeline_item pages_visited "
    "password password_hash payment_at payment_method_type "
    "payment_status payment_token pc_mail_address performance_metrics "
    "phone_number policy_version_accepted postal_address product_model "
    "product_serial_number purchase_date referrer refund "
    "registration_info request_log_entry requester_email requester_name "
    "residency retention_mark search_query_terms "
    "service_utilization_log services_subscribed session_duration "
    "session_identifiers social_access_token social_account_handle "
    "social_feed_item subscription_plan subscription_status "
    "support_conversations tax_amount tax_registration_number "
    "technical_support_requests terminal_information terms_acceptance "
    "third_party_timeline_item unique_device_identifier "
    "usage_fee_calculation usage_status user_submitted_content username ";

constexpr std::string_view kClasses =
    "account api_usage billing communications consent_marketing credential "
    "device_log_cookie product_ownership profile social_content transaction";

std::vector<std::string_view> WordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool Has(std::string_view text, std::string_view word) {
  const std::vector<std::string_view> words = WordsOf(text);
  return std::ranges::find(words, word) != words.end();
}

std::span<const SchemaRow> RowsOf(PolicyFileKind kind) {
  switch (kind) {
    case PolicyFileKind::kProfile:
      return kProfile;
    case PolicyFileKind::kStatutory:
      return kStatutory;
    case PolicyFileKind::kOperator:
      return kOperator;
  }
  return {};
}

absl::Status Check(std::span<const SchemaRow> rows, const std::string& path,
                   const YamlValue& value) {
  const bool list = value.kind == YamlValue::Kind::kList;
  if (!list && value.kind != YamlValue::Kind::kMap) return absl::OkStatus();
  const auto row =
      std::ranges::find(rows, std::string_view(path), &SchemaRow::path);
  const bool named =
      std::ranges::find(kNamed, std::string_view(path)) != std::end(kNamed);
  for (const YamlValue& item : value.items) {
    if (!list && (row == rows.end() || !Has(row->keys, item.key))) {
      return item.Error("unknown key `" + item.key + "`");
    }
    std::string below = path + "[]";
    if (!list) {
      below = path.empty() ? item.key : path + '.' + (named ? "*" : item.key);
    }
    RETURN_IF_ERROR(Check(rows, below, item));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPolicyKeys(PolicyFileKind kind, const YamlValue& root) {
  if (kind == PolicyFileKind::kOperator) {
    // What is under them is taken apart, key by key, by who reads it.
    for (const YamlValue& item : root.items) {
      if (!Has(kOperator[0].keys, item.key)) {
        return item.Error("unknown key `" + item.key + "`");
      }
    }
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(Check(RowsOf(kind), "", root));
  // All of a profile's groups are there, if only to say that it is silent.
  for (const std::string_view key : WordsOf(RowsOf(kind).front().keys)) {
    if (std::ranges::none_of(root.items, [key](const YamlValue& item) {
          return item.key == key;
        })) {
      return root.Error("`" + std::string(key) + "` is missing");
    }
  }
  return absl::OkStatus();
}

bool IsPolicyField(std::string_view name) { return Has(kFields, name); }

bool IsPolicyClass(std::string_view name) { return Has(kClasses, name); }

}  // namespace hizo::app
