//! What follows from settings: the name of the instance, zone and language, time-outs as durations, how many writers there are, and how
//! `max_bodies_bytes` is divided.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{BufferMode, Settings};
use crate::language::Locale;

impl Settings {
    /// Name of this instance.
    pub fn instance_name(&self) -> String {
        if self.instance.is_empty() { format!("pid-{}", std::process::id()) } else { self.instance.clone() }
    }

    /// Time zone of device times that name none; [`Settings::check`] has checked it.
    pub fn device_zone(&self) -> TimeZone {
        TimeZone::get(&self.device_time_zone).expect("checked at start")
    }

    /// Time zone in which days are cut; [`Settings::check`] has checked it.
    pub fn rollup_zone(&self) -> TimeZone {
        TimeZone::get(&self.rollup_time_zone).expect("checked at start")
    }

    /// Language and time zone of whoever asks for no others.
    pub fn locale(&self) -> Locale {
        Locale { language: self.language, zone: self.device_zone() }
    }

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

    /// Longest wait for a key that is not cached: as for a commit, or a part of it where the buffer is to have the rest.
    pub fn key_timeout(&self) -> Duration {
        if self.keeps_uploads() { self.buffer_after() } else { self.commit_deadline() }
    }

    /// Whether the buffer keeps uploads that PostgreSQL cannot store.
    pub fn keeps_uploads(&self) -> bool {
        self.buffer != BufferMode::Off && !self.buffer_shadow
    }

    /// `buffer_after_ms` as a duration.
    pub fn buffer_after(&self) -> Duration {
        Duration::from_millis(self.buffer_after_ms)
    }

    /// Shards of the ingest: as set, else as many as cores, 2 to 32.
    pub fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 32)),
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
