//! A silence: while it is in force, alerts that match it are raised and stored, but nobody is notified.
//!
//! Before: `http::alert_silence` and `vitals alerts silence` make one, `store::alert_silence` keeps it. After: the database
//! checks it where it decides who is notified.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Id64;
use crate::language::{Text, text};

/// A silence
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertSilence {
    /// Number of the silence
    pub silence_id: Id64,
    /// Tenant; null: any
    pub customer_id: Option<Id64>,
    /// Organisation unit, its sub-units too; null: any
    pub org_id: Option<Id64>,
    /// Device; null: any
    pub device_sn: Option<String>,
    /// Rule; null: any
    pub rule_id: Option<Id64>,
    /// Since when
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// Until when, exclusive
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// Who asked for it
    pub actor: String,
    /// Public part of the API key by which it was asked for; null: not by HTTP
    #[serde(default)]
    pub key_id: Option<String>,
    /// Why; null: no reason was given
    pub note: Option<String>,
    /// When it was asked for
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A silence that is asked for: at least one of `customer_id`, `org_id`, `device_sn` and `rule_id`, and either `ends_at` or
/// `for_seconds`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceDraft {
    /// Tenant
    pub customer_id: Option<Id64>,
    /// Organisation unit, its sub-units too
    pub org_id: Option<Id64>,
    /// Device
    #[schema(min_length = 1, max_length = 64)]
    pub device_sn: Option<String>,
    /// Rule
    pub rule_id: Option<Id64>,
    /// Since when; missing: now
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    /// Until when, exclusive
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// How long, seconds
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub for_seconds: Option<i32>,
    /// Who asks for it; missing: the person to whom the key belongs. A key that may not vouch for others names no other person
    #[schema(min_length = 1, max_length = 200)]
    pub actor: Option<String>,
    /// Why
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

impl SilenceDraft {
    /// Why it is none, in words; `None`: it is one. What the database alone can know (is there such a rule?) it says itself.
    pub fn refusal(&self) -> Option<Text> {
        let ids = [self.customer_id, self.org_id, self.rule_id];
        let names_something = ids.iter().any(Option::is_some) || self.device_sn.is_some();
        let begins = self.starts_at.unwrap_or_else(Timestamp::now);
        if !names_something {
            Some(text!("silence-of-nothing"))
        } else if self.device_sn.as_ref().is_some_and(|device_sn| device_sn.is_empty()) {
            Some(text!("silence-device-empty"))
        } else if self.ends_at.is_some() == self.for_seconds.is_some() {
            Some(text!("silence-end-missing"))
        } else if self.for_seconds.is_some_and(|seconds| !(1..=31_536_000).contains(&seconds)) {
            Some(text!("silence-too-long"))
        } else if self.ends_at.is_some_and(|ends_at| ends_at <= begins) {
            Some(text!("silence-backwards"))
        } else {
            None
        }
    }
}
