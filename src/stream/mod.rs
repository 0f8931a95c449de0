//! The events that open pages receive: changes of alerts, newest values, states of devices. One hub for all browsers of an instance.
//!
//! Before: [`reader`] reads what has changed, at most three times a second, while somebody listens. After: `http` sends each [`Subscription`]
//! its events.
//! Promise: a browser costs no query and no connection to PostgreSQL or Redis. Each receives only what its viewer may see, by the tenant
//! and the units that the database gives a row. Nothing is missed silently: whoever cannot be sent everything since the last event is
//! sent `reset`. Memory is bounded however slow a browser is. README.md explains the rest.

mod event;
mod feed;
mod reader;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::telemetry::names;

pub use event::{EventId, StreamEvent, View};
use feed::{Feed, Head, Signal, Tick};
pub use reader::{Wakes, run};

/// Time between two heartbeats. Proxies close what is silent for 30 s, and a page is stale after 25.
const BEAT_EVERY: Duration = Duration::from_secs(10);

/// Ticks that a subscription may be behind before it is sent `reset`: half a minute at the highest rate.
const MAX_BEHIND: usize = 64;

/// Longest wait for the first reading.
const FIRST_READING: Duration = Duration::from_secs(3);

/// The hub of an instance. Clones are the same.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_open: usize,
    stop: CancellationToken,
    open: watch::Sender<usize>,
    signals: broadcast::Sender<Signal>,
    /// Where the last reading ended; `None`: nothing is read, or nothing was read yet.
    head: watch::Sender<Option<Head>>,
    /// Ticks with changes of alerts, and resets.
    alert_changes: AtomicU64,
    feed: Mutex<Feed>,
}

/// More streams are open than the settings allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyStreams;

/// The events of one browser.
#[derive(Debug)]
pub struct Subscription {
    hub: Hub,
    view: View,
    signals: broadcast::Receiver<Signal>,
    queued: VecDeque<StreamEvent>,
    sent: Option<EventId>,
    beats: Interval,
}

impl Hub {
    /// Reads nothing yet. Subscriptions end at `stop`.
    pub fn new(settings: &Settings, stop: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            max_open: settings.stream.max_open,
            stop,
            open: watch::Sender::new(0),
            signals: broadcast::Sender::new(MAX_BEHIND),
            head: watch::Sender::new(None),
            alert_changes: AtomicU64::new(0),
            feed: Mutex::default(),
        }))
    }

    /// Opens a stream of what `view` may see. Begins behind `last`, or with `reset` if that is not possible.
    ///
    /// # Errors
    /// [`TooManyStreams`].
    pub async fn subscribe(&self, view: View, last: Option<EventId>) -> Result<Subscription, TooManyStreams> {
        let max_open = self.0.max_open;
        let is_open = self.0.open.send_if_modified(|open| {
            let has_room = *open < max_open;
            *open += usize::from(has_room);
            has_room
        });
        if !is_open {
            return Err(TooManyStreams);
        }
        metrics::gauge!(names::STREAMS_OPEN).increment(1.0);
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats.reset();
        let mut subscription = Subscription {
            hub: self.clone(),
            view,
            signals: self.0.signals.subscribe(),
            queued: VecDeque::new(),
            sent: None,
            beats,
        };
        // The first browser waits for the first reading.
        let mut head = self.0.head.subscribe();
        let _ = timeout(FIRST_READING, head.wait_for(Option::is_some)).await;
        subscription.begin(last);
        Ok(subscription)
    }

    /// A number that has risen before any browser is notified of a changed alert: what was read at a smaller one is out of date.
    pub fn alert_changes(&self) -> u64 {
        self.0.alert_changes.load(Ordering::Acquire)
    }

    /// Waits until somebody listens.
    async fn listened(&self) {
        let mut open = self.0.open.subscribe();
        let _ = open.wait_for(|open| *open > 0).await;
    }

    fn is_listened(&self) -> bool {
        *self.0.open.borrow() > 0
    }

    /// A reading ended at `head`; `tick`: it found something.
    fn publish(&self, head: Head, tick: Option<Tick>) {
        let mut feed = self.feed();
        feed.begin_at(head.id);
        if let Some(tick) = tick {
            self.send(&mut feed, tick);
        }
        self.0.head.send_replace(Some(head));
    }

    /// Something was found behind the head, which stays where it is: the tick has its id.
    fn publish_more(&self, tick: Tick) {
        self.send(&mut self.feed(), tick);
    }

    fn send(&self, feed: &mut Feed, tick: Tick) {
        let tick = Arc::new(tick);
        self.0.alert_changes.fetch_add(u64::from(!tick.alerts.is_empty()), Ordering::AcqRel);
        feed.push(Arc::clone(&tick));
        // Nobody may be listening at the moment.
        let _ = self.0.signals.send(Signal::Tick(tick));
    }

    /// Something may have been missed: whoever listens reads everything anew.
    fn reset(&self) {
        let mut feed = self.feed();
        *feed = Feed::default();
        self.0.alert_changes.fetch_add(1, Ordering::AcqRel);
        self.0.head.send_replace(None);
        let _ = self.0.signals.send(Signal::Reset);
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        // Every change of it is complete before the next one begins.
        self.0.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// The next event; `None`: the stream ends. Nothing is lost if it is dropped while it waits.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            if let Some(event) = self.queued.pop_front() {
                metrics::counter!(names::STREAM_EVENTS, "event" => event.name).increment(1);
                return Some(event);
            }
            let stop = self.hub.0.stop.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                signal = self.signals.recv() => match signal {
                    Ok(Signal::Tick(tick)) => self.queue(&tick),
                    Ok(Signal::Reset) => self.queue_reset("database"),
                    Err(RecvError::Lagged(_)) => {
                        self.signals = self.signals.resubscribe();
                        self.queue_reset("slow");
                    }
                    Err(RecvError::Closed) => return None,
                },
                _ = self.beats.tick() => self.queue_beat(),
            }
        }
    }

    /// `hello`, and what was missed since `last`.
    fn begin(&mut self, last: Option<EventId>) {
        let hub = self.hub.clone();
        let feed = hub.feed();
        // From here on nothing is published until the lock is released.
        self.signals = hub.0.signals.subscribe();
        let head = *hub.0.head.borrow();
        let missed = last.map(|last| feed.since(last));
        self.sent = head.map(|head| head.id);
        let is_resumed = matches!(missed, Some(Some(_)));
        self.queued.push_back(event::hello(head, is_resumed));
        match missed {
            Some(Some(ticks)) => self.queued.extend(event::replay(&ticks, &self.view)),
            Some(None) => self.queue_reset("too_old"),
            None => {}
        }
        if let (Some(last), Some(id)) = (self.queued.back_mut(), self.sent) {
            last.id = Some(id);
        }
    }

    fn queue(&mut self, tick: &Arc<Tick>) {
        self.sent = Some(tick.id);
        self.queued.extend(tick.events(&self.view).iter().cloned());
    }

    fn queue_reset(&mut self, reason: &'static str) {
        metrics::counter!(names::STREAM_RESETS, "reason" => reason).increment(1);
        self.sent = self.hub.0.head.borrow().map(|head| head.id);
        self.queued.push_back(event::reset(self.sent, reason));
    }

    fn queue_beat(&mut self) {
        let head = *self.hub.0.head.borrow();
        // What is published is sent to the subscriptions first. So if nothing waits here, nothing before the head is missing.
        if self.signals.is_empty() {
            self.sent = head.map(|head| head.id);
        }
        self.queued.push_back(event::tick(head, self.sent));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.0.open.send_modify(|open| *open -= 1);
        metrics::gauge!(names::STREAMS_OPEN).decrement(1.0);
    }
}

#[cfg(test)]
mod tests;
