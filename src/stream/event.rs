//! Events as a viewer receives them.
//!
//! Before: a tick of the hub. After: `http` sends name, id and data.
//! Promise: a viewer receives rows of its tenant and unit only; whoever may only respond, alerts alone. In privacy mode an event has
//! what [`is_public`] lists, and initials.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::feed::{AlertRow, Head, Json, Tick};
use crate::language::initials;
use crate::metric::{Kind, Metric};
use crate::store::dashboard::Viewer;
use crate::store::dashboard::changes::{ReadPosition, ScopedRow};

/// Most devices that an event names.
const MAX_DEVICES: usize = 200;

/// Most changes of alerts that are sent of what was missed; if there are more, `reset` costs less.
const MAX_REPLAYED_ALERTS: usize = 500;

/// What privacy mode leaves in a row, besides initials and measured values: nothing that names a person or a device, and no words that
/// somebody wrote.
const PUBLIC: [&str; 20] = [
    "alert_id",
    "kind",
    "severity",
    "type",
    "status",
    "historical",
    "fired_at",
    "last_value",
    "breach_count",
    "acknowledged_at",
    "resolved_at",
    "resolution",
    "org_id",
    "org_name",
    "customer_id",
    "ts",
    "battery_level",
    "charging_status",
    "wear_state",
    "online",
];

/// Where in the history of the database an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// Which database.
    pub(super) origin: u32,
    /// The first transaction that had not begun; it only rises.
    pub(super) next: i64,
    /// Digest of the transactions that had ended.
    pub(super) snapshot: u32,
}

impl EventId {
    /// An id that no stream has: `reset` follows.
    pub const UNKNOWN: Self = Self { origin: 0, next: 0, snapshot: 0 };
}

impl From<&ReadPosition> for EventId {
    fn from(position: &ReadPosition) -> Self {
        Self { origin: position.origin, next: position.next, snapshot: position.snapshot }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}-{:08x}", self.next, self.origin, self.snapshot)
    }
}

impl FromStr for EventId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let id = |parts: &[&str]| {
            let [next, origin, snapshot] = parts else { return None };
            let digest = |text| u32::from_str_radix(text, 16).ok();
            Some(Self { origin: digest(origin)?, next: next.parse().ok()?, snapshot: digest(snapshot)? })
        };
        id(&parts).ok_or("the id of an event of this stream")
    }
}

/// What a browser shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// Whose data it may see.
    pub viewer: Viewer,
    /// Measured values and states of devices, too; else alerts alone.
    pub sees_values: bool,
    /// Initials in place of names, and neither positions nor numbers of people and devices.
    pub is_private: bool,
    /// Only of this device.
    pub device_sn: Option<String>,
    /// Only of this person.
    pub user_id: Option<i64>,
}

/// An event.
#[derive(Debug, Clone)]
pub struct StreamEvent {
    /// `hello`, `alert`, `latest`, `device`, `tick` or `reset`.
    pub name: &'static str,
    /// With which the stream can be resumed behind this event.
    pub id: Option<EventId>,
    /// JSON.
    pub data: String,
}

impl StreamEvent {
    fn new(name: &'static str, data: &Value) -> Self {
        Self { name, id: None, data: data.to_string() }
    }
}

/// The first event. `is_resumed`: what was missed follows.
pub(super) fn hello(head: Option<Head>, is_resumed: bool) -> StreamEvent {
    let version = env!("CARGO_PKG_VERSION");
    let data =
        json!({ "version": version, "now": Timestamp::now(), "as_of": as_of(head), "resumed": is_resumed });
    StreamEvent::new("hello", &data)
}

/// A sign of life, with the time of the last reading.
pub(super) fn tick(head: Option<Head>, id: Option<EventId>) -> StreamEvent {
    StreamEvent { id, ..StreamEvent::new("tick", &json!({ "now": Timestamp::now(), "as_of": as_of(head) })) }
}

/// Everything is to be read anew.
pub(super) fn reset(id: Option<EventId>, reason: &'static str) -> StreamEvent {
    StreamEvent { id, ..StreamEvent::new("reset", &json!({ "reason": reason })) }
}

fn as_of(head: Option<Head>) -> Option<Timestamp> {
    head.map(|head| head.read_at)
}

/// The events of a tick, without ids.
pub(super) fn of_tick(tick: &Tick, view: &View) -> Vec<StreamEvent> {
    let mut events = alerts(&tick.alerts, view);
    events.extend(rows("device", &tick.devices, false, view));
    events.extend(rows("latest", &tick.latest, tick.is_partial, view));
    events
}

/// What was missed, without ids: the changes of alerts in their order; the newest state of each device once.
pub(super) fn replay(ticks: &[Arc<Tick>], view: &View) -> Vec<StreamEvent> {
    let mut events: Vec<StreamEvent> = ticks.iter().flat_map(|tick| alerts(&tick.alerts, view)).collect();
    if events.len() > MAX_REPLAYED_ALERTS {
        return vec![reset(None, "too_many")];
    }
    let newest_first = |rows: fn(&Tick) -> &[ScopedRow]| {
        let mut seen = HashSet::new();
        let rows = ticks.iter().rev().flat_map(|tick| rows(tick));
        rows.filter(|row| seen.insert(row.row["device_sn"].as_str().unwrap_or_default()))
            .cloned()
            .collect::<Vec<_>>()
    };
    events.extend(rows("device", &newest_first(|tick| &tick.devices), false, view));
    let is_partial = ticks.iter().any(|tick| tick.is_partial);
    events.extend(rows("latest", &newest_first(|tick| &tick.latest), is_partial, view));
    events
}

fn alerts(alerts: &[AlertRow], view: &View) -> Vec<StreamEvent> {
    let visible = alerts.iter().filter(|alert| view.shows(&alert.scoped));
    visible
        .map(|alert| {
            let mut row = view.row(&alert.scoped);
            row.insert("changes".to_owned(), json!(alert.changes));
            StreamEvent::new("alert", &Value::Object(row))
        })
        .collect()
}

/// An event with the rows that the viewer may see. `is_partial`: others may have changed too, which is worth an event by itself.
fn rows(name: &'static str, rows: &[ScopedRow], is_partial: bool, view: &View) -> Option<StreamEvent> {
    if !view.sees_values {
        return None;
    }
    let mut visible = rows.iter().filter(|row| view.shows(row));
    let shown: Vec<Json> = visible.by_ref().take(MAX_DEVICES).map(|row| view.row(row)).collect();
    let has_more = is_partial || visible.next().is_some();
    (has_more || !shown.is_empty())
        .then(|| StreamEvent::new(name, &json!({ "devices": shown, "more": has_more })))
}

impl View {
    fn shows(&self, scoped: &ScopedRow) -> bool {
        let is = |name: &str, wanted: &str| scoped.row[name].as_str() == Some(wanted);
        scoped.is_visible_to(self.viewer)
            && self.device_sn.as_ref().is_none_or(|sn| is("device_sn", sn))
            && self.user_id.is_none_or(|user_id| is("user_id", &user_id.to_string()))
    }

    fn row(&self, scoped: &ScopedRow) -> Json {
        let mut row = scoped.row.as_object().cloned().unwrap_or_default();
        if self.is_private {
            let name = row.remove("user_name");
            row.retain(|name, _| is_public(name));
            if let Some(Value::String(name)) = name {
                row.insert("user_name".to_owned(), json!(initials(&name)));
            }
        }
        row
    }
}

fn is_public(name: &str) -> bool {
    let is_measured = |metric: Metric| metric.column() == name && metric.kind() != Kind::Position;
    PUBLIC.contains(&name) || Metric::ALL.into_iter().any(is_measured)
}
