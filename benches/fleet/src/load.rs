//! The load: one task per connection, each with one request in flight, paced or as fast as answers come.
//!
//! Before: `mod` gives each connection its `Source`. After: `report`.
//! Promise: with a rate, uploads are due by the clock, whatever the answers do, and latency counts from the time they
//! were due; an upload that was refused (503) or lost on the way is sent again, as a watch does, until the run ends;
//! what was sent is waited for.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use hyper::StatusCode;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::body;
use crate::client::{Answer, Connection, Failure, RETRY_AFTER_UNSAID, Target};
use crate::progress::Progress;
use crate::report::{LoadRecorder, PartReport};
use crate::source::{Batch, Kind, Source};
use crate::upload_log::{AcceptedUpload, UploadLog};

/// Connections that are opened at a time: below the backlog of a listener.
const OPENING_AT_ONCE: usize = 100;
/// Before an upload that failed is sent again, and before a lost connection is opened again.
const AFTER_FAILURE: Duration = Duration::from_millis(200);
/// Tallies, so that connections seldom wait for each other to count.
const TALLIES: usize = 16;
/// Longest that the last answers are waited for: the deadline of an answer and of a connection, and some.
const LAST_ANSWERS: Duration = Duration::from_secs(15);

/// How long and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Ends after this time; `None`: when the sources are empty.
    pub(super) lasts: Option<Duration>,
    /// Between two uploads of one connection; `None`: as fast as answers come.
    pub(super) every: Option<Duration>,
    /// What was refused goes when the next upload is due, not after the wait that was asked for.
    pub(super) impatient: bool,
}

/// Where uploads go, and who enters the accepted ones.
pub(super) struct Outlet {
    pub(super) target: Arc<Target>,
    pub(super) upload_log: Option<Arc<UploadLog>>,
}

/// What all connections of a run share.
struct Run {
    outlet: Outlet,
    bounds: Bounds,
    connections: usize,
    opening: Semaphore,
    gate: Barrier,
    began: OnceLock<Instant>,
    stopping: CancellationToken,
    recorders: Vec<Mutex<LoadRecorder>>,
}

/// Runs the sources, each over a connection of its own, until they are empty, the time is over, or `stop`.
///
/// # Errors
/// A task failed.
pub(super) async fn run(
    outlet: Outlet,
    sources: Vec<Source>,
    bounds: Bounds,
    stop: &CancellationToken,
    progress: &mut Progress,
) -> anyhow::Result<PartReport> {
    let run = Arc::new(Run {
        outlet,
        bounds,
        connections: sources.len(),
        opening: Semaphore::new(OPENING_AT_ONCE),
        gate: Barrier::new(sources.len()),
        began: OnceLock::new(),
        stopping: stop.clone(),
        recorders: (0..TALLIES.min(sources.len())).map(|_| Mutex::default()).collect(),
    });
    let mut workers = JoinSet::new();
    for (number, source) in sources.into_iter().enumerate() {
        let run = run.clone();
        workers
            .spawn(Worker { run, number, source, refused: None, connection: None, was_open: false }.work());
    }
    let overdue = async {
        stop.cancelled().await;
        sleep(LAST_ANSWERS).await;
    };
    tokio::pin!(overdue);
    let mut ticks = tokio::time::interval(progress.every());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                Some(ended) => ended.context("a connection of the fleet")?,
                None => break,
            },
            () = &mut overdue => break,
            _ = ticks.tick() => {
                if let Some(began) = run.began.get() {
                    progress.show(&run.sum(), began.elapsed());
                }
            }
        }
    }
    let (sum, took) = (run.sum(), run.began.get().map_or(Duration::ZERO, Instant::elapsed));
    progress.end(&sum, took);
    Ok(PartReport::new(&sum, took))
}

impl Run {
    fn sum(&self) -> LoadRecorder {
        let mut sum = LoadRecorder::default();
        for recorder in &self.recorders {
            sum.add(&lock(recorder));
        }
        sum
    }

    /// When the run is over; far away if nothing bounds it.
    fn over_at(&self) -> Instant {
        let began = self.began.get().copied().unwrap_or_else(Instant::now);
        began + self.bounds.lasts.unwrap_or(Duration::from_secs(100 * 365 * 86_400))
    }
}

fn lock(recorder: &Mutex<LoadRecorder>) -> MutexGuard<'_, LoadRecorder> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection, its devices, and its place in the schedule.
struct Worker {
    run: Arc<Run>,
    number: usize,
    source: Source,
    /// Refused, and to be sent in place of the next.
    refused: Option<Batch>,
    connection: Option<Connection>,
    was_open: bool,
}

impl Worker {
    async fn work(mut self) {
        // All begin together, so that opening connections is not measured.
        self.open().await.ok();
        self.run.gate.wait().await;
        let began = *self.run.began.get_or_init(Instant::now);
        let over_at = self.run.over_at();
        for device_index in 0_u32.. {
            let due = self.run.bounds.every.map(|every| {
                let stagger = every.mul_f64(self.number as f64 / self.run.connections as f64);
                began + stagger + every * device_index
            });
            if due.is_some_and(|due| due >= over_at) || !self.rest_until(due).await {
                break;
            }
            let Some(batch) = self.refused.take().or_else(|| self.source.next()) else { break };
            self.deliver(batch, due.unwrap_or_else(Instant::now), over_at).await;
        }
        if let Some(batch) = self.refused.take() {
            self.count(|recorder| recorder.counts.abandoned += u64::from(batch.records));
        }
    }

    /// Waits until the upload is due; false when the run is over before.
    async fn rest_until(&mut self, due: Option<Instant>) -> bool {
        let stopping = self.run.stopping.clone();
        if stopping.is_cancelled() || Instant::now() >= self.run.over_at() {
            return false;
        }
        let Some(due) = due else { return true };
        let resting = async {
            match &mut self.connection {
                Some(connection) => connection.rest_until(due).await,
                None => sleep_until(due).await,
            }
        };
        tokio::select! {
            () = stopping.cancelled() => false,
            () = resting => true,
        }
    }

    /// Sends the upload, again and again if it must be, until it is answered or the run is over.
    async fn deliver(&mut self, batch: Batch, due: Instant, over_at: Instant) {
        for attempts in 1.. {
            let wait = match self.attempt(&batch).await {
                Ok(Answer::Acknowledged(details)) => {
                    let delay = due.elapsed();
                    self.count(|recorder| {
                        recorder.took(delay);
                        acknowledge(recorder, &batch, details);
                    });
                    if let Some(upload_log) = &self.run.outlet.upload_log {
                        let upload = AcceptedUpload { at: Instant::now(), attempts, delay };
                        upload_log.accept(upload, body::records(&batch.body));
                    }
                    return self.source.acknowledged(batch);
                }
                Ok(Answer::Refused(wait)) => {
                    self.count(|recorder| recorder.refused(wait));
                    if self.run.bounds.impatient {
                        self.refused = Some(batch);
                        return;
                    }
                    wait.unwrap_or(RETRY_AFTER_UNSAID)
                }
                // A balancer says that no instance has answered: it is lost on the way.
                Ok(Answer::Other(status @ (StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT))) => {
                    self.count(|recorder| {
                        recorder.answered(status.as_u16());
                        recorder.failed(&format!("status {}", status.as_u16()));
                    });
                    AFTER_FAILURE
                }
                Ok(Answer::Other(status)) => {
                    return self.count(|recorder| {
                        recorder.answered(status.as_u16());
                        recorder.failed(&format!("status {}", status.as_u16()));
                        recorder.counts.abandoned += u64::from(batch.records);
                    });
                }
                Err(failure) => {
                    self.connection = None;
                    self.count(|recorder| recorder.failed(&failure.to_string()));
                    AFTER_FAILURE
                }
            };
            let retry_at = Instant::now() + wait;
            let stopping = self.run.stopping.clone();
            let over = tokio::select! {
                () = stopping.cancelled() => true,
                () = sleep_until(retry_at.min(over_at)) => retry_at >= over_at,
            };
            if over {
                return self.count(|recorder| recorder.counts.abandoned += u64::from(batch.records));
            }
        }
    }

    async fn attempt(&mut self, batch: &Batch) -> Result<Answer, Failure> {
        if !self.connection.as_ref().is_some_and(Connection::is_open) {
            self.open().await?;
        }
        self.count(|recorder| {
            recorder.counts.requests += 1;
            recorder.counts.body_bytes += batch.body.len() as u64;
        });
        let connection = self.connection.as_mut().ok_or(Failure::Connect)?;
        connection.upload(&self.run.outlet.target, batch.body.clone()).await
    }

    async fn open(&mut self) -> Result<(), Failure> {
        if self.was_open {
            self.count(|recorder| recorder.counts.reconnects += 1);
        }
        let _permit = self.run.opening.acquire().await.map_err(|_| Failure::Connect)?;
        self.connection = None;
        self.connection = Some(self.run.outlet.target.connect().await?);
        self.was_open = true;
        Ok(())
    }

    fn count(&self, with: impl FnOnce(&mut LoadRecorder)) {
        with(&mut lock(&self.run.recorders[self.number % self.run.recorders.len()]));
    }
}

fn acknowledge(recorder: &mut LoadRecorder, batch: &Batch, details: crate::client::Details) {
    let records = u64::from(batch.records);
    recorder.answered(200);
    if details.success + details.duplicate + details.error != records {
        recorder.failed("unbalanced answer");
    }
    if details.error > 0 {
        recorder.failed("rejected records");
    }
    let counts = &mut recorder.counts;
    counts.acknowledged += records;
    counts.stored += details.success;
    counts.duplicate += details.duplicate;
    counts.rejected += details.error;
    match batch.kind {
        Kind::Repeat => counts.repeated += records,
        Kind::Late => counts.late += records,
        Kind::New => {}
    }
}
