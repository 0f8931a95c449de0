//! Errors of PostgreSQL, and the one table from SQLSTATE to what the caller should do.

use std::sync::Arc;

use tokio_postgres::error::SqlState;

use crate::language::{DatabaseRefusal, Text};

/// A failed statement or connection.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement or the connection failed.
    #[error("{statement}: {}", describe(.source))]
    Postgres {
        /// Name of the statement, as in `sql/queries`.
        statement: &'static str,
        /// What the driver reports. It is described in full; whoever prints the chain of causes prints it once.
        r#source: tokio_postgres::Error,
    },
    /// The server cannot be reached, does not let us in, or is not what the service needs.
    #[error("PostgreSQL at {server} (setting database_url): {cause}")]
    Server {
        /// Hosts and ports.
        server: Arc<str>,
        /// In the server's words, where it said any.
        cause: String,
        /// What it reported.
        state: Option<SqlState>,
    },
    /// No connection could be had from the pool.
    #[error("pool: {0}")]
    Pool(String),
    /// No answer within the deadline.
    #[error("{0}: no answer in time")]
    Timeout(&'static str),
    /// The schema cannot be brought up to date.
    #[error("migrate: {0}")]
    Migrate(String),
    /// The database is in a state the caller has to know about.
    #[error("{0}")]
    State(String),
}

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A retry may succeed at once (serialisation failure, deadlock).
    Retry,
    /// A unique key is taken.
    Conflict,
    /// These data will never be accepted.
    Refused,
    /// The database is away, starting, stopping or out of something; later.
    Down,
    /// An error that no other kind covers: a fault of this program.
    Bug,
}

impl StoreError {
    /// What the server says if it refused the data. It can be shown to the sender: of DETAIL it holds only what `vitals.refuse()`
    /// puts there.
    pub fn refusal(&self) -> Option<Text> {
        match (self.kind(), self) {
            (Kind::Refused | Kind::Conflict, Self::Postgres { source, .. }) => source
                .as_db_error()
                .map(|error| DatabaseRefusal::text_of_error(error.message(), error.detail())),
            _ => None,
        }
    }

    /// Whether the role may not do that.
    pub fn is_denied(&self) -> bool {
        self.is(&SqlState::INSUFFICIENT_PRIVILEGE)
    }

    /// Whether the server reported this state.
    pub(crate) fn is(&self, state: &SqlState) -> bool {
        match self {
            Self::Postgres { source, .. } => source.code() == Some(state),
            Self::Server { state: reported, .. } => reported.as_ref() == Some(state),
            _ => false,
        }
    }

    /// Whether the server refused a row by this constraint.
    pub(super) fn violates(&self, constraint: &str) -> bool {
        match self {
            Self::Postgres { source, .. } => {
                source.as_db_error().is_some_and(|error| error.constraint() == Some(constraint))
            }
            _ => false,
        }
    }

    /// Whether a reading is already stored, by the key of `health_data`. Any other unique index was made by a DBA, and a row that
    /// violates it is refused.
    pub fn is_repeat(&self) -> bool {
        match self {
            Self::Postgres { source, .. } => source.as_db_error().is_some_and(|error| {
                *error.code() == SqlState::UNIQUE_VIOLATION
                    && error.constraint().is_some_and(is_key_of_readings)
            }),
            _ => false,
        }
    }

    /// Whether a row will never be accepted: because of its data, or of a unique index that is not the key of readings.
    pub fn refuses_a_row(&self) -> bool {
        match self.kind() {
            Kind::Refused => true,
            Kind::Conflict => !self.is_repeat(),
            _ => false,
        }
    }

    /// Out of shared memory: this and other transactions hold more locks than the lock table has room for. Half as many rows may
    /// fit.
    pub fn is_out_of_locks(&self) -> bool {
        self.is(&SqlState::OUT_OF_MEMORY)
    }

    /// Cancelled: it took longer than `statement_timeout_ms`, or an administrator cancelled it. Half as many rows may succeed.
    pub fn is_cancelled(&self) -> bool {
        self.is(&SqlState::QUERY_CANCELED)
    }

    /// Another transaction holds a lock for longer than `lock_timeout`.
    pub fn is_locked_out(&self) -> bool {
        self.is(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// A [`Kind::Bug`] that one row may cause: an error in a trigger or a function, or the size of the row. Missing objects, missing
    /// rights and damaged files are never caused by a row.
    pub fn may_be_of_a_row(&self) -> bool {
        match self {
            Self::Postgres { source, .. } => source.code().is_some_and(may_be_of_a_row),
            _ => false,
        }
    }

    /// What the caller should do, from SQLSTATE alone.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Postgres { source, .. } => match source.code() {
                Some(state) => kind_of(state),
                None => Kind::Down,
            },
            Self::Server { .. } | Self::Pool(_) | Self::Timeout(_) => Kind::Down,
            Self::Migrate(_) | Self::State(_) => Kind::Bug,
        }
    }
}

/// The primary key of `health_data`: its own name, or, for a chunk, that behind two numbers.
fn is_key_of_readings(constraint: &str) -> bool {
    const KEY: &str = "health_data_pkey";
    let numbers = constraint.strip_suffix(KEY).map(|rest| rest.split_terminator('_'));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|mut numbers| numbers.all(is_number))
}

fn kind_of(state: &SqlState) -> Kind {
    if *state == SqlState::UNIQUE_VIOLATION {
        return Kind::Conflict;
    }
    if *state == SqlState::INSUFFICIENT_PRIVILEGE {
        return Kind::Bug;
    }
    match &state.code()[..2] {
        // serialisation failure, deadlock, lock not available
        "40" => Kind::Retry,
        "55" if *state == SqlState::LOCK_NOT_AVAILABLE => Kind::Retry,
        // data exception, integrity constraint violation
        "22" | "23" => Kind::Refused,
        // a trigger or function of a DBA refused it
        "P0" if *state == SqlState::RAISE_EXCEPTION => Kind::Refused,
        // connection, out of resources, operator intervention, I/O, read-only transaction, login refused,
        // object not in prerequisite state
        "08" | "53" | "57" | "58" | "25" | "28" | "55" => Kind::Down,
        _ => Kind::Bug,
    }
}

fn may_be_of_a_row(state: &SqlState) -> bool {
    if *state == SqlState::INTERNAL_ERROR {
        return true;
    }
    // triggered action exception, case not found, cardinality violation, triggered data change violation, SQL routine,
    // external routine and its invocation, with check option, program limit exceeded, PL/pgSQL
    matches!(&state.code()[..2], "09" | "20" | "21" | "27" | "2F" | "38" | "39" | "44" | "54" | "P0")
        && kind_of(state) == Kind::Bug
}

/// What happened, with all its causes.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        // The message, never DETAIL: that one quotes values.
        return format!("{} ({})", db.message(), db.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_sqlstate_says_what_to_do() {
        for (code, kind) in [
            ("40001", Kind::Retry),
            ("40P01", Kind::Retry),
            ("55P03", Kind::Retry),
            ("23505", Kind::Conflict),
            ("23514", Kind::Refused),
            ("22003", Kind::Refused),
            ("P0001", Kind::Refused),
            ("22021", Kind::Refused),
            ("57P01", Kind::Down),
            ("53100", Kind::Down),
            ("53200", Kind::Down),
            ("57014", Kind::Down),
            ("53300", Kind::Down),
            ("08006", Kind::Down),
            ("25006", Kind::Down),
            ("42P01", Kind::Bug),
            ("42501", Kind::Bug),
        ] {
            assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
        }
    }

    #[test]
    fn only_the_key_of_readings_tells_of_a_repeat() {
        for (constraint, ours) in [
            ("health_data_pkey", true),
            ("12_345_health_data_pkey", true),
            ("dba_health_data_pkey", false),
            ("_hyper_1_2_chunk_health_data_uq", false),
            ("device_info_pkey", false),
            ("1_2_other_pkey", false),
        ] {
            assert_eq!(is_key_of_readings(constraint), ours, "{constraint}");
        }
    }

    #[test]
    fn a_row_is_suspected_only_of_what_a_row_can_do() {
        for (code, suspected) in [
            ("XX000", true),
            ("P0004", true),
            ("54000", true),
            ("21000", true),
            ("XX001", false),
            ("42P01", false),
            ("42703", false),
            ("42501", false),
            ("0A000", false),
            ("P0001", false),
            ("23514", false),
            ("53100", false),
        ] {
            assert_eq!(may_be_of_a_row(&SqlState::from_code(code)), suspected, "{code}");
        }
    }
}
