//! An address of a contact: where and how it is reached.
//!
//! Before: `http::api::contact_address` and `vitals alerts address` make one, `store::contact_address` keeps it. After: the database reads it
//! when a message is due.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::Id64;

/// An address
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressSummary {
    /// Number of the address
    pub address_id: Id64,
    /// Whose it is
    pub contact_id: Id64,
    /// Name of the contact
    pub contact: String,
    /// Channel
    #[schema(example = "wecom")]
    pub channel: String,
    /// The address; only the end of the token of a robot and the host of a webhook, because whoever has them can send there
    pub address: String,
    /// Whether it has a secret with which its messages are signed
    pub has_secret: bool,
    /// False: not used
    pub enabled: bool,
    /// The last test message to it; null: there was none since the address is what it is
    pub last_test: Option<AddressTest>,
}

/// A test message to an address
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AddressTest {
    /// When it was sent
    #[schema(value_type = String, format = DateTime)]
    pub tested_at: Timestamp,
    /// Who sent it
    pub tested_by: String,
    /// Whether the channel took it
    pub delivered: bool,
    /// Why it did not, in its own words; null: it did
    pub error: Option<String>,
}

/// An address that is asked for
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressDraft {
    /// Whose it is
    pub contact_id: Id64,
    /// Channel: wechat, wecom, wecom_robot, dingtalk_robot, feishu_robot, sms, email, webhook
    #[schema(max_length = 50, example = "wecom")]
    pub channel: String,
    /// wechat: openid; wecom: user id; a robot: its key or token; sms: number such as +8613800138000; email: address; webhook: URL
    #[schema(min_length = 1, max_length = 2000)]
    pub address: String,
    /// What its messages are signed with. webhook: whsec_ and base64; robots of DingTalk and Feishu: their secret. Null: not signed, or
    /// with the secret of the settings
    #[schema(max_length = 2000)]
    pub secret: Option<String>,
    /// False: not used
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

/// What changes in an address. What is missing stays as it is
#[derive(Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressChange {
    /// The address, of the same channel
    #[schema(min_length = 1, max_length = 2000)]
    pub address: Option<String>,
    /// What its messages are signed with; null: no secret any more
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub secret: Option<Option<String>>,
    /// False: not used
    pub enabled: Option<bool>,
}

fn yes() -> bool {
    true
}

/// Tells null from a missing field.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Without the address and the secret, which may be passwords.
impl fmt::Debug for AddressDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressDraft").field("contact_id", &self.contact_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for AddressChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressChange").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_null_goes_and_one_that_is_missing_stays() {
        let secret = |text: &str| serde_json::from_str::<AddressChange>(text).expect("a change").secret;
        assert_eq!(secret("{}"), None);
        assert_eq!(secret(r#"{"secret": null}"#), Some(None));
        assert_eq!(secret(r#"{"secret": "s"}"#), Some(Some("s".to_owned())));
    }

    #[test]
    fn what_is_a_password_is_not_in_a_log() {
        let draft: AddressDraft = serde_json::from_str(
            r#"{"contact_id": 5, "channel": "feishu_robot", "address": "token-1", "secret": "word-2"}"#,
        )
        .expect("a draft");
        let shown = format!("{draft:?}");
        assert!(!shown.contains("token-1") && !shown.contains("word-2"), "{shown}");
    }
}
