//! `GET /api/stream`: the events of an open page.
//!
//! Before: browsers, and programs that follow alerts. After: `stream`, one hub for all of them.
//! Promise: it shows what the caller may see, and ends soon after the caller may no longer: with the session, the key or the kiosk link,
//! or when a session works in another tenant. An open stream is no use of a session, which becomes idle in spite of it. It ends at once
//! when the service stops.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, MatchedPath, Request, State as Shared};
use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use tokio::time::{Instant, Interval, interval_at};
use utoipa::IntoParams;

use super::query::Parameters;
use super::{ApiError, tenant};
use crate::http::State;
use crate::http::access::{Caller, Identity, Peer};
use crate::http::error::ListErrors;
use crate::model::Id64;
use crate::stream::{EventId, Subscription, TooManyStreams, View};

/// A browser whose stream ended opens the next one after so long, and some more by chance (`page.js`).
const RETRY: Duration = Duration::from_secs(2);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What nginx calls its buffer for answers, which would hold events back.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Of whom, and from where on
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct StreamFilter {
    /// Tenant
    customer_id: Option<Id64>,
    /// Wearer
    user_id: Option<Id64>,
    /// Serial number of the device
    device_sn: Option<String>,
    /// Id of the last event that was received; the header Last-Event-ID is the same, and wins
    last_event_id: Option<String>,
}

/// Changes of alerts, newest values and states of devices, as they happen
///
/// Server-sent events, each with JSON as data. `hello`: the stream begins; `version` is that of the program, `resumed` whether what was
/// missed since the last event follows. `alert`: an alert as it is now, with `changes`, what has changed of it: fired, raised, lowered,
/// reopened, acknowledged, assigned, unassigned, resolved or updated. `latest`: newest values of `devices`, at most twice a second and 200
/// devices. `device`: battery, wear and connection of `devices`. `more` in both: more devices have changed than are named. `tick`: every
/// ten seconds; `as_of` is the time of the last reading. `reset`: something may have been missed; read everything anew.
///
/// A key that has the scope `respond` and not `read` receives alerts alone: no `latest`, no `device`. A private kiosk link receives neither
/// names nor positions, and may not choose a person or a device.
///
/// An id is valid in every instance: a stream can be continued at another one. An event may come twice.
#[utoipa::path(get, path = "/api/stream", tag = "readers", params(StreamFilter),
    security(("bearer" = ["read", "own_tenant", "own_unit", "kiosk"]), ("basic" = ["read", "own_tenant", "own_unit", "kiosk"])),
    responses((status = 200, description = "Events, until the client or the service ends", body = String, content_type = "text/event-stream"),
        ListErrors))]
pub(in crate::http) async fn get_api_stream(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
    request: Request,
) -> Result<Response, ApiError> {
    let view = view(&mut parameters, &caller)?;
    let in_query = parameters.one::<String>("last_event_id")?;
    parameters.end()?;
    let in_header = request.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    // An id that is none of ours is one of an older program.
    let last =
        in_header.or(in_query).filter(|id| !id.is_empty()).map(|id| id.parse().unwrap_or(EventId::UNKNOWN));
    let subscription =
        state.stream.subscribe(view, last).await.map_err(|TooManyStreams| ApiError::Crowded)?;
    let every = state.stream_check_interval;
    let checks = interval_at(Instant::now() + every, every);
    let (sent, _) = request.into_parts();
    let events = events(OpenStream { state, subscription, sent, caller, checks });
    let mut response = Sse::new(events).into_response();
    response.headers_mut().insert(UNBUFFERED.0, UNBUFFERED.1);
    Ok(response)
}

fn view(parameters: &mut Parameters, caller: &Caller) -> Result<View, ApiError> {
    let mut view = View::from(caller);
    if let Some(tenant) = tenant(parameters, caller)? {
        view.viewer = view.viewer.within(tenant);
    }
    // Whoever chose a person would know whose the initials are.
    if !view.is_private {
        view.device_sn = parameters.one("device_sn")?;
        view.user_id = parameters.one::<Id64>("user_id")?.map(|Id64(id)| id);
    }
    Ok(view)
}

impl From<&Caller> for View {
    /// Everything that the caller may see.
    fn from(caller: &Caller) -> Self {
        Self {
            viewer: caller.viewer(),
            sees_values: caller.may_read(),
            is_private: matches!(&caller.identity, Identity::Kiosk(link) if link.is_private),
            device_sn: None,
            user_id: None,
        }
    }
}

/// A stream and what it was opened with.
struct OpenStream {
    state: Arc<State>,
    subscription: Subscription,
    /// The request, without its body.
    sent: Parts,
    caller: Caller,
    checks: Interval,
}

fn events(open: OpenStream) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    unfold(open, |mut open| async move {
        let event = open.next().await?;
        Some((Ok(event), open))
    })
}

impl OpenStream {
    /// `None`: the stream ends.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            tokio::select! {
                event = self.subscription.next() => return event.map(as_sse),
                _ = self.checks.tick() => {}
            }
            if !self.is_still_allowed().await {
                return None;
            }
        }
    }

    /// Whether the same request would be let through now, and would show the same.
    async fn is_still_allowed(&self) -> bool {
        match self.state.caller_now(repeated(&self.sent)).await {
            Some(now) => now.is_some_and(|now| View::from(&now) == View::from(&self.caller)),
            // While the database is away nobody can be checked, but what was to end by now has ended.
            None => !self.caller.is_over(self.state.time.now()),
        }
    }
}

/// What of a request says who sent it.
fn repeated(sent: &Parts) -> Request {
    let mut request = Request::default();
    *request.uri_mut() = sent.uri.clone();
    *request.headers_mut() = sent.headers.clone();
    let extensions = request.extensions_mut();
    if let Some(path) = sent.extensions.get::<MatchedPath>() {
        extensions.insert(path.clone());
    }
    if let Some(peer) = sent.extensions.get::<Peer>() {
        extensions.insert(peer.clone());
    }
    request
}

fn as_sse(event: crate::stream::StreamEvent) -> sse::Event {
    let mut sse = sse::Event::default().event(event.name).data(event.data);
    if let Some(id) = event.id {
        sse = sse.id(id.to_string());
    }
    match event.name {
        "hello" => sse.retry(RETRY),
        // For readers that count comments as a sign of life.
        "tick" => sse.comment("tick"),
        _ => sse,
    }
}
