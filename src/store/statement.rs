//! A hot statement: a file of `sql/queries`, prepared once per connection, timed under its own name.

use std::time::Instant;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::StoreError;
use crate::telemetry::names;

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
    /// Runs it and gives the rows.
    pub(crate) async fn query<C: GenericClient>(
        &self,
        client: &C,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.timed(async {
            let prepared = client.prepare_cached(self.sql).await?;
            client.query(&prepared, parameters).await
        })
        .await
    }

    /// Runs it and gives the number of rows it touched.
    pub(crate) async fn execute<C: GenericClient>(
        &self,
        client: &C,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        self.timed(async {
            let prepared = client.prepare_cached(self.sql).await?;
            client.execute(&prepared, parameters).await
        })
        .await
    }

    async fn timed<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let result = work.await;
        metrics::histogram!(names::STATEMENT_SECONDS, "statement" => self.name).record(started.elapsed());
        result.map_err(|source| StoreError::Postgres { statement: self.name, source })
    }
}
