//! What the fleet of the demo uploads: days of history at once, then a sample a second from each watch.
//!
//! Before: `mod` has a service. After: `account` shows what came of it.
//! Promise: ends at the time given, or soon after `stop`; a failing part of the service ends it with the reason.

use std::time::Duration;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use vitals_fleet::{PartReport, Report, Show};

use super::Options;
use super::directory::{self, Credentials};
use crate::app::Service;
use crate::cache;
use crate::config::Settings;
use crate::language::Language;
use crate::store::Store;

/// Samples of a device in an upload of the history: what a watch keeps while it is out of reach.
const HISTORY_BATCH: u32 = 100;
const HISTORY_INTERVAL_SECONDS: u32 = 300;
const CONNECTIONS: u32 = 16;
/// Share of live uploads that are sent twice, percent.
const DUPLICATES_PERCENT: f64 = 2.0;
/// Share of live uploads with samples from hours to days ago, percent.
const LATE_PERCENT: f64 = 1.0;
/// Share of the live time in which hearts race, percent.
const BREACHES_PERCENT: f64 = 3.0;

/// Who uploads, and when it ends.
#[derive(Debug)]
pub(super) struct Fleet {
    first_serial: u64,
    url: String,
    devices: u32,
    history_days: u32,
    authorization: String,
}

/// What was uploaded, and what was seen of it meanwhile.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub(super) history: Option<PartReport>,
    pub(super) live: Option<PartReport>,
    /// When the live uploads began.
    pub(super) live_since: Timestamp,
    /// Message on the channel of the first device.
    pub(super) message: Option<String>,
}

impl Fleet {
    pub(super) fn new(options: &Options, service: &Service, credentials: &Credentials) -> Self {
        Self {
            first_serial: vitals_fleet::serial_of_now(Timestamp::now()),
            url: format!("http://{}", service.address()),
            devices: options.devices,
            history_days: options.history_days,
            authorization: credentials.authorization.clone(),
        }
    }

    /// Gives the wearers names, rooms and units, from before their first sample on.
    pub(super) async fn name_people(&self, store: &Store, language: Language) -> anyhow::Result<()> {
        // Late samples are up to a week old.
        let since = SignedDuration::from_hours(24 * (i64::from(self.history_days) + 8));
        directory::fill(store, language, self.first_serial, self.devices, since).await
    }

    /// Serial of the first device, the one that is shown.
    pub(super) fn device_sn(&self) -> String {
        vitals_fleet::serial(self.first_serial)
    }

    /// Records of the whole history.
    pub(super) fn history_records(&self) -> u64 {
        u64::from(self.devices) * u64::from(self.history_days) * 86_400 / u64::from(HISTORY_INTERVAL_SECONDS)
    }

    /// Uploads the history, until `deadline` at most.
    pub(super) async fn history(
        &self,
        service: &Service,
        deadline: Option<Instant>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<PartReport>> {
        let options = vitals_fleet::Options {
            batch: HISTORY_BATCH,
            history_days: self.history_days,
            history_interval_seconds: HISTORY_INTERVAL_SECONDS,
            seconds: Some(0),
            ..self.options()
        };
        Ok(upload(&options, service, deadline, stop).await?.history)
    }

    /// Uploads a sample a second from each device, until `deadline`, and listens on the channel of the first.
    pub(super) async fn live(
        &self,
        service: &Service,
        settings: &Settings,
        deadline: Option<Instant>,
        stop: &CancellationToken,
    ) -> anyhow::Result<(Option<PartReport>, Option<String>)> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let options = vitals_fleet::Options {
            batch: 1,
            rate: Some(f64::from(self.devices)),
            duplicates: DUPLICATES_PERCENT,
            late: LATE_PERCENT,
            breaches: BREACHES_PERCENT,
            signals: true,
            seconds: left.map(|left| left.as_secs().max(1)),
            ..self.options()
        };
        let timeout = left.unwrap_or(Duration::from_secs(30));
        let device_sn = self.device_sn();
        let listening = cache::overview::first_message(settings, &device_sn, timeout);
        let (report, message) = tokio::join!(upload(&options, service, None, stop), async {
            let message = stop.run_until_cancelled(listening).await;
            message.transpose().map(Option::flatten)
        });
        Ok((report?.live, message?))
    }

    fn options(&self) -> vitals_fleet::Options {
        vitals_fleet::Options {
            url: self.url.clone(),
            // The service listens where the settings say; whether that is loopback was decided there.
            allow_remote: true,
            devices: self.devices,
            connections: CONNECTIONS.min(self.devices),
            first_serial: Some(self.first_serial),
            authorization: Some(self.authorization.clone()),
            ..vitals_fleet::Options::default()
        }
    }
}

async fn upload(
    options: &vitals_fleet::Options,
    service: &Service,
    deadline: Option<Instant>,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    let stop = stop.child_token();
    let running = vitals_fleet::run(options, &stop, Show::on_standard_error());
    tokio::pin!(running);
    let over = async {
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        report = &mut running => return report,
        what = service.failed() => bail!("the service failed: {what}"),
        () = over => stop.cancel(),
    }
    running.await
}
