//! The lock table of the server, and what all chunks together take of it.
//!
//! Before: `vitals check` asks. After: an operator raises `max_locks_per_transaction` before a query fails with SQLSTATE 53200.

use super::{Store, StoreError, statement};

/// What there is, and what is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTable {
    /// The setting `max_locks_per_transaction`.
    pub per_transaction: i64,
    /// Transactions there may be at a time.
    pub transactions: i64,
    /// Locks that are there for all transactions together.
    pub room: i64,
    /// The hypertable with the most chunks.
    pub relation: String,
    /// Its chunks.
    pub chunks: i64,
    /// Locks of one transaction over all of them.
    pub needed: i64,
}

impl LockTable {
    /// A dump and a dashboard at a time, or one of them and everybody else.
    const SHARE: i64 = 2;

    /// Whether the room is enough.
    pub const fn is_enough(&self) -> bool {
        self.needed * Self::SHARE <= self.room
    }

    /// What `max_locks_per_transaction` should be at least.
    pub const fn wanted_per_transaction(&self) -> i64 {
        (self.needed * Self::SHARE + self.transactions - 1) / self.transactions
    }
}

/// Asks the server.
///
/// # Errors
/// The database cannot be asked.
pub async fn measure(store: &Store) -> Result<LockTable, StoreError> {
    let client = store.client().await?;
    let rows = statement!("locks", "measure").query(&client, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("locks.measure gave no row".into()))?;
    let (per_transaction, transactions): (i64, i64) = (row.get("per_transaction"), row.get("transactions"));
    Ok(LockTable {
        per_transaction,
        transactions,
        room: per_transaction * transactions,
        relation: row.get("relation"),
        chunks: row.get("chunks"),
        needed: row.get("needed"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_server_is_enough_for_a_year_of_days_and_not_for_three() {
        let table = |days: i64| LockTable {
            per_transaction: 64,
            transactions: 100,
            room: 6400,
            relation: "health_data".into(),
            chunks: days,
            needed: days * 3,
        };
        assert!(table(366).is_enough());
        assert!(!table(1095).is_enough());
        assert_eq!(table(1095).wanted_per_transaction(), 66);
    }
}
