//! Named tasks in stages, a stop signal for each stage, drain, and a panic that ends the process in order.
//!
//! Before: `app` makes a stage for each part. After: nothing; this is the only place that spawns.
//! Promise: [`Stage::stop`] returns when every task of the stage has ended, or at the deadline; a task that
//! panics, or one that should run for ever and ends, is reported once through [`Tasks::failed`].

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// All stages of a running service.
#[derive(Debug, Clone)]
pub struct Tasks {
    failure: watch::Sender<Option<String>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { failure: watch::Sender::new(None) }
    }
}

impl Tasks {
    /// A new stage; `name` appears in logs.
    pub fn stage(&self, name: &'static str) -> Stage {
        Stage {
            name,
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            failure: self.failure.clone(),
        }
    }

    /// Waits for the first failure of any task, and gives its description.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        let seen = failure.wait_for(Option::is_some).await.expect("self holds the sender");
        seen.clone().expect("waited for it")
    }
}

/// Tasks that are stopped together.
#[derive(Debug, Clone)]
pub struct Stage {
    name: &'static str,
    stop: CancellationToken,
    tracker: TaskTracker,
    failure: watch::Sender<Option<String>>,
}

impl Stage {
    /// Spawns a task that may end whenever it is done.
    pub fn spawn(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.start(task, work, false);
    }

    /// Spawns a task that must run until the stage stops; ending earlier is a failure.
    pub fn spawn_loop(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.start(task, work, true);
    }

    fn start(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static, endless: bool) {
        let (stage, stop, failure) = (self.name, self.stop.clone(), self.failure.clone());
        self.tracker.spawn(async move {
            let ended = AssertUnwindSafe(work).catch_unwind().await;
            let what = match ended {
                Err(_) => "panicked",
                Ok(()) if endless && !stop.is_cancelled() => "ended by itself",
                Ok(()) => return,
            };
            tracing::error!(stage, task, "task {what}");
            failure.send_if_modified(|first| {
                let is_first = first.is_none();
                first.get_or_insert_with(|| format!("{stage}.{task} {what}"));
                is_first
            });
        });
    }

    /// A token that is cancelled when the stage is asked to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Asks the stage to stop and waits for its tasks. False: the deadline passed first.
    pub async fn stop(&self, deadline: Instant) -> bool {
        self.stop.cancel();
        self.tracker.close();
        let ended = tokio::time::timeout_at(deadline, self.tracker.wait()).await.is_ok();
        if !ended {
            tracing::warn!(
                stage = self.name,
                left = self.tracker.len(),
                "stage did not end before the deadline"
            );
        }
        ended
    }
}

/// Runs `work` on a thread for blocking work. It runs to its end even if nobody waits for it.
///
/// # Panics
/// As `work` does.
pub async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and the caller with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Spawns `work`, such as the driver of a connection; it is aborted when the guard is dropped.
#[must_use = "the work is aborted when the guard is dropped"]
pub fn spawn_abort_on_drop<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> AbortOnDropHandle<T> {
    AbortOnDropHandle::new(tokio::spawn(work))
}
