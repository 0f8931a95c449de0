//! `alert_silence`: while one is in force, alerts that match it are raised and stored, but nobody is notified.
//!
//! Before: `http::alert_silence`, `vitals alerts`. After: the table, which the database reads when it decides who is notified.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::alert::{Acting, Reach, of_json};
use super::{Statement, Store, StoreError, statement};
use crate::language::{Text, text};
use crate::model::{AlertSilence, Id64, SilenceDraft};

const LIST: Statement = statement!("alert_silence", "list");
const ADD: Statement = statement!("alert_silence", "add");
const STOP: Statement = statement!("alert_silence", "stop");
const IS_SUB_UNIT: Statement = statement!("alert_silence", "is_sub_unit");
const UNKNOWN: Statement = statement!("alert_silence", "unknown");

/// What became of a silence that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum SilenceOutcome {
    /// It was stored.
    Created(AlertSilence),
    /// It is invalid; the reason.
    Invalid(Text),
}

/// Silences within a reach, those that end last first, `limit` at most; those that are over only where they are asked for.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    reach: Reach,
    over_too: bool,
    limit: i64,
) -> Result<Vec<AlertSilence>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&over_too, &limit, &reach.customer_id, &reach.org_id]).await?;
    rows.iter().map(|row| of_json(row, "silence")).collect()
}

/// What a silence names that nobody knows, in words: it is kept all the same where somebody wants it, for a device may come later.
///
/// # Errors
/// The database cannot be asked.
pub async fn unknown(store: &Store, draft: &SilenceDraft) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    let number = |id: Option<Id64>| id.map(|id| id.0);
    let (customer_id, org_id) = (number(draft.customer_id), number(draft.org_id));
    let rows = UNKNOWN.query(&client, &[&customer_id, &org_id, &draft.device_sn]).await?;
    Ok(rows.first().map(|row| row.get("unknown")).unwrap_or_default())
}

/// Whether a unit is another one or one of its sub-units.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_sub_unit(store: &Store, org_id: i64, of: i64) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = IS_SUB_UNIT.query(&client, &[&org_id, &of]).await?;
    Ok(rows.first().is_some_and(|row| row.get("is_sub_unit")))
}

/// Keeps a silence that somebody asks for; the name in the draft is not read.
///
/// # Errors
/// The database cannot be asked.
pub async fn add(store: &Store, draft: &SilenceDraft, acting: &Acting) -> Result<SilenceOutcome, StoreError> {
    if let Some(reason) = draft.refusal() {
        return Ok(SilenceOutcome::Invalid(reason));
    }
    let client = store.client().await?;
    let number = |id: Option<Id64>| id.map(|id| id.0);
    let (customer_id, org_id, rule_id) =
        (number(draft.customer_id), number(draft.org_id), number(draft.rule_id));
    let rows = ADD
        .query_unprepared(
            &**client,
            &[
                (&customer_id, Type::INT8),
                (&org_id, Type::INT8),
                (&draft.device_sn, Type::TEXT),
                (&rule_id, Type::INT8),
                (&draft.starts_at, Type::TIMESTAMPTZ),
                (&draft.ends_at, Type::TIMESTAMPTZ),
                (&draft.for_seconds, Type::INT4),
                (&acting.actor, Type::TEXT),
                (&draft.note, Type::TEXT),
                (&acting.key_id, Type::TEXT),
            ],
        )
        .await;
    match rows {
        Ok(rows) => {
            let row = rows.first().ok_or_else(|| StoreError::State("an insert gave no row".to_owned()))?;
            Ok(SilenceOutcome::Created(of_json(row, "silence")?))
        }
        Err(error) if error.is(&SqlState::FOREIGN_KEY_VIOLATION) => {
            Ok(SilenceOutcome::Invalid(text!("rule-absent", id = rule_id.unwrap_or_default().to_string())))
        }
        Err(error) => match error.refusal() {
            Some(reason) => Ok(SilenceOutcome::Invalid(reason)),
            None => Err(error),
        },
    }
}

/// Ends a silence now, if it has not ended yet. False: there is none of this number within the reach.
///
/// # Errors
/// The database cannot be asked.
pub async fn stop(store: &Store, reach: Reach, silence_id: i64) -> Result<bool, StoreError> {
    let client = store.client().await?;
    Ok(!STOP.query(&client, &[&silence_id, &reach.customer_id, &reach.org_id]).await?.is_empty())
}
