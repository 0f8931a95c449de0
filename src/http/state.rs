//! What handlers share: the parts of the service, and what follows from the settings.
//!
//! Before: `app` has started the parts. After: every handler.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Mutex, Semaphore};

use super::access::Access;
use super::access_log::AccessNotes;
use super::body::Bodies;
use super::connections::Connections;
use super::retention::RawRetention;
use super::unknown_names::UnknownNameCounts;
use super::{Services, api, operations, page, watch_log};
use crate::buffer::Buffer;
use crate::cells::Cells;
use crate::config::{Authentication, Enrolment, Settings};
use crate::ingest::Ingest;
use crate::ingest::replay::Replay;
use crate::monitor::Monitor;
use crate::owners::Owners;
use crate::store::Store;
use crate::store::clock::Clock;
use crate::store::reads::Reads;
use crate::stream::Hub;

/// What handlers share.
#[derive(Debug)]
pub struct State {
    pub(super) ingest: Arc<Ingest>,
    pub(super) buffer: Option<Buffer>,
    pub(super) owners: Owners,
    pub(super) store: Store,
    pub(super) reads: Reads,
    pub(super) stats: api::stats::CachedStats,
    pub(super) metrics: PrometheusHandle,
    pub(super) monitor: Monitor,
    /// Reads rejects once more; one at a time, on one connection.
    pub(super) replay: Mutex<Replay>,
    pub(super) device_zone: TimeZone,
    pub(super) time: Clock,
    pub(super) retention: RawRetention,
    pub(super) name_counts: UnknownNameCounts,
    pub(super) cells: Cells,
    pub(super) log_uploads: Semaphore,
    pub(super) public_url: Option<String>,
    pub(super) access: Access,
    pub(super) access_notes: AccessNotes,
    /// How long a session lasts.
    pub(super) session_seconds: u64,
    pub(super) enrolment: Enrolment,
    pub(super) scheme: &'static str,
    pub(super) api_queries: Semaphore,
    pub(super) exports: Arc<Semaphore>,
    pub(super) overviews: api::reading::OverviewCache,
    pub(super) rollup_zone: TimeZone,
    pub(super) bodies: Bodies,
    pub(super) readiness: operations::Readiness,
    /// Authentication is off, so only this machine can send requests.
    pub(super) shows_reasons: bool,
    pub(super) connections: Arc<Connections>,
    pub(super) stream: Hub,
    pub(super) stream_check_interval: Duration,
    pub(super) pages: page::Pages,
    /// Seconds beyond which the clock of a device is off.
    pub(super) clock_off_seconds: u32,
}

impl State {
    /// The state that handlers share.
    pub fn new(services: Services, settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            replay: Mutex::new(Replay::new(&services.store, settings)),
            ingest: services.ingest,
            buffer: services.buffer,
            owners: services.owners.clone(),
            store: services.store,
            reads: services.reads,
            stats: api::stats::CachedStats::default(),
            metrics: services.metrics,
            monitor: services.monitor,
            device_zone: settings.device_zone(),
            time: services.time,
            retention: services.retention,
            name_counts: services.name_counts,
            cells: services.cells,
            log_uploads: Semaphore::new(watch_log::MAX_CONCURRENT),
            public_url: settings.public_url(services.address),
            access: Access::new(services.callers, services.owners, super::routes().get_openapi(), settings),
            access_notes: AccessNotes::new(services.access_log, settings.access_log_repeat_seconds),
            session_seconds: settings.login.seconds().into(),
            enrolment: settings.enrolment(),
            scheme: settings.scheme(),
            api_queries: Semaphore::new(api::MAX_CONCURRENT),
            exports: Arc::new(Semaphore::new(api::reading::MAX_EXPORTS)),
            overviews: api::reading::OverviewCache::default(),
            rollup_zone: settings.rollup_zone(),
            bodies: Bodies::new(settings),
            readiness: operations::Readiness::default(),
            shows_reasons: settings.authentication == Authentication::Off,
            connections: Connections::new(&settings.limits),
            stream: services.stream,
            stream_check_interval: Duration::from_millis(settings.stream.check_interval_ms),
            pages: page::Pages::new(settings),
            clock_off_seconds: settings.clock_off_seconds,
        })
    }

    /// The open connections.
    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }
}
