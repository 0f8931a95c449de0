//! `GET` and `POST /api/notification_routes`, `GET`, `PUT` and `DELETE /api/notification_routes/{id}`.
//!
//! Before: administrators and their programs. After: `store::notification_route`.
//! Promise: a change is in force at once, also for the steps of alerts that are firing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::query::{Limit, Parameters};
use super::{ApiError, DONE, Done, PathId};
use crate::http::State;
use crate::http::error::{BodyErrors, ListErrors, OneErrors};
use crate::language::text;
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
#[utoipa::path(get, path = "/api/notification_routes", tag = "alerts", params(RouteFilter),
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "The routes", body = NotificationRoutes), ListErrors))]
pub(in crate::http) async fn get_api_notification_routes(
    Shared(state): Shared<Arc<State>>,
    mut parameters: Parameters,
) -> Result<Json<NotificationRoutes>, ApiError> {
    let id = |id: Option<Id64>| id.map(|Id64(id)| id);
    let filter = notification_route::RouteFilter {
        customer_id: id(parameters.one("customer_id")?),
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
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "The route", body = NotificationRoute), OneErrors))]
pub(in crate::http) async fn get_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    PathId(route_id): PathId,
) -> Result<Json<NotificationRoute>, ApiError> {
    let filter = notification_route::RouteFilter { route_id: Some(route_id), ..Default::default() };
    let found = state.list(async |store| notification_route::list(&store, &filter, 1).await).await?;
    found.into_iter().next().map(Json).ok_or_else(|| absent(route_id))
}

/// From now on somebody is notified
#[utoipa::path(post, path = "/api/notification_routes", tag = "alerts", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    request_body(content = RouteDraft, example = json!({
        "channel": "wecom", "audience": "on_duty", "min_severity": "major", "repeat_seconds": 300, "on_resolved": true
    })),
    responses((status = 201, description = "The route", body = NotificationRoute), BodyErrors))]
pub(in crate::http) async fn post_api_notification_routes(
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<(StatusCode, Json<NotificationRoute>), ApiError> {
    let draft: RouteDraft = state.json(request).await?;
    let outcome = state.query(notification_route::add(&state.store, &draft)).await?;
    Ok((StatusCode::CREATED, stored(outcome, 0)?))
}

/// Replaces a route: what is missing has its default
#[utoipa::path(put, path = "/api/notification_routes/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    request_body(content = RouteDraft, example = json!({
        "channel": "wecom", "audience": "managers", "min_severity": "major", "after_seconds": 300, "repeat_seconds": 600
    })),
    responses((status = 200, description = "The route", body = NotificationRoute), BodyErrors))]
pub(in crate::http) async fn put_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    PathId(route_id): PathId,
    request: Request,
) -> Result<Json<NotificationRoute>, ApiError> {
    let draft: RouteDraft = state.json(request).await?;
    stored(state.query(notification_route::replace(&state.store, route_id, &draft)).await?, route_id)
}

/// From now on nobody is notified by it
#[utoipa::path(delete, path = "/api/notification_routes/{id}", tag = "alerts",
    params(("id" = Id64, Path, description = "Number of the route")), security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "It is deleted", body = Done), OneErrors))]
pub(in crate::http) async fn delete_api_notification_routes_id(
    Shared(state): Shared<Arc<State>>,
    PathId(route_id): PathId,
) -> Result<Json<Done>, ApiError> {
    match state.query(notification_route::remove(&state.store, route_id)).await? {
        true => Ok(Json(DONE)),
        false => Err(absent(route_id)),
    }
}

fn stored(outcome: RouteOutcome, route_id: i64) -> Result<Json<NotificationRoute>, ApiError> {
    match outcome {
        RouteOutcome::Stored(route) => Ok(Json(route)),
        RouteOutcome::NotFound => Err(absent(route_id)),
        RouteOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}

fn absent(route_id: i64) -> ApiError {
    ApiError::Absent(text!("route-absent", id = route_id.to_string()))
}
