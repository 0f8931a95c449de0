//! `GET /api/system_alerts`: what was wrong with this instance of the service in the last hour.
//!
//! Before: operators and their tools. After: `monitor`. Promise: answered from memory, whatever is away.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::query::Parameters;
use crate::http::State;
use crate::http::error::ListErrors;
use crate::language::Language;
use crate::model::SystemAlert;

/// Conditions that operators were notified of
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SystemAlerts {
    /// Those that last, and those that ended within the last hour; newest first
    alerts: Vec<ReportedAlert>,
    /// How many of them last
    firing: usize,
}

/// A condition of the service
#[derive(Debug, Serialize, ToSchema)]
struct ReportedAlert {
    /// `high_error_rate`, `queue_near_overflow`, `memory`, `processing_lag`, `writer_stopped`, `postgres_away`, `redis_away`,
    /// `rollups_late`, `jobs`
    #[schema(value_type = String, examples("postgres_away"))]
    name: &'static str,
    /// `critical` or `major`
    #[schema(value_type = String, examples("critical"))]
    severity: &'static str,
    /// `firing` or `resolved`
    #[schema(value_type = String, examples("firing"))]
    status: &'static str,
    /// The instance that reports it
    instance: String,
    /// For a person
    message: String,
    /// The worst figure so far, in the unit of `threshold`: a share, seconds, or jobs
    value: f64,
    /// The value from which on it is reported
    threshold: f64,
    /// Since when it is so
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When operators were notified
    #[schema(value_type = String, format = DateTime)]
    fired_at: Timestamp,
    /// When it was over
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// What was wrong with the service in the last hour
#[utoipa::path(get, path = "/api/system_alerts", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "All of it, of this instance", body = SystemAlerts), ListErrors))]
pub(in crate::http) async fn get_api_system_alerts(
    Shared(state): Shared<Arc<State>>,
    Extension(language): Extension<Language>,
    parameters: Parameters,
) -> Result<Json<SystemAlerts>, ApiError> {
    parameters.end()?;
    let alerts: Vec<ReportedAlert> =
        state.monitor.alerts().into_iter().map(|alert| reported(alert, language)).collect();
    let firing = alerts.iter().filter(|alert| alert.ended_at.is_none()).count();
    Ok(Json(SystemAlerts { alerts, firing }))
}

fn reported(alert: SystemAlert, language: Language) -> ReportedAlert {
    ReportedAlert {
        name: alert.condition.name(),
        severity: alert.condition.severity(),
        status: if alert.ended_at.is_none() { "firing" } else { "resolved" },
        instance: alert.instance,
        message: alert.message.in_language(language),
        value: alert.value,
        threshold: alert.threshold,
        started_at: alert.started_at,
        fired_at: alert.fired_at,
        ended_at: alert.ended_at,
    }
}
