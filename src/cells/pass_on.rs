//! Sends an upload to the cell in which its devices live.
//!
//! Before: `http` has the whole body, as it was sent. After: the answer of the other cell is the answer to the sender, or the upload is
//! stored here.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::Cells;
use crate::model::placement::Cell;
use crate::telemetry::names;

/// The header of an upload that another cell passed on, with the name of that cell.
pub const PASSED_ON: &str = "vitals-passed-on";

/// The header of an answer to an upload that was passed on, with the name of the cell that answers.
pub const ANSWERED_BY: &str = "vitals-cell";

/// What an upload says of itself and of its sender; it is passed on as it came.
pub const PASSED_HEADERS: [&str; 4] = ["authorization", "content-type", "content-encoding", "traceparent"];

/// What an answer says of itself.
const ANSWER_HEADERS: [&str; 2] = ["content-type", "vitals-durability"];

/// An upload as it came.
#[derive(Debug)]
pub struct PassedUpload<'a> {
    /// The path of the request, which begins with a slash.
    pub path: &'a str,
    /// Those of [`PASSED_HEADERS`] that it has: name and value.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The address of the sender, for the limits of the other cell.
    pub sender: String,
    /// The body, as packed as it came.
    pub body: Bytes,
    /// How long the other cell may take.
    pub timeout: Duration,
}

/// The answer of the other cell to an upload that it has accounted for.
#[derive(Debug)]
pub struct PassedAnswer {
    /// 200, or 400: it can do nothing with the body, and no other cell could.
    pub status: u16,
    /// Headers: name and value.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
}

/// The client. It follows no redirect, and uses no proxy of the environment: the URLs of the cells say where to go.
#[derive(Debug)]
pub(super) struct Http(Client);

impl Http {
    pub(super) fn new() -> Result<Self, String> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("vitals/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(reason)
    }
}

impl Cells {
    /// The answer of the other cell, if it has accounted for the upload. `None`: store it here.
    pub async fn pass_on(&self, cell: &Cell, upload: PassedUpload<'_>) -> Option<PassedAnswer> {
        if self.is_away(cell) {
            count("away");
            return None;
        }
        match self.send(cell, upload).await {
            Ok(answer) if is_final(answer.status) => {
                count("answered");
                Some(answer)
            }
            Ok(answer) => {
                tracing::debug!(
                    cell = &*cell.name,
                    status = answer.status,
                    "a cell refused an upload of its own: it is stored here"
                );
                count("refused");
                None
            }
            Err(error) => {
                tracing::warn!(
                    cell = &*cell.name,
                    error,
                    "a cell does not answer: uploads of its devices are stored here"
                );
                self.set_away(cell);
                count("failed");
                None
            }
        }
    }

    async fn send(&self, cell: &Cell, upload: PassedUpload<'_>) -> Result<PassedAnswer, String> {
        let named = upload.headers.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_bytes(&value).ok()?))
        });
        let headers: HeaderMap = named.collect();
        let request = self
            .shared
            .http
            .0
            .post(format!("{}{}", cell.internal_url, upload.path))
            .headers(headers)
            .header(PASSED_ON, &*self.placements().own)
            .header("x-forwarded-for", upload.sender)
            .body(upload.body)
            .timeout(upload.timeout);
        let response = request.send().await.map_err(reason)?;
        let status = response.status().as_u16();
        let answered_by = response.headers().get(ANSWERED_BY);
        if is_final(status) && answered_by.is_none_or(|name| name.as_bytes() != cell.name.as_bytes()) {
            return Err(format!("{status} without the name of the cell in {ANSWERED_BY}"));
        }
        let headers = ANSWER_HEADERS.into_iter().filter_map(|name| header(&response, name)).collect();
        Ok(PassedAnswer { status, headers, body: response.bytes().await.map_err(reason)? })
    }
}

/// Whether the sender is given this answer: it is accounted for, or no cell could do anything with it.
const fn is_final(status: u16) -> bool {
    matches!(status, 200 | 400)
}

fn header(response: &Response, name: &'static str) -> Option<(&'static str, Vec<u8>)> {
    Some((name, response.headers().get(name)?.as_bytes().to_vec()))
}

fn count(outcome: &'static str) {
    metrics::counter!(names::PASSED_ON, "outcome" => outcome).increment(1);
}

/// The last cause says most: "connection refused".
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("{error}: {cause}")
}
