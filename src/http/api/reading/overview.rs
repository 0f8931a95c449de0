//! `GET /api/overview`: what a wall shows.
//!
//! Before: programs, and the page `/wall`. After: `store::dashboard::overview`.
//! Promise: whatever the number of walls, the database computes the overview of a viewer at most once in [`FRESH`], the counters at most
//! once in [`COUNTERS_FRESH`], and it spends at most a twentieth of the time on it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::super::ApiError;
use super::inquiry::Inquiry;
use crate::http::State;
use crate::http::error::ReadErrors;
use crate::model::Overview;
use crate::model::overview::Counters;
use crate::store::dashboard::{Viewer, overview};

/// How long an overview is given again.
const FRESH: Duration = Duration::from_secs(1);

/// How long counters are given again: counting costs most of it.
const COUNTERS_FRESH: Duration = Duration::from_secs(10);

/// But either at least so many times as long as it took.
const FRESH_PER_READING: u32 = 20;

/// Viewers whose overview is kept.
const MAX_VIEWERS: u64 = 1000;

/// An overview that nobody asks for is kept so long.
const KEPT: Duration = Duration::from_secs(120);

/// What was read last for a viewer.
#[derive(Debug, Default)]
struct LastOverview {
    /// Until when it is given again.
    overview: Option<(Instant, Arc<Overview>)>,
    /// The same for the counters in it.
    counters: Option<(Instant, Counters)>,
}

/// The last overview of each viewer. Whoever asks meanwhile waits for the one who reads it.
#[derive(Debug)]
pub(in crate::http) struct OverviewCache(Cache<Viewer, Arc<Mutex<LastOverview>>>);

impl Default for OverviewCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_VIEWERS).time_to_idle(KEPT).build())
    }
}

impl State {
    /// What a wall of this viewer shows; at most a second old, or twenty times as long as reading it took.
    pub(in crate::http) async fn overview(&self, viewer: Viewer) -> Result<Arc<Overview>, ApiError> {
        let last = self.overviews.0.get_with(viewer, Arc::default);
        let mut last = last.lock().await;
        let began = Instant::now();
        if let Some((until, overview)) = &last.overview
            && began < *until
        {
            return Ok(Arc::clone(overview));
        }
        let known = last.counters.filter(|(until, _)| began < *until).map(|(_, counters)| counters);
        let read = self.list(async |store| overview::with_counters(&store, viewer, known).await).await;
        let overview = Arc::new(read?);
        let spared = began.elapsed() * FRESH_PER_READING;
        let read_at = Instant::now();
        if known.is_none() {
            last.counters = Some((read_at + COUNTERS_FRESH.max(spared), overview.counters));
        }
        // Most of a reading with counters is counting.
        let fresh = if known.is_none() { FRESH } else { FRESH.max(spared) };
        last.overview = Some((read_at + fresh, Arc::clone(&overview)));
        Ok(overview)
    }
}

/// Counters against yesterday, people online by unit, open alerts, batteries, newest values and positions
///
/// At most a second old, its counters at most ten; on a slow database twenty times as long as reading it takes.
#[utoipa::path(get, path = "/api/overview", tag = "reading", params(super::device::LatestParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "What a wall shows", body = Overview), ReadErrors))]
pub(in crate::http) async fn get_api_overview(
    Shared(state): Shared<Arc<State>>,
    mut inquiry: Inquiry,
) -> Result<Response, ApiError> {
    inquiry.only_json()?;
    let overview = state.overview(inquiry.viewer).await?;
    inquiry.json(&*overview)
}
