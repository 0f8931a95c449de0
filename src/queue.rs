//! The loop of a worker of a table that serves as a queue: it polls when it is woken or when it is time, and waits for a database that is
//! away.
//!
//! Before: `relay`, `react` and `notify` say what a poll does. After: `store` leases rows of the table to them.
//! Promise: a wake-up during a poll is not lost; a wake-up does not end the wait for a database that is away; an outage is logged
//! once, and so is its end; after a stop nothing is polled.

use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::store::wake::Wake;
use crate::store::{StoreError, outage_delays};

/// When to poll next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more.
    Now,
    /// After `gather`, and then when the worker is woken, or at `latest`.
    Woken {
        /// How long wake-ups are left to gather.
        gather: Duration,
        /// When to poll without a wake-up.
        latest: Instant,
    },
    /// When the worker's own work has progressed ([`Worker::progress`]).
    Progress,
}

/// What a worker does. Dropped after [`Worker::finish`].
pub trait Worker: Send {
    /// For the log: which queue, and which part of it.
    fn name(&self) -> (&'static str, &'static str);

    /// Leases rows and works on them. `reconnected`: wake-ups may have been lost.
    fn poll(&mut self, reconnected: bool) -> impl Future<Output = Result<Next, StoreError>> + Send;

    /// A poll failed. What was leased is still ours.
    fn failed(&mut self) {}

    /// Ends when work that goes on between polls has progressed.
    fn progress(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// After the last poll.
    fn finish(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Runs a worker until `stop`.
pub async fn run(mut worker: impl Worker, mut wake: Wake, stop: CancellationToken) {
    let (queue, part) = worker.name();
    let mut outage: Option<ExponentialBackoff> = None;
    while !stop.is_cancelled() {
        // Armed before the table is queried: a commit after it wakes the worker.
        let reconnected = wake.arm();
        let next = match worker.poll(reconnected).await {
            Ok(next) => {
                if outage.take().is_some() {
                    tracing::info!(queue, part, "the queue is worked on again");
                }
                next
            }
            Err(error) => {
                worker.failed();
                if outage.is_none() {
                    tracing::warn!(queue, part, %error, "the queue waits for the database, which keeps its rows");
                }
                let delay = outage.get_or_insert_with(outage_delays).next().unwrap_or_default();
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(delay) => {}
                    () = worker.progress() => {}
                }
                continue;
            }
        };
        match next {
            Next::Now => {}
            Next::Progress => tokio::select! {
                () = stop.cancelled() => {}
                () = worker.progress() => {}
            },
            Next::Woken { gather, latest } => {
                // The shortest sleep takes a millisecond.
                if !gather.is_zero() {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = sleep(gather) => {}
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = wake.woken() => {}
                    () = sleep_until(latest) => {}
                    () = worker.progress() => {}
                }
            }
        }
    }
    worker.finish().await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::store::wake::test_source;

    /// Counts its polls, and answers each with the next of these.
    struct Script {
        polls: Arc<AtomicU32>,
        answers: Vec<Result<Next, ()>>,
    }

    impl Worker for Script {
        fn name(&self) -> (&'static str, &'static str) {
            ("test", "script")
        }

        async fn poll(&mut self, _reconnected: bool) -> Result<Next, StoreError> {
            self.polls.fetch_add(1, Ordering::SeqCst);
            let answer = if self.answers.is_empty() { Ok(idle()) } else { self.answers.remove(0) };
            answer.map_err(|()| StoreError::Timeout("test"))
        }
    }

    fn idle() -> Next {
        Next::Woken { gather: Duration::ZERO, latest: Instant::now() + Duration::from_secs(3600) }
    }

    /// How often it has polled before and after each wake-up.
    async fn polls(answers: Vec<Result<Next, ()>>, wake_ups: usize) -> Vec<u32> {
        let (polls, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        let (notify, wake) = test_source();
        let running = run(Script { polls: Arc::clone(&polls), answers }, wake, stop.clone());
        let looking = async {
            let mut seen = Vec::new();
            for _ in 0..=wake_ups {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                seen.push(polls.load(Ordering::SeqCst));
                notify();
            }
            stop.cancel();
            seen
        };
        tokio::join!(running, looking).1
    }

    #[tokio::test]
    async fn a_worker_polls_when_it_is_woken_and_at_once_while_there_is_more() {
        assert_eq!(polls(Vec::new(), 3).await, [1, 2, 3, 4]);
        assert_eq!(polls(vec![Ok(Next::Now); 5], 1).await, [6, 7]);
    }

    #[tokio::test]
    async fn a_wake_up_does_not_end_the_wait_for_a_database_that_is_away() {
        assert_eq!(polls(vec![Err(())], 3).await, [1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn a_worker_without_room_waits_for_its_own_progress_alone() {
        assert_eq!(polls(vec![Ok(Next::Progress)], 3).await, [1, 1, 1, 1]);
    }
}
