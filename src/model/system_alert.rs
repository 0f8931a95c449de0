//! A condition of the service itself that operators are notified of.
//!
//! Before: `monitor` finds it. After: `notify` notifies operators, `/api/system_alerts` shows it.

use jiff::Timestamp;

use crate::language::Text;

/// What may be wrong with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemCondition {
    /// Uploads are refused or fail.
    HighErrorRate,
    /// A writer cannot keep up.
    QueueNearOverflow,
    /// The process takes nearly all the memory it may.
    Memory,
    /// What was committed waits for its reaction.
    ProcessingLag,
    /// Rows wait and none is committed.
    WriterStopped,
    /// PostgreSQL does not answer, or does not commit: a full disk.
    PostgresAway,
    /// Redis does not answer.
    RedisAway,
    /// The rollups are not refreshed.
    RollupsLate,
    /// Jobs of TimescaleDB do not do their work.
    Jobs,
    /// The buffer takes no uploads.
    BufferAway,
    /// The buffer can take few more uploads.
    BufferNearFull,
    /// What is in the buffer is not stored.
    BufferLate,
    /// An urgent event waits in the buffer, and no rule has been evaluated.
    UrgentEvent,
}

impl SystemCondition {
    /// Every one that `monitor` evaluates: all but [`Self::UrgentEvent`], which `buffer` reports.
    pub const ALL: [Self; 12] = [
        Self::HighErrorRate,
        Self::QueueNearOverflow,
        Self::Memory,
        Self::ProcessingLag,
        Self::WriterStopped,
        Self::PostgresAway,
        Self::RedisAway,
        Self::RollupsLate,
        Self::Jobs,
        Self::BufferAway,
        Self::BufferNearFull,
        Self::BufferLate,
    ];

    /// The word in answers, messages and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HighErrorRate => "high_error_rate",
            Self::QueueNearOverflow => "queue_near_overflow",
            Self::Memory => "memory",
            Self::ProcessingLag => "processing_lag",
            Self::WriterStopped => "writer_stopped",
            Self::PostgresAway => "postgres_away",
            Self::RedisAway => "redis_away",
            Self::RollupsLate => "rollups_late",
            Self::Jobs => "jobs",
            Self::BufferAway => "buffer_away",
            Self::BufferNearFull => "buffer_near_full",
            Self::BufferLate => "buffer_late",
            Self::UrgentEvent => "urgent_event",
        }
    }

    /// `critical`: data is refused, or people are not notified; `major`: that will happen, or only a view is out of date.
    pub const fn severity(self) -> &'static str {
        match self {
            Self::Memory | Self::RedisAway | Self::RollupsLate | Self::Jobs => "major",
            _ => "critical",
        }
    }
}

/// One of them, from its beginning to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemAlert {
    /// What is wrong.
    pub condition: SystemCondition,
    /// The instance that has the condition.
    pub instance: String,
    /// Since when it is so.
    pub started_at: Timestamp,
    /// When operators were notified.
    pub fired_at: Timestamp,
    /// When it was over; `None`: it is not.
    pub ended_at: Option<Timestamp>,
    /// The worst figure so far, in the unit of `threshold`.
    pub value: f64,
    /// The value from which on it is reported.
    pub threshold: f64,
    /// For a person.
    pub message: Text,
}
