//! A receiver of notifications: an HTTP server on loopback that records requests and answers by a script.

use std::collections::HashMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::eventually;

/// A received request.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
    pub at: Instant,
}

impl ReceivedRequest {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(Value),
    Status(u16),
    /// Status, a header, a body.
    With(u16, &'static str, String, String),
    /// No answer.
    Silence,
    /// A head at once, and a body that does not end.
    Endless(u16),
}

type Script = dyn Fn(&ReceivedRequest) -> Reply + Send + Sync;

#[derive(Clone)]
struct Inner {
    requests: Arc<Mutex<Vec<ReceivedRequest>>>,
    script: Arc<Script>,
}

/// The server; it ends with the value.
pub struct Receiver {
    address: SocketAddr,
    inner: Inner,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub async fn start(script: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", script).await
    }

    /// At an address of this machine.
    pub async fn start_at(
        address: &str,
        script: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let inner = Inner { requests: Arc::default(), script: Arc::new(script) };
        let router = Router::new().fallback(receive).with_state(inner.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { address, inner, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.inner.requests.lock().expect("whole").clone()
    }

    /// Waits for `count` requests whose path begins with `path`.
    pub async fn received(&self, path: &str, count: usize) -> Vec<ReceivedRequest> {
        eventually(&format!("{count} requests to {path}"), || async {
            let requests: Vec<ReceivedRequest> =
                self.requests().into_iter().filter(|request| request.path.starts_with(path)).collect();
            (requests.len() >= count).then_some(requests)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    State(inner): State<Inner>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let text = to_bytes(body, usize::MAX).await.map(|body| body.to_vec()).unwrap_or_default();
    let text = String::from_utf8(text).expect("text");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    let request =
        ReceivedRequest { path: head.uri.path().to_owned(), query, headers: head.headers, text, body, at };
    let reply = (inner.script)(&request);
    inner.requests.lock().expect("whole").push(request);
    let status = |status| StatusCode::from_u16(status).expect("a status");
    match reply {
        Reply::Json(value) => value.to_string().into_response(),
        Reply::Status(code) => status(code).into_response(),
        Reply::With(code, name, value, body) => (status(code), [(name, value)], body).into_response(),
        Reply::Silence => pending().await,
        Reply::Endless(code) => {
            let drops = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Ok::<_, std::io::Error>("drop"), ()))
            });
            (status(code), Body::from_stream(drops)).into_response()
        }
    }
}
