//! The accept loop: one task a connection, and a door that closes in order.
//!
//! Before: `app` binds the listener. After: the router answers.
//! Promise: after the stage's stop no connection is accepted, a request under way is answered, an idle connection
//! is closed.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::tasks::Stage;
use crate::telemetry::names;

/// Pause after a failed accept: out of file descriptors, mostly, which passes when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Most that is read of a connection at once, which it then holds as long as it is open; also the longest request head.
/// Left to grow (to 400 KiB), a connection that uploads batches held 60 KB more, and no batch was quicker for it: benches/README.md,
/// "Overload".
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// Accepts until the stage stops. Each connection is a task of the same stage.
pub async fn serve(listener: TcpListener, router: Router, idle_timeout: Duration, stage: Stage) {
    let stop = stage.stopping();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // An answer is one small packet; waiting to fill it would cost 40 ms.
                let _ = stream.set_nodelay(true);
                stage.spawn("connection", connection(stream, router.clone(), idle_timeout, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, idle_timeout: Duration, stop: CancellationToken) {
    metrics::gauge!(names::CONNECTIONS).increment(1.0);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_timeout)
        .max_buf_size(READ_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        // A client that went away or spoke no HTTP: its matter, not ours.
        tracing::debug!(%error, "connection ended");
    }
    metrics::gauge!(names::CONNECTIONS).decrement(1.0);
}
