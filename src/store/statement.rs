//! A statement: a file of `sql/queries`, prepared once per connection, measured under its own name.

use std::time::Instant;

use deadpool_postgres::{GenericClient, Object, Transaction};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use tracing::Instrument;

use super::StoreError;
use crate::telemetry::{names, trace};

/// A statement and its name: `outbox.claim` is `sql/queries/outbox/claim.sql` is `store::outbox::claim`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// `statement!("outbox", "claim")`: the file `sql/queries/outbox/claim.sql` under the name `outbox.claim`.
macro_rules! statement {
    ($folder:literal, $file:literal) => {
        $crate::store::Statement {
            name: concat!($folder, ".", $file),
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/sql/queries/",
                $folder,
                "/",
                $file,
                ".sql"
            )),
        }
    };
}
pub(crate) use statement;

impl Statement {
    /// Prepares it on this connection unless it is prepared; then running it takes one round trip.
    pub(crate) async fn prepare<C: GenericClient>(&self, client: &C) -> Result<(), StoreError> {
        match client.prepare_cached(self.sql).await {
            Ok(_) => Ok(()),
            Err(source) => Err(StoreError::Postgres { statement: self.name, source }),
        }
    }

    /// Runs it and returns the rows.
    pub(crate) async fn query<C: GenericClient>(
        &self,
        client: &C,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let work = async {
            let prepared = client.prepare_cached(self.sql).await?;
            client.query(&prepared, parameters).await
        };
        self.named(timed(self.name, work).await)
    }

    /// Runs it and returns the number of affected rows.
    pub(crate) async fn execute<C: GenericClient>(
        &self,
        client: &C,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let work = async {
            let prepared = client.prepare_cached(self.sql).await?;
            client.execute(&prepared, parameters).await
        };
        self.named(timed(self.name, work).await)
    }

    /// Parses, plans and runs it in one round trip, and returns the rows. For statements whose plan should depend on
    /// the values (a time range leaves out chunks) or on a table that is empty now and full later (the outbox).
    pub(crate) async fn query_unprepared<C: tokio_postgres::GenericClient + Sync>(
        &self,
        client: &C,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.named(timed(self.name, client.query_typed(self.sql, parameters)).await)
    }

    fn named<T>(&self, result: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        result.map_err(|source| StoreError::Postgres { statement: self.name, source })
    }
}

/// Measures a statement under its name, and adds it to the current trace.
pub(super) async fn timed<T>(statement: &'static str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.instrument(trace::child!("statement", otel.name = statement)).await;
    metrics::histogram!(names::STATEMENT_SECONDS, "statement" => statement).record(started.elapsed());
    done
}

/// How long a statement of a transaction may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementTimeout {
    /// `statement_timeout_ms`.
    Default,
    /// No limit: an import may have any size. TCP still detects a server that is gone.
    None,
}

impl StatementTimeout {
    /// Begins a transaction with this timeout and with `settings`, which end with it (`set local …`).
    pub(crate) async fn begin<'a>(
        self,
        client: &'a mut Object,
        settings: &str,
    ) -> Result<Transaction<'a>, StoreError> {
        let failed = |source| StoreError::Postgres { statement: "begin", source };
        let transaction = client.transaction().await.map_err(failed)?;
        let settings = match self {
            Self::Default => settings.to_owned(),
            Self::None => format!("set local statement_timeout = 0; {settings}"),
        };
        transaction.batch_execute(&settings).await.map_err(failed)?;
        Ok(transaction)
    }
}
