//! Who looks, and the transaction that is narrowed to what they may see.

use deadpool_postgres::{Object, Transaction};

use super::rows::Query;
use crate::store::alert::Reach;
use crate::store::{StatementTimeout, Store, StoreError};

/// Whose data is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Nobody's.
    Nobody,
    /// Of every tenant.
    EveryTenant,
    /// Of one tenant.
    Tenant(i64),
    /// Of one organisation unit of a tenant, its sub-units too.
    Unit {
        /// The tenant.
        customer_id: i64,
        /// The unit.
        org_id: i64,
    },
}

impl Viewer {
    /// What a key, or a session, of this reach may see. A key without a tenant is one of every tenant.
    #[must_use]
    pub fn of_key(reach: Reach) -> Self {
        match (reach.customer_id, reach.org_id) {
            (None, None) => Self::EveryTenant,
            (Some(customer_id), None) => Self::Tenant(customer_id),
            (Some(customer_id), Some(org_id)) => Self::Unit { customer_id, org_id },
            (None, Some(_)) => Self::Nobody,
        }
    }

    /// The same, but of this tenant only. Of another tenant than its own it sees nothing.
    #[must_use]
    pub fn within(self, tenant: i64) -> Self {
        match self {
            Self::EveryTenant => Self::Tenant(tenant),
            Self::Tenant(own) | Self::Unit { customer_id: own, .. } if own == tenant => self,
            Self::Nobody | Self::Tenant(_) | Self::Unit { .. } => Self::Nobody,
        }
    }

    /// The statements that narrow a transaction.
    fn narrowing(self) -> String {
        let read_only = "set transaction read only;";
        match self {
            Self::Nobody => format!("{read_only} select dashboard.use_tenant(variadic '{{}}')"),
            Self::EveryTenant => read_only.to_owned(),
            Self::Tenant(customer_id) => format!("{read_only} select dashboard.use_tenant({customer_id})"),
            Self::Unit { customer_id, org_id } => {
                format!(
                    "{read_only} select dashboard.use_tenant({customer_id}), dashboard.use_unit({org_id})"
                )
            }
        }
    }

    /// Begins a transaction that reads what this viewer may see.
    pub(super) async fn begin(self, client: &mut Object) -> Result<Transaction<'_>, StoreError> {
        StatementTimeout::Default.begin(client, &self.narrowing()).await
    }

    /// The same for an export, which waits for whoever receives it.
    pub(super) async fn begin_export(self, client: &mut Object) -> Result<Transaction<'_>, StoreError> {
        let settings = format!("set local idle_in_transaction_session_timeout = '60s'; {}", self.narrowing());
        StatementTimeout::Default.begin(client, &settings).await
    }

    /// Ends such a transaction.
    pub(super) async fn end(transaction: Transaction<'_>) -> Result<(), StoreError> {
        transaction.commit().await.map_err(|source| StoreError::Postgres { statement: "commit", source })
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub(crate) async fn read<T: Send + 'static>(
        self,
        store: &Store,
        mut query: Query<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut client = store.client().await?;
        let transaction = self.begin(&mut client).await?;
        let rows = query.read(&transaction).await?;
        Self::end(transaction).await?;
        Ok(rows)
    }
}
