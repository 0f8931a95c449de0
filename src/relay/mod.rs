//! From commit to reaction: outbox and LISTEN.
//!
//! Before: whatever commits `health_data` leaves an outbox row. After: `react` shows latest values, and
//! `store::outbox::finish` does in SQL what the batch causes in the database. Promise: every committed batch is reacted
//! to at least once, in the database exactly once; many instances share the work; what an instance held when it died is
//! taken over when its lease ends; a batch whose reaction fails holds up no other.

mod poll_timer;
mod reaction;
mod worker;

use crate::config::Settings;
use crate::react::RedisView;
use crate::store::Store;
use crate::store::outbox::Share;
use crate::store::wake::{Announcer, Listener, Subject};
use crate::tasks::Stage;

/// Starts the listener and three lanes: one for the batches of the service, one for those of readings of long ago, and one for
/// imports that come without a time range and may be of any size, so that a large one delays nobody. Stopping the stage lets each lane finish what it
/// has claimed; what it has not claimed stays in the outbox. `notifications` is told when somebody is to be told.
pub fn start(stage: &Stage, store: &Store, view: &RedisView, notifications: &Announcer, settings: &Settings) {
    let listener = Listener::of(Subject::Outbox);
    let live = worker::Worker::new(Share::Ranged, store, view, notifications, settings, listener.wake());
    let far = worker::Worker::new(Share::Far, store, view, notifications, settings, listener.wake());
    let imports = worker::Worker::new(Share::Unranged, store, view, notifications, settings, listener.wake());
    stage.spawn_loop("relay.live", live.run(stage.stop_token()));
    stage.spawn_loop("relay.far", far.run(stage.stop_token()));
    stage.spawn_loop("relay.imports", imports.run(stage.stop_token()));
    stage.spawn_loop("relay.listener", listener.run(store.clone(), stage.stop_token()));
}
