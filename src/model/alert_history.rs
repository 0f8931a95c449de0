//! The history of an alert: what happened to it, and who was notified.
//!
//! Before: the database records both, `store::alert` reads them. After: `http::alert`, `vitals alerts show`.
//! Promise: a field is the column of its name, see the comments of tables `alert_action` and `notification`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alert::{in_range, in_range_if_any};
use super::{Id64, Severity};
use crate::language::{Text, text};

/// Something that happened to an alert
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertAction {
    /// Number of the entry; later ones have larger numbers
    pub alert_action_id: Id64,
    /// When
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub acted_at: Timestamp,
    /// fired (also: a person raised the alarm once more), raised or lowered (its severity), reopened, acknowledged, assigned, unassigned,
    /// resolved, retracted, silenced (nobody was notified because of a silence), escalated or noted
    pub action: String,
    /// Severity from then on; null: the action is neither fired, raised nor lowered
    pub severity: Option<Severity>,
    /// Event time of the reading at which the severity rose or fell; null: the action is neither raised nor lowered
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub event_ts: Option<Timestamp>,
    /// Who; null: the service
    pub actor: Option<String>,
    /// Public part of the API key of the request; null: not by HTTP
    #[serde(default)]
    pub key_id: Option<String>,
    /// Their note, or the reason; null: none
    pub note: Option<String>,
}

impl AlertAction {
    /// The note as people read it: a person's as it is; that of the service says why the alert ended.
    pub fn note_text(&self) -> Option<Text> {
        let note = self.note.as_deref()?;
        Some(match self.actor {
            Some(_) => Text::Verbatim(note.to_owned()),
            None => text!("resolution", resolution = note, words = note),
        })
    }
}

/// A notification of an alert to one address
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertNotification {
    /// Number of the notification
    pub notification_id: Id64,
    /// fired, raised, escalated, repeated, acknowledged, assigned or resolved
    pub kind: String,
    /// Tells apart notifications of one kind: 1 for the first
    pub sequence: i32,
    /// wechat, wecom, wecom_robot, dingtalk_robot, feishu_robot, sms, email or webhook
    pub channel: String,
    /// The contact whose address it is; it may be deleted
    pub contact_id: Id64,
    /// Name of the contact; null: the contact was deleted
    pub contact: Option<String>,
    /// Where it goes; of a robot only the end of its key, of a webhook only the host
    pub address: String,
    /// pending, sent, dead (refused, or failed too often) or cancelled (no notification is needed any more)
    pub status: String,
    /// When it was written
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub created_at: Timestamp,
    /// Not before
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub due_at: Timestamp,
    /// Attempts that failed
    pub attempts: i32,
    /// When the provider took it; null: it has not
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub sent_at: Option<Timestamp>,
    /// Why the last attempt failed, in the provider's words, or why it was cancelled; null: neither
    pub error: Option<String>,
}
