//! `vitals demo`: the whole of it on one machine, in a minute: servers, schema, service, a fleet, and an account of
//! what happened.
//!
//! Before: `main`. After: `docker/stack`, `store::migrate`, `app::Service`, `vitals_fleet`, and a person who reads. With `--cluster` it is
//! `cluster` that shows several instances on several servers, some of which fail.
//! Promise: a database that holds what no demo made is not touched; a person can open the page and log in; whatever happens, the service is stopped in order and servers that were brought up here are taken down
//! (unless `--keep`); a step that fails says what to do, and the exit code is not 0.

mod account;
mod alerts;
mod cluster;
mod directory;
mod hints;
mod stack;
mod stack_output;
mod table;
mod uploads;

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vitals_fleet::PartReport;

use crate::app::Service;
use crate::command::interrupt::{interrupted, until_interrupted};
use crate::command::serve::raise_file_limit;
use crate::command::text::grouped;
use crate::config::{Authentication, Settings};
use crate::store::{self, Store};
use crate::telemetry;
use directory::Credentials;
use stack::Stack;
use uploads::{Fleet, Uploaded};

/// Serials of simulated devices begin so, and are before that; others are somebody's.
const OWN_DEVICES: (&str, &str) = ("SIM", "SIN");
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

    /// Two instances behind a balancer, on a cluster of PostgreSQL and Redis; then the primary is killed, a Redis master is killed, and
    /// an instance is stopped: what the watches see of it, and whether anything is lost. The time counts from the first upload.
    #[arg(long, conflicts_with = "history_days")]
    pub cluster: bool,

    /// Days of history, a sample every five minutes, that each watch uploads first.
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=365))]
    pub history_days: u32,

    /// Leave the servers up, with what is in them.
    #[arg(long)]
    pub keep: bool,

    /// Go on although the database holds what no demo made.
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
    raise_file_limit();
    let _traces = telemetry::init_logs(&settings)?;
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
    // The simulated fleet speaks plain HTTP; so nobody but this machine may come. Several instances let it in without a key.
    settings.authentication = Authentication::Off;
    (settings.tls_certificate, settings.tls_key) = Default::default();
    if !settings.listen.ip().is_loopback() {
        settings.listen.set_ip(Ipv4Addr::LOCALHOST.into());
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
    let stack = Stack::up(options.cluster, &mut settings, stop).await.context("servers")?;
    let how = if stack.is_ours() { "brought up" } else { "were up" };
    print_account("servers", &format!("{how} in {:.1} s", secs(began)));
    let demo = Demo { options, settings, stack: &stack, began, stop };
    let outcome = match options.cluster {
        true => Box::pin(cluster::run(&demo)).await,
        false => Box::pin(demo.with_schema(metrics)).await,
    };
    if options.keep {
        let script = stack.script().display();
        print_account("servers", &format!("stay up; `{}{script} down` stops them", stack.prefix()));
        return outcome;
    }
    let taken_down = stack.down().await;
    first_failure(outcome, taken_down)
}

/// A demo whose servers are up.
struct Demo<'a> {
    options: &'a Options,
    settings: Settings,
    stack: &'a Stack,
    began: Instant,
    stop: &'a CancellationToken,
}

impl Demo<'_> {
    async fn with_schema(&self, metrics: PrometheusHandle) -> anyhow::Result<()> {
        let store = self.migrate().await?;
        let credentials = directory::make_credentials(&store, &self.settings).await.context("log-in")?;
        let settings = Settings { authentication: Authentication::Keys, ..self.settings.clone() };
        let service = start(&settings, metrics).await.context("service")?;
        print_account("service", &format!("http://{}", service.address()));
        let outcome = Box::pin(self.with_service(&service, &store, &credentials)).await;
        let stopped = service.stop().await.context("service");
        // With --keep it would let others in for ever.
        store::api_key::revoke(&store, &credentials.key_id).await.context("API key")?;
        store.close();
        first_failure(outcome, stopped)
    }

    /// Brings the schema to head, in a database of nobody else.
    async fn migrate(&self) -> anyhow::Result<Store> {
        let since = Instant::now();
        let store = Store::new(&self.settings)?;
        let migrating = async {
            if !store::database::create_if_missing(&self.settings).await? {
                refuse_real_data(self.options, &store).await?;
            }
            anyhow::Ok(store::migrate::run(&self.settings).await?)
        };
        let migrated = or_interrupted(self.stop, migrating).await.context("schema")?;
        print_account("schema", &format!("at version {} in {:.1} s", migrated.version, secs(since)));
        Ok(store)
    }

    async fn with_service(
        &self,
        service: &Service,
        store: &Store,
        credentials: &Credentials,
    ) -> anyhow::Result<()> {
        let fleet = Fleet::new(self.options, service, credentials);
        let device_sn = fleet.device_sn();
        fleet.name_people(store, self.settings.language).await.context("directory")?;
        let history = self.history(&fleet, service).await.context("history")?;
        let (until, live_since) = (self.live_until(), Timestamp::now());
        hints::invite(&self.settings, service, self.stack, &device_sn, credentials);
        if until.is_none() {
            hints::until_interrupted();
        }
        let (live, message) =
            fleet.live(service, &self.settings, until, self.stop).await.context("live uploads")?;
        if let Some(live) = &live {
            print_account("live", &account::in_short(live));
        }
        let uploaded = Uploaded { history, live, live_since, message };
        tokio::select! {
            shown = account::show(&self.settings, store, &device_sn, &uploaded) => shown.context("account")?,
            // A Ctrl-C before has ended the uploads; this one is for whoever does not want to wait for the account.
            () = interrupted() => return Err(Interrupted.into()),
        }
        let stays_up = self.options.keep || !self.stack.is_ours();
        hints::next(stays_up, &self.settings, self.stack, &device_sn)
    }

    async fn history(&self, fleet: &Fleet, service: &Service) -> anyhow::Result<Option<PartReport>> {
        let history = fleet.history(service, self.history_until(), self.stop).await?;
        if let Some(PartReport { counts, .. }) = &history
            && counts.acknowledged == 0
            && !counts.errors.is_empty()
        {
            bail!("no upload was acknowledged: {:?}; what the service logged says why", counts.errors);
        }
        if self.stop.is_cancelled() {
            return Err(Interrupted.into());
        }
        if let Some(history) = &history {
            print_account("history", &account::in_short(history));
            let whole = fleet.history_records();
            if history.counts.acknowledged < whole {
                print_account("history", &format!("cut short of {} records, for --seconds", grouped(whole)));
            }
        }
        Ok(history)
    }

    /// Half of the time is for the history, and a quarter even if the servers took all of it.
    fn history_until(&self) -> Option<Instant> {
        let seconds = Duration::from_secs(self.options.seconds?);
        Some((self.began + seconds / 2).max(Instant::now() + seconds / 4))
    }

    fn live_until(&self) -> Option<Instant> {
        let seconds = Duration::from_secs(self.options.seconds?);
        let until = self.began + seconds - CLOSING.min(seconds / 4);
        Some(until.max(Instant::now() + LIVE_AT_LEAST.min(seconds)))
    }
}

/// A database that was there may be somebody's; nothing was written into it yet.
async fn refuse_real_data(options: &Options, store: &Store) -> anyhow::Result<()> {
    if options.among_real_data {
        return Ok(());
    }
    let foreign =
        store::overview::foreign(store, OWN_DEVICES, directory::MADE_BY, &directory::own_names()).await?;
    if !foreign.is_empty() {
        bail!(
            "the database holds what no demo made ({}), and is left as it is: name another one in VITALS_DATABASE_URL (one \
             that does not exist is made), or say --among-real-data to have {} simulated devices in it",
            foreign.join(", "),
            options.devices
        );
    }
    Ok(())
}

/// Starts the service where the settings say, or on a free port beside it if somebody listens there.
async fn start(settings: &Settings, metrics: PrometheusHandle) -> anyhow::Result<Service> {
    match Service::start(settings.clone(), metrics.clone()).await {
        Err(error) if is_address_taken(&error) => {
            let mut settings = settings.clone();
            settings.listen.set_port(0);
            Service::start(settings, metrics).await
        }
        started => started,
    }
}

fn is_address_taken(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    kinds.map(std::io::Error::kind).any(|kind| kind == std::io::ErrorKind::AddrInUse)
}

async fn or_interrupted<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(Interrupted.into()))
}

/// The failure of the work, or else that of the cleaning up, which is reported in any case.
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
fn print_account(step: &str, what: &str) {
    eprintln!("{} {what}", console::Style::new().for_stderr().bold().apply_to(format!("{step:9}")));
}

fn secs(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleet_lives_in_its_own_zone_and_the_log_is_quiet_unless_it_was_asked_for() {
        let mut settings = Settings { device_time_zone: "Europe/Berlin".to_owned(), ..Settings::defaults() };
        prepare(&mut settings);
        assert_eq!((settings.device_time_zone.as_str(), settings.log.as_str()), ("Asia/Shanghai", "warn"));
        assert!(settings.instance.starts_with("demo-"));
        let mut settings = Settings { log: "debug".to_owned(), ..Settings::defaults() };
        prepare(&mut settings);
        assert_eq!(settings.log, "debug");
    }

    #[test]
    fn a_taken_address_is_told_from_other_failures() {
        let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        assert!(is_address_taken(&anyhow::Error::from(taken).context("listen").context("service")));
        assert!(!is_address_taken(&anyhow::anyhow!("no database")));
    }

    #[test]
    fn the_failure_of_the_work_comes_first() {
        let failed = |what: &'static str| Err(anyhow::anyhow!(what));
        assert_eq!(first_failure(failed("work"), failed("down")).expect_err("failed").to_string(), "work");
        assert_eq!(first_failure(Ok(()), failed("down")).expect_err("failed").to_string(), "down");
        assert!(first_failure(failed("work"), Ok(())).is_err());
        assert!(first_failure(Ok(()), Ok(())).is_ok());
    }

    #[test]
    fn an_interruption_is_known_under_its_context() {
        let error = anyhow::Error::from(Interrupted).context("servers").context("demo");
        assert!(error.is::<Interrupted>());
    }
}
