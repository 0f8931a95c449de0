//! `GET /api/stats`: the counts of today.
//!
//! Before: programs that show a counter. After: `store::stats`.
//! Promise: the database is queried at most once in [`FRESH`], and spends at most a twentieth of the time on it, whatever the number of
//! requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::ApiError;
use crate::http::State;
use crate::http::error::ListErrors;
use crate::store::stats::{self, CountedRecords, Today};

/// How long an answer is given again.
const FRESH: Duration = Duration::from_secs(5);

/// But at least so many times as long as counting took: it grows with the devices.
const FRESH_PER_COUNTING: u32 = 20;

/// Today so far
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Stats {
    /// When today began, in the zone of the rollups
    #[schema(value_type = String, format = DateTime)]
    day_start: Timestamp,
    /// Readings stored today
    records_today: i64,
    /// Devices that sent a sample of today
    active_devices: i64,
    /// People who wear them
    active_users: i64,
}

/// The last answer: until when it is given again, and what was counted for it. Whoever asks meanwhile waits for the one that
/// counts.
#[derive(Debug, Default)]
pub(in crate::http) struct CachedStats(Mutex<Option<(Instant, Today, CountedRecords)>>);

/// How much came in today; at most five seconds old, or twenty times as long as counting took
#[utoipa::path(get, path = "/api/stats", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "So much", body = Stats), ListErrors))]
pub(in crate::http) async fn get_api_stats(
    Shared(state): Shared<Arc<State>>,
) -> Result<Json<Stats>, ApiError> {
    let mut last = state.stats.0.lock().await;
    let today = match *last {
        Some((until, today, _)) if Instant::now() < until => today,
        _ => {
            let began = Instant::now();
            let counted = last.map(|(_, _, counted)| counted);
            let (today, counted) = state.list(async |store| stats::today(&store, counted).await).await?;
            let fresh = FRESH.max(began.elapsed() * FRESH_PER_COUNTING);
            *last = Some((Instant::now() + fresh, today, counted));
            today
        }
    };
    Ok(Json(Stats {
        day_start: today.from,
        records_today: today.records,
        active_devices: today.devices,
        active_users: today.users,
    }))
}
