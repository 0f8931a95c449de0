//! A simulated fleet of watches that uploads: the load generator of the benches and the tests, and the fleet of the demo.
//!
//! ```text
//!  Options ─▶ device (its instants) ─▶ source (what next) ─▶ load (connections, pace) ─▶ service
//!                └ person (values)       └ body (bytes)        └ client   └ report, progress, upload_log
//! ```
//!
//! Before: `vitals simulate`, `vitals demo`, tests. After: a running service, over HTTP like any device.
//! Promise: it knows the service by its wire contract (section 1) alone; every record sent is accounted for in the [`Report`].

mod alarms;
mod body;
mod client;
mod device;
mod load;
mod person;
mod progress;
mod report;
mod signals;
mod source;
mod upload_log;

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, FromArgMatches};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use client::Target;
use device::{Calendar, Device};
pub use device::{Owners, TENANTS, UNITS, owners};
use load::{Bounds, Outlet};
pub use progress::Show;
use progress::{Progress, RunEnd};
pub use report::{Counts, Latency, PartReport, Report};
use source::{Part, Source};
pub use upload_log::{AcceptedUpload, Span, UploadLog};

/// Lets a simulated fleet of watches upload, and measures how the service answers.
///
/// Exit code: 0 when every upload was acknowledged or refused with 503 (which is counted, waited for and tried again);
/// 1 when errors happened (no connection, lost connection, no answer in 10 s, another status, a 503 without Retry-After, an
/// answer that does not add up, a rejected record) or the run could not begin; 2 when the command line cannot be read.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Options {
    /// The service, http only.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,

    /// Upload to another machine than this one.
    #[arg(long)]
    pub allow_remote: bool,

    /// Value of the Authorization header. Default: no such header.
    #[arg(long, value_name = "TEXT")]
    pub authorization: Option<String>,

    /// Watches of the fleet; at least one per connection.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub devices: u32,

    /// Open connections, each with one request in flight.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub connections: u32,

    /// Samples of one device in a request. A watch sends 1, or up to 100 from its cache.
    #[arg(long, value_name = "RECORDS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub batch: u32,

    /// The samples of a request are of different devices, as a gateway sends them for the watches around it. Needs as many devices per
    /// connection as samples in a request.
    #[arg(long, conflicts_with = "late")]
    pub gateway: bool,

    /// Records a second, all connections together, whatever the answers do. Default: as fast as they come.
    #[arg(long, value_name = "RECORDS/S", value_parser = rate)]
    pub rate: Option<f64>,

    /// Take no notice of Retry-After: what was refused is sent again when the next upload is due, so that the load stays what
    /// it is however much of it is refused.
    #[arg(long, requires = "rate")]
    pub impatient: bool,

    /// Share of the live uploads that repeat an acknowledged one, percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub duplicates: f64,

    /// Share of the live uploads with samples from hours to days ago, percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub late: f64,

    /// Share of the samples with a heart rate of 142 and more, in stretches of ten seconds, percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    pub breaches: f64,

    /// Alarms (SOS events with a sample) a second beside the live uploads, over connections of their own.
    #[arg(long, value_name = "EVENTS/S", value_parser = rate)]
    pub alarms: Option<f64>,

    /// The watches also send device information (battery, wear) every five minutes, and one of them an SOS every four.
    #[arg(long)]
    pub signals: bool,

    /// Ends the live uploads after this time, seconds. Default: with --records, else on Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,

    /// Ends the live uploads after this many records. Default: with --seconds, else on Ctrl-C.
    #[arg(long, value_name = "RECORDS")]
    pub records: Option<u64>,

    /// Days of history that every device uploads first, as fast as answers come.
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub history_days: u32,

    /// Between two samples of the history of one device, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(2..=86_400))]
    pub history_interval_seconds: u32,

    /// Number of the first device; the serials are SIM and 13 digits. Default: from the clock, so that two runs do not
    /// repeat each other's samples.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(0..9_999_999_000_000))]
    pub first_serial: Option<u64>,

    /// What people and chances are drawn from: the same seed and serials give the same fleet.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        let command = Self::augment_args(clap::Command::new("simulate"));
        let none = command.get_matches_from([""]);
        Self::from_arg_matches(&none).expect("every option has a default")
    }
}

/// Lets the fleet upload; ends by the bounds of the options, or soon after `stop` (what was sent is waited for).
///
/// # Errors
/// The options contradict each other, or nobody listens. What happens to uploads is in the report.
pub async fn run(options: &Options, stop: &CancellationToken, show: Show) -> anyhow::Result<Report> {
    run_with_log(options, stop, show, None).await
}

/// The same; enters each accepted upload in a log.
///
/// # Errors
/// As [`run`].
pub async fn run_with_log(
    options: &Options,
    stop: &CancellationToken,
    show: Show,
    upload_log: Option<Arc<UploadLog>>,
) -> anyhow::Result<Report> {
    check(options)?;
    let target = Arc::new(Target::find(options).await?);
    let now = Timestamp::now();
    let first_serial = options.first_serial.unwrap_or_else(|| serial_of_now(now));
    let calendar = Calendar::new(options, now);
    let sources = |part| deal(options, part, first_serial, &calendar);
    let mut report = Report {
        first_serial: device::serial(first_serial),
        devices: options.devices,
        connections: options.connections,
        batch: options.batch,
        history: None,
        live: None,
        alarms: None,
    };
    if options.history_days > 0 {
        let records = u64::from(calendar.history_records) * u64::from(options.devices);
        let mut progress = Progress::new("history", show, RunEnd::Records(records));
        let bounds = Bounds { lasts: None, every: None, impatient: false };
        let outlet = Outlet { target: target.clone(), upload_log: upload_log.clone() };
        report.history = Some(load::run(outlet, sources(Part::History), bounds, stop, &mut progress).await?);
    }
    if options.seconds != Some(0) && options.records != Some(0) && !stop.is_cancelled() {
        let mut progress = Progress::new("live", show, end_of(options));
        let (events, over) = (target.for_events(), CancellationToken::new());
        let (watches, reporting_to) =
            (signals::Watches { first_serial, count: options.devices, seed: options.seed }, target.clone());
        let uploading = async {
            let outlet = Outlet { target, upload_log };
            let live = load::run(outlet, sources(Part::Live), bounds_of(options), stop, &mut progress).await;
            over.cancel();
            live
        };
        let alarming = async {
            match options.alarms {
                Some(per_second) => Some(alarms::run(&events, per_second, &over).await),
                None => None,
            }
        };
        let reporting = async {
            if options.signals {
                signals::run(&reporting_to, watches, &over).await;
            }
        };
        let (live, alarms, ()) = futures_util::join!(uploading, alarming, reporting);
        (report.live, report.alarms) = (Some(live?), alarms);
    }
    Ok(report)
}

/// The serial of the first device of the fleet that [`run`] would make now, for whoever wants to name it.
pub fn serial_of_now(now: Timestamp) -> u64 {
    // A million numbers a second, for some months.
    now.as_second().unsigned_abs() % 9_999_998 * 1_000_000
}

/// The serial with this number, as it is uploaded.
pub fn serial(number: u64) -> String {
    device::serial(number)
}

fn check(options: &Options) -> anyhow::Result<()> {
    if options.devices < options.connections {
        bail!(
            "--devices {} is less than --connections {}: each connection needs a device of its own",
            options.devices,
            options.connections
        );
    }
    if options.gateway && options.devices / options.connections < options.batch {
        bail!(
            "--gateway with --batch {} and --connections {} needs at least {} devices",
            options.batch,
            options.connections,
            u64::from(options.batch) * u64::from(options.connections)
        );
    }
    if options.duplicates + options.late > 100.0 {
        bail!("--duplicates and --late are shares of the same uploads: together at most 100 percent");
    }
    Ok(())
}

/// Deals devices and bounds out to the connections.
fn deal(options: &Options, part: Part, first_serial: u64, calendar: &Calendar) -> Vec<Source> {
    let connections = options.connections;
    let source = |number: u32| {
        let devices = (number..options.devices)
            .step_by(connections as usize)
            .map(|device| Device::new(options, first_serial, calendar, device))
            .collect();
        let records = options.records.map(|records| {
            let (each, rest) = (records / u64::from(connections), records % u64::from(connections));
            each + u64::from(u64::from(number) < rest)
        });
        Source::new(options, part, number, devices, *calendar, records)
    };
    (0..connections).map(source).collect()
}

fn bounds_of(options: &Options) -> Bounds {
    let every = options.rate.map(|rate| {
        let uploads_per_second = rate / f64::from(options.batch) / f64::from(options.connections);
        Duration::from_secs_f64(1.0 / uploads_per_second)
    });
    Bounds { lasts: options.seconds.map(Duration::from_secs), every, impatient: options.impatient }
}

fn end_of(options: &Options) -> RunEnd {
    match (options.records, options.seconds) {
        (Some(records), _) => RunEnd::Records(records),
        (None, Some(seconds)) => RunEnd::Time(Duration::from_secs(seconds)),
        (None, None) => RunEnd::Unknown,
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=1e9).contains(&rate) { Ok(rate) } else { Err("at least 0.01 a second".to_owned()) }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&percent) { Ok(percent) } else { Err("between 0 and 100".to_owned()) }
}

#[cfg(test)]
mod tests;
