//! Ctrl-C and SIGTERM as a stop token.
//!
//! Before: a person or a supervisor. After: commands that can be interrupted.
//! Promise: work is asked to stop, never aborted.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Runs `work` to its own end; the first SIGINT or SIGTERM cancels `stop`, which `work` must check.
pub async fn until_interrupted<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = interrupted() => stop.cancel(),
    }
    work.await
}

/// Waits for the first SIGINT or SIGTERM.
pub async fn interrupted() {
    let of_kind = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Without a handler the signal ends the process by default.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = of_kind(SignalKind::interrupt()) => {}
        () = of_kind(SignalKind::terminate()) => {}
    }
}
