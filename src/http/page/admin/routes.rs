//! `/admin/contacts/routes`: routes are added, changed, switched, tested and removed.
//!
//! Before: a browser. After: the functions that answer `/api/notification_routes`.
//! Promise: what was typed is still there where it is refused. A column for which the form has no field stays as it is stored.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::super::State;
use super::super::super::api::{PathId, notification_route as api, own, route_test};
use super::super::super::error::{ApiError, BodyErrors};
use super::super::form::{FormFields, put};
use super::super::{Flash, PageReader};
use super::{contacts, done};
use crate::language::{Text, text};
use crate::model::{ContactSummary, Id64, RouteDraft, RouteTest};
use crate::page::Markup;
use crate::page::admin::AdminSection;
use crate::page::admin::routes::{self, RouteChoices, RouteForm};
use crate::store::alert_rule;
use crate::store::notification_route::{self, RouteFilter};

/// Columns that a field holds as they are.
const WORDS: [&str; 10] = [
    "channel",
    "audience",
    "contact_id",
    "min_severity",
    "customer_id",
    "org_id",
    "rule_id",
    "quiet_from",
    "quiet_until",
    "time_zone",
];

/// Columns that are durations.
const SECONDS: [&str; 3] = ["after_seconds", "repeat_seconds", "merge_seconds"];

/// A route is added, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"),
        (status = 200, description = "The form as it was typed, and why it is refused", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    fields: FormFields,
) -> Response {
    let adding = async {
        let draft = draft(&fields, None)?;
        api::add(&state, &reader.caller, draft).await.map(|route| kept(route.route_id))
    };
    let outcome = adding.await;
    answer(&state, &mut reader, None, &fields, outcome).await
}

/// A route is changed, switched, tested or removed, by the form of a page
#[utoipa::path(post, path = "/admin/contacts/routes/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the route")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the contacts"),
        (status = 200, description = "What became of a test, or the form as it was typed and why it is refused", content_type = "text/html", body = String),
        BodyErrors))]
pub(in crate::http) async fn post_admin_contacts_routes_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(route_id): PathId,
    fields: FormFields,
) -> Response {
    let outcome = match fields.text("action") {
        Some("test") => match test(&state, &reader, route_id, &fields).await {
            Ok(tested) => {
                return contacts::page(&state, &mut reader, Flash::of(None), None, Some(&tested)).await;
            }
            Err(error) => Err(error),
        },
        Some("save") => {
            let outcome = save(&state, &reader, route_id, &fields).await;
            return answer(&state, &mut reader, Some(route_id), &fields, outcome).await;
        }
        Some("remove") => {
            let removing = api::remove(&state, &reader.caller, route_id).await;
            removing.map(|()| text!("route-removed", id = route_id.to_string()))
        }
        action => switch(&state, &reader, route_id, action == Some("enable")).await,
    };
    done(&state, &reader, AdminSection::Contacts.path(), outcome)
}

/// Leads back to the contacts; where the route is refused, the form is shown as it was typed.
async fn answer(
    state: &State,
    reader: &mut PageReader,
    route_id: Option<i64>,
    fields: &FormFields,
    outcome: Result<Text, ApiError>,
) -> Response {
    match outcome {
        Err(ApiError::InTheWay(reason) | ApiError::Bad(reason)) => {
            let form = RouteForm { route_id, values: fields.typed() };
            let flash = Flash::of(Some(reader.frame.text(&reason)));
            contacts::page(state, reader, flash, Some(&form), None).await
        }
        outcome => done(state, reader, AdminSection::Contacts.path(), outcome),
    }
}

/// The lower half of the section.
pub(super) async fn section(
    state: &State,
    reader: &PageReader,
    contacts: &[ContactSummary],
    form: Option<&RouteForm>,
    tested: Option<&RouteTest>,
) -> Result<Markup, ApiError> {
    let customer_id = reader.caller.customer_id();
    let filter = RouteFilter { customer_id, ..RouteFilter::default() };
    let concerns = alert_rule::Filter { concerns: customer_id, ..alert_rule::Filter::default() };
    let reading = state.list(async |store| {
        let found = notification_route::list(&store, &filter, contacts::MOST).await?;
        Ok((found, alert_rule::list(&store, &concerns).await?))
    });
    let (found, rules) = reading.await?;
    let (reach, units) = own::reach(state, &reader.caller).await?;
    let choices = RouteChoices {
        contacts: contacts.to_vec(),
        rules: rules.into_iter().map(|rule| (rule.rule_id, rule.name)).collect(),
        units,
        is_limited: reach.is_limited(),
    };
    Ok(routes::section(&reader.frame, &found, &choices, form, tested))
}

/// The form of a stored route.
pub(super) async fn stored_form(
    state: &State,
    reader: &PageReader,
    route_id: i64,
) -> Result<RouteForm, ApiError> {
    let route = own::route(state, &reader.caller, route_id).await?.route;
    Ok(RouteForm { route_id: Some(route_id), values: routes::values(&route) })
}

async fn test(
    state: &State,
    reader: &PageReader,
    route_id: i64,
    fields: &FormFields,
) -> Result<RouteTest, ApiError> {
    let user_id = fields.value("user_id")?;
    route_test::test(state, &reader.caller, reader.frame.language, route_id, user_id).await
}

async fn save(
    state: &State,
    reader: &PageReader,
    route_id: i64,
    fields: &FormFields,
) -> Result<Text, ApiError> {
    let stored = own::route(state, &reader.caller, route_id).await?.route;
    let draft = draft(fields, Some(&stored))?;
    api::replace(state, &reader.caller, route_id, draft).await.map(|route| kept(route.route_id))
}

async fn switch(state: &State, reader: &PageReader, route_id: i64, enabled: bool) -> Result<Text, ApiError> {
    let stored = own::route(state, &reader.caller, route_id).await?.route;
    let draft = RouteDraft { enabled, ..stored };
    let route = api::replace(state, &reader.caller, route_id, draft).await?.route;
    let value = if route.enabled { "on" } else { "off" };
    Ok(text!("page-route-switched", id = route_id.to_string(), value = value))
}

fn kept(route_id: Id64) -> Text {
    text!("route-kept", id = route_id.to_string())
}

/// The route that a form describes; `stored`: the one that it changes.
fn draft(fields: &FormFields, stored: Option<&RouteDraft>) -> Result<RouteDraft, ApiError> {
    let columns = stored.map(serde_json::to_value).transpose().map_err(|_| ApiError::Failed)?;
    let mut columns = match columns {
        Some(Value::Object(columns)) => columns,
        _ => Map::new(),
    };
    for name in WORDS {
        put(&mut columns, name, fields.text(name).map(|text| json!(text)));
    }
    for name in SECONDS {
        put(&mut columns, name, fields.seconds(name)?.map(|seconds| json!(seconds)));
    }
    put(&mut columns, "repeat_times", fields.value::<i32>("repeat_times")?.map(|times| json!(times)));
    for name in ["on_acknowledged", "on_resolved", "enabled"] {
        columns.insert(name.to_owned(), json!(fields.is_ticked(name)));
    }
    let refused = |reason: String| ApiError::Bad(text!("body-refused", reason = reason));
    serde_path_to_error::deserialize(Value::Object(columns)).map_err(|error| refused(error.to_string()))
}
