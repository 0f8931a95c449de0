//! The wiring of all parts, and the order of start and stop.
//!
//! Parts start against the flow of data, so that the receiver of each part is already running. They stop with the flow: no new request is
//! accepted, open requests are answered, queued rows are committed, reactions to claimed batches are finished, and messages are sent; all
//! before one deadline.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use crate::accounts::{AccessLog, Accounts};
use crate::buffer::{Buffer, BufferServices};
use crate::cache::Cache;
use crate::cells::Cells;
use crate::config::{Authentication, Settings};
use crate::http::{
    self, Callers, TestSender, retention::RawRetention, server::Server, tls::Tls,
    unknown_names::UnknownNameCounts,
};
use crate::ingest::Ingest;
use crate::ingest::compare::Comparer;
use crate::ingest::erased::Erased;
use crate::keys::Keys;
use crate::model::SystemAlert;
use crate::monitor::{self, Monitor};
use crate::owners::Owners;
use crate::react::{AlertPublisher, RedisView};
use crate::schedule::reception::MAX_DELAY;
use crate::store::clock::Clock;
use crate::store::handover::Handover;
use crate::store::health::{Encryption, encryption};
use crate::store::instance::Instance;
use crate::store::notifier::Notifier;
use crate::store::program::Program;
use crate::store::reads::Reads;
use crate::store::wake::Topic;
use crate::store::{Store, schema};
use crate::stream::{self, Hub};
use crate::tasks::{Stage, Tasks};
use crate::{notify, queue, relay, schedule, telemetry};

/// A running service.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    store: Store,
    reads: Reads,
    tasks: Tasks,
    door: Stage,
    ingest: Stage,
    reaction: Stage,
    notify: Stage,
    clock: Stage,
    stop_deadline: Duration,
}

impl Service {
    /// Starts every part.
    ///
    /// # Errors
    /// PostgreSQL cannot be reached, its schema is not at head, or the address is taken.
    pub async fn start(settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        settings.check()?;
        let store = Store::new(&settings)?;
        check_schema(&store).await?;
        let instance = count_as_running(&store, &settings).await?;
        let cache = Cache::new(&settings)?;
        warn_of_plain_text(&settings, &store, &cache).await?;
        check_functions(&store).await?;
        let retention = RawRetention::read(&store).await?;
        let name_counts = UnknownNameCounts::read(&store).await?;
        let cells = Cells::read(&store).await?;
        let time = Clock::read(&store).await?;
        let tls = Tls::of(&settings).await?;
        let tcp = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("listen on {}", settings.listen))?;
        let address = tcp.local_addr()?;

        let tasks = Tasks::default();
        let [door, ingest, reaction, notify, clock] =
            ["door", "ingest", "reaction", "notify", "clock"].map(|name| tasks.stage(name));

        clock.spawn_loop("retention", retention.clone().follow(store.clone(), clock.stop_token()));
        clock.spawn_loop("name_counts", name_counts.clone().follow(clock.stop_token()));
        clock.spawn_loop("metrics", telemetry::run_metrics_upkeep(metrics.clone(), clock.stop_token()));
        clock.spawn_loop("time", time.clone().follow(store.clone(), clock.stop_token()));
        clock.spawn_loop("rollups", schedule::rollups::run(store.clone(), clock.stop_token()));
        clock.spawn_loop("heartbeat", schedule::heartbeat::run(store.clone(), instance, clock.stop_token()));
        let policies = schedule::policies::run(store.clone(), settings.clone(), clock.stop_token());
        clock.spawn_loop("policies", policies);
        let view = RedisView::new(store.clone(), cache.clone(), &settings, reaction.stop_token());
        reaction.spawn_loop("latest_view", view.clone().watch());
        let mut notifier = Notifier::default();
        notify::start(&notify, &store, &time, &notifier, &settings);
        let alerts = AlertPublisher::new(&view, &settings);
        let alerts = queue::run(alerts, notifier.wake(Topic::Notification), reaction.stop_token());
        reaction.spawn_loop("alert_view", alerts);
        let sweeps = schedule::alerts::run(
            store.clone(),
            notifier.wake(Topic::AlertRule),
            notifier.notification(),
            settings.clone(),
            clock.stop_token(),
        );
        clock.spawn_loop("alerts", sweeps);
        let handover = Handover::default();
        relay::start(&reaction, &store, &view, &handover, &notifier, &settings);
        let writers = Arc::new(Ingest::start(&store, &notifier.outbox(), &handover, &settings, &ingest));
        let (operators, changes) = monitor::changes();
        notify::operators::start(&notify, changes, &time, &settings);
        let reads = Reads::new(&settings, &store)?;
        clock.spawn_loop("reads", reads.clone().follow(notifier.wake(Topic::Change), clock.stop_token()));
        let follow = cells.clone().follow(store.clone(), notifier.wake(Topic::Placement), clock.stop_token());
        clock.spawn_loop("cells", follow);
        let owners = Owners::start(&store, &cache, &mut notifier, &settings, &ingest);

        let services =
            buffer_services(&store, &cache, &writers, &owners, &retention, operators.clone(), &settings);
        let buffer = Buffer::start(services, &settings, &ingest, &door).await?;
        let probed = buffer.clone();
        let probe = Box::new(move || probed.as_ref().map(Buffer::status));
        let (monitor, sampler) = Monitor::new(&store, &cache, writers.stats(), probe, operators, &settings);
        monitor::describe_conditions();
        clock.spawn_loop("monitor", sampler.run(clock.stop_token()));
        let late = buffer.clone();
        let is_late = move || late.as_ref().is_some_and(|buffer| buffer.is_late(MAX_DELAY));
        clock.spawn_loop("reception", schedule::reception::run(store.clone(), is_late, clock.stop_token()));

        let stream = Hub::new(&settings, door.stop_token());
        let wakes =
            stream::Wakes { outbox: notifier.wake(Topic::Outbox), alert: notifier.wake(Topic::Notification) };
        let reading = stream::run(stream.clone(), store.clone(), reads.clone(), wakes, clock.stop_token());
        clock.spawn_loop("stream", reading);
        let callers = callers(&store, &time, &notifier, &settings, &ingest)?;
        let state = http::State::new(
            http::Services {
                callers,
                test_sender: TestSender::new(notify::test_message::sender(&time, &settings)),
                // In a stage that stops after the door: the answers of the last requests are noted too.
                access_log: AccessLog::start(&store, &ingest),
                ingest: writers,
                buffer,
                owners,
                store: store.clone(),
                reads: reads.clone(),
                metrics,
                monitor,
                time,
                retention,
                name_counts,
                cells,
                stream,
                address,
            },
            &settings,
        );
        // In the stage that stops last: what the others announce while they stop is still sent.
        clock.spawn_loop("notifier", notifier.run(store.clone(), settings.clone(), clock.stop_token()));
        if let Some(tls) = &tls {
            clock.spawn_loop("certificate", tls.clone().follow(clock.stop_token()));
        }
        let server = Server::new(state, tls, &settings);
        door.spawn_loop("accept", http::server::serve(tcp, server, door.clone()));
        tracing::info!(%address, shards = settings.shard_count(), "serving");

        let stop_deadline = Duration::from_secs(settings.stop_deadline_seconds);
        Ok(Self { address, store, reads, tasks, door, ingest, reaction, notify, clock, stop_deadline })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a task fails, and gives its name.
    pub async fn failed(&self) -> String {
        self.tasks.failed().await
    }

    /// Stops in flow order.
    ///
    /// # Errors
    /// The deadline passed before everything had ended; nothing acknowledged is lost by that.
    pub async fn stop(self) -> anyhow::Result<()> {
        let deadline = Instant::now() + self.stop_deadline;
        let mut all_ended = true;
        for stage in [&self.door, &self.ingest, &self.reaction, &self.notify, &self.clock] {
            all_ended &= stage.stop(deadline).await;
        }
        self.store.close();
        self.reads.close();
        if !all_ended {
            bail!("not every task had ended after {} s", self.stop_deadline.as_secs());
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Who may send requests; `None`: everybody.
fn callers(
    store: &Store,
    time: &Clock,
    notifier: &Notifier,
    settings: &Settings,
    stage: &Stage,
) -> anyhow::Result<Option<Callers>> {
    if settings.authentication == Authentication::Off {
        return Ok(None);
    }
    let keys = Keys::start(store, time, notifier, settings, stage);
    let people = Accounts::start(store, time, notifier, settings, stage)?;
    Ok(Some(Callers { keys, people }))
}

/// What the buffer uses of the other parts.
pub fn buffer_services(
    store: &Store,
    view: &Cache,
    ingest: &Arc<Ingest>,
    owners: &Owners,
    retention: &RawRetention,
    operators: Sender<SystemAlert>,
    settings: &Settings,
) -> BufferServices {
    let retention = retention.clone();
    BufferServices {
        ingest: Arc::clone(ingest),
        comparer: Comparer::new(store),
        erased: Erased::new(store),
        owners: owners.clone(),
        device_zone: settings.device_zone(),
        oldest: Arc::new(move |received_at| retention.oldest(received_at)),
        view: view.clone(),
        operators,
    }
}

/// Logs a warning where health data leave this machine unencrypted.
async fn warn_of_plain_text(settings: &Settings, store: &Store, cache: &Cache) -> anyhow::Result<()> {
    if settings.listen.ip().is_loopback() {
        return Ok(());
    }
    if store.is_remote() {
        let (client, _driver) = store.session().await?;
        if encryption(&client).await? == Encryption::None {
            let server = store.server();
            tracing::warn!(
                server,
                "the connection to PostgreSQL is not encrypted: set sslmode=verify-full and sslrootcert in database_url"
            );
        }
    }
    if cache.is_remote() && !cache.is_encrypted() {
        let server = cache.server();
        tracing::warn!(
            server,
            "the connection to Redis is not encrypted: use rediss:// in redis_url, and redis.ca"
        );
    }
    Ok(())
}

/// Refuses a database whose schema does not serve this program.
///
/// # Errors
/// The error text says what to do.
pub async fn check_schema(store: &Store) -> anyhow::Result<()> {
    let state = schema::state(store).await.context("PostgreSQL")?;
    if let schema::State::NewerProgram { program, version } = &state {
        tracing::info!(version, "the schema is that of vitals {program}, and serves this program");
    }
    match state.problem(Program::this()) {
        Some(problem) => bail!(problem),
        None => Ok(()),
    }
}

/// Counts this instance as running from here on, so that the schema is not contracted under it.
///
/// # Errors
/// The schema was contracted since it was checked.
async fn count_as_running(store: &Store, settings: &Settings) -> anyhow::Result<Instance> {
    let instance = Instance::new(settings);
    match instance.beat(store).await {
        Ok(true) => {}
        Ok(false) => bail!("a newer program has just contracted the schema: run that program"),
        // A database that accepts no writes now may do so later; `/readyz` reports it.
        Err(error) => tracing::warn!(%error, "the database does not know that this instance runs"),
    }
    Ok(instance)
}

/// Refuses a database in which foreign functions could run in place of ours, and logs what was changed by hand.
async fn check_functions(store: &Store) -> anyhow::Result<()> {
    let findings = schema::audit(store).await?;
    if !findings.foreign_functions.is_empty() {
        bail!(
            "schema public holds functions or operators that could run in place of ours: {}. Check and drop them",
            findings.foreign_functions.join("; ")
        );
    }
    let Some(changes) = findings.changes else {
        tracing::warn!(
            "cannot tell whether the schema was changed by hand: another session has locked a table"
        );
        return Ok(());
    };
    for change in changes {
        tracing::warn!("not as `vitals migrate` left it: {change}");
    }
    Ok(())
}
