//! A message to one address: one alert, or several that go together.
//!
//! Before: `store::notification` takes it. After: `notify` sends it.

use std::time::Duration;
use uuid::Uuid;

use super::{AlertState, SystemAlert};
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
    /// E-mail.
    Email,
    /// A URL that takes signed JSON.
    Webhook,
}

impl Channel {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Wechat, Self::Wecom, Self::WecomRobot, Self::Email, Self::Webhook];

    /// As in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Wecom => "wecom",
            Self::WecomRobot => "wecom_robot",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// The channel of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
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
    /// How long ago it was due.
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
    /// Alerts, urgent ones first.
    Alerts(Vec<MessageAlert>),
    /// Conditions of the service itself.
    System(Vec<SystemAlert>),
}

impl Content {
    /// The alerts; none in a message about the service itself.
    pub fn alerts(&self) -> &[MessageAlert] {
        match self {
            Self::Alerts(alerts) => alerts,
            Self::System(_) => &[],
        }
    }

    /// How many alerts or conditions it reports.
    pub fn len(&self) -> usize {
        match self {
            Self::Alerts(alerts) => alerts.len(),
            Self::System(alerts) => alerts.len(),
        }
    }

    /// It reports nothing, and must not be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
