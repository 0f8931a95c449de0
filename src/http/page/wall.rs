//! `/wall`, and its parts below `/fragments/`.
//!
//! Before: a browser, or the module of an open page that has heard of a change. After: `store::dashboard`, `page::wall`.
//! Promise: the open alerts wait for nothing else that a wall shows. Whoever asks after a changed alert or after the answer to an action
//! sees the change. The number of browsers changes nothing of what the database is asked (`readings`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::error::{ApiError, ListErrors, OneErrors, no_such_route};
use super::readings::{ChangeCounts, Reading, Readings};
use super::{Flash, PageReader};
use crate::config::{PageSettings, Settings, TileCoordinates};
use crate::language::Language;
use crate::model::Wall;
use crate::model::wall::OpenAlerts;
use crate::page::alerts;
use crate::page::wall::{self, ALERTS, Part, Tiles};
use crate::page::{Frame, PreEscaped};
use crate::store::dashboard::{self, Viewer};

/// Alerts and people in need that a wall has room for.
const MOST_ALERTS: i64 = 60;
const MOST_IN_NEED: i64 = 20;

/// The walls that were read last.
#[derive(Debug)]
pub(super) struct Walls {
    tiles: Option<Tiles>,
    /// Everything but the open alerts.
    overviews: Readings<Wall, Variant<Part>>,
    alerts: Readings<OpenAlerts, Variant<()>>,
    /// Actions of people that this instance has answered.
    actions: AtomicU64,
}

/// What decides how a part is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Variant<P> {
    part: P,
    language: Language,
    can_respond: bool,
    is_kiosk: bool,
    is_private: bool,
}

impl<P> Variant<P> {
    fn of(frame: &Frame, part: P) -> Self {
        Self {
            part,
            language: frame.language,
            can_respond: frame.can_respond(),
            is_kiosk: frame.is_kiosk(),
            is_private: frame.is_private(),
        }
    }
}

impl Walls {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            tiles: tiles(&settings.page),
            overviews: Readings::new(),
            alerts: Readings::new(),
            actions: AtomicU64::new(0),
        }
    }

    /// An action of a person is about to be answered: whoever reads after it sees what it changed.
    pub(super) fn note_action(&self) {
        self.actions.fetch_add(1, Ordering::AcqRel);
    }

    /// What has changed so far.
    fn seen(&self, state: &State) -> ChangeCounts {
        (self.actions.load(Ordering::Acquire), state.stream.alert_changes())
    }

    /// The open alerts as HTML.
    async fn alerts(&self, state: &State, reader: &PageReader) -> Result<Arc<str>, ApiError> {
        let viewer = reader.caller.viewer();
        let read = async || {
            state
                .list(async move |store| dashboard::wall::open_alerts(&store, viewer, MOST_ALERTS).await)
                .await
        };
        let alerts = self.alerts.fresh(viewer, || self.seen(state), read).await?;
        let variant = Variant::of(&reader.frame, ());
        Ok(alerts.draw(variant, |alerts| wall::open_alerts(&reader.frame, alerts)))
    }

    /// A part as HTML.
    fn draw(&self, frame: &Frame, wall: &Reading<Wall, Variant<Part>>, part: Part) -> Arc<str> {
        wall.draw(Variant::of(frame, part), |wall| part.render(frame, wall, self.tiles.as_ref()))
    }
}

fn tiles(settings: &PageSettings) -> Option<Tiles> {
    (!settings.tile_url.is_empty()).then(|| Tiles {
        url: settings.tile_url.clone(),
        is_gcj02: settings.tile_coordinates == TileCoordinates::Gcj02,
        attribution: settings.tile_attribution.clone(),
    })
}

async fn read(state: &State, viewer: Viewer) -> Result<Wall, ApiError> {
    state
        .list(async move |store| {
            let overview = dashboard::overview::read(&store, viewer).await?;
            let (in_need, in_need_total) =
                dashboard::wall::people_in_need(&store, viewer, MOST_IN_NEED).await?;
            Ok(Wall { overview, in_need, in_need_total })
        })
        .await
}

impl PageReader {
    /// Times count from when the wall was read.
    fn show_time_of(&mut self, wall: &Wall) {
        self.frame.now = wall.overview.as_of;
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
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let (walls, viewer) = (&state.pages.walls, reader.caller.viewer());
    // Everything but the alerts may be some seconds old: the page asks for what has changed since.
    let wall =
        walls.overviews.recent(viewer, || walls.seen(&state), async || read(&state, viewer).await).await;
    let alerts = walls.alerts(&state, &reader).await;
    match wall.and_then(|wall| Ok((wall, alerts?))) {
        Ok((wall, alerts)) => {
            reader.show_time_of(&wall.value);
            let frame = &reader.frame;
            let part = |part| PreEscaped(walls.draw(frame, &wall, part));
            let mut body = wall::body(frame, &PreEscaped(alerts), part);
            // Whoever acknowledged an alert here a moment too late is shown who has it.
            let outcome = alerts::flash(reader.shown_once(flash).as_deref());
            body.0.insert_str(0, &outcome.0);
            reader.page(&wall::title(), &body)
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
    mut reader: PageReader,
) -> Response {
    let walls = &state.pages.walls;
    let html = if part == ALERTS {
        walls.alerts(&state, &reader).await
    } else {
        let Some(part) = Part::of_name(&part) else { return no_such_route().await };
        let viewer = reader.caller.viewer();
        let wall =
            walls.overviews.fresh(viewer, || walls.seen(&state), async || read(&state, viewer).await).await;
        wall.map(|wall| {
            reader.show_time_of(&wall.value);
            walls.draw(&reader.frame, &wall, part)
        })
    };
    match html {
        Ok(html) => reader.fragment(html.to_string()),
        Err(error) => error.into_response(),
    }
}
