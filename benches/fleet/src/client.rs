//! One connection to the service, and what an answer says.
//!
//! Before: `load` hands over a body. After: the service.
//! Promise: an exchange ends within [`ANSWER_DEADLINE`], as an [`Answer`] or as a [`Failure`] with a fixed name.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::Options;

/// A watch waits as long for an answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Longest answer that is read, bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Bounds of the wait that a refusal may ask for.
const RETRY_AFTER_BOUNDS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The wait after a refusal that asks for none.
pub(super) const RETRY_AFTER_UNSAID: Duration = Duration::from_secs(1);

/// Where uploads go.
#[derive(Debug)]
pub(super) struct Target {
    address: SocketAddr,
    path: Uri,
    /// Answers say what became of each record.
    counts: bool,
    headers: HeaderMap,
}

/// What the service answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200: what became of the records.
    Acknowledged(Details),
    /// 503: not now; when again, if that was said.
    Refused(Option<Duration>),
    /// Anything else: to a watch, a failure.
    Other(StatusCode),
}

/// `details` of the answer to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Details {
    /// Became a new row.
    pub(super) success: u64,
    /// Was there already.
    pub(super) duplicate: u64,
    /// Was rejected.
    pub(super) error: u64,
}

/// Why there was no answer; the names stand in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("not connected")]
    Connect,
    #[error("connection lost")]
    Lost,
    #[error("no answer in 10 s")]
    Timeout,
    #[error("unreadable answer")]
    Unreadable,
}

impl Target {
    /// Finds the address and sees that somebody listens there.
    ///
    /// # Errors
    /// The URL cannot be used, leads to another machine without leave, or nobody listens.
    pub(super) async fn find(options: &Options) -> anyhow::Result<Self> {
        let url: Uri = options.url.parse().with_context(|| format!("--url {} is not a URL", options.url))?;
        if url.scheme_str() != Some("http") {
            bail!("--url {} must begin with http://", options.url);
        }
        let authority = url.authority().with_context(|| format!("--url {} names no host", options.url))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, authority.port_u16().unwrap_or(80)))
            .await
            .with_context(|| format!("--url {}: host not found", options.url))?
            .collect();
        if let Some(remote) = addresses.iter().find(|address| !address.ip().is_loopback())
            && !options.allow_remote
        {
            bail!(
                "--url {} leads to {}, another machine: say --allow-remote if it is meant",
                options.url,
                remote.ip()
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        if let Some(authorization) = &options.authorization {
            let value =
                HeaderValue::from_str(authorization).context("--authorization cannot stand in a header")?;
            headers.insert(AUTHORIZATION, value);
        }
        let path = format!("{}/upload_health_data", url.path().trim_end_matches('/')).parse()?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut target = Self { address, path, counts: true, headers };
        for address in addresses {
            target.address = address;
            if target.connect().await.is_ok() {
                return Ok(target);
            }
        }
        bail!(
            "nobody listens at {}: start the service with `vitals serve`, or name it with --url",
            options.url
        )
    }

    /// Where the same service takes events.
    pub(super) fn for_events(&self) -> Self {
        self.at("/upload_common_event")
    }

    /// Where the same service takes device information.
    pub(super) fn for_device_information(&self) -> Self {
        self.at("/upload_device_info")
    }

    fn at(&self, path: &str) -> Self {
        let path = self.path.path().replace("/upload_health_data", path);
        let path = path.parse().expect("a path made of a path");
        Self { address: self.address, path, counts: false, headers: self.headers.clone() }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let opening = async {
            let stream = TcpStream::connect(self.address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            http1::handshake(TokioIo::new(stream)).await.ok()
        };
        let opened = timeout(CONNECT_DEADLINE, opening).await.ok().flatten();
        let (sender, driver) = opened.ok_or(Failure::Connect)?;
        Ok(Connection { sender, driver: Box::pin(driver), open: true })
    }
}

/// An open connection, one request at a time. It lives by being polled: in [`Connection::upload`] and
/// [`Connection::rest_until`], so that it needs no task of its own.
#[derive(Debug)]
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    open: bool,
}

impl Connection {
    /// False once the service has closed it.
    pub(super) fn is_open(&self) -> bool {
        self.open && !self.sender.is_closed()
    }

    /// Waits, and notices when the service closes the connection meanwhile.
    pub(super) async fn rest_until(&mut self, due: Instant) {
        if self.open {
            tokio::select! {
                biased;
                () = sleep_until(due) => return,
                _ = self.driver.as_mut() => self.open = false,
            }
        }
        sleep_until(due).await;
    }

    /// Sends an upload and reads the answer.
    pub(super) async fn upload(&mut self, target: &Target, body: Bytes) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.path.clone();
        *request.headers_mut() = target.headers.clone();
        let exchange = exchange(&mut self.sender, request, target.counts);
        let driven = async {
            tokio::pin!(exchange);
            if self.open {
                tokio::select! {
                    biased;
                    answer = &mut exchange => return answer,
                    _ = self.driver.as_mut() => self.open = false,
                }
            }
            // What the driver read before it ended is still there.
            exchange.await
        };
        timeout(ANSWER_DEADLINE, driven).await.unwrap_or(Err(Failure::Timeout))
    }
}

async fn exchange(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    counts: bool,
) -> Result<Answer, Failure> {
    sender.ready().await.map_err(|_| Failure::Lost)?;
    let answer = sender.send_request(request).await.map_err(|_| Failure::Lost)?;
    let status = answer.status();
    let wait = answer.headers().get(RETRY_AFTER).map(wait_of);
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
    let body = body.map_err(|_| Failure::Lost)?.to_bytes();
    match status {
        StatusCode::OK if !counts => Ok(Answer::Acknowledged(Details { success: 1, duplicate: 0, error: 0 })),
        StatusCode::OK => details_of(&body).map(Answer::Acknowledged),
        StatusCode::SERVICE_UNAVAILABLE => Ok(Answer::Refused(wait)),
        other => Ok(Answer::Other(other)),
    }
}

fn details_of(body: &[u8]) -> Result<Details, Failure> {
    #[derive(Deserialize)]
    struct UploadAnswer {
        details: Details,
    }
    serde_json::from_slice::<UploadAnswer>(body).map(|answer| answer.details).map_err(|_| Failure::Unreadable)
}

fn wait_of(retry_after: &HeaderValue) -> Duration {
    let seconds = retry_after.to_str().ok().and_then(|text| text.trim().parse().ok());
    let (least, most) = RETRY_AFTER_BOUNDS;
    seconds.map_or(RETRY_AFTER_UNSAID, Duration::from_secs).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_after_a_refusal_is_bounded() {
        for (said, waited) in
            [("2", 2_000), ("0", 100), ("86400", 10_000), ("Wed, 21 Oct 2026 07:28:00 GMT", 1_000)]
        {
            assert_eq!(wait_of(&HeaderValue::from_static(said)), Duration::from_millis(waited), "{said}");
        }
    }

    #[test]
    fn an_answer_is_read_or_said_to_be_unreadable() {
        let body = r#"{"status":"success","message":"数据已接收并处理","details":{"success":7,"duplicate":2,"error":1},"errors":[]}"#;
        assert_eq!(details_of(body.as_bytes()), Ok(Details { success: 7, duplicate: 2, error: 1 }));
        assert_eq!(details_of(b"{}"), Err(Failure::Unreadable));
    }

    #[tokio::test]
    async fn another_machine_needs_leave() {
        let options = Options { url: "http://192.0.2.1:8080".to_owned(), ..Options::default() };
        let refusal = Target::find(&options).await.expect_err("must be refused").to_string();
        assert!(refusal.contains("--allow-remote"), "{refusal}");
    }

    #[tokio::test]
    async fn a_url_that_cannot_be_used_is_refused_with_the_reason() {
        for (url, reason) in [
            ("https://127.0.0.1", "http://"),
            ("127.0.0.1:8080", "http://"),
            ("http://127.0.0.1:1", "nobody listens"),
        ] {
            let options = Options { url: url.to_owned(), ..Options::default() };
            let refusal = format!("{:#}", Target::find(&options).await.expect_err("must be refused"));
            assert!(refusal.contains(reason), "{url}: {refusal}");
        }
    }
}
