//! From commit to reaction: the outbox and LISTEN.
//!
//! Before: whatever commits `health_data` leaves an outbox row. After: `react` writes latest values to Redis,
//! and `store::outbox::finish` does in SQL what the batch causes in the database. Promise: every committed batch is reacted
//! to at least once, in the database exactly once; many instances share the work; batches of an
//! instance that died are taken over when its lease ends; a batch whose reaction fails delays no other.

mod poll_timer;
mod reaction;
mod worker;

use crate::config::Settings;
use crate::react::RedisView;
use crate::store::Store;
use crate::store::notifier::Notifier;
use crate::store::outbox::Share;
use crate::store::wake::Subject;
use crate::tasks::Stage;

/// Starts three workers, woken by `notifier`: one for live batches of the service, one for batches of old readings, and one for
/// imports, which come without a time range and may be of any size; so a large import delays no other batch. When the stage stops,
/// each worker finishes what it has claimed; the rest stays in the outbox.
pub fn start(stage: &Stage, store: &Store, view: &RedisView, notifier: &Notifier, settings: &Settings) {
    let notifications = &notifier.notification();
    let wake = || notifier.wake(Subject::Outbox);
    let live = worker::Worker::new(Share::Ranged, store, view, notifications, settings, wake());
    let far = worker::Worker::new(Share::Far, store, view, notifications, settings, wake());
    let imports = worker::Worker::new(Share::Unranged, store, view, notifications, settings, wake());
    stage.spawn_loop("relay.live", live.run(stage.stop_token()));
    stage.spawn_loop("relay.far", far.run(stage.stop_token()));
    stage.spawn_loop("relay.imports", imports.run(stage.stop_token()));
}
