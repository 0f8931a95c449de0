//! What handlers use of the rest of the service.
//!
//! Before: `app` has started every part. After: [`super::State`] shares them with the handlers.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
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
use crate::store::notification::ContactAddress;
use crate::store::reads::Reads;
use crate::stream::Hub;

type Sending = BoxFuture<'static, Result<(), String>>;

/// Sends a test message to an address, as notifications are sent.
pub struct TestSender(Box<dyn Fn(ContactAddress) -> Sending + Send + Sync>);

impl TestSender {
    /// Sends by `send`.
    pub fn new(send: impl Fn(ContactAddress) -> Sending + Send + Sync + 'static) -> Self {
        Self(Box::new(send))
    }

    /// Sends it; else the reason in the words of the channel.
    pub(super) async fn send(&self, to: ContactAddress) -> Result<(), String> {
        (self.0)(to).await
    }
}

impl fmt::Debug for TestSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSender").finish_non_exhaustive()
    }
}

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
    /// Sends test messages.
    pub test_sender: TestSender,
    /// Where it listens.
    pub address: SocketAddr,
}
