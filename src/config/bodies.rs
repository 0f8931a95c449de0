//! How `max_bodies_bytes` is shared out.

use super::Settings;

impl Settings {
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
