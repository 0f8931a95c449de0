//! What handlers use of the rest of the service.
//!
//! Before: `app` has started every part. After: [`super::State`] shares them with the handlers.

use std::net::SocketAddr;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use super::Callers;
use super::retention::RawRetention;
use super::unknown_names::UnknownNameCounts;
use crate::accounts::AccessLog;
use crate::buffer::Buffer;
use crate::cells::Cells;
use crate::ingest::Ingest;
use crate::monitor::Monitor;
use crate::owners::Owners;
use crate::store::Store;
use crate::store::clock::Clock;
use crate::store::reads::Reads;
use crate::stream::Hub;

/// What handlers use of the rest of the service.
#[derive(Debug)]
pub struct Services {
    /// Commits uploads.
    pub ingest: Arc<Ingest>,
    /// Keeps uploads that PostgreSQL cannot store now; `None`: the settings want none.
    pub buffer: Option<Buffer>,
    /// Looks up who owns a device.
    pub owners: Owners,
    /// Authenticates callers; `None`: authentication is off.
    pub callers: Option<Callers>,
    /// Writes who looked at whose data.
    pub access_log: AccessLog,
    /// PostgreSQL.
    pub store: Store,
    /// Standbys for reads that change nothing.
    pub reads: Reads,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// The state of the service.
    pub monitor: Monitor,
    /// The clock of PostgreSQL.
    pub time: Clock,
    /// How long raw rows are kept.
    pub retention: RawRetention,
    /// Counts unknown names in uploads.
    pub name_counts: UnknownNameCounts,
    /// Where devices live that live in another cell.
    pub cells: Cells,
    /// The events of open pages.
    pub stream: Hub,
    /// Where it listens.
    pub address: SocketAddr,
}
