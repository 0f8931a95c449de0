//! Where reads that change nothing may go besides the primary.

use std::time::Duration;

use confique::Config;

use super::Settings;

/// Reading from standbys.
#[derive(Debug, Clone, Config)]
pub struct ReadSettings {
    /// Standbys of `database_url` that answer lists, summaries and statistics of the HTTP API, in the same form; of several hosts any
    /// standby is used. Empty: everything is read from the primary.
    #[config(env = "VITALS_READ_DATABASE_URL", default = "")]
    pub database_url: String,

    /// How far a standby may be behind to be read from, milliseconds; else the primary is read. A change made through the API is read
    /// at once by whoever asks the API.
    #[config(env = "VITALS_READ_MAX_LAG_MS", default = 1000)]
    pub max_lag_ms: u64,
}

impl ReadSettings {
    /// Statistics are counted on in steps of a minute, which a standby must have by then.
    const LONGEST_LAG_MS: u64 = 30_000;

    /// `max_lag_ms` as a duration.
    pub const fn max_lag(&self) -> Duration {
        Duration::from_millis(self.max_lag_ms)
    }

    /// Why they are invalid; `None`: they are valid.
    pub(super) fn invalid_reason(&self) -> Option<String> {
        let is_valid = (100..=Self::LONGEST_LAG_MS).contains(&self.max_lag_ms);
        (!is_valid).then(|| {
            format!("read.max_lag_ms = {} is not from 100 to {}", self.max_lag_ms, Self::LONGEST_LAG_MS)
        })
    }
}

impl Settings {
    /// The settings of a pool for standbys; `None`: there are none.
    pub fn of_standbys(&self) -> Option<Self> {
        let database_url = self.read.database_url.clone();
        (!database_url.is_empty()).then(|| Self { database_url, ..self.clone() })
    }
}
