//! `vitals demo`: the whole of it on one machine, in a minute: servers, schema, service, a fleet, and an account of
//! what happened.
//!
//! Before: `main`. After: `docker/stack`, `store::migrate`, `app::Service`, `simulate`, and a person who reads.
//! Promise: whatever happens, the service is stopped in order and servers that were brought up here are taken down
//! (unless `--keep`); a step that fails says what to do, and the exit code is not 0.

mod account;
mod hints;
mod stack;
mod table;
mod uploads;

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::interrupt::until_interrupted;
use crate::app::Service;
use crate::config::Settings;
use crate::store::{self, Store};
use crate::telemetry;
use stack::Stack;
use uploads::{Fleet, Uploaded};

/// Serials of simulated devices begin so; others are somebody's.
const OWN_DEVICES: &str = "SIM";
/// Kept of the seconds for reading the account together.
const CLOSING: Duration = Duration::from_secs(4);
/// Shortest live part, if the seconds allow it, however long the servers took to come up.
const LIVE_AT_LEAST: Duration = Duration::from_secs(10);

/// Brings up servers, serves, lets a simulated fleet upload, and shows what came of it.
///
/// Exit code: 0 when the account holds; 1 when a step failed or the account does not hold; 130 when it was interrupted
/// before the uploads.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Ends by itself after about this time, seconds; the building of servers and program apart. Default: on Ctrl-C.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,

    /// Watches of the simulated fleet; each uploads a sample a second.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub devices: u32,

    /// Days of history, a sample every five minutes, that each watch uploads first.
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=365))]
    pub history_days: u32,

    /// Leave the servers up, with what is in them.
    #[arg(long)]
    pub keep: bool,

    /// Go on although the given database holds data of devices that are not simulated.
    #[arg(long)]
    pub among_real_data: bool,
}

/// Ctrl-C or SIGTERM came before there was anything to show.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;

/// Runs the demo.
///
/// # Errors
/// Says which step failed and what to do.
pub async fn run(options: Options, mut settings: Settings) -> anyhow::Result<ExitCode> {
    prepare(&mut settings);
    telemetry::init_logs(&settings)?;
    let metrics = telemetry::init_metrics()?;
    let stop = CancellationToken::new();
    let shown = until_interrupted(&stop, Box::pin(with_servers(&options, settings, metrics, &stop))).await;
    match shown {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("vitals: interrupted; what was started is stopped");
            Ok(ExitCode::from(130))
        }
        Err(error) => Err(error),
    }
}

/// What a demo needs of the settings, where they say nothing else.
fn prepare(settings: &mut Settings) {
    let defaults = Settings::defaults();
    if settings.log == defaults.log {
        settings.log = "warn".to_owned();
    }
    if settings.instance.is_empty() {
        settings.instance = format!("demo-{}-{}", Timestamp::now().as_second(), std::process::id());
    }
    // Where the simulated fleet lives.
    settings.device_time_zone = "Asia/Shanghai".to_owned();
}

async fn with_servers(
    options: &Options,
    mut settings: Settings,
    metrics: PrometheusHandle,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let stack = Stack::up(&mut settings, stop).await.context("servers")?;
    tell(
        "servers",
        &format!("{} in {:.1} s", if stack.is_ours() { "brought up" } else { "were up" }, secs(began)),
    );
    let outcome = Box::pin(with_schema(options, settings, metrics, &stack, began, stop)).await;
    if options.keep {
        tell("servers", &format!("stay up; `{} down` stops them", stack.script().display()));
        return outcome;
    }
    let taken_down = stack.down().await;
    first_failure(outcome, taken_down)
}

async fn with_schema(
    options: &Options,
    mut settings: Settings,
    metrics: PrometheusHandle,
    stack: &Stack,
    began: Instant,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let since = Instant::now();
    let migrating = async {
        store::database::create_if_missing(&settings).await?;
        anyhow::Ok(store::migrate::run(&settings).await?)
    };
    let migrated = or_interrupted(stop, migrating).await.context("schema")?;
    tell("schema", &format!("at version {} in {:.1} s", migrated.version, secs(since)));
    let store = Store::new(&settings)?;
    refuse_real_data(options, stack, &store).await?;

    settings.listen = free_address(settings.listen)?;
    let service = Service::start(settings.clone(), metrics).await.context("service")?;
    tell("service", &format!("http://{}", service.address()));
    let outcome = Box::pin(with_service(options, &settings, &service, stack, &store, began, stop)).await;
    let stopped = service.stop().await.context("service");
    store.close();
    first_failure(outcome, stopped)
}

async fn with_service(
    options: &Options,
    settings: &Settings,
    service: &Service,
    stack: &Stack,
    store: &Store,
    began: Instant,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let fleet = Fleet::new(options, service);
    let seconds = options.seconds.map(Duration::from_secs);
    let half = seconds.map(|seconds| (began + seconds / 2).max(Instant::now() + seconds / 4));
    let history = fleet.history(service, half, stop).await.context("history")?;
    if let Some(history) = &history {
        tell("history", &account::in_short(history));
    }
    if stop.is_cancelled() {
        return Err(Interrupted.into());
    }
    let whole = seconds.map(|seconds| {
        (began + seconds - CLOSING.min(seconds / 4)).max(Instant::now() + LIVE_AT_LEAST.min(seconds))
    });
    hints::invite(settings, service, stack, &fleet.device_sn(), whole.is_none());
    let (live, message) = fleet.live(service, settings, whole, stop).await.context("live uploads")?;
    if let Some(live) = &live {
        tell("live", &account::in_short(live));
    }
    let uploaded = Uploaded { history, live, message };
    account::show(settings, store, &fleet.device_sn(), &uploaded).await.context("account")?;
    hints::next(options.keep || !stack.is_ours(), settings, stack, &fleet.device_sn());
    Ok(())
}

/// Given servers may be somebody's.
async fn refuse_real_data(options: &Options, stack: &Stack, store: &Store) -> anyhow::Result<()> {
    if stack.is_ours() || options.among_real_data {
        return Ok(());
    }
    let devices = store::overview::foreign_devices(store, OWN_DEVICES).await?;
    if devices > 0 {
        bail!(
            "the database holds data of {devices} devices that are not simulated, and the demo would add {} that are: \
             name another database in VITALS_DATABASE_URL, or say --among-real-data",
            options.devices
        );
    }
    Ok(())
}

/// The address of the settings, or a free port beside it if somebody listens there.
fn free_address(wanted: std::net::SocketAddr) -> anyhow::Result<std::net::SocketAddr> {
    let free = TcpListener::bind(wanted).or_else(|_| TcpListener::bind((wanted.ip(), 0)));
    let free = free.with_context(|| format!("no port to be had on {}: set VITALS_LISTEN", wanted.ip()))?;
    Ok(free.local_addr()?)
}

async fn or_interrupted<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(Interrupted.into()))
}

/// The failure of the work before that of the cleaning up, which is told all the same.
fn first_failure(work: anyhow::Result<()>, cleaning_up: anyhow::Result<()>) -> anyhow::Result<()> {
    match (work, cleaning_up) {
        (Err(work), Err(cleaning_up)) => {
            eprintln!("vitals: {cleaning_up:#}");
            Err(work)
        }
        (work, cleaning_up) => work.and(cleaning_up),
    }
}

/// A step, on standard error.
fn tell(step: &str, what: &str) {
    eprintln!("{} {what}", console::Style::new().for_stderr().bold().apply_to(format!("{step:9}")));
}

fn secs(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}
