//! `alert`, `alert_action`: what rules found, and what people did about it.
//!
//! Before: `http::alert`, `vitals alerts`. After: the tables; actions of people use the same functions as a DBA
//! (`sql/functions/alerts/alert_actions.sql`).
//! Promise: an action is done as a whole, with who and when, or refused with the reason.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, ToSql, Type};

use super::{Statement, Store, StoreError, statement};
use crate::language::Text;
use crate::model::{
    Alert, AlertAction, AlertDetail, AlertKind, AlertNotification, AlertStatus, AlertTally, Severity,
};

const LIST: Statement = statement!("alert", "list");
const SUMMARY: Statement = statement!("alert", "summary");
const READ: Statement = statement!("alert", "read");
const ACKNOWLEDGE: Statement = statement!("alert", "acknowledge");
const RESOLVE: Statement = statement!("alert", "resolve");
const NOTE: Statement = statement!("alert", "note");
const ASSIGN: Statement = statement!("alert", "assign");
const IS_WITHIN: Statement = statement!("alert", "is_within");

/// The alerts and silences that a caller may see and act on; `None`: all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Of this tenant.
    pub customer_id: Option<i64>,
    /// Of this organisation unit and its sub-units.
    pub org_id: Option<i64>,
}

impl Reach {
    /// Whether it is limited to a tenant.
    pub fn is_limited(&self) -> bool {
        self.customer_id.is_some() || self.org_id.is_some()
    }
}

/// Who acts on an alert, and by which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// Name of the person.
    pub actor: String,
    /// Public part of the API key; `None`: not by HTTP, or authentication is off.
    pub key_id: Option<String>,
}

impl From<&str> for Acting {
    fn from(actor: &str) -> Self {
        Self { actor: actor.to_owned(), key_id: None }
    }
}

/// Which alerts; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By status.
    pub statuses: Option<Vec<AlertStatus>>,
    /// By severity.
    pub severities: Option<Vec<Severity>>,
    /// By serial.
    pub devices: Option<Vec<String>>,
    /// By tenant.
    pub customer_id: Option<i64>,
    /// By organisation unit, its sub-units too.
    pub org_id: Option<i64>,
    /// By wearer.
    pub user_id: Option<i64>,
    /// By rule.
    pub rule_id: Option<i64>,
    /// By kind of rule.
    pub kinds: Option<Vec<AlertKind>>,
    /// Assigned to this contact.
    pub assigned_to: Option<i64>,
    /// Assigned to a contact of this name.
    pub assigned_name: Option<String>,
    /// Only those that came late, or only those that did not.
    pub historical: Option<bool>,
    /// Fired then or later.
    pub from: Option<Timestamp>,
    /// Fired before.
    pub to: Option<Timestamp>,
    /// Only alerts of this organisation unit and its sub-units, whatever else is named: the unit of a key.
    pub within_org_id: Option<i64>,
}

/// The names of the values of a [`Filter`], which a statement borrows.
struct FilterNames {
    statuses: Option<Vec<&'static str>>,
    severities: Option<Vec<&'static str>>,
    kinds: Option<Vec<&'static str>>,
}

impl Filter {
    fn names(&self) -> FilterNames {
        fn names<T: Copy>(of: &Option<Vec<T>>, name: fn(T) -> &'static str) -> Option<Vec<&'static str>> {
            of.as_ref().map(|all| all.iter().map(|each| name(*each)).collect())
        }
        FilterNames {
            statuses: names(&self.statuses, AlertStatus::name),
            severities: names(&self.severities, Severity::name),
            kinds: names(&self.kinds, AlertKind::name),
        }
    }

    fn parameters<'a>(&'a self, names: &'a FilterNames) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
        vec![
            (&names.statuses, Type::TEXT_ARRAY),
            (&names.severities, Type::TEXT_ARRAY),
            (&self.devices, Type::TEXT_ARRAY),
            (&self.customer_id, Type::INT8),
            (&self.org_id, Type::INT8),
            (&self.user_id, Type::INT8),
            (&self.rule_id, Type::INT8),
            (&names.kinds, Type::TEXT_ARRAY),
            (&self.historical, Type::BOOL),
            (&self.from, Type::TIMESTAMPTZ),
            (&self.to, Type::TIMESTAMPTZ),
            (&self.within_org_id, Type::INT8),
            (&self.assigned_to, Type::INT8),
            (&self.assigned_name, Type::TEXT),
        ]
    }
}

/// The end of a page: event time and number of its last alert.
pub type AlertCursor = (Timestamp, i64);

/// The result of an action of a person.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionOutcome {
    /// Done, or done before by the same person.
    Done,
    /// There is no such alert.
    NotFound,
    /// No longer possible; the reason.
    Conflict(Text),
    /// It names something that does not exist, or does not fit; the reason.
    Invalid(Text),
}

/// Alerts that match, newest first, behind `after`, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    filter: &Filter,
    after: Option<AlertCursor>,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    let client = store.client().await?;
    let names = filter.names();
    let (after_ts, after_id) = after.unzip();
    let mut parameters = filter.parameters(&names);
    parameters.extend([
        (&after_ts as &(dyn ToSql + Sync), Type::TIMESTAMPTZ),
        (&after_id, Type::INT8),
        (&limit, Type::INT8),
    ]);
    let rows = LIST.query_unprepared(&**client, &parameters).await?;
    rows.iter().map(|row| of_json(row, "alert")).collect()
}

/// How many match, by status and severity.
///
/// # Errors
/// The database cannot be asked.
pub async fn summary(store: &Store, filter: &Filter) -> Result<Vec<AlertTally>, StoreError> {
    let client = store.client().await?;
    let names = filter.names();
    let rows = SUMMARY.query_unprepared(&**client, &filter.parameters(&names)).await?;
    let word = |row: &Row, column| row.get::<_, String>(column);
    let none_such = |word: String| StoreError::State(format!("alert holds {word:?}, which is unknown"));
    rows.iter()
        .map(|row| {
            let (status, severity) = (word(row, "status"), word(row, "severity"));
            Ok(AlertTally {
                status: status.parse().map_err(|_| none_such(status))?,
                severity: severity.parse().map_err(|_| none_such(severity))?,
                alerts: row.get("alerts"),
            })
        })
        .collect()
}

/// Everything known of an alert; `None`: there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(store: &Store, alert_id: i64) -> Result<Option<AlertDetail>, StoreError> {
    let client = store.client().await?;
    let rows = READ.query(&client, &[&alert_id]).await?;
    let detail = |row: &Row| {
        Ok(AlertDetail {
            alert: of_json(row, "alert")?,
            actions: of_json::<Vec<AlertAction>>(row, "actions")?,
            notifications: of_json::<Vec<AlertNotification>>(row, "notifications")?,
        })
    };
    rows.first().map(detail).transpose()
}

/// Whether an alert is within the reach of a caller. False also if there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_within(store: &Store, alert_id: i64, reach: Reach) -> Result<bool, StoreError> {
    let client = store.client().await?;
    let rows = IS_WITHIN.query(&client, &[&alert_id, &reach.customer_id, &reach.org_id]).await?;
    Ok(rows.first().is_some_and(|row| row.get("is_within")))
}

/// A person acknowledges an alert.
///
/// # Errors
/// The database cannot be asked, or refuses a text.
pub async fn acknowledge(
    store: &Store,
    alert_id: i64,
    acting: &Acting,
    note: Option<&str>,
) -> Result<ActionOutcome, StoreError> {
    step(&ACKNOWLEDGE, store, alert_id, acting, note).await
}

/// A person resolves an alert.
///
/// # Errors
/// The database cannot be asked, or refuses a text.
pub async fn resolve(
    store: &Store,
    alert_id: i64,
    acting: &Acting,
    note: Option<&str>,
) -> Result<ActionOutcome, StoreError> {
    step(&RESOLVE, store, alert_id, acting, note).await
}

/// A person adds a note to an alert.
///
/// # Errors
/// The database cannot be asked, or refuses a text.
pub async fn note(
    store: &Store,
    alert_id: i64,
    acting: &Acting,
    note: &str,
) -> Result<ActionOutcome, StoreError> {
    step(&NOTE, store, alert_id, acting, Some(note)).await
}

/// A person assigns an alert to a contact; `None`: to nobody.
///
/// # Errors
/// The database cannot be asked, or refuses a text.
pub async fn assign(
    store: &Store,
    alert_id: i64,
    contact_id: Option<i64>,
    acting: &Acting,
    note: Option<&str>,
) -> Result<ActionOutcome, StoreError> {
    let client = store.client().await?;
    outcome(ASSIGN.query(&client, &[&alert_id, &contact_id, &acting.actor, &note, &acting.key_id]).await)
}

async fn step(
    statement: &Statement,
    store: &Store,
    alert_id: i64,
    acting: &Acting,
    note: Option<&str>,
) -> Result<ActionOutcome, StoreError> {
    let client = store.client().await?;
    outcome(statement.query(&client, &[&alert_id, &acting.actor, &note, &acting.key_id]).await)
}

fn outcome(result: Result<Vec<Row>, StoreError>) -> Result<ActionOutcome, StoreError> {
    match result {
        Ok(_) => Ok(ActionOutcome::Done),
        Err(error) if error.is(&SqlState::NO_DATA_FOUND) => Ok(ActionOutcome::NotFound),
        Err(error) if error.is(&SqlState::INVALID_PARAMETER_VALUE) => {
            error.refusal().map(ActionOutcome::Invalid).ok_or(error)
        }
        Err(error) if error.is(&SqlState::RAISE_EXCEPTION) => {
            error.refusal().map(ActionOutcome::Conflict).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// Deserializes a column of JSON.
pub(in crate::store) fn of_json<T: DeserializeOwned>(
    row: &Row,
    column: &'static str,
) -> Result<T, StoreError> {
    let read = row.try_get::<_, Json<T>>(column);
    read.map(|Json(value)| value).map_err(|error| StoreError::State(format!("{column}: {error}")))
}
