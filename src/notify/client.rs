//! The HTTP client of the channels, and its errors as text.
//!
//! Promise: no redirect is followed, no proxy of the environment is used (the settings say where to go), and no error names
//! a URL: keys and tokens stand in them. The deadline of an attempt is kept by `notify::sender_loop`.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};

use super::decide::Attempt;
use crate::config::NotifySettings;

/// Most of an answer that is read, bytes.
const ANSWER_BYTES: usize = 64 * 1024;

/// An answer of a provider.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    /// When the provider asks to be tried again.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads the answer, whatever its status.
///
/// # Errors
/// There is no answer, or one that is too long.
pub(super) async fn exchange(request: RequestBuilder) -> Result<Answered, Attempt> {
    let failed = |error| Attempt::failed(reason(error));
    let mut response = request.send().await.map_err(failed)?;
    let (status, retry_after) = (response.status(), retry_after(&response));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES {
            return Err(Attempt::failed("the answer is too long"));
        }
    }
    Ok(Answered { status, retry_after, body })
}

/// When a receiver asks to be tried again: seconds, or a date.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(at - Timestamp::now()).unwrap_or_default())
}

/// As every channel has it.
pub(super) fn builder(settings: &NotifySettings) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(settings.timeout())
        .user_agent(concat!("vitals/", env!("CARGO_PKG_VERSION")))
}

/// The client.
///
/// # Errors
/// TLS cannot be used on this machine.
pub(super) fn build(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(reason)
}

/// What went wrong, without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    // The last cause says most: "connection refused".
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("{error}: {cause}")
}
