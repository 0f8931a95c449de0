//! Event streams of open pages, section `[stream]` of the file.

use confique::Config;

/// Event streams (`GET /api/stream`).
#[derive(Debug, Clone, Config)]
pub struct StreamSettings {
    /// Most event streams that may be open at a time: one for each open page. A further one is refused with 503 and Retry-After. Each is
    /// also a connection of `limits.max_connections`. 0: none.
    #[config(env = "VITALS_STREAM_MAX_OPEN", default = 500)]
    pub max_open: usize,

    /// How often it is checked whether whoever opened a stream may still see it, milliseconds: within so long it ends when the session,
    /// the key or the kiosk link ends.
    #[config(env = "VITALS_STREAM_CHECK_INTERVAL_MS", default = 5000)]
    pub check_interval_ms: u64,
}
