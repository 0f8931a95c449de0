//! A line of the log of a watch.
//!
//! Before: `wire::watch_log` reads it from an upload. After: `store::watch_log` keeps it.
//! Promise: its texts are bounded and PostgreSQL can keep them.

use jiff::Timestamp;

/// Longest content that is kept, bytes of UTF-8; the rest is cut off.
pub const MAX_CONTENT_BYTES: usize = 16 * 1024;

/// Longest level of a line, bytes of UTF-8.
pub const MAX_LEVEL_BYTES: usize = 32;

/// One row of `watch_log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchLogLine {
    /// Serial of the device; `None`: none that can be read.
    pub device_sn: Option<String>,
    /// When the device wrote it.
    pub ts: Timestamp,
    /// Its level, as the device names it.
    pub level: Option<String>,
    /// The line.
    pub content: String,
    /// Tenant of the device; `None`: not known.
    pub customer_id: Option<i64>,
}

impl WatchLogLine {
    /// Memory it takes, bytes.
    pub fn memory_bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        size_of::<Self>() + text(&self.device_sn) + text(&self.level) + self.content.capacity()
    }
}
