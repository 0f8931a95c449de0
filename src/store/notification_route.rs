//! `notification_route`: who is notified of which alerts.
//!
//! Before: `http::api::notification_route`, `vitals alerts route`. After: the table, which the database reads when an alert changes.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, Type};

use super::alert::of_json;
use super::{Statement, Store, StoreError, statement};
use crate::language::{Text, text};
use crate::model::{Channel, Id64, NotificationRoute, RouteDraft};

const LIST: Statement = statement!("notification_route", "list");
const ADD: Statement = statement!("notification_route", "add");
const REPLACE: Statement = statement!("notification_route", "replace");
const REMOVE: Statement = statement!("notification_route", "remove");
const AUDIENCE: Statement = statement!("notification_route", "audience");

/// Which routes; `None` is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RouteFilter {
    /// For the alerts of a tenant.
    pub customer_id: Option<i64>,
    /// For the alerts of a unit.
    pub org_id: Option<i64>,
    /// Of this number.
    pub route_id: Option<i64>,
}

/// An address to which a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteAddress {
    /// Number of the address.
    pub address_id: i64,
    /// Number of its contact.
    pub contact_id: i64,
    /// Name of the contact.
    pub contact: String,
    /// Channel.
    pub channel: String,
    /// Where it is, without what is secret of it.
    pub address: String,
}

/// What became of a route that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteOutcome {
    /// It was stored.
    Stored(NotificationRoute),
    /// There is none of this number.
    NotFound,
    /// It is invalid; the reason.
    Invalid(Text),
}

/// Routes that match, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    filter: &RouteFilter,
    limit: i64,
) -> Result<Vec<NotificationRoute>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&filter.customer_id, &filter.org_id, &filter.route_id, &limit]).await?;
    rows.iter().map(route).collect()
}

/// Adds a route.
///
/// # Errors
/// The database cannot be asked.
pub async fn add(store: &Store, draft: &RouteDraft) -> Result<RouteOutcome, StoreError> {
    if let Some(reason) = draft.refusal() {
        return Ok(RouteOutcome::Invalid(reason));
    }
    let client = store.client().await?;
    outcome(ADD.query_unprepared(&**client, &[(&Json(draft), Type::JSONB)]).await)
}

/// Replaces all columns of a route.
///
/// # Errors
/// The database cannot be asked.
pub async fn replace(store: &Store, route_id: i64, draft: &RouteDraft) -> Result<RouteOutcome, StoreError> {
    if let Some(reason) = draft.refusal() {
        return Ok(RouteOutcome::Invalid(reason));
    }
    let client = store.client().await?;
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&route_id, Type::INT8), (&Json(draft), Type::JSONB)];
    outcome(REPLACE.query_unprepared(&**client, &parameters).await)
}

/// Deletes a route. False: there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn remove(store: &Store, route_id: i64) -> Result<bool, StoreError> {
    let client = store.client().await?;
    Ok(!REMOVE.query(&client, &[&route_id]).await?.is_empty())
}

/// The addresses to which a route leads, if the least severe alert that matches it fires now, `limit` at most. `user_id`: whose alert it is.
///
/// # Errors
/// The database cannot be asked.
pub async fn audience(
    store: &Store,
    route_id: i64,
    user_id: Option<i64>,
    limit: i64,
) -> Result<Vec<RouteAddress>, StoreError> {
    let client = store.client().await?;
    let rows = AUDIENCE.query(&client, &[&route_id, &user_id, &limit]).await?;
    Ok(rows.iter().map(route_address).collect())
}

fn route_address(row: &Row) -> RouteAddress {
    let (channel, address): (String, String) = (row.get("channel"), row.get("address"));
    RouteAddress {
        address_id: row.get("address_id"),
        contact_id: row.get("contact_id"),
        contact: row.get("contact"),
        address: Channel::shown_of(&channel, &address),
        channel,
    }
}

fn route(row: &Row) -> Result<NotificationRoute, StoreError> {
    let route_id = Id64(row.get("route_id"));
    Ok(NotificationRoute { route_id, contact: row.get("contact"), route: of_json(row, "route")? })
}

fn outcome(rows: Result<Vec<Row>, StoreError>) -> Result<RouteOutcome, StoreError> {
    match rows {
        Ok(rows) => {
            rows.first().map_or(Ok(RouteOutcome::NotFound), |row| Ok(RouteOutcome::Stored(route(row)?)))
        }
        Err(error) if error.is(&SqlState::FOREIGN_KEY_VIOLATION) => {
            Ok(RouteOutcome::Invalid(text!("route-of-unknown")))
        }
        Err(error) => match error.refusal() {
            Some(reason) => Ok(RouteOutcome::Invalid(reason)),
            None => Err(error),
        },
    }
}
