//! A notification route: who is notified of which alerts, by which channel, how often.
//!
//! Before: `http::api::notification_route` and `vitals alerts route` make one, `store::notification_route` keeps it. After: the database
//! reads it when an alert changes, and when a step is due.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shift::is_time_of_day;
use super::{Channel, Id64, Severity};
use crate::language::{Text, text};

/// Who is notified by a route
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The wearer.
    Wearer,
    /// The managers of the wearer's unit, else of the nearest unit above that has some with this channel.
    Managers,
    /// The contacts on duty in the nearest unit upward that has shifts, when the message is due; nobody: the managers.
    OnDuty,
    /// One contact.
    Contact,
}

impl Audience {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Wearer, Self::Managers, Self::OnDuty, Self::Contact];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wearer => "wearer",
            Self::Managers => "managers",
            Self::OnDuty => "on_duty",
            Self::Contact => "contact",
        }
    }
}

/// A route
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationRoute {
    /// Number of the route
    pub route_id: Id64,
    /// Name of the contact; null: the audience is not contact
    pub contact: Option<String>,
    /// Its columns
    #[serde(flatten)]
    pub route: RouteDraft,
}

/// A route that is asked for. Every field that is missing has its default
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteDraft {
    /// Tenant whose alerts match; null: any
    pub customer_id: Option<Id64>,
    /// Organisation unit whose alerts match, its sub-units too; null: any
    pub org_id: Option<Id64>,
    /// Rule whose alerts match; null: any
    pub rule_id: Option<Id64>,
    /// Alerts of this severity and above match
    #[serde(default = "minor")]
    #[schema(inline, default = "minor")]
    pub min_severity: Severity,
    /// Channel, as in the addresses of contacts
    #[schema(max_length = 50, example = "wecom")]
    pub channel: String,
    /// Who is notified
    #[schema(inline)]
    pub audience: Audience,
    /// The contact; null: the audience is not contact
    pub contact_id: Option<Id64>,
    /// Escalation: notified only if the alert is still firing so long after it fired, seconds. 0: notified at once
    #[serde(default)]
    #[schema(minimum = 0, maximum = 604_800, default = 0)]
    pub after_seconds: i32,
    /// Notified once more each time so many seconds have passed, until somebody acknowledges the alert; null: not repeated
    #[schema(minimum = 30, maximum = 86_400)]
    pub repeat_seconds: Option<i32>,
    /// Repeats at most; a rise in severity or a new SOS starts the count anew
    #[serde(default = "hundred")]
    #[schema(minimum = 1, maximum = 10_000, default = 100)]
    pub repeat_times: i32,
    /// Whether those who were notified are told who has acknowledged the alert
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub on_acknowledged: bool,
    /// Whether they are notified of its end
    #[serde(default)]
    #[schema(default = false)]
    pub on_resolved: bool,
    /// After a message to an address, further notifications wait so long and are sent as one message, seconds; null: as set for the channel
    #[schema(minimum = 0, maximum = 3600)]
    pub merge_seconds: Option<i32>,
    /// Local time from which messages that are not critical wait until quiet_until; null: never
    #[schema(max_length = 20)]
    pub quiet_from: Option<String>,
    /// Local time at which they are sent; null with quiet_from
    #[schema(max_length = 20)]
    pub quiet_until: Option<String>,
    /// Zone of the quiet hours (IANA name); null: that of the rollups
    #[schema(max_length = 100)]
    pub time_zone: Option<String>,
    /// False: not used
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

/// What became of a test of a route
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RouteTest {
    /// The addresses to which it leads at this moment
    #[schema(max_items = 20)]
    pub addresses: Vec<TestedAddress>,
    /// It leads to more addresses, which were sent nothing
    pub has_more: bool,
    /// Why nobody was sent anything, in words; null: somebody was
    pub nobody: Option<String>,
}

/// An address to which a route leads, and what became of the test message to it
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TestedAddress {
    /// Number of the address
    pub address_id: Id64,
    /// Name of the contact
    pub contact: String,
    /// Channel
    #[schema(example = "wecom")]
    pub channel: String,
    /// As in /api/contact_addresses; of a contact that does not belong to the tenant of the caller alone: …
    pub address: String,
    /// Whether the channel took the message
    pub delivered: bool,
    /// Why it did not, in its own words, or why there was no message; null: it did
    pub error: Option<String>,
}

fn minor() -> Severity {
    Severity::Minor
}

fn hundred() -> i32 {
    100
}

fn yes() -> bool {
    true
}

impl RouteDraft {
    /// Why it is none, in words; `None`: it is one. What the database alone can know it says itself.
    pub fn refusal(&self) -> Option<Text> {
        let times = [&self.quiet_from, &self.quiet_until];
        let (quiet, half_quiet) =
            (times.iter().all(|time| time.is_some()), times.iter().any(|time| time.is_some()));
        if Channel::of_name(&self.channel).is_none() {
            let names = Channel::ALL.map(Channel::name).join(", ");
            return Some(text!("route-channel-unknown", channel = self.channel.as_str(), names = names));
        }
        if let Some(time) = times.into_iter().flatten().find(|time| !is_time_of_day(time)) {
            return Some(text!("time-of-day-invalid", time = time.as_str()));
        }
        if (self.audience == Audience::Contact) != self.contact_id.is_some() {
            Some(text!("route-contact"))
        } else if !(0..=604_800).contains(&self.after_seconds)
            || self.repeat_seconds.is_some_and(|seconds| !(30..=86_400).contains(&seconds))
            || !(1..=10_000).contains(&self.repeat_times)
            || self.merge_seconds.is_some_and(|seconds| !(0..=3600).contains(&seconds))
        {
            Some(text!("route-seconds"))
        } else if quiet != half_quiet || quiet && self.quiet_from == self.quiet_until {
            Some(text!("route-quiet-hours"))
        } else {
            None
        }
    }
}
