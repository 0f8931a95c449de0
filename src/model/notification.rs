//! A message to one address: one alert, or several that go together.
//!
//! Before: `store::notification` takes it. After: `notify` sends it.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{AlertContext, AlertState, SystemAlert};
use crate::language::Locale;

/// The way by which a notification goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// WeChat official account, template message.
    Wechat,
    /// WeCom application message.
    Wecom,
    /// WeCom group robot.
    WecomRobot,
    /// DingTalk group robot.
    DingtalkRobot,
    /// Feishu (Lark) group robot.
    FeishuRobot,
    /// Text message to a phone, through an HTTP gateway.
    Sms,
    /// E-mail.
    Email,
    /// A URL that takes signed JSON.
    Webhook,
}

impl Channel {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Wechat,
        Self::Wecom,
        Self::WecomRobot,
        Self::DingtalkRobot,
        Self::FeishuRobot,
        Self::Sms,
        Self::Email,
        Self::Webhook,
    ];

    /// As in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Wecom => "wecom",
            Self::WecomRobot => "wecom_robot",
            Self::DingtalkRobot => "dingtalk_robot",
            Self::FeishuRobot => "feishu_robot",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// The channel of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// `address` for people: the key of a robot is a password, of which only the end is shown, and a URL may hold one.
    pub fn shown(self, address: &str) -> String {
        match self {
            Self::WecomRobot | Self::DingtalkRobot | Self::FeishuRobot => {
                let from = address.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
                format!("…{}", &address[from..])
            }
            Self::Webhook => {
                let rest = address.split_once("://").map_or("", |(_, rest)| rest);
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let host = authority.rsplit('@').next().unwrap_or_default();
                if host.is_empty() { "…".to_owned() } else { host.to_owned() }
            }
            Self::Wechat | Self::Wecom | Self::Sms | Self::Email => address.to_owned(),
        }
    }

    /// `address` for people, of a channel by its name.
    pub fn shown_of(name: &str, address: &str) -> String {
        Self::of_name(name).map_or_else(|| "…".to_owned(), |known| known.shown(address))
    }

    /// Why `address` is no address of the channel, as far as its form shows; the check `contact_address_form_check` refuses the same.
    pub fn address_refusal(self, address: &str) -> Option<&'static str> {
        match self {
            Self::DingtalkRobot | Self::FeishuRobot if !is_token(address) => Some(
                "is not the token of a robot: the part of its webhook URL that is after \"access_token=\" or \"/hook/\"",
            ),
            Self::Sms if !is_e164(address) => {
                Some("is not a number of the form +8613800138000: +, country code, number, digits only")
            }
            _ => None,
        }
    }
}

/// Letters, digits, `_` and `-`: it becomes a part of a URL.
fn is_token(address: &str) -> bool {
    !address.is_empty()
        && address.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `+` and 7 to 15 digits, the first of which is not 0 (ITU-T E.164).
fn is_e164(address: &str) -> bool {
    address.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What a notification reports about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotificationKind {
    /// It began, or a person raised the alarm once more.
    Fired,
    /// Its severity rose.
    Raised,
    /// Nobody has taken it on: the next step.
    Escalated,
    /// Nobody has taken it on yet.
    Repeated,
    /// Who has taken it on.
    Acknowledged,
    /// It was assigned to the contact.
    Assigned,
    /// It ended.
    Resolved,
}

impl NotificationKind {
    const ALL: [Self; 7] = [
        Self::Fired,
        Self::Raised,
        Self::Escalated,
        Self::Repeated,
        Self::Acknowledged,
        Self::Assigned,
        Self::Resolved,
    ];

    /// As in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Repeated => "repeated",
            Self::Acknowledged => "acknowledged",
            Self::Assigned => "assigned",
            Self::Resolved => "resolved",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One alert in a message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageAlert {
    /// What it reports about the alert.
    pub kind: NotificationKind,
    /// The alert as it is now.
    pub state: AlertState,
    /// Who and where, what is normal, and how the wearer was.
    pub context: AlertContext,
    /// When it was due.
    pub due_at: Timestamp,
    /// How long ago that was.
    pub age: Duration,
    /// Trace of the upload that caused it; `None`: it is not traced.
    pub trace: Option<String>,
}

/// A message to one address.
#[derive(Debug, Clone)]
pub struct Message {
    /// The same at every attempt (a UUID).
    pub id: Uuid,
    /// Where it goes, in the words of the channel.
    pub address: String,
    /// What it is signed with; `None`: it is not.
    pub secret: Option<String>,
    /// Attempts that failed so far.
    pub attempts: u16,
    /// In which language it is written, and in which zone its times are.
    pub locale: Locale,
    /// What it reports.
    pub content: Content,
}

/// What a message reports; never nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Alerts, the gravest first.
    Alerts(Vec<MessageAlert>),
    /// Conditions of the service itself.
    System(Vec<SystemAlert>),
    /// Nothing: somebody tries at this time whether messages arrive.
    Test(Timestamp),
}

impl Content {
    /// The alerts; none in any other message.
    pub fn alerts(&self) -> &[MessageAlert] {
        match self {
            Self::Alerts(alerts) => alerts,
            Self::System(_) | Self::Test(_) => &[],
        }
    }

    /// How many alerts or conditions it reports.
    pub fn len(&self) -> usize {
        match self {
            Self::Alerts(alerts) => alerts.len(),
            Self::System(alerts) => alerts.len(),
            Self::Test(_) => 1,
        }
    }

    /// It reports nothing, and must not be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_password_is_not_shown() {
        assert_eq!(Channel::FeishuRobot.shown("0123456789"), "…6789");
        assert_eq!(Channel::WecomRobot.shown("键"), "…键");
        assert_eq!(
            Channel::Webhook.shown("https://u:p@hook.example.org:8443/secret?k=v"),
            "hook.example.org:8443"
        );
        assert_eq!(Channel::Webhook.shown("secret"), "…");
        assert_eq!(Channel::Sms.shown("+8613800138000"), "+8613800138000");
    }

    #[test]
    fn a_number_is_one_of_e164_and_a_token_cannot_change_the_path_of_a_url() {
        for good in ["+8613800138000", "+442079460000", "+1234567"] {
            assert_eq!(Channel::Sms.address_refusal(good), None, "{good}");
        }
        for bad in [
            "",
            "13800138000",
            "+0138001380",
            "+86 138 0013 8000",
            "+86138001380001234",
            "+86138&to=1",
            "+86１38001",
        ] {
            assert!(Channel::Sms.address_refusal(bad).is_some(), "{bad}");
        }
        for robot in [Channel::DingtalkRobot, Channel::FeishuRobot] {
            assert_eq!(robot.address_refusal("a-Key_1"), None);
            for bad in [
                "",
                "../../im/v1/messages",
                "a?b",
                "a/b",
                "https://open.feishu.cn/open-apis/bot/v2/hook/a",
                "a b",
                "键",
            ] {
                assert!(robot.address_refusal(bad).is_some(), "{bad}");
            }
        }
    }
}
