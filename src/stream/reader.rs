//! Reads what has changed, for all browsers of the instance, while there are any.
//!
//! Before: wake-ups of `store::notifier`, which are hints, and a poll every second. After: the hub publishes what was found.
//! Promise: no query while nobody listens; at most three readings a second, which take at most a quarter of the time, and between them only
//! short ones of the alerts, so that an alert waits for no values; a database that was away or that is another one now leads to `reset`,
//! never to a silent gap.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::feed::{AlertRow, Head, Tick};
use super::{EventId, Hub};
use crate::store::dashboard::changes::{self, ChangedAlert, Changes, ReadPosition};
use crate::store::reads::Reads;
use crate::store::wake::Wake;
use crate::store::{Kind, Store, StoreError};

/// Shortest time between two readings: what comes meanwhile is sent together.
const SPACING: Duration = Duration::from_millis(300);

/// Shortest time between two readings of the alerts alone.
const ALERT_SPACING: Duration = Duration::from_millis(100);

/// Between two readings without a wake-up: a wake-up may be lost, and what somebody commits in psql sends none.
const POLL: Duration = Duration::from_secs(1);

/// The pause behind a reading is at least this many times as long as it took.
const PAUSE_PER_WORK: u32 = 3;

/// Longest time of a reading.
const READING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it reads on behind the last browser: one that was cut off comes back and is sent what it missed.
const LINGER: Duration = Duration::from_mins(1);

/// Longest pause behind which all changes of alerts are still found (stream.changed_alerts).
const LONGEST_GAP: SignedDuration = SignedDuration::from_mins(4);

/// How long a server may be behind what was read before it counts as a database that went back.
const BEHIND: Duration = Duration::from_secs(10);

/// How long a device that is not known is looked up: the relay adds it after the commit of its first samples.
const EXPECTED_FOR: Duration = Duration::from_secs(5);

/// How long the state of an alert is kept for comparison.
const COMPARED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What wakes the reader.
#[derive(Debug)]
pub struct Wakes {
    /// Rows were committed.
    pub outbox: Wake,
    /// An alert changed.
    pub alert: Wake,
}

/// Reads for `hub` until `stop`.
pub async fn run(hub: Hub, store: Store, reads: Reads, mut wakes: Wakes, stop: CancellationToken) {
    let mut primary = store.primary();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hub.listened() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = primary.changed() => {}
            () = read_while_listened(&hub, &reads, &mut wakes) => {}
        }
        hub.reset();
    }
}

/// Ends when nobody has listened for [`LINGER`].
async fn read_while_listened(hub: &Hub, reads: &Reads, wakes: &mut Wakes) {
    let mut last = LastReading::default();
    let mut listened_at = Instant::now();
    loop {
        wakes.outbox.arm();
        wakes.alert.arm();
        let began = Instant::now();
        let found = last.read_next(hub, reads).await;
        let pause_until = Instant::now() + SPACING.max(began.elapsed() * PAUSE_PER_WORK);
        while timeout_at(pause_until, wakes.alert.woken()).await.is_ok() {
            wakes.alert.arm();
            last.read_alerts(hub, reads).await;
            sleep(ALERT_SPACING).await;
        }
        if !found {
            tokio::select! {
                () = wakes.outbox.woken() => {}
                () = wakes.alert.woken() => {}
                () = sleep(POLL - SPACING) => {}
            }
        }
        if hub.is_listened() {
            listened_at = Instant::now();
        } else if listened_at.elapsed() > LINGER {
            return;
        }
    }
}

/// What the last reading found.
#[derive(Debug, Default)]
struct LastReading {
    position: Option<ReadPosition>,
    alerts: HashMap<i64, AlertRecord>,
    /// Devices that have sent their first sample, with the time until which they are looked up.
    unknown: Vec<(String, Instant)>,
    /// Since when servers have been behind the position.
    behind_since: Option<Instant>,
    is_failing: bool,
}

/// An alert as it was published.
#[derive(Debug, Clone)]
struct AlertRecord {
    updated_at: Timestamp,
    status: String,
    severity: String,
    assigned_to: Option<i64>,
}

impl LastReading {
    /// Reads and publishes what was committed meanwhile. True: there was something, so that more may follow at once.
    async fn read_next(&mut self, hub: &Hub, reads: &Reads) -> bool {
        let since = self.position.as_ref();
        let unknown: Vec<String> = self.unknown.iter().map(|(device_sn, _)| device_sn.clone()).collect();
        let read = async |store| changes::read(&store, since, &unknown, &known(&self.alerts)).await;
        let found = timeout(READING_TIMEOUT, reads.run(read)).await;
        match found {
            Ok(Ok(found)) => {
                self.is_failing = false;
                self.publish(hub, found)
            }
            Ok(Err(error)) => self.failed(&error),
            Err(_) => self.failed(&StoreError::Timeout("stream.read")),
        }
    }

    /// Reads and publishes the alerts that have changed meanwhile; the next reading finds what this one does not.
    async fn read_alerts(&mut self, hub: &Hub, reads: &Reads) {
        let Some(id) = self.position.as_ref().map(EventId::from) else { return };
        let read = async |store| changes::read_alerts(&store, &known(&self.alerts)).await;
        let found = timeout(READING_TIMEOUT, reads.run(read)).await;
        if let Ok(Ok(found)) = found
            && !found.is_empty()
        {
            let alerts = found.into_iter().map(|alert| self.compare(alert)).collect();
            hub.publish_more(Tick::new(id, alerts, Vec::new(), Vec::new(), false));
        }
    }

    fn failed(&mut self, error: &StoreError) -> bool {
        if !std::mem::replace(&mut self.is_failing, true) {
            if error.kind() == Kind::Bug {
                tracing::error!(%error, "open pages are not live");
            } else {
                tracing::warn!(%error, "open pages are not live");
            }
        }
        false
    }

    fn publish(&mut self, hub: &Hub, found: Changes) -> bool {
        if let Some(before) = &self.position {
            if is_gap(before, &found.position) {
                hub.reset();
                *self = Self::default();
            } else if found.position.next < before.next {
                // A standby that is behind the server of the last reading.
                let since = *self.behind_since.get_or_insert_with(Instant::now);
                if since.elapsed() > BEHIND {
                    hub.reset();
                    *self = Self::default();
                }
                return false;
            }
        }
        self.behind_since = None;
        let id = EventId::from(&found.position);
        let head = Head { id, read_at: found.position.read_at };
        let is_first = self.position.is_none();
        let alerts: Vec<AlertRow> = found.alerts.into_iter().map(|alert| self.compare(alert)).collect();
        self.alerts
            .retain(|_, record| found.position.read_at.duration_since(record.updated_at) < COMPARED_FOR);
        self.position = Some(found.position);
        self.expect(found.unknown);
        let is_empty =
            alerts.is_empty() && found.latest.is_empty() && found.devices.is_empty() && !found.is_partial;
        // The first reading only says from where on changes count.
        let tick = (!is_first && !is_empty)
            .then(|| Tick::new(id, alerts, found.latest, found.devices, found.is_partial));
        // A device that is added in a moment is worth the same haste.
        let has_found = tick.is_some() || !self.unknown.is_empty();
        hub.publish(head, tick);
        has_found
    }

    /// Looks these up in the next readings, too.
    fn expect(&mut self, unknown: Vec<String>) {
        let now = Instant::now();
        let mut until: HashMap<String, Instant> = self.unknown.drain(..).collect();
        let expected = unknown.into_iter().map(|device_sn| {
            let until = until.remove(&device_sn).unwrap_or(now + EXPECTED_FOR);
            (device_sn, until)
        });
        self.unknown = expected.filter(|(_, until)| *until > now).collect();
    }

    /// What has changed of an alert since it was published.
    fn compare(&mut self, alert: ChangedAlert) -> AlertRow {
        let began = self.position.as_ref().map(|position| position.read_at);
        let ChangedAlert { alert_id, status, severity, assigned_to, fired_at, updated_at, scoped } = alert;
        let record = AlertRecord { updated_at, status, severity, assigned_to };
        let changes = match self.alerts.get(&alert_id) {
            Some(before) => compare(before, &record),
            // It fired a moment ago, and what has become of it since is in its row.
            None if began.is_some_and(|began| fired_at + SignedDuration::from_secs(60) > began) => {
                let mut changes = vec!["fired"];
                changes.extend(state_change(&record.status));
                changes
            }
            None => vec![state_change(&record.status).unwrap_or("updated")],
        };
        self.alerts.insert(alert_id, record);
        AlertRow { scoped, changes }
    }
}

/// Whether an alert was published as it is.
fn known(alerts: &HashMap<i64, AlertRecord>) -> impl Fn(i64, Timestamp) -> bool + Sync {
    |alert_id, updated_at| alerts.get(&alert_id).is_some_and(|record| record.updated_at == updated_at)
}

/// Whether changes may be missing between two readings.
fn is_gap(before: &ReadPosition, now: &ReadPosition) -> bool {
    before.origin != now.origin || now.read_at.duration_since(before.read_at) > LONGEST_GAP
}

/// The words are those of `alert_action.action`, and "updated" for everything else.
fn compare(before: &AlertRecord, now: &AlertRecord) -> Vec<&'static str> {
    let mut changes = Vec::new();
    if before.status != now.status {
        changes.push(state_change(&now.status).unwrap_or("reopened"));
    }
    match rank(&now.severity).cmp(&rank(&before.severity)) {
        std::cmp::Ordering::Greater => changes.push("raised"),
        std::cmp::Ordering::Less => changes.push("lowered"),
        std::cmp::Ordering::Equal => {}
    }
    if before.assigned_to != now.assigned_to {
        changes.push(if now.assigned_to.is_some() { "assigned" } else { "unassigned" });
    }
    if changes.is_empty() {
        changes.push("updated");
    }
    changes
}

fn state_change(status: &str) -> Option<&'static str> {
    match status {
        "acknowledged" => Some("acknowledged"),
        "resolved" => Some("resolved"),
        _ => None,
    }
}

fn rank(severity: &str) -> usize {
    ["info", "minor", "major", "critical"].iter().position(|each| *each == severity).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(status: &str, severity: &str, assigned_to: Option<i64>) -> AlertRecord {
        let updated_at = Timestamp::UNIX_EPOCH;
        AlertRecord { updated_at, status: status.into(), severity: severity.into(), assigned_to }
    }

    #[test]
    fn changes_have_the_words_of_the_history() {
        let before = record("firing", "major", None);
        for (now, changes) in [
            (record("firing", "major", None), vec!["updated"]),
            (record("firing", "critical", None), vec!["raised"]),
            (record("acknowledged", "minor", None), vec!["acknowledged", "lowered"]),
            (record("resolved", "major", Some(1)), vec!["resolved", "assigned"]),
        ] {
            assert_eq!(compare(&before, &now), changes, "{now:?}");
        }
        let acknowledged = record("acknowledged", "major", Some(1));
        assert_eq!(compare(&acknowledged, &before), ["reopened", "unassigned"]);
    }
}
