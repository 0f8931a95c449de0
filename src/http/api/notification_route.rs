//! `GET` and `POST /api/notification_routes`, `GET`, `PUT` and `DELETE /api/notification_routes/{id}`.
//!
//! Before: administrators and their programs. After: `store::notification_route`.
//! Promise: a change is in force at once, also for the steps of alerts that are firing. A caller of one tenant has the routes for its alerts alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Limit, Parameters};
use super::{ApiError, DONE, Done, PathId, own};
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::{BodyErrors, ListErrors, OneErrors};
use crate::model::{Id64, NotificationRoute, RouteDraft};
use crate::store::notification_route::{self, RouteOutcome};

/// Routes in an answer, unless a limit is named.
const MOST: i64 = 500;

/// Routes
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct NotificationRoutes {
    /// In the order of their numbers
    #[schema(max_items = 500)]
    routes: Vec<NotificationRoute>,
}

/// Which routes
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct RouteFilter {
    /// For the alerts of this tenant
    customer_id: Option<Id64>,
    /// For the alerts of this organisation unit
    org_id: Option<Id64>,
    /// How many at most
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<i64>,
}

/// Who is notified of which alerts
///
/// Of the callers of one tenant only its administrators read and change routes: those for its alerts.
#[utoipa::path(get, path = "/api/notification_routes", tag = "alerts", params(RouteFilter),
    security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The routes", body = NotificationRoutes), ListErrors))]
pub(in crate::http) async fn get_api_notification_routes(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    mut parameters: Parameters,
) -> Result<Json<NotificationRoutes>, ApiError> {
    own::check_reader(&caller)?;
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let filter = notification_route::RouteFilter {
        customer_id: super::tenant(&mut parameters, &caller)?,
        org_id: id(parameters.one("org_id")?),
        route_id: None,
    };
    let limit = parameters.one::<Limit>("limit")?.map_or(MOST, |Limit(limit)| limit);
    parameters.end()?;
    let routes = state.list(async |store| notification_route::list(&store, &filter, limit).await).await?;
    Ok(Json(NotificationRoutes { routes }))
}

/// A route
#[utoipa::path(get, path = "/api/notification_routes/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["read", "own_tenant"]), ("basic" = ["read", "own_tenant"])),
    responses((status = 200, description = "The route", body = NotificationRoute), OneErrors))]
pub(in crate::http) async fn get_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(route_id): PathId,
) -> Result<Json<NotificationRoute>, ApiError> {
    own::check_reader(&caller)?;
    own::route(&state, &caller, route_id).await.map(Json)
}

/// From now on somebody is notified
#[utoipa::path(post, path = "/api/notification_routes", tag = "alerts", security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = RouteDraft, example = json!({
        "channel": "wecom", "audience": "on_duty", "min_severity": "major", "repeat_seconds": 300, "on_resolved": true
    })),
    responses((status = 201, description = "The route", body = NotificationRoute), BodyErrors))]
pub(in crate::http) async fn post_api_notification_routes(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<(StatusCode, Json<NotificationRoute>), ApiError> {
    let draft: RouteDraft = state.json(request).await?;
    Ok((StatusCode::CREATED, Json(add(&state, &caller, draft).await?)))
}

/// Adds a route in the name of a caller.
pub(in crate::http) async fn add(
    state: &State,
    caller: &Caller,
    mut draft: RouteDraft,
) -> Result<NotificationRoute, ApiError> {
    own::check_route(state, caller, &mut draft, None).await?;
    stored(state.query(notification_route::add(&state.store, &draft)).await?, 0)
}

/// Makes a route of the caller what the draft says.
pub(in crate::http) async fn replace(
    state: &State,
    caller: &Caller,
    route_id: i64,
    mut draft: RouteDraft,
) -> Result<NotificationRoute, ApiError> {
    let was = own::route(state, caller, route_id).await?.route;
    own::check_route(state, caller, &mut draft, Some(&was)).await?;
    stored(state.query(notification_route::replace(&state.store, route_id, &draft)).await?, route_id)
}

/// Deletes a route of the caller.
pub(in crate::http) async fn remove(state: &State, caller: &Caller, route_id: i64) -> Result<(), ApiError> {
    own::route(state, caller, route_id).await?;
    match state.query(notification_route::remove(&state.store, route_id)).await? {
        true => Ok(()),
        false => Err(own::route_absent(route_id)),
    }
}

/// Replaces a route: what is missing has its default
#[utoipa::path(put, path = "/api/notification_routes/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    request_body(content = RouteDraft, example = json!({
        "channel": "wecom", "audience": "managers", "min_severity": "major", "after_seconds": 300, "repeat_seconds": 600
    })),
    responses((status = 200, description = "The route", body = NotificationRoute), BodyErrors))]
pub(in crate::http) async fn put_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(route_id): PathId,
    request: Request,
) -> Result<Json<NotificationRoute>, ApiError> {
    let draft: RouteDraft = state.json(request).await?;
    replace(&state, &caller, route_id, draft).await.map(Json)
}

/// From now on nobody is notified by it
#[utoipa::path(delete, path = "/api/notification_routes/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "It is deleted", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    Extension(caller): Extension<Caller>,
    PathId(route_id): PathId,
) -> Result<Json<Done>, ApiError> {
    remove(&state, &caller, route_id).await?;
    Ok(Json(DONE))
}

fn stored(outcome: RouteOutcome, route_id: i64) -> Result<NotificationRoute, ApiError> {
    match outcome {
        RouteOutcome::Stored(route) => Ok(route),
        RouteOutcome::NotFound => Err(own::route_absent(route_id)),
        RouteOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}
