//! `shift`: who is on duty when.
//!
//! Before: `http::api::shift`, `vitals alerts shift`. After: the table, which the database reads when a message is due.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, Type};

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::language::{Text, text};
use crate::model::{Shift, ShiftDraft};

const LIST: Statement = statement!("shift", "list");
const ADD: Statement = statement!("shift", "add");
const END: Statement = statement!("shift", "end");

/// Which shifts; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShiftFilter {
    /// Of a tenant.
    pub customer_id: Option<i64>,
    /// Of a unit.
    pub org_id: Option<i64>,
    /// Of a contact.
    pub contact_id: Option<i64>,
    /// Those that are over, too.
    pub is_over_too: bool,
    /// Only those on duty then.
    pub on_duty_at: Option<Timestamp>,
}

/// What became of a shift that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ShiftOutcome {
    /// It was stored.
    Created(Shift),
    /// It is invalid; the reason.
    Invalid(Text),
}

/// Shifts that match, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, filter: &ShiftFilter, limit: i64) -> Result<Vec<Shift>, StoreError> {
    let client = store.client().await?;
    let ShiftFilter { customer_id, org_id, contact_id, is_over_too, on_duty_at } = filter;
    let rows = LIST
        .query_unprepared(
            &**client,
            &[
                (customer_id, Type::INT8),
                (org_id, Type::INT8),
                (contact_id, Type::INT8),
                (is_over_too, Type::BOOL),
                (on_duty_at, Type::TIMESTAMPTZ),
                (&limit, Type::INT8),
            ],
        )
        .await?;
    rows.iter().map(|row| of_json(row, "shift")).collect()
}

/// Adds a shift.
///
/// # Errors
/// The database cannot be asked.
pub async fn add(store: &Store, draft: &ShiftDraft) -> Result<ShiftOutcome, StoreError> {
    if let Some(reason) = draft.refusal() {
        return Ok(ShiftOutcome::Invalid(reason));
    }
    let client = store.client().await?;
    match ADD.query_unprepared(&**client, &[(&Json(draft), Type::JSONB)]).await {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| StoreError::State("an insert gave no row".to_owned()))?;
            Ok(ShiftOutcome::Created(of_json(row, "shift")?))
        }
        Err(error) if error.is(&SqlState::FOREIGN_KEY_VIOLATION) => {
            Ok(ShiftOutcome::Invalid(text!("shift-of-unknown")))
        }
        Err(error) => match error.refusal() {
            Some(reason) => Ok(ShiftOutcome::Invalid(reason)),
            None => Err(error),
        },
    }
}

/// Ends a shift now, if it is not over. False: there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn end(store: &Store, shift_id: i64) -> Result<bool, StoreError> {
    let client = store.client().await?;
    Ok(!END.query(&client, &[&shift_id]).await?.is_empty())
}
