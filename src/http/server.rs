//! The accept loop: one task per connection, and an orderly shutdown.
//!
//! Before: `app` binds the listener. After: the router answers.
//! Promise: after the stage's stop no connection is accepted, a request under way is answered, an idle connection
//! is closed. No more connections are open than `limits` allow, in all, per address and per network. A connection that is too slow
//! in its handshake, in sending a request head or in reading its answer is closed.

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
use super::connections::{ConnectionGuard, ConnectionState, Connections};
use super::tls::Tls;
use super::{State, router};
use crate::config::{LimitSettings, Settings};
use crate::tasks::Stage;
use crate::telemetry::names;

/// Pause after a failed accept: mostly no file descriptor was left, until connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Longest time of a TLS handshake: a watch on a bad line takes two seconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Number of headers for which hyper has space on its stack. With another number it allocates for each request.
const USUAL_HEADERS: usize = 100;

/// How connections are served.
#[derive(Debug)]
pub struct Server {
    router: Router,
    tls: Option<Tls>,
    idle_timeout: Duration,
    limits: LimitSettings,
    connections: Arc<Connections>,
}

impl Server {
    /// Serves the routes of `state`.
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
pub async fn serve(listener: TcpListener, server: Arc<Server>, stage: Stage) {
    let stop = stage.stop_token();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Refused connections are closed at once: an answer would need a connection, and with TLS a handshake.
                let guard = match server.connections.open(peer.ip()) {
                    Ok(guard) => guard,
                    Err(limit) => {
                        count_refused(limit);
                        continue;
                    }
                };
                // An answer is one small packet; waiting to fill it would cost 40 ms.
                let _ = stream.set_nodelay(true);
                let connection = connection(stream, peer, Arc::clone(&server), guard, stop.clone());
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
    server: Arc<Server>,
    guard: ConnectionGuard,
    stop: CancellationToken,
) {
    let peer = Peer { address, connection: Arc::clone(&guard.connection) };
    metrics::gauge!(names::CONNECTIONS).increment(1.0);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(server.limits.write_timeout()));
    let stream = Box::pin(stream);
    match &server.tls {
        None => serve_http(stream, peer, &server, stop).await,
        Some(tls) => {
            guard.connection.set_state(ConnectionState::Handshake);
            if let Some(stream) = tls_handshake(tls, stream, &server, &stop).await {
                guard.connection.set_state(ConnectionState::Waiting);
                Box::pin(serve_http(stream, peer, &server, stop)).await;
            }
        }
    }
    metrics::gauge!(names::CONNECTIONS).decrement(1.0);
}

type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

async fn tls_handshake(
    tls: &Tls,
    stream: Stream,
    server: &Server,
    stop: &CancellationToken,
) -> Option<tokio_rustls::server::TlsStream<Stream>> {
    let handshake = timeout(HANDSHAKE_TIMEOUT.min(server.idle_timeout), tls.acceptor().accept(stream));
    let finished = tokio::select! {
        finished = handshake => finished,
        () = stop.cancelled() => return None,
    };
    let error = match finished {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    count_refused("handshake");
    tracing::debug!(error, "no handshake");
    None
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    server: &Server,
    stop: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(server.idle_timeout)
        .max_buf_size(server.limits.max_header_bytes);
    if server.limits.max_headers != USUAL_HEADERS {
        http.max_headers(server.limits.max_headers);
    }
    let service = WithPeer { router: TowerToHyperService::new(server.router.clone()), peer };
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        // The client went away, was too slow, or did not speak HTTP: no error of the service.
        tracing::debug!(%error, "connection ended");
    }
}

/// Adds the peer to each request, for the router.
struct WithPeer {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<hyper::Request<Incoming>> for WithPeer {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}
