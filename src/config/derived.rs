//! What follows from settings: how many writers there are, and how `max_bodies_bytes` is shared out.

use super::Settings;

impl Settings {
    /// Writers of the ingest: as set, else the cores, at least 2.
    pub fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2)),
            n => n,
        }
    }

    /// All writers of the ingest: those of the shards, one for urgent events, one for other events and device information, one
    /// for readings of long ago.
    pub fn writer_count(&self) -> usize {
        self.shard_count() + 3
    }

    /// What of `max_bodies_bytes` is for events alone.
    pub const fn reserved_bodies_bytes(&self) -> usize {
        self.max_bodies_bytes / 16
    }

    /// What of it is for all.
    pub const fn shared_bodies_bytes(&self) -> usize {
        self.max_bodies_bytes - self.reserved_bodies_bytes()
    }

    /// The largest body, as sent and unpacked.
    pub const fn largest_body_bytes(&self) -> usize {
        self.max_body_bytes.saturating_add(self.max_decompressed_bytes)
    }
}
