//! Which conditions hold, since when, and what has changed. Pure: the observation and the time are parameters.
//!
//! Before: `monitor` has sampled. After: it reports the changes. Promise: a condition is reported once, after it has held
//! without a gap for the configured time; its end is reported once too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{LATE, Snapshot};
use crate::language::{Text, text};
use crate::model::{BufferStatus, SystemAlert, SystemCondition as Condition};
use crate::store::job::Job;

/// Share of the records of the last minute that fail; watches keep them, but not for ever.
const ERROR_RATE: f64 = 0.05;

/// Share of a queue. At all of it uploads are refused.
const QUEUE_USE: f64 = 0.8;

/// Share of the memory the process may use.
const MEMORY_USE: f64 = 0.9;

/// Share of `buffer_max_bytes`. At all of it the buffer takes no uploads.
const BUFFER_USE: f64 = 0.7;

/// How long rows may wait for a writer that commits nothing, seconds.
const STOPPED_SECONDS: f64 = 30.0;

/// What a sample observed.
#[derive(Debug)]
pub(super) struct Observation<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) postgres_answers: bool,
    pub(super) redis_answers: bool,
    /// How long the oldest committed transaction has waited for its reaction. `None`: PostgreSQL did not answer.
    pub(super) lag: Option<Duration>,
    /// For how long a refresh of the rollups has been due. `None`: PostgreSQL did not answer.
    pub(super) refresh_due: Option<Duration>,
    /// The jobs of TimescaleDB. `None`: PostgreSQL did not answer.
    pub(super) jobs: Option<&'a [Job]>,
    /// The buffer. `None`: the settings want none.
    pub(super) buffer: Option<&'a BufferStatus>,
}

impl Observation<'_> {
    /// A condition that only PostgreSQL can report does not end because PostgreSQL is away.
    fn is_unknown(&self, condition: Condition) -> bool {
        match condition {
            Condition::ProcessingLag => self.lag.is_none(),
            Condition::RollupsLate => self.refresh_due.is_none(),
            Condition::Jobs => self.jobs.is_none() || self.refresh_due.is_none(),
            _ => false,
        }
    }
}

/// A condition that holds now.
#[derive(Debug, PartialEq)]
struct ConditionValue {
    value: f64,
    threshold: f64,
    message: Text,
}

#[derive(Debug)]
struct ActiveCondition {
    began: Instant,
    alert: SystemAlert,
    reported: bool,
}

/// All conditions.
#[derive(Debug)]
pub(super) struct Alarms {
    instance: String,
    after: Duration,
    active: BTreeMap<Condition, ActiveCondition>,
    /// Since when rows wait for a writer that commits nothing, by its index.
    stalled: BTreeMap<usize, (Instant, u64)>,
}

impl Alarms {
    /// Reports conditions that have held for `after`.
    pub(super) fn new(instance: String, after: Duration) -> Self {
        Self { instance, after, active: BTreeMap::new(), stalled: BTreeMap::new() }
    }

    /// Those that were reported and have not ended.
    pub(super) fn firing(&self) -> impl Iterator<Item = &SystemAlert> {
        self.active.values().filter(|active| active.reported).map(|active| &active.alert)
    }

    /// The conditions that this observation makes fire, and those that it ends.
    pub(super) fn evaluate(
        &mut self,
        observed: &Observation<'_>,
        now: Instant,
        at: Timestamp,
    ) -> Vec<SystemAlert> {
        let stopped = self.stopped(observed, now);
        let mut changed = Vec::new();
        for condition in Condition::ALL {
            let current = match condition {
                Condition::WriterStopped => stopped.as_ref().map(|(seconds, shard)| ConditionValue {
                    value: *seconds,
                    threshold: STOPPED_SECONDS,
                    message: text!(
                        "system-writer-stopped",
                        writer = shard.as_str(),
                        seconds = seconds.round()
                    ),
                }),
                _ => condition_value(condition, observed),
            };
            match current {
                Some(current) => changed.extend(self.record(condition, current, now, at)),
                None if observed.is_unknown(condition) => {}
                None => {
                    let ended = self.active.remove(&condition).filter(|active| active.reported);
                    changed.extend(ended.map(|active| SystemAlert { ended_at: Some(at), ..active.alert }));
                }
            }
        }
        changed
    }

    fn record(
        &mut self,
        condition: Condition,
        current: ConditionValue,
        now: Instant,
        at: Timestamp,
    ) -> Option<SystemAlert> {
        let ConditionValue { value, threshold, message } = current;
        let active = self.active.entry(condition).or_insert_with(|| ActiveCondition {
            began: now,
            alert: SystemAlert {
                condition,
                instance: self.instance.clone(),
                started_at: at,
                fired_at: at,
                ended_at: None,
                value,
                threshold,
                message: message.clone(),
            },
            reported: false,
        });
        if value >= active.alert.value {
            active.alert.value = value;
            active.alert.message = message;
        }
        if active.reported || now.duration_since(active.began) < self.after {
            return None;
        }
        active.reported = true;
        active.alert.fired_at = at;
        Some(active.alert.clone())
    }

    /// The writer that has committed nothing for the longest time, beyond the bound.
    fn stopped(&mut self, observed: &Observation<'_>, now: Instant) -> Option<(f64, String)> {
        let mut longest: Option<(f64, String)> = None;
        for (index, shard) in observed.snapshot.shards.iter().enumerate() {
            if shard.queue_rows == 0 {
                self.stalled.remove(&index);
                continue;
            }
            let entry = self.stalled.entry(index).or_insert((now, shard.batches));
            if entry.1 != shard.batches {
                *entry = (now, shard.batches);
            }
            let seconds = now.duration_since(entry.0).as_secs_f64();
            if seconds >= STOPPED_SECONDS && longest.as_ref().is_none_or(|(most, _)| seconds > *most) {
                longest = Some((seconds, shard.name.clone()));
            }
        }
        longest
    }
}

/// Whether a condition holds by this observation alone.
fn condition_value(condition: Condition, observed: &Observation<'_>) -> Option<ConditionValue> {
    let above = |value: f64, threshold: f64, message: Text| {
        (value > threshold).then_some(ConditionValue { value, threshold, message })
    };
    let away = |answers: bool, message: Text| {
        (!answers).then_some(ConditionValue { value: 1.0, threshold: 1.0, message })
    };
    match condition {
        Condition::HighErrorRate => {
            let rate = observed.snapshot.error_rate();
            above(rate, ERROR_RATE, text!("system-high-error-rate", percent = (rate * 100.0).round()))
        }
        Condition::QueueNearOverflow => {
            let (share, shard) = observed.snapshot.fullest();
            let percent = (share * 100.0).round();
            above(share, QUEUE_USE, text!("system-queue-near-overflow", writer = shard, percent = percent))
        }
        Condition::Memory => {
            let usage = observed.snapshot.usage;
            let (used, limit) = (usage.memory_bytes >> 20, usage.memory_limit_bytes >> 20);
            above(usage.memory(), MEMORY_USE, text!("system-memory", used = used, limit = limit))
        }
        Condition::ProcessingLag => {
            let seconds = observed.lag?.as_secs_f64();
            above(seconds, LATE.as_secs_f64(), text!("system-processing-lag", seconds = seconds.round()))
        }
        Condition::WriterStopped | Condition::UrgentEvent => None,
        Condition::PostgresAway => away(observed.postgres_answers, text!("system-postgres-away")),
        Condition::RedisAway => away(observed.redis_answers, text!("system-redis-away")),
        Condition::RollupsLate => {
            let seconds = observed.refresh_due?.as_secs_f64();
            above(seconds, LATE.as_secs_f64(), text!("system-rollups-late", seconds = seconds.round()))
        }
        Condition::Jobs => {
            let refreshed = observed.refresh_due? <= LATE;
            let wrong: Vec<&Job> = observed.jobs?.iter().filter(|job| job.needs_somebody()).collect();
            let finding = |job: &&Job| Some(format!("job {} {}", job.name, job.finding(refreshed)?));
            let findings: Vec<String> = wrong.iter().filter_map(finding).collect();
            #[expect(clippy::cast_precision_loss, reason = "a few")]
            above(wrong.len() as f64, 0.0, text!("system-jobs", findings = findings.join("; ")))
        }
        Condition::BufferAway => {
            let reason = observed.buffer?.refusal.as_deref();
            away(reason.is_none(), text!("system-buffer-away", reason = reason.unwrap_or_default()))
        }
        Condition::BufferNearFull => {
            let used = observed.buffer?.used();
            above(used, BUFFER_USE, text!("system-buffer-near-full", percent = (used * 100.0).round()))
        }
        Condition::BufferLate => {
            let seconds = observed.buffer?.oldest.as_secs_f64();
            above(seconds, LATE.as_secs_f64(), text!("system-buffer-late", seconds = seconds.round()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{RecordCounts, WriterStatus};
    use crate::monitor::Usage;
    use crate::store::job::JobState;

    fn snapshot(queue_rows: usize, recent: RecordCounts, batches: u64) -> Snapshot {
        let shard = WriterStatus {
            name: "0".into(),
            queue_rows,
            queue_capacity: 100,
            counts: recent,
            batches,
            committed_at: None,
        };
        Snapshot {
            uptime: Duration::from_secs(100),
            shards: vec![shard],
            recent: vec![recent],
            covers: Duration::from_secs(60),
            usage: Usage { memory_bytes: 50 << 20, memory_limit_bytes: 100 << 20, cpu: 0.5 },
        }
    }

    fn job(state: JobState) -> Job {
        let name = "refresh_rollups_job".into();
        Job { id: Some(1000), name, state, seconds: 400.0, failures: 2, words: None }
    }

    fn buffer(bytes: u64) -> BufferStatus {
        BufferStatus { bytes, max_bytes: 100, ..BufferStatus::default() }
    }

    fn healthy(snapshot: &Snapshot) -> Observation<'_> {
        Observation {
            snapshot,
            postgres_answers: true,
            redis_answers: true,
            lag: Some(Duration::ZERO),
            refresh_due: Some(Duration::ZERO),
            jobs: Some(&[]),
            buffer: None,
        }
    }

    struct Clock {
        alarms: Alarms,
        start: Instant,
    }

    impl Clock {
        fn new() -> Self {
            Self { alarms: Alarms::new("a".into(), Duration::from_secs(60)), start: Instant::now() }
        }

        fn evaluate_at(&mut self, second: i64, observed: &Observation<'_>) -> Vec<(&'static str, bool)> {
            let now = self.start + Duration::from_secs(second.unsigned_abs());
            let at = Timestamp::from_second(1_000_000 + second).expect("a time");
            let changed = self.alarms.evaluate(observed, now, at);
            changed.iter().map(|alert| (alert.condition.name(), alert.ended_at.is_some())).collect()
        }
    }

    #[test]
    fn a_lasting_condition_is_reported_once_and_so_is_its_end() {
        let snapshot = snapshot(0, RecordCounts::default(), 0);
        let away = Observation { redis_answers: false, ..healthy(&snapshot) };
        let mut clock = Clock::new();
        assert!(clock.evaluate_at(0, &healthy(&snapshot)).is_empty());
        assert!(clock.evaluate_at(5, &away).is_empty());
        assert!(clock.evaluate_at(60, &away).is_empty());
        assert_eq!(clock.evaluate_at(65, &away), [("redis_away", false)]);
        assert_eq!(clock.alarms.firing().count(), 1);
        assert!(clock.evaluate_at(70, &away).is_empty());
        assert_eq!(clock.evaluate_at(75, &healthy(&snapshot)), [("redis_away", true)]);
        assert_eq!(clock.alarms.firing().count(), 0);
    }

    #[test]
    fn a_passing_condition_is_not_reported() {
        let snapshot = snapshot(0, RecordCounts::default(), 0);
        let away = Observation { postgres_answers: false, lag: None, ..healthy(&snapshot) };
        let mut clock = Clock::new();
        for second in (0..600).step_by(50) {
            assert!(clock.evaluate_at(second, &away).is_empty());
            assert!(clock.evaluate_at(second + 40, &healthy(&snapshot)).is_empty());
        }
    }

    #[test]
    fn every_condition_has_a_bound() {
        let bad = RecordCounts { failed: 6, stored: 94, ..RecordCounts::default() };
        let good = RecordCounts { failed: 5, stored: 95, ..RecordCounts::default() };
        let mut full = snapshot(81, bad, 0);
        full.usage.memory_bytes = 91 << 20;
        let jobs = [job(JobState::Overdue)];
        let bad_buffer = BufferStatus {
            refusal: Some("it is gone".into()),
            oldest: Duration::from_millis(300_001),
            ..buffer(71)
        };
        let worst = Observation {
            snapshot: &full,
            postgres_answers: false,
            redis_answers: false,
            lag: Some(Duration::from_millis(300_001)),
            refresh_due: Some(Duration::from_millis(300_001)),
            jobs: Some(&jobs),
            buffer: Some(&bad_buffer),
        };
        let mut clock = Clock::new();
        clock.evaluate_at(0, &worst);
        let mut reported: Vec<&str> =
            clock.evaluate_at(60, &worst).into_iter().map(|(name, _)| name).collect();
        reported.extend(clock.evaluate_at(120, &worst).into_iter().map(|(name, _)| name));
        reported.sort_unstable();
        let mut all = Condition::ALL.map(Condition::name);
        all.sort_unstable();
        assert_eq!(reported, all);

        let mut clock = Clock::new();
        for look in 0..30_i64 {
            let mut nearly = snapshot(80, good, look.unsigned_abs());
            nearly.usage.memory_bytes = 90 << 20;
            let jobs = [job(JobState::Ok), job(JobState::FailedAfterWork)];
            let late = Some(Duration::from_secs(300));
            let busy = BufferStatus { oldest: Duration::from_secs(300), ..buffer(70) };
            let observed = Observation {
                lag: late,
                refresh_due: late,
                jobs: Some(&jobs),
                buffer: Some(&busy),
                ..healthy(&nearly)
            };
            assert!(clock.evaluate_at(look * 20, &observed).is_empty(), "{:?}", clock.alarms.active);
        }
    }

    #[test]
    fn a_writer_that_commits_does_not_stand_still() {
        let mut clock = Clock::new();
        for look in 0..40_i64 {
            let busy = snapshot(50, RecordCounts::default(), look.unsigned_abs());
            assert!(clock.evaluate_at(look * 5, &healthy(&busy)).is_empty());
        }
        let stuck = snapshot(50, RecordCounts::default(), 39);
        let reported: Vec<_> =
            (40..60).flat_map(|look| clock.evaluate_at(look * 5, &healthy(&stuck))).collect();
        assert_eq!(reported, [("writer_stopped", false)]);
        let idle = snapshot(0, RecordCounts::default(), 39);
        assert_eq!(clock.evaluate_at(300, &healthy(&idle)), [("writer_stopped", true)]);
    }

    #[test]
    fn what_only_postgres_can_report_does_not_end_while_postgres_is_away() {
        let snapshot = snapshot(0, RecordCounts::default(), 0);
        let late = Observation { lag: Some(Duration::from_secs(400)), ..healthy(&snapshot) };
        let mut clock = Clock::new();
        clock.evaluate_at(0, &late);
        assert_eq!(clock.evaluate_at(60, &late), [("processing_lag", false)]);
        assert!(
            clock
                .evaluate_at(65, &Observation { postgres_answers: false, lag: None, ..healthy(&snapshot) })
                .is_empty()
        );
        assert_eq!(clock.evaluate_at(70, &healthy(&snapshot)), [("processing_lag", true)]);

        let jobs = [job(JobState::Missing)];
        let wrong = Observation {
            refresh_due: Some(Duration::from_secs(400)),
            jobs: Some(&jobs),
            ..healthy(&snapshot)
        };
        clock.evaluate_at(100, &wrong);
        assert_eq!(clock.evaluate_at(160, &wrong), [("rollups_late", false), ("jobs", false)]);
        assert!(clock.evaluate_at(165, &Observation { refresh_due: None, ..wrong }).is_empty());
        let away = Observation { refresh_due: None, jobs: None, ..healthy(&snapshot) };
        assert!(clock.evaluate_at(170, &away).is_empty());
        assert_eq!(clock.evaluate_at(175, &healthy(&snapshot)), [("rollups_late", true), ("jobs", true)]);
    }
}
