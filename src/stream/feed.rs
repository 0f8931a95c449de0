//! What was found lately, for browsers that were away for a moment.
//!
//! Before: [`super::reader`]. After: a [`super::Subscription`] that begins behind an earlier event.
//! Promise: bounded in rows; what it cannot give whole it does not give.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::event::{self, EventId, StreamEvent, View};
use crate::store::dashboard::changes::ScopedRow;

/// Rows that are kept: about 10 MB, and minutes at the highest rate of a control room.
const MAX_ROWS: usize = 20_000;

/// Where a reading ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) id: EventId,
    /// By the clock of the database.
    pub(super) read_at: Timestamp,
}

/// What subscriptions are sent.
#[derive(Debug, Clone)]
pub(super) enum Signal {
    Tick(Arc<Tick>),
    Reset,
}

/// A changed alert, with what has changed of it.
#[derive(Debug)]
pub(super) struct AlertRow {
    pub(super) scoped: ScopedRow,
    pub(super) changes: Vec<&'static str>,
}

/// What a reading found.
#[derive(Debug)]
pub(super) struct Tick {
    /// Up to where it reaches.
    pub(super) id: EventId,
    pub(super) alerts: Vec<AlertRow>,
    /// Newest first.
    pub(super) latest: Vec<ScopedRow>,
    pub(super) devices: Vec<ScopedRow>,
    /// More devices changed than are named.
    pub(super) is_partial: bool,
    /// Its events by who looks: most walls of a house show the same.
    rendered: Mutex<HashMap<View, Arc<[StreamEvent]>>>,
}

impl Tick {
    pub(super) fn new(
        id: EventId,
        alerts: Vec<AlertRow>,
        latest: Vec<ScopedRow>,
        devices: Vec<ScopedRow>,
        is_partial: bool,
    ) -> Self {
        Self { id, alerts, latest, devices, is_partial, rendered: Mutex::default() }
    }

    fn rows(&self) -> usize {
        self.alerts.len() + self.latest.len() + self.devices.len()
    }

    /// Its events for a viewer; the last one carries the id. None: the viewer may see nothing of it.
    pub(super) fn events(&self, view: &View) -> Arc<[StreamEvent]> {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rendered.entry(view.clone()).or_insert_with(|| {
            let mut events = event::of_tick(self, view);
            if let Some(last) = events.last_mut() {
                last.id = Some(self.id);
            }
            events.into()
        }))
    }
}

/// The last ticks, oldest first.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Everything that was committed behind it is in the ticks.
    base: Option<EventId>,
    ticks: VecDeque<Arc<Tick>>,
    rows: usize,
}

impl Feed {
    /// The first reading ended there; later calls change nothing.
    pub(super) fn begin_at(&mut self, id: EventId) {
        self.base.get_or_insert(id);
    }

    pub(super) fn push(&mut self, tick: Arc<Tick>) {
        self.rows += tick.rows();
        self.ticks.push_back(tick);
        while self.rows > MAX_ROWS
            && let Some(oldest) = self.ticks.pop_front()
        {
            self.rows -= oldest.rows();
            self.base = Some(oldest.id);
        }
    }

    /// Everything behind `last`, and perhaps a little before it; `None`: not all of it is here.
    ///
    /// `last` may come from another instance: the ids are places in the database. A reading whose next transaction is lower than that of
    /// `last` took place before it, so it holds nothing that `last` does not.
    pub(super) fn since(&self, last: EventId) -> Option<Vec<Arc<Tick>>> {
        let base = self.base.filter(|base| base.origin == last.origin)?;
        if last == base {
            return Some(self.ticks.iter().cloned().collect());
        }
        if let Some(at) = self.ticks.iter().position(|tick| tick.id == last) {
            return Some(self.ticks.range(at + 1..).cloned().collect());
        }
        let behind = self.ticks.iter().filter(|tick| tick.id.next >= last.next);
        (last.next > base.next).then(|| behind.cloned().collect())
    }
}

/// A row of a tick as JSON.
pub(super) type Json = serde_json::Map<String, Value>;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(next: i64) -> EventId {
        EventId { origin: 1, next, snapshot: u32::try_from(next).expect("small") }
    }

    fn tick(next: i64) -> Arc<Tick> {
        Arc::new(Tick::new(id(next), Vec::new(), Vec::new(), Vec::new(), false))
    }

    fn behind(feed: &Feed, last: EventId) -> Option<Vec<i64>> {
        Some(feed.since(last)?.iter().map(|tick| tick.id.next).collect())
    }

    #[test]
    fn what_was_missed_is_given_whole_or_not_at_all() {
        let mut feed = Feed::default();
        assert_eq!(behind(&feed, id(10)), None, "nothing was read yet");
        feed.begin_at(id(10));
        for next in [20, 30, 40] {
            feed.push(tick(next));
        }
        assert_eq!(behind(&feed, id(10)), Some(vec![20, 30, 40]), "where it began");
        assert_eq!(behind(&feed, id(30)), Some(vec![40]));
        assert_eq!(behind(&feed, id(40)), Some(vec![]));
        assert_eq!(behind(&feed, id(9)), None, "before the feed began");
        assert_eq!(behind(&feed, EventId { origin: 2, ..id(30) }), None, "of another database");
        // Of another instance, which read at other moments.
        assert_eq!(behind(&feed, id(25)), Some(vec![30, 40]));
        assert_eq!(
            behind(&feed, EventId { snapshot: 7, ..id(30) }),
            Some(vec![30, 40]),
            "between two commits"
        );
        assert_eq!(behind(&feed, EventId { snapshot: 7, ..id(10) }), None, "before or behind the beginning?");
        assert_eq!(behind(&feed, id(50)), Some(vec![]), "the other instance is ahead");
    }
}
