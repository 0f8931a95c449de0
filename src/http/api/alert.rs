//! `GET /api/alerts`, `/api/alerts/summary`, `/api/alerts/{id}`.
//!
//! Before: care staff and their programs. After: `store::alert`.
//! Promise: pages neither miss nor repeat an alert that is there all the while, however many fire meanwhile.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State as Shared};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Instant, Limit, Parameters};
use super::{ApiError, PathId, cut_page};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::access_log::ShownSubject;
use crate::http::error::{ListErrors, OneErrors};
use crate::language::{Language, Text, text};
use crate::model::access_entry::AccessSubject;
use crate::model::{Alert, AlertDetail, AlertKind, AlertStatus, AlertTally, Id64, Severity};
use crate::store::alert::{self, AlertCursor, Filter};

/// Alerts on a page, unless a limit is named.
const PAGE: i64 = 50;

/// A page of alerts
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AlertPage {
    /// Newest first
    #[schema(max_items = 500)]
    pub(in crate::http) alerts: Vec<Alert>,
    /// What to ask for the next page with; null: this is the last
    pub(in crate::http) cursor: Option<String>,
}

/// How many alerts there are
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AlertSummary {
    /// All of them
    alerts: i64,
    /// By status and severity; what is not there has none
    by: Vec<AlertTally>,
}

/// Which alerts. Values of one name given several times mean any of them
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct AlertFilter {
    /// Where they are in their life
    status: Option<Vec<AlertStatus>>,
    /// How grave they are
    severity: Option<Vec<Severity>>,
    /// That grave or graver; instead of severity
    #[param(inline)]
    min_severity: Option<Severity>,
    /// Serial number of the device
    device_sn: Option<Vec<String>>,
    /// Tenant
    customer_id: Option<Id64>,
    /// Organisation unit, its sub-units too
    org_id: Option<Id64>,
    /// Wearer
    user_id: Option<Id64>,
    /// The rule that raised them
    rule_id: Option<Id64>,
    /// Kind of the rule
    kind: Option<Vec<AlertKind>>,
    /// Assigned to this contact
    assigned_to: Option<Id64>,
    /// Assigned to a contact of this name
    assigned_name: Option<String>,
    /// Assigned to the contact that has the name of the person to whom the key belongs
    mine: Option<bool>,
    /// Only those all of whose breaches came late, or only the others
    historical: Option<bool>,
    /// Fired then or later, event time
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Fired before, event time
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// Which page
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct AlertPaging {
    /// Where the page before ended, as its answer says
    cursor: Option<String>,
    /// Most alerts of a page
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
}

/// Alerts that match, newest first
#[utoipa::path(get, path = "/api/alerts", tag = "alerts", params(AlertFilter, AlertPaging),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page of them", body = AlertPage), ListErrors))]
pub(in crate::http) async fn get_api_alerts(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    mut parameters: Parameters,
) -> Result<Json<AlertPage>, ApiError> {
    let filter = filter(&mut parameters, &caller)?;
    Ok(Json(page(&state, parameters, &filter, language).await?))
}

/// A page of the alerts of a filter; the rest of the parameters says which.
pub(in crate::http) async fn page(
    state: &State,
    mut parameters: Parameters,
    filter: &Filter,
    language: Language,
) -> Result<AlertPage, ApiError> {
    let after = parameters.one::<Cursor>("cursor")?.map(|Cursor(place)| place);
    let limit = parameters.one::<Limit>("limit")?.map_or(PAGE, |Limit(limit)| limit);
    parameters.end()?;
    let mut alerts = state.list(async |store| alert::list(&store, filter, after, limit + 1).await).await?;
    let last = cut_page(&mut alerts, limit);
    let cursor = last.map(|alert| Cursor((alert.fired_ts, alert.alert_id.0)).to_string());
    let alerts = alerts.into_iter().map(|alert| alert.in_language(language)).collect();
    Ok(AlertPage { alerts, cursor })
}

/// How many alerts match; without a status those that are open
#[utoipa::path(get, path = "/api/alerts/summary", tag = "alerts", params(AlertFilter),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "So many", body = AlertSummary), ListErrors))]
pub(in crate::http) async fn get_api_alerts_summary(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<AlertSummary>, ApiError> {
    let mut filter = filter(&mut parameters, &caller)?;
    parameters.end()?;
    filter.statuses.get_or_insert_with(|| vec![AlertStatus::Firing, AlertStatus::Acknowledged]);
    let by = state.list(async |store| alert::summary(&store, &filter).await).await?;
    Ok(Json(AlertSummary { alerts: by.iter().map(|tally| tally.alerts).sum(), by }))
}

/// Everything known of an alert: what happened to it, who was notified
#[utoipa::path(get, path = "/api/alerts/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the alert")), security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "The alert", body = AlertDetail), OneErrors))]
pub(in crate::http) async fn get_api_alerts_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    PathId(alert_id): PathId,
) -> Result<(Extension<ShownSubject>, Json<AlertDetail>), ApiError> {
    let found = read(&state, &caller, alert_id, language).await?;
    let shown = ShownSubject(AccessSubject::Device(found.alert.device_sn.clone()));
    Ok((Extension(shown), Json(found)))
}

/// An alert that the caller may see, with its texts in a language.
pub(in crate::http) async fn read(
    state: &State,
    caller: &Caller,
    alert_id: i64,
    language: Language,
) -> Result<AlertDetail, ApiError> {
    check_reach(state, caller, alert_id).await?;
    let Json(mut found) = detail(state, alert_id).await?;
    found.alert = found.alert.in_language(language);
    Ok(found)
}

/// An alert of another tenant or unit is answered like one that is not there.
pub(super) async fn check_reach(state: &State, caller: &Caller, alert_id: i64) -> Result<(), ApiError> {
    let reach = caller.reach();
    if !reach.is_limited() || state.query(alert::is_within(&state.store, alert_id, reach)).await? {
        return Ok(());
    }
    Err(alert_not_found(alert_id))
}

pub(super) fn alert_not_found(alert_id: i64) -> ApiError {
    ApiError::Absent(text!("alert-absent", id = alert_id.to_string()))
}

pub(super) async fn detail(state: &State, alert_id: i64) -> Result<Json<AlertDetail>, ApiError> {
    let found = state.query(alert::read(&state.store, alert_id)).await?;
    found.map(Json).ok_or_else(|| alert_not_found(alert_id))
}

/// Which alerts, as the parameters say and the caller may see.
pub(in crate::http) fn filter(parameters: &mut Parameters, caller: &Caller) -> Result<Filter, ApiError> {
    let customer_id = super::tenant(parameters, caller)?;
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let time = |time: Option<Instant>| time.map(|Instant(time)| time);
    let named: Option<Vec<Severity>> = parameters.several("severity")?;
    let lowest: Option<Severity> = parameters.one("min_severity")?;
    let severities = match (named, lowest) {
        (Some(_), Some(_)) => {
            return Err(ApiError::Bad(text!("severity-twice")));
        }
        (named, None) => named,
        (None, Some(lowest)) => Some(lowest.and_above().to_vec()),
    };
    Ok(Filter {
        statuses: parameters.several("status")?,
        severities,
        devices: parameters.several("device_sn")?,
        customer_id,
        org_id: id(parameters.one("org_id")?),
        user_id: id(parameters.one("user_id")?),
        rule_id: id(parameters.one("rule_id")?),
        kinds: parameters.several("kind")?,
        assigned_to: id(parameters.one("assigned_to")?),
        assigned_name: assigned_name(parameters, caller)?,
        historical: parameters.one("historical")?,
        from: time(parameters.one("from")?),
        to: time(parameters.one("to")?),
        within_org_id: caller.reach().org_id,
    })
}

/// As it is named, or (`mine`) that of the person to whom the key belongs.
fn assigned_name(parameters: &mut Parameters, caller: &Caller) -> Result<Option<String>, ApiError> {
    let named = parameters.one("assigned_name")?;
    if !parameters.one("mine")?.unwrap_or(false) {
        return Ok(named);
    }
    let acting = caller.acting(named)?.ok_or_else(|| ApiError::Bad(text!("alert-actor-missing")))?;
    Ok(Some(acting.actor))
}

/// Where a page ended, as text that means nothing to anybody else.
struct Cursor(AlertCursor);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self((fired_ts, alert_id)) = self;
        write!(f, "{:x}.{alert_id:x}", fired_ts.as_microsecond())
    }
}

impl FromStr for Cursor {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // As they were written: negative numbers are the two's complement.
        let read = |text: &str| u64::from_str_radix(text, 16).ok().map(u64::cast_signed);
        let place = text.split_once('.').and_then(|(fired_ts, alert_id)| {
            Some((Timestamp::from_microsecond(read(fired_ts)?).ok()?, read(alert_id)?))
        });
        place.map(Self).ok_or_else(|| text!("parameter-no-cursor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        for (fired_ts, alert_id) in [("2026-01-31T08:00:00.123456Z", 1), ("1969-12-31T23:59:59Z", i64::MAX)] {
            let place = (fired_ts.parse().expect("a time"), alert_id);
            let Cursor(read) = Cursor(place).to_string().parse().expect("a cursor");
            assert_eq!(read, place);
        }
        for text in ["", ".", "1", "x.y", "1.", "ffffffffffffffffff.1", "7fffffffffffffff.1"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
