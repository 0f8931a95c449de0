//! WeChat official account: template messages.
//!
//! Before: `notify::sender_loop` has a message for an openid. After: the WeChat API. Promise: every attempt has
//! the same `client_msg_id`, by which WeChat drops duplicates within ten minutes.

use reqwest::{Client, Url};
use serde_json::{Map, Value, json};

use super::decide::Attempt;
use super::provider::{self, Verdict};
use super::text::Markup;
use super::token::{self, Tokens};
use super::{Sender, text};
use crate::config::NotifySettings;
use crate::language::text;
use crate::model::{Channel, Content, Message, SystemAlert};

/// Longest value of a field, bytes: WeChat shows about 200 characters in all.
const FIELD_BYTES: usize = 600;

/// Most characters of a field whose name begins with `thing`.
const THING_CHARACTERS: usize = 20;

/// Sends template messages.
#[derive(Debug)]
pub(super) struct Wechat {
    http: Client,
    tokens: Tokens,
    url: Url,
    template_id: String,
    /// Name and pattern.
    fields: Vec<(String, String)>,
}

impl Wechat {
    pub(super) fn new(settings: &NotifySettings, http: Client) -> Result<Self, String> {
        provider::require(&[
            ("wechat_app_id", &settings.wechat_app_id),
            ("wechat_app_secret", &settings.wechat_app_secret),
            ("wechat_template_id", &settings.wechat_template_id),
        ])?;
        let base = ("wechat_base_url", settings.wechat_base_url.as_str());
        let mut token_url = provider::url(base, "/cgi-bin/token")?;
        token_url
            .query_pairs_mut()
            .append_pair("grant_type", "client_credential")
            .append_pair("appid", &settings.wechat_app_id)
            .append_pair("secret", &settings.wechat_app_secret);
        Ok(Self {
            tokens: Tokens::new(http.clone(), token_url),
            http,
            url: provider::url(base, "/cgi-bin/message/template/send")?,
            template_id: settings.wechat_template_id.clone(),
            fields: fields(&settings.wechat_template_fields)?,
        })
    }
}

impl Sender for Wechat {
    const CHANNEL: Channel = Channel::Wechat;
    const MAX_ROWS: u32 = 100;

    async fn send(&self, message: &Message) -> Attempt {
        let body = json!({
            "touser": message.address,
            "template_id": self.template_id,
            // 32 characters at most.
            "client_msg_id": message.id.simple().to_string(),
            "data": data(&self.fields, message),
        });
        token::send_under(&self.tokens, async |token| {
            let mut url = self.url.clone();
            url.query_pairs_mut().append_pair("access_token", &token);
            Ok::<Verdict, Attempt>(provider::classify(
                &provider::send(self.http.post(url).json(&body)).await?,
            ))
        })
        .await
    }
}

/// `name={placeholder},…`
fn fields(text: &str) -> Result<Vec<(String, String)>, String> {
    let field = |part: &str| {
        let (name, pattern) = part.split_once('=')?;
        Some((name.trim().to_owned(), pattern.trim().to_owned()))
    };
    text.split(',')
        .map(|part| {
            field(part)
                .ok_or_else(|| format!("wechat_template_fields: \"{part}\" is not name={{placeholder}}"))
        })
        .collect()
}

/// The fields of the template, filled in from the first alert, which is the most urgent, or from the first thing the service
/// tells of itself.
fn data(fields: &[(String, String)], message: &Message) -> Value {
    let language = message.locale.language;
    let (device_sn, rule, severity, at) = match &message.content {
        Content::Alerts(alerts) => {
            let alert = &alerts[0].state;
            let rule = alert.wording(language).rule;
            (alert.device_sn.as_str(), rule, alert.severity.as_str(), alert.fired_ts)
        }
        Content::System(alerts) => {
            let SystemAlert { instance, condition, started_at, .. } = &alerts[0];
            let what = text!("system-condition", condition = condition.name()).in_language(language);
            (instance.as_str(), what, condition.severity(), Some(*started_at))
        }
        Content::Test(at) => ("-", text::title(message), "info", Some(*at)),
    };
    let wearer = message.content.alerts().first().and_then(|alert| alert.context.wearer());
    let severity = text!("severity", severity = severity).in_language(language);
    let time = at.map_or_else(String::new, |ts| message.locale.time(ts));
    let data: Map<String, Value> = fields
        .iter()
        .map(|(name, pattern)| {
            let value = text::fill(pattern, |placeholder| match placeholder {
                "title" => Some(text::title(message)),
                "device_sn" => Some(text::one_line(device_sn)),
                "wearer" => Some(text::one_line(wearer.as_deref().unwrap_or(device_sn))),
                "rule" => Some(text::one_line(&rule)),
                "severity" => Some(severity.clone()),
                "time" => Some(time.clone()),
                "count" => Some(message.content.len().to_string()),
                "message" => Some(text::body(Markup::Plain, message, FIELD_BYTES)),
                _ => None,
            });
            let value = if name.starts_with("thing") {
                value.chars().take(THING_CHARACTERS).collect()
            } else {
                text::cut(&value, FIELD_BYTES)
            };
            (name.clone(), json!({ "value": value }))
        })
        .collect();
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use super::text::tests::message;
    use super::*;

    #[test]
    fn the_fields_of_a_template_are_those_of_the_settings() {
        let fields = fields("thing1={message}, character2={severity}").expect("fields");
        let data = data(&fields, &message(1, "major", "a very long message indeed"));
        assert_eq!(data["thing1"]["value"], "[major] 1: a very lo");
        assert_eq!(data["character2"]["value"], "major");
    }

    #[test]
    fn a_placeholder_in_what_a_device_wrote_stays_as_it_is() {
        let fields = fields("first={message} {device_sn},remark={rule}").expect("fields");
        let mut message = message(1, "major", "{severity} {rule}");
        text::tests::first(&mut message).state.device_sn = "{count}\n{rule}".into();
        let data = data(&fields, &message);
        assert_eq!(data["first"]["value"], "[major] 1: {severity} {rule} {count} {rule}");
    }

    #[test]
    fn the_wearer_is_named_and_without_a_name_the_device() {
        let fields = fields("keyword1={wearer}").expect("fields");
        let mut message = message(1, "major", "low");
        assert_eq!(data(&fields, &message)["keyword1"]["value"], "SN-1");
        let context = &mut text::tests::first(&mut message).context;
        (context.person, context.room) = (Some("Li Wei".into()), Some("12".into()));
        assert_eq!(data(&fields, &message)["keyword1"]["value"], "Li Wei, 12");
    }

    #[test]
    fn a_field_without_a_name_is_refused() {
        assert!(fields("first={title},remark").is_err());
    }
}
