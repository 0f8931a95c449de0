//! `/wall`, and its parts below `/fragments/`.
//!
//! Before: a browser, or the module of an open page that has heard of a change. After: `store::dashboard`, `page::wall`.
//! Promise: for all readers of the same tenant or unit the database is asked once in [`FRESH`], and each part is drawn once for those who
//! look at it in the same way, whatever the number of browsers. Whoever asks after a changed alert or after the answer to an action sees
//! the change. What was read for one tenant or unit is shown to nobody else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use moka::sync::Cache;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::super::State;
use super::super::error::{ApiError, ListErrors, OneErrors, no_such_route};
use super::{Flash, PageReader};
use crate::config::{PageSettings, Settings, TileCoordinates};
use crate::language::Language;
use crate::model::Wall;
use crate::page::alerts;
use crate::page::wall::{self, Part, Tiles};
use crate::page::{Frame, PreEscaped};
use crate::store::dashboard::{self, Viewer};

/// How long a wall is shown again before it is read anew.
const FRESH: Duration = Duration::from_secs(1);

/// After a change it is read anew, but not sooner than this after the last reading began.
const SPACING: Duration = Duration::from_millis(200);

/// Both are at least so many times as long as reading took, which grows with the devices.
const FRESH_PER_READING: u32 = 4;
const SPACING_PER_READING: u32 = 2;

/// Alerts and people in need that a wall has room for.
const ALERTS: i64 = 60;
const PEOPLE_IN_NEED: i64 = 20;

/// Tenants and units whose wall is kept.
const MOST_WALLS: u64 = 1_000;

/// The walls that were read last.
#[derive(Debug)]
pub(super) struct Walls {
    tiles: Option<Tiles>,
    walls: Cache<Viewer, Arc<Mutex<Option<WallEntry>>>>,
    /// Actions of people that this instance has answered.
    actions: AtomicU64,
}

/// The last wall of a tenant or a unit; `None`: it could not be read. Whoever asks meanwhile waits for the one that reads.
#[derive(Debug)]
struct WallEntry {
    /// What had changed before it was read.
    seen: (u64, u64),
    began: Instant,
    took: Duration,
    wall: Option<Arc<RenderedWall>>,
}

impl WallEntry {
    /// Nothing is known to have changed, and not much can have.
    fn is_fresh(&self, seen: (u64, u64)) -> bool {
        self.seen == seen && self.began.elapsed() < FRESH.max(self.took * FRESH_PER_READING)
    }

    /// When it may be read anew.
    fn next_reading(&self) -> Instant {
        self.began + SPACING.max(self.took * SPACING_PER_READING)
    }
}

/// A wall, and what was drawn of it.
#[derive(Debug)]
struct RenderedWall {
    wall: Wall,
    rendered: Lock<HashMap<WallVariant, Arc<str>>>,
}

/// What decides how a wall, or a part of it, is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct WallVariant {
    part: Option<Part>,
    language: Language,
    can_respond: bool,
    is_kiosk: bool,
    is_private: bool,
}

impl Walls {
    pub(super) fn new(settings: &Settings) -> Self {
        let walls = Cache::builder().max_capacity(MOST_WALLS).time_to_idle(Duration::from_secs(60)).build();
        Self { tiles: tiles(&settings.page), walls, actions: AtomicU64::new(0) }
    }

    /// An action of a person is about to be answered: whoever reads after it sees what it changed.
    pub(super) fn note_action(&self) {
        self.actions.fetch_add(1, Ordering::AcqRel);
    }

    /// The wall of the reader: the last one, while it is fresh.
    async fn read(&self, state: &State, viewer: Viewer) -> Result<Arc<RenderedWall>, ApiError> {
        let place = self.walls.get_with(viewer, Arc::default);
        let mut kept = place.lock().await;
        if let Some(last) = &*kept {
            if last.is_fresh(self.seen(state)) {
                return last.wall.clone().ok_or(ApiError::Unavailable);
            }
            sleep_until(last.next_reading()).await;
        }
        let (seen, began) = (self.seen(state), Instant::now());
        let read = read(state, viewer).await.map(Arc::new);
        *kept = Some(WallEntry { seen, began, took: began.elapsed(), wall: read.as_ref().ok().cloned() });
        read
    }

    /// What has changed so far.
    fn seen(&self, state: &State) -> (u64, u64) {
        (self.actions.load(Ordering::Acquire), state.stream.alert_changes())
    }

    fn draw(&self, frame: &Frame, wall: &RenderedWall, part: Option<Part>) -> Arc<str> {
        let variant = WallVariant {
            part,
            language: frame.language,
            can_respond: frame.can_respond(),
            is_kiosk: frame.is_kiosk(),
            is_private: frame.is_private(),
        };
        let mut rendered = wall.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let draw = || {
            let tiles = self.tiles.as_ref();
            let markup = match part {
                Some(part) => part.render(frame, &wall.wall, tiles),
                None => wall::body(frame, &wall.wall, tiles),
            };
            markup.into_string().into()
        };
        Arc::clone(rendered.entry(variant).or_insert_with(draw))
    }
}

fn tiles(settings: &PageSettings) -> Option<Tiles> {
    (!settings.tile_url.is_empty()).then(|| Tiles {
        url: settings.tile_url.clone(),
        is_gcj02: settings.tile_coordinates == TileCoordinates::Gcj02,
        attribution: settings.tile_attribution.clone(),
    })
}

async fn read(state: &State, viewer: Viewer) -> Result<RenderedWall, ApiError> {
    let wall = state
        .list(async move |store| {
            let overview = dashboard::overview::read(&store, viewer).await?;
            let attention = dashboard::wall::attention(&store, viewer, ALERTS, PEOPLE_IN_NEED).await?;
            Ok(Wall {
                overview,
                alerts: attention.alerts,
                in_need: attention.in_need,
                in_need_total: attention.in_need_total,
            })
        })
        .await?;
    Ok(RenderedWall { wall, rendered: Lock::default() })
}

impl PageReader {
    /// The same reader, of values that were read at that time.
    fn at_time_of(mut self, wall: &RenderedWall) -> Self {
        self.frame.now = wall.wall.overview.as_of;
        self
    }
}

/// The wall: counters, open alerts, people online, positions, watches, newest values
#[utoipa::path(get, path = "/wall", tag = "pages",
    security(
        ("bearer" = ["read", "own_tenant", "own_people", "kiosk"]),
        ("basic" = ["read", "own_tenant", "own_people", "kiosk"]),
    ),
    params(
        ("lang" = Option<String>, Query, description = "`en` or `zh`; a cookie keeps it"),
        ("theme" = Option<String>, Query, description = "`system`, `light` or `dark`; a cookie keeps it"),
    ),
    responses(
        ListErrors,
        (status = 200, description = "A page that keeps itself up to date", content_type = "text/html", body = String),
        (status = 303, description = "Nobody is logged in: the form is at `/login`"),
    ))]
pub(in crate::http) async fn get_wall(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    flash: Flash,
) -> Response {
    let walls = &state.pages.walls;
    match walls.read(&state, reader.caller.viewer()).await {
        Ok(wall) => {
            let mut reader = reader.at_time_of(&wall);
            let body = walls.draw(&reader.frame, &wall, None);
            // Whoever acknowledged an alert here a moment too late is shown who has it.
            let outcome = alerts::flash(reader.shown_once(flash).as_deref()).into_string();
            reader.page(&wall::title(), &PreEscaped(format!("{outcome}{body}")))
        }
        Err(error) => error.into_response(),
    }
}

/// A part of the wall, to replace the one that a page shows
#[utoipa::path(get, path = "/fragments/{part}", tag = "pages",
    security(
        ("bearer" = ["read", "own_tenant", "own_people", "kiosk"]),
        ("basic" = ["read", "own_tenant", "own_people", "kiosk"]),
    ),
    params(("part" = String, Path, description = "counters, alerts, units, map, alert-hours, watches or latest", example = "counters")),
    responses(
        OneErrors,
        (status = 200, description = "HTML of the part", content_type = "text/html", body = String),
        (status = 303, description = "Nobody is logged in: the form is at `/login`"),
    ))]
pub(in crate::http) async fn get_fragments_part(
    Shared(state): Shared<Arc<State>>,
    Path(part): Path<String>,
    reader: PageReader,
) -> Response {
    let Some(part) = Part::of_name(&part) else { return no_such_route().await };
    let walls = &state.pages.walls;
    match walls.read(&state, reader.caller.viewer()).await {
        Ok(wall) => {
            let reader = reader.at_time_of(&wall);
            let html = walls.draw(&reader.frame, &wall, Some(part));
            reader.fragment(html.to_string())
        }
        Err(error) => error.into_response(),
    }
}
