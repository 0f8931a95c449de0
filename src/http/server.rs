//! The accept loop: one task a connection, and a door that closes in order.
//!
//! Before: `app` binds the listener. After: the router answers.
//! Promise: after the stage's stop no connection is accepted, a request under way is answered, an idle connection
//! is closed. No more connections are open than `limits` say, in all, of one address and of one network; one that shakes hands, sends its request head or takes
//! its answer too slowly is cut off.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::access::{Peer, count_refused};
use super::connections::{Connections, Doing, Place};
use super::tls::Tls;
use super::{State, router};
use crate::config::{LimitSettings, Settings};
use crate::tasks::Stage;
use crate::telemetry::names;

/// Pause after a failed accept: out of file descriptors, mostly, which passes when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Longest time of a TLS handshake: a watch on a bad line takes two seconds.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Headers for which hyper has room on its stack; another number costs an allocation with each request.
const USUAL_HEADERS: usize = 100;

/// How connections are served.
#[derive(Debug)]
pub struct Door {
    router: Router,
    tls: Option<Tls>,
    idle_timeout: Duration,
    limits: LimitSettings,
    connections: Arc<Connections>,
}

impl Door {
    /// In front of what answers for `state`.
    pub fn new(state: Arc<State>, tls: Option<Tls>, settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            connections: Arc::clone(state.connections()),
            router: router(state, settings),
            tls,
            idle_timeout: Duration::from_millis(settings.idle_timeout_ms),
            limits: settings.limits.clone(),
        })
    }
}

/// Accepts until the stage stops. Each connection is a task of the same stage.
pub async fn serve(listener: TcpListener, door: Arc<Door>, stage: Stage) {
    let stop = stage.stop_token();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Closed at once: an answer would take a place, and TLS a handshake.
                let place = match door.connections.take(peer.ip()) {
                    Ok(place) => place,
                    Err(limit) => {
                        count_refused(limit);
                        continue;
                    }
                };
                // An answer is one small packet; waiting to fill it would cost 40 ms.
                let _ = stream.set_nodelay(true);
                let connection = connection(stream, peer, Arc::clone(&door), place, stop.clone());
                stage.spawn("connection", connection);
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    door: Arc<Door>,
    place: Place,
    stop: CancellationToken,
) {
    let peer = Peer { address, connection: Arc::clone(&place.connection) };
    metrics::gauge!(names::CONNECTIONS).increment(1.0);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(door.limits.write_timeout()));
    let stream = Box::pin(stream);
    match &door.tls {
        None => speak(stream, peer, &door, stop).await,
        Some(tls) => {
            place.connection.does(Doing::Handshake);
            if let Some(stream) = shake_hands(tls, stream, &door, &stop).await {
                place.connection.does(Doing::Waiting);
                Box::pin(speak(stream, peer, &door, stop)).await;
            }
        }
    }
    metrics::gauge!(names::CONNECTIONS).decrement(1.0);
}

type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

async fn shake_hands(
    tls: &Tls,
    stream: Stream,
    door: &Door,
    stop: &CancellationToken,
) -> Option<tokio_rustls::server::TlsStream<Stream>> {
    let shaking = timeout(HANDSHAKE_PATIENCE.min(door.idle_timeout), tls.acceptor().accept(stream));
    let shaken = tokio::select! {
        shaken = shaking => shaken,
        () = stop.cancelled() => return None,
    };
    let error = match shaken {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    count_refused("handshake");
    tracing::debug!(error, "no handshake");
    None
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    door: &Door,
    stop: CancellationToken,
) {
    let mut speaker = http1::Builder::new();
    speaker
        .timer(TokioTimer::new())
        .header_read_timeout(door.idle_timeout)
        .max_buf_size(door.limits.max_header_bytes);
    if door.limits.max_headers != USUAL_HEADERS {
        speaker.max_headers(door.limits.max_headers);
    }
    let service = FromPeer { router: TowerToHyperService::new(door.router.clone()), peer };
    let mut serving = std::pin::pin!(speaker.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        // A client that went away, was too slow, or spoke no HTTP: its matter, not ours.
        tracing::debug!(%error, "connection ended");
    }
}

/// The router, told where each request comes from.
struct FromPeer {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<hyper::Request<Incoming>> for FromPeer {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}
