//! The wake-up of loops that poll: what was notified since a loop last looked.
//!
//! Before: an [`Announcer`] of this instance, or [`super::notifier`] receives a notification of another one. After: the loops of
//! `relay`, `notify`, `react`, `schedule`, `keys` and `accounts` query their tables.
//! Promise: none but speed. A wake-up is a hint and may be lost with a connection; the tables are the truth, and [`Wake::arm`] says
//! when a connection was made, so that the loop looks at everything.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// Which table has something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Rows of `outbox`.
    Outbox,
    /// Rows of `notification`.
    Notification,
    /// Rows of `api_key`; its triggers notify.
    ApiKey,
    /// A row of `alert_rule` was disabled; its trigger notifies.
    AlertRule,
    /// Something was changed through the API of an instance (`reads.notify_change`).
    Change,
    /// Rows of `vitals.placement` or `vitals.cell_url`; their triggers notify.
    Placement,
    /// Rows of `account`, `account_grant`, `vitals.account_session` or `vitals.kiosk_link`; their triggers notify.
    Account,
}

impl Topic {
    pub(super) const ALL: [Self; 7] = [
        Self::Outbox,
        Self::Notification,
        Self::ApiKey,
        Self::AlertRule,
        Self::Change,
        Self::Placement,
        Self::Account,
    ];

    pub(super) fn of_channel(channel: &str) -> Option<Self> {
        match channel {
            "vitals_outbox" => Some(Self::Outbox),
            "vitals_notification" => Some(Self::Notification),
            "vitals_api_key" => Some(Self::ApiKey),
            "vitals_alert_rule" => Some(Self::AlertRule),
            "vitals_change" => Some(Self::Change),
            "vitals_placement" => Some(Self::Placement),
            "vitals_account" => Some(Self::Account),
            _ => None,
        }
    }

    pub(super) fn notify(self) -> &'static str {
        match self {
            Self::Outbox => "notify vitals_outbox",
            Self::Notification => "notify vitals_notification",
            Self::ApiKey => "notify vitals_api_key",
            Self::AlertRule => "notify vitals_alert_rule",
            Self::Change => "notify vitals_change",
            Self::Placement => "notify vitals_placement",
            Self::Account => "notify vitals_account",
        }
    }
}

/// Announces that there is something new: to the loops of this instance at once, to other instances by NOTIFY.
#[derive(Debug, Clone)]
pub struct Announcer {
    own: WakeSource,
    due: Arc<Notify>,
}

impl Announcer {
    pub(super) fn new(own: &WakeSource, due: &Arc<Notify>) -> Self {
        Self { own: own.clone(), due: Arc::clone(due) }
    }

    /// Something was committed. Costs next to nothing and never waits.
    pub fn announce(&self) {
        self.own.notified();
        self.due.notify_one();
    }
}

/// Announces new rows of `outbox`. Clones announce the same.
#[derive(Debug, Clone)]
pub struct OutboxAnnouncer {
    rows: Announcer,
    urgent: WakeSource,
}

impl OutboxAnnouncer {
    pub(super) fn new(rows: Announcer, urgent: &WakeSource) -> Self {
        Self { rows, urgent: urgent.clone() }
    }

    /// A batch was committed. Costs next to nothing and never waits.
    pub fn announce(&self, is_urgent: bool) {
        if is_urgent {
            self.urgent.notified();
        }
        self.rows.announce();
    }
}

/// What was received of a topic so far.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    connections: u64,
    notifications: u64,
}

/// The notifications of a topic, for any number of [`Wake`]s. Clones are the same source.
#[derive(Debug, Default, Clone)]
pub(super) struct WakeSource(Arc<watch::Sender<Count>>);

impl WakeSource {
    pub(super) fn wake(&self) -> Wake {
        Wake { received: self.0.subscribe(), connections: 0 }
    }

    pub(super) fn connected(&self) {
        self.0.send_modify(|count| count.connections += 1);
    }

    pub(super) fn notified(&self) {
        self.0.send_modify(|count| count.notifications += 1);
    }
}

/// Wakes one loop that polls.
#[derive(Debug)]
pub struct Wake {
    received: watch::Receiver<Count>,
    connections: u64,
}

impl Wake {
    /// To be called before the table is queried: whatever is received from now on ends the next [`Wake::woken`].
    /// True when a connection was made since the last call: notifications before it are lost.
    pub fn arm(&mut self) -> bool {
        let connections = self.received.borrow_and_update().connections;
        std::mem::replace(&mut self.connections, connections) != connections
    }

    /// Ends when something was received since [`Wake::arm`].
    pub async fn woken(&mut self) {
        if self.received.changed().await.is_err() {
            // Nobody listens any more; polling goes on.
            pending::<()>().await;
        }
    }
}

/// A source of wake-ups for tests of loops: what notifies, and a wake.
#[cfg(test)]
pub(crate) fn test_source() -> (impl Fn(), Wake) {
    let source = WakeSource::default();
    let wake = source.wake();
    (move || source.notified(), wake)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_is_received_after_arming_is_not_lost() {
        let source = WakeSource::default();
        let mut wake = source.wake();
        assert!(!wake.arm(), "no connection yet");
        source.notified();
        wake.woken().await;
    }

    #[tokio::test]
    async fn every_loop_learns_of_a_connection_once() {
        let source = WakeSource::default();
        let (mut one, mut other) = (source.wake(), source.wake());
        source.connected();
        assert!(one.arm());
        assert!(!one.arm());
        assert!(other.arm());
    }

    #[tokio::test]
    async fn arming_takes_what_was_received_before() {
        let source = WakeSource::default();
        let mut wake = source.wake();
        source.notified();
        wake.arm();
        assert!(
            timeout(Duration::from_millis(20), wake.woken()).await.is_err(),
            "polled after it was received"
        );
    }

    #[tokio::test]
    async fn what_is_announced_wakes_the_loops_of_this_instance_at_once() {
        let source = WakeSource::default();
        let mut wake = source.wake();
        wake.arm();
        Announcer::new(&source, &Arc::default()).announce();
        wake.woken().await;
    }

    #[tokio::test]
    async fn a_batch_without_an_urgent_event_does_not_wake_the_worker_of_urgent_ones() {
        let (source, urgent_source) = (WakeSource::default(), WakeSource::default());
        let (mut wake, mut urgent) = (source.wake(), urgent_source.wake());
        let announcer = OutboxAnnouncer::new(Announcer::new(&source, &Arc::default()), &urgent_source);
        wake.arm();
        urgent.arm();
        announcer.announce(false);
        wake.woken().await;
        assert!(timeout(Duration::from_millis(20), urgent.woken()).await.is_err());
        wake.arm();
        announcer.announce(true);
        urgent.woken().await;
        wake.woken().await;
    }

    #[test]
    fn each_topic_is_received_on_the_channel_it_is_announced_on() {
        for topic in Topic::ALL {
            let channel = topic.notify().trim_start_matches("notify ");
            assert_eq!(Topic::of_channel(channel), Some(topic));
        }
    }
}
