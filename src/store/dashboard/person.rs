//! People.
//!
//! Before: `/api/people`, pages. After: views `dashboard.person`, `device_binding`, `device`, `latest` and `alert`.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::rows::{Parameter, Query, column, optional_word};
use super::{Subject, Viewer, binding, latest};
use crate::model::{Id64, Person, PersonSummary, ReadState};
use crate::store::{Statement, Store, StoreError, statement};

const PERSON: Statement = statement!("dashboard", "person");

/// Newest samples of one person: one for each device.
const MOST_DEVICES: i64 = 100;

/// Which people; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFilter {
    /// Part of the name or the room, in any case; or the number of the person.
    pub search: Option<String>,
    /// Of this organisation unit and its sub-units.
    pub org_id: Option<i64>,
    /// Online, offline, or with an open alert.
    pub state: Option<ReadState>,
}

/// The end of a page: name (empty: none) and number of its last person.
pub type PersonCursor = (String, i64);

/// People by name, behind `after`, `limit` at most.
#[must_use]
pub fn query(filter: &PersonFilter, after: Option<PersonCursor>, limit: Option<i64>) -> Query<PersonSummary> {
    of(filter, None, after, limit)
}

fn of(
    filter: &PersonFilter,
    user_id: Option<i64>,
    after: Option<PersonCursor>,
    limit: Option<i64>,
) -> Query<PersonSummary> {
    let (after_name, after_id) = after.unzip();
    let parameters: Vec<Parameter> = vec![
        (Box::new(filter.search.clone()), Type::TEXT),
        (Box::new(filter.org_id), Type::INT8),
        (Box::new(filter.state.map(ReadState::name)), Type::TEXT),
        (Box::new(user_id), Type::INT8),
        (Box::new(after_name), Type::TEXT),
        (Box::new(after_id), Type::INT8),
        (Box::new(limit), Type::INT8),
    ];
    Query::new(PERSON, parameters, Box::new(of_row))
}

/// People by name, behind `after`.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    viewer: Viewer,
    filter: &PersonFilter,
    after: Option<PersonCursor>,
    limit: i64,
) -> Result<Vec<PersonSummary>, StoreError> {
    viewer.read(store, query(filter, after, Some(limit))).await
}

/// `None`: there is none, or the viewer may not see them.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(store: &Store, viewer: Viewer, user_id: i64) -> Result<Option<Person>, StoreError> {
    let subject = Subject::Person(user_id);
    let mut client = store.client().await?;
    let transaction = viewer.begin(&mut client).await?;
    let mut found = of(&PersonFilter::default(), Some(user_id), None, None).read(&transaction).await?;
    let Some(summary) = found.pop() else { return Ok(None) };
    let bindings = binding::query(&subject).read(&transaction).await?;
    let latest = latest::query(&subject, MOST_DEVICES).read(&transaction).await?;
    Viewer::end(transaction).await?;
    Ok(Some(Person { summary, bindings, latest }))
}

fn of_row(row: &Row) -> Result<PersonSummary, StoreError> {
    Ok(PersonSummary {
        user_id: Id64(column(row, "user_id")?),
        name: column(row, "name")?,
        room: column(row, "room")?,
        org_id: column::<Option<i64>>(row, "org_id")?.map(Id64),
        org_name: column(row, "org_name")?,
        customer_id: column::<Option<i64>>(row, "customer_id")?.map(Id64),
        customer_name: column(row, "customer_name")?,
        devices: column(row, "devices")?,
        device_sn: column(row, "device_sn")?,
        last_ts: column(row, "last_ts")?,
        online: column(row, "online")?,
        wear_state: column(row, "wear_state")?,
        battery_level: column(row, "battery_level")?,
        open_alerts: column(row, "open_alerts")?,
        severity: optional_word(row, "severity")?,
    })
}
