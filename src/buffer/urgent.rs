//! Urgent events that wait in the buffer are announced at once: to dashboards on the channels of alerts, and to the operators.
//!
//! Before: an upload with such an event goes to the buffer. After: the Redis of the view, and `notify`. When the event is stored, its rules are
//! evaluated and people are notified as ever; that it is stored, and how late, is announced as well.
//! Promise: an event is announced once, however often it is sent and whichever instance gets it. Nobody waits for an announcement, and it
//! needs no PostgreSQL. Where the Redis of the buffer does not answer either, each instance announces an event once.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::BufferServices;
use super::record::partition_of;
use crate::cache::stream::{UploadStream, urgent_mark};
use crate::cache::urgent_event::{self, EventStatus};
use crate::cache::{Cache, CacheError};
use crate::config::Settings;
use crate::language::{Text, text};
use crate::model::{Event, Owner, OwnerSlot, SystemAlert, SystemCondition, Upload};
use crate::telemetry::names;

/// Announcements that may wait.
const MAX_WAITING: usize = 1000;

/// Events that an instance knows it has announced.
const MAX_KNOWN: usize = 10_000;

/// How long the marks of the buffer are waited for: somebody may be lying on the ground.
const MARK_TIMEOUT: Duration = Duration::from_secs(1);

/// An urgent event of an upload.
#[derive(Debug, Clone)]
pub struct UrgentEvent {
    event: Event,
    received_at: Timestamp,
    key_customer_id: Option<i64>,
}

impl UrgentEvent {
    /// Those of an upload.
    pub(super) fn all_of(upload: &Upload) -> Vec<Self> {
        let urgent = upload.events.iter().filter(|item| item.event.is_urgent());
        let event = urgent.map(|item| Self {
            event: item.event.clone(),
            received_at: item.received_at,
            key_customer_id: item.key_customer_id,
        });
        event.collect()
    }

    /// What distinguishes it from all others: its natural key. An alert has a number instead.
    fn id(&self) -> String {
        let Event { event_type, ts, device_sn, .. } = &self.event;
        format!("{event_type}:{}:{device_sn}", ts.as_millisecond())
    }

    fn stream(&self) -> UploadStream {
        UploadStream::new(partition_of(&self.event.device_sn), true)
    }
}

#[derive(Debug)]
struct Announcement {
    event: UrgentEvent,
    status: EventStatus,
}

/// Takes announcements. Clones share the queue.
#[derive(Debug, Clone)]
pub(super) struct Announcer {
    announcements: mpsc::Sender<Announcement>,
}

impl Announcer {
    /// These events go to the buffer.
    pub(super) fn announce(&self, events: Vec<UrgentEvent>) {
        self.send(events, EventStatus::NotEvaluated);
    }

    /// These events are stored.
    pub(super) fn complete(&self, events: Vec<UrgentEvent>) {
        self.send(events, EventStatus::Stored);
    }

    fn send(&self, events: Vec<UrgentEvent>, status: EventStatus) {
        for event in events {
            if self.announcements.try_send(Announcement { event, status }).is_err() {
                tracing::error!(
                    status = status.name(),
                    "an urgent event in the buffer is not announced: too many wait"
                );
            }
        }
    }
}

/// The end of the queue that announces.
pub(super) struct Announcing {
    services: BufferServices,
    marks: Cache,
    instance: String,
    announcements: mpsc::Receiver<Announcement>,
    known: KnownEvents,
}

/// The two ends of a queue. `marks` is the Redis of the buffer.
pub(super) fn announcing(
    services: &BufferServices,
    marks: Cache,
    settings: &Settings,
) -> (Announcer, Announcing) {
    let (sender, announcements) = mpsc::channel(MAX_WAITING);
    let (services, instance) = (services.clone(), settings.instance_name());
    let known = KnownEvents::default();
    (Announcer { announcements: sender }, Announcing { services, marks, instance, announcements, known })
}

impl Announcing {
    /// Announces until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let announcement = tokio::select! {
                () = stop.cancelled() => return,
                Some(announcement) = self.announcements.recv() => announcement,
            };
            let Announcement { event, status } = announcement;
            if self.is_first(&event, status).await {
                self.publish(event, status).await;
            }
        }
    }

    /// Whether nobody has announced this of the event.
    async fn is_first(&mut self, event: &UrgentEvent, status: EventStatus) -> bool {
        let (id, stream) = (event.id(), event.stream());
        let is_waiting = status == EventStatus::NotEvaluated;
        if is_waiting && !self.known.insert(&id) {
            return false;
        }
        let marking = async {
            match status {
                EventStatus::NotEvaluated => urgent_mark::mark(&self.marks, stream, &id).await,
                EventStatus::Stored => urgent_mark::complete(&self.marks, stream, &id).await,
            }
        };
        let marked = timeout(MARK_TIMEOUT, marking).await.unwrap_or(Err(CacheError::Timeout));
        marked.unwrap_or_else(|error| {
            tracing::warn!(%error, "the buffer does not say whether an urgent event was announced");
            is_waiting
        })
    }

    async fn publish(&self, mut urgent: UrgentEvent, status: EventStatus) {
        let Some(owner) = self.owner_of(&urgent) else { return };
        urgent.event.owner = owner;
        self.notify_operators(&urgent, status);
        metrics::counter!(names::BUFFER_URGENT_EVENTS, "status" => status.name()).increment(1);
        let UrgentEvent { event, received_at, .. } = &urgent;
        let published =
            urgent_event::publish(&self.services.view, &urgent.id(), event, *received_at, status).await;
        if let Err(error) = published {
            tracing::warn!(%error, "dashboards receive nothing about an urgent event in the buffer");
        }
    }

    /// The owner as far as it is known without PostgreSQL. `None`: the key of another tenant has sent it, so it will be rejected.
    fn owner_of(&self, urgent: &UrgentEvent) -> Option<Owner> {
        let UrgentEvent { event, key_customer_id, .. } = urgent;
        let key_customer_id = key_customer_id.filter(|id| *id != 0);
        let mut owner = Owner::default();
        let slot = OwnerSlot { device_sn: &event.device_sn, ts: event.ts, owner: &mut owner };
        self.services.owners.complete_from_memory([slot].into_iter());
        match (owner.customer_id, key_customer_id) {
            (Some(known), Some(of_key)) if known != of_key => None,
            (Some(_), _) => Some(owner),
            (None, Some(_)) => Some(Owner { customer_id: key_customer_id, ..Owner::default() }),
            (None, None) => Some(event.owner),
        }
    }

    fn notify_operators(&self, urgent: &UrgentEvent, status: EventStatus) {
        let now = Timestamp::now();
        let is_stored = status == EventStatus::Stored;
        let seconds = now.duration_since(urgent.received_at).as_secs_f64().max(0.0).round();
        let alert = SystemAlert {
            condition: SystemCondition::UrgentEvent,
            instance: self.instance.clone(),
            started_at: urgent.received_at,
            fired_at: now,
            ended_at: is_stored.then_some(now),
            value: seconds,
            threshold: 0.0,
            message: message(&urgent.event, is_stored, seconds),
        };
        if self.services.operators.try_send(alert).is_err() {
            tracing::warn!(
                "operators are not notified of an urgent event in the buffer: too many changes wait"
            );
        }
    }
}

fn message(event: &Event, is_stored: bool, seconds: f64) -> Text {
    let (event_type, device) = (event.event_type.as_str(), event.device_sn.as_str());
    if is_stored {
        text!("system-urgent-event-stored", event = event_type, device = device, seconds = seconds)
    } else {
        text!("system-urgent-event", event = event_type, device = device)
    }
}

/// The last events that this process has announced.
#[derive(Debug, Default)]
struct KnownEvents {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl KnownEvents {
    /// True: it is new.
    fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > MAX_KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_until_many_others_have_come() {
        let mut known = KnownEvents::default();
        assert!(known.insert("a") && !known.insert("a"));
        for number in 0..MAX_KNOWN {
            assert!(known.insert(&number.to_string()));
        }
        assert!(known.insert("a"), "it was the oldest");
        assert!(!known.insert("9999"));
        assert_eq!(known.ids.len(), MAX_KNOWN);
    }
}
