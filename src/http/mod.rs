//! The edge: the whole route table on one screen.
//!
//! Before: devices, care staff, operators and Prometheus. After: `wire` reads, `ingest` commits, `http::error` answers.
//! Promise: every answer is JSON (but for `/metrics` and the page), every error says what is wrong and leaves the service running.

mod api;
mod body;
mod device_config;
mod device_info;
mod error;
mod event;
mod health;
mod openapi;
mod operations;
pub mod retention;
pub mod server;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, MatchedPath, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cache::Cache;
use crate::config::Settings;
use crate::ingest::{Ingest, IngestError};
use crate::model::{Upload, UploadOutcome};
use crate::owners::Owners;
use crate::store::Store;
use crate::telemetry::names;
use crate::wire::Context;
use crate::wire::glance::{Glance, glance};
use body::{Bodies, Parse};
use retention::RawRetention;

pub use error::HttpError;

/// What handlers share.
#[derive(Debug)]
pub struct State {
    ingest: Ingest,
    owners: Owners,
    store: Store,
    cache: Cache,
    stats: api::stats::Remembered,
    metrics: PrometheusHandle,
    device_zone: TimeZone,
    retention: RawRetention,
    public_url: Option<String>,
    api_token: String,
    api_turns: Semaphore,
    bodies: Bodies,
}

impl State {
    /// Gathers what handlers need.
    pub fn new(
        ingest: Ingest,
        owners: Owners,
        (store, cache): (Store, Cache),
        metrics: PrometheusHandle,
        retention: RawRetention,
        address: SocketAddr,
        settings: &Settings,
    ) -> Arc<Self> {
        Arc::new(Self {
            ingest,
            owners,
            store,
            cache,
            stats: api::stats::Remembered::default(),
            metrics,
            device_zone: settings.device_zone(),
            retention,
            public_url: settings.public_url(address),
            api_token: settings.api_token.clone(),
            api_turns: Semaphore::new(api::AT_A_TIME),
            bodies: Bodies::new(settings),
        })
    }

    /// What the body holds, and until when its sender has to be answered.
    async fn read<T: Send + 'static>(
        &self,
        request: Request,
        parse: Parse<T>,
    ) -> Result<(T, Instant), HttpError> {
        self.bodies.read(request, |_| Ok(()), || self.context(), parse).await
    }

    /// As [`State::read`], for readings: what their shard has no room for is refused unparsed, for parsing is most of what an
    /// upload costs here.
    async fn read_readings<T: Send + 'static>(
        &self,
        request: Request,
        parse: Parse<T>,
    ) -> Result<(T, Instant), HttpError> {
        let admit = |body: &[u8]| {
            let Glance { device_sn, samples } = glance(body);
            Ok(self.ingest.room_for(device_sn, samples)?)
        };
        self.bodies.read(request, admit, || self.context(), parse).await
    }

    /// Completes the owners and commits, both within the time an upload has.
    async fn submit(&self, mut upload: Upload, until: Instant) -> Result<UploadOutcome, HttpError> {
        let submitting = async {
            self.owners.fill(&mut upload.items).await?;
            self.owners.fill(&mut upload.events).await?;
            self.owners.fill(&mut upload.device_infos).await?;
            Ok(self.ingest.submit(upload).await?)
        };
        match tokio::time::timeout_at(until, submitting).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let error = IngestError::Unavailable;
                metrics::counter!(names::REFUSED, "reason" => error.name()).increment(1);
                Err(error.into())
            }
        }
    }

    /// What the parsers need to know of now and here.
    fn context(&self) -> Context {
        let received_at = Timestamp::now();
        Context {
            received_at,
            device_zone: self.device_zone.clone(),
            oldest: self.retention.oldest(received_at),
        }
    }
}

/// Every route: a handler is named as its path, below `/api/` its method before it, and says itself what it takes and
/// answers.
fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::with_openapi(openapi::Frame::openapi())
        // devices
        .routes(routes!(health::upload_health_data))
        .routes(routes!(health::upload_health_data_batch))
        .routes(routes!(device_config::fetch_health_data_config))
        .routes(routes!(device_info::upload_device_info))
        .routes(routes!(event::upload_common_event))
        // care staff and their programs
        .routes(routes!(api::alert::get_api_alerts))
        .routes(routes!(api::alert::get_api_alerts_summary))
        .routes(routes!(api::alert::get_api_alerts_id))
        .routes(routes!(api::alert_step::post_api_alerts_id_acknowledge))
        .routes(routes!(api::alert_step::post_api_alerts_id_resolve))
        .routes(routes!(api::alert_step::post_api_alerts_id_note))
        .routes(routes!(api::alert_silence::get_api_alerts_silences))
        .routes(routes!(api::alert_silence::post_api_alerts_silences))
        .routes(routes!(api::alert_silence::delete_api_alerts_silences_id))
        .routes(routes!(api::alert_rule::get_api_alerts_rules))
        .routes(routes!(api::alert_rule::post_api_alerts_rules))
        .routes(routes!(api::alert_rule::get_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::put_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::delete_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::get_api_alerts_rules_id_versions))
        // operators
        .routes(routes!(operations::livez))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
        .routes(routes!(api::health::get_api_health))
        .routes(routes!(api::stats::get_api_stats))
        // readers
        .routes(routes!(openapi::openapi_json))
        .routes(routes!(openapi::docs))
        .routes(routes!(openapi::docs_file))
}

/// The routes, and what stands before and behind them.
pub fn router(state: Arc<State>) -> Router {
    let (routes, document) = routes().split_for_parts();
    routes
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(Extension(openapi::Document::new(&document)))
        .layer(from_fn_with_state(state.clone(), api::access::check))
        .layer(from_fn(measure))
        .with_state(state)
}

/// Counts and times every request under its route.
async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!(names::REQUESTS, "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!(names::REQUEST_SECONDS, "route" => route).record(started.elapsed());
    response
}
