//! Numbers that follow from settings: time-outs as durations, how many writers there are, and how `max_bodies_bytes` is divided.

use std::time::Duration;

use super::Settings;

impl Settings {
    /// `connect_timeout_ms` as a duration.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// `statement_timeout_ms` as a duration.
    pub fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }

    /// `commit_deadline_ms` as a duration.
    pub fn commit_deadline(&self) -> Duration {
        Duration::from_millis(self.commit_deadline_ms)
    }

    /// Shards of the ingest: as set, else as many as cores, at least 2.
    pub fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            n => n,
        }
    }

    /// All writers of the ingest: one per shard, one for urgent events, one for other events and device information, one
    /// for old readings.
    pub fn writer_count(&self) -> usize {
        self.shard_count() + 3
    }

    /// The part of `max_bodies_bytes` that is reserved for events.
    pub const fn reserved_bodies_bytes(&self) -> usize {
        self.max_bodies_bytes / 16
    }

    /// The part of `max_bodies_bytes` that all uploads share.
    pub const fn shared_bodies_bytes(&self) -> usize {
        self.max_bodies_bytes - self.reserved_bodies_bytes()
    }

    /// The largest body, compressed and decompressed together.
    pub const fn largest_body_bytes(&self) -> usize {
        self.max_body_bytes.saturating_add(self.max_decompressed_bytes)
    }
}
