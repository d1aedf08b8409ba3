#include "service/bundle/labels.h"

#include <algorithm>

namespace hizo::bundle {
namespace {

struct Row {
  std::string_view name;
  std::string_view english;  // "": the name itself, with spaces
  std::string_view japanese;
};

constexpr Row kRows[] = {
    // Classes.
    {"account", "Account", "アカウント"},
    {"profile", "Profile", "プロフィール"},
    {"billing", "Billing", "お支払い情報"},
    {"transaction", "Invoices and payments", "請求・支払い"},
    {"credential", "Sign-in", "認証情報"},
    {"communications", "Communications", "連絡履歴"},
    {"consent", "Consents", "同意"},
    {"usage", "Usage", "利用履歴"},
    {"device", "Devices", "端末"},
    {"social", "Social content", "投稿"},
    {"product", "Products", "製品"},
    {"rights", "Requests", "請求・申立て"},
    // Fields.
    {"username", "User name", "ユーザー名"},
    {"email", "E-mail", "メールアドレス"},
    {"caller_reference", "Customer number", "お客様番号"},
    {"residency", "Country of residence", "居住国"},
    {"subscription_plan", "Plan", "契約プラン"},
    {"subscription_status", "Status of the subscription", "契約状況"},
    {"declared_use", "Declared use", "利用目的の申告"},
    {"age_attestation", "Age confirmed", "年齢の確認"},
    {"account_contact", "Contact of the account", "連絡先"},
    {"registration_info", "Registration", "登録情報"},
    {"services_subscribed", "Services subscribed to", "契約中のサービス"},
    {"mobile_mail_address", "Mobile e-mail", "携帯メールアドレス"},
    {"pc_mail_address", "E-mail (computer)", "PCメールアドレス"},
    {"full_name", "Name", "氏名"},
    {"company_name", "Company", "会社名"},
    {"phone_number", "Telephone", "電話番号"},
    {"mobile_phone_number", "Mobile telephone", "携帯電話番号"},
    {"ip_phone_number", "IP telephone", "IP電話番号"},
    {"postal_address", "Address", "住所"},
    {"payment_method_type", "Method of payment", "支払い方法"},
    {"payment_token", "Token of the payment", "決済トークン"},
    {"card_brand", "Brand of the card", "カードの種類"},
    {"card_last4", "Last digits of the card", "カード番号下4桁"},
    {"card_expiry", "Expiry of the card", "カードの有効期限"},
    {"billing_name", "Name on invoices", "請求先氏名"},
    {"billing_address", "Address on invoices", "請求先住所"},
    {"billing_email", "E-mail for invoices", "請求先メールアドレス"},
    {"tax_registration_number", "Tax number", "適格請求書登録番号"},
    {"invoice_number", "Invoice", "請求書番号"},
    {"invoice_date", "Date", "請求日"},
    {"amount", "Amount", "金額"},
    {"tax_amount", "Tax", "消費税額"},
    {"invoice_name", "Name", "宛名"},
    {"invoice_address", "Address", "宛先住所"},
    {"payment_status", "Status", "支払い状況"},
    {"payment_at", "Paid at", "支払い日時"},
    {"refund", "Refund", "返金額"},
    {"usage_fee_calculation", "How the fee was calculated", "料金の計算"},
    {"password_hash", "Password (only a hash is kept)",
     "パスワード(ハッシュのみ保存)"},
    {"failed_login_counter", "Wrong passwords of late", "ログイン失敗回数"},
    {"last_login_at", "Last sign-in", "最終ログイン"},
    {"support_conversations", "What you wrote to support",
     "サポートへのお問い合わせ"},
    {"technical_support_requests", "Technical questions",
     "技術的なお問い合わせ"},
    {"staff_replies", "Our answers", "当社からの回答"},
    {"feedback", "Feedback", "ご意見"},
    {"inquiry_messages", "Inquiries", "お問い合わせ"},
    {"diagnostic_reports", "Diagnostic reports", "診断レポート"},
    {"user_submitted_content", "What you submitted", "投稿された内容"},
    {"newsletter_subscription", "Newsletter", "メールマガジンの購読"},
    {"marketing_email_opt_in", "Offers by e-mail", "広告メールの受信"},
    {"contact_preferences", "How you want to be reached", "連絡方法のご希望"},
    {"cookie_consent", "Choice of cookies", "Cookieの選択"},
    {"api_call_log", "Calls of the API", "APIの呼び出し記録"},
    {"api_request_content", "Content of requests", "APIリクエストの内容"},
    {"api_response_data", "Content of answers", "APIレスポンスの内容"},
    {"error_reports", "Error reports", "エラーレポート"},
    {"device_type", "Kind of device", "端末の種類"},
    {"operating_system", "Operating system", "OS"},
    {"browser_type", "Browser", "ブラウザの種類"},
    {"browser_version", "Version of the browser", "ブラウザのバージョン"},
    {"device_settings", "Settings of the device", "端末の設定"},
    {"unique_device_identifier", "Number of the device", "端末識別子"},
    {"terminal_information", "Terminal", "端末情報"},
    {"ip_address", "IP address", "IPアドレス"},
    {"access_time", "Time of access", "アクセス日時"},
    {"session_duration", "How long", "利用時間"},
    {"pages_visited", "Pages visited", "閲覧したページ"},
    {"clicked_links", "Links followed", "クリックしたリンク"},
    {"referrer", "Where from", "参照元"},
    {"essential_cookie_id", "Necessary cookie", "必須Cookie"},
    {"cookie_preferences", "Settings of cookies", "Cookieの設定"},
    {"own_timeline_item", "Your posts", "ご自身の投稿"},
    {"social_feed_item", "Your feed", "フィード"},
    {"third_party_timeline_item", "Posts of others", "他の方の投稿"},
    {"content_removal_record", "What was removed", "削除の記録"},
    {"retention_mark", "Marked to be kept", "保存の指定"},
    {"network_days", "Days that the network allows", "SNSの保存期間(日数)"},
    {"product_serial_number", "Serial number", "製造番号"},
    {"product_model", "Product", "製品名"},
    {"purchase_date", "Bought on", "購入日"},
    {"device_diagnostic_log", "Diagnostic log", "診断ログ"},
    // Purposes, and why data are only kept.
    {"service_delivery", "The service", "サービスの提供"},
    {"support", "Support", "サポート"},
    {"communications_marketing", "Offers", "広告・キャンペーンのご案内"},
    {"communications_service", "News of the service", "サービスに関するご連絡"},
    {"service_improvement", "Making the service better", "サービスの改善"},
    {"data_analytics", "Analysis", "データ分析"},
    {"security", "Security", "セキュリティ"},
    {"direct_marketing", "Direct marketing as such",
     "ダイレクトマーケティング全般"},
    {"accuracy_contested", "You say that they are not right.",
     "内容の正確性についてお申し出があります。"},
    {"unlawful", "They may not be used, and you do not want them erased.",
     "利用が認められませんが、消去を希望されていません。"},
    {"needed_for_claims", "You need them for a legal claim.",
     "法的な請求のために必要とされています。"},
    {"objection_pending", "Your objection is being looked into.",
     "異議の申立てを確認しています。"},
    // Why something is withheld.
    {"secret", "It opens your account, so it is described but never shown.",
     "アカウントの秘密情報のため、存在のみを示し、内容は表示しません。"},
    {"third_party", "It is about somebody else.",
     "他の方に関する情報のため、除外しています。"},
    {"interest_only",
     "It is held for a legitimate interest of the company only, so it is not "
     "part of data to take elsewhere; an access report shows it.",
     "当社の正当な利益のみを根拠に保存しているため、持ち出しの対象外です。開示"
     "請"
     "求で確認できます。"},
    {"derived",
     "The company worked it out from other data, so it is not part of data to "
     "take elsewhere; an access report shows it.",
     "当社が他の情報から作成したため、持ち出しの対象外です。開示請求で確認でき"
     "ま"
     "す。"},
    {"on_request",
     "It is not part of data to take elsewhere; an access report shows it.",
     "持ち出しの対象外です。開示請求で確認できます。"},
};

std::string Spaced(std::string_view name) {
  std::string label(name);
  std::ranges::replace(label, '_', ' ');
  if (!label.empty() && label.front() >= 'a' && label.front() <= 'z') {
    label.front() = static_cast<char>(label.front() - 'a' + 'A');
  }
  return label;
}

}  // namespace

std::string LabelOf(std::string_view name, Language language) {
  const auto* const row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows)) return Spaced(name);
  return std::string(language == Language::kJapanese ? row->japanese
                                                     : row->english);
}

}  // namespace hizo::bundle
