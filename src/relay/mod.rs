//! From commit to reaction: the outbox and LISTEN.
//!
//! Before: whatever commits `health_data` leaves an outbox row. After: `react` writes latest values to Redis,
//! and `store::outbox::finish` does in SQL what the batch causes in the database. Promise: every committed batch is reacted
//! to at least once, in the database exactly once; many instances share the work; batches of an
//! instance that died are taken over when its lease ends; a batch whose reaction fails delays no other.

mod clocks;
mod finisher;
mod groups;
mod hand;
mod imports;
mod lanes;
mod poll_timer;
mod reaction;
mod show;
mod transaction_size;
mod worker;

use std::sync::Arc;

use finisher::Finisher;
use reaction::Reaction;
use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::queue;
use crate::react::RedisView;
use crate::store::Store;
use crate::store::handover::Handover;
use crate::store::notifier::Notifier;
use crate::store::outbox::Share;
use crate::store::wake::Topic;
use crate::tasks::Stage;

/// Starts a worker for each share of the outbox, woken by `notifier`, so that urgent events wait for no backlog, and a large import delays
/// no other batch. When the stage stops, what is claimed is finished; the rest stays in the outbox.
pub fn start(
    stage: &Stage,
    store: &Store,
    view: &RedisView,
    handover: &Handover,
    notifier: &Notifier,
    settings: &Settings,
) {
    let permits = Arc::new(Semaphore::new((settings.database_pool_size / 2).max(1)));
    for (name, finisher_name, share) in [
        ("relay.urgent", "relay.urgent.finisher", Share::Urgent),
        ("relay.live", "relay.live.finisher", Share::Live),
        ("relay.late", "relay.late.finisher", Share::Late),
        ("relay.imports", "relay.imports.finisher", Share::Imports),
    ] {
        // Urgent events wait for no other transaction of this process.
        let permits = if share == Share::Urgent { Arc::new(Semaphore::new(1)) } else { Arc::clone(&permits) };
        let reaction = Arc::new(Reaction::new(store, view, handover, &notifier.notification(), settings));
        let (sender, finisher) = Finisher::new(&reaction, permits);
        stage.spawn_loop(finisher_name, finisher.run());
        let worker = worker::Worker::new(share, store, reaction, sender, settings);
        let wake = if share == Share::Urgent { notifier.wake_urgent() } else { notifier.wake(Topic::Outbox) };
        stage.spawn_loop(name, queue::run(worker, wake, stage.stop_token()));
    }
}
