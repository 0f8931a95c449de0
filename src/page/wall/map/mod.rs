//! Where people are: positions gathered into clusters, alerts with mark and name, a scale, and a map under them if the settings name one.
//!
//! Before: the newest positions of the overview, in WGS 84. After: an SVG.
//! Promise: thousands of positions cost as much HTML as a few hundred; a private frame gets no position. Nobody is lost: who is outside
//! of the drawing is counted, and an alert outside of it stands at its edge.

mod cluster;
mod label;
mod tiles;

use maud::{Markup, html};

use super::project::{Degrees, MapPoint, Plane, gcj02};
use super::{Part, panel, person};
use crate::language::text;
use crate::model::Wall;
use crate::model::overview::Position;
use crate::page::chart::severity_mark;
use crate::page::{Frame, format};
use cluster::Cluster;
use label::Labels;
pub use tiles::Tiles;

/// The drawing.
const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 560.0;
/// Around the people.
const MARGIN: f64 = 60.0;

/// A position, and its place on the drawing.
pub(super) struct Placed<'a> {
    position: &'a Position,
    place: MapPoint,
}

/// The part.
pub(super) fn render(frame: &Frame, wall: &Wall, tiles: Option<&Tiles>) -> Markup {
    let positions = &wall.overview.positions;
    if frame.is_private() {
        return panel(
            frame,
            Part::Map.name(),
            &text!("page-where-people-are"),
            &html! {},
            &html! {
                p.empty { (frame.text(&text!("page-positions-private"))) }
            },
        );
    }
    let shift = |position: &Position| {
        let place = Degrees { latitude: position.latitude, longitude: position.longitude };
        if tiles.is_some_and(|tiles| tiles.is_gcj02) { gcj02(place) } else { place }
    };
    let degrees: Vec<Degrees> = positions.iter().map(shift).collect();
    let Some(plane) = Plane::around(&degrees, WIDTH, HEIGHT, MARGIN) else {
        return panel(
            frame,
            Part::Map.name(),
            &text!("page-where-people-are"),
            &html! {},
            &html! {
                p.empty { (frame.text(&text!("page-no-positions"))) }
            },
        );
    };
    let placed: Vec<Placed<'_>> = positions
        .iter()
        .zip(&degrees)
        .map(|(position, at)| Placed { position, place: plane.place(*at) })
        .collect();
    let note = html! {
        (frame.text(&text!("page-positions", count = positions.len())))
        " · " (frame.text(&text!("page-map-scale", distance = distance(plane.scale()))))
    };
    panel(
        frame,
        Part::Map.name(),
        &text!("page-where-people-are"),
        &note,
        &drawing(frame, &plane, &placed, tiles),
    )
}

fn drawing(frame: &Frame, plane: &Plane, placed: &[Placed<'_>], tiles: Option<&Tiles>) -> Markup {
    let (alerts, others): (Vec<_>, Vec<_>) =
        placed.iter().partition(|placed| placed.position.severity.is_some());
    let outside = others.iter().filter(|placed| !plane.holds(placed.place)).count();
    let clusters = cluster::gather(others.iter().filter(|placed| plane.holds(placed.place)));
    let about = text!("page-map-summary", count = placed.len(), alerts = alerts.len());
    let mut labels = Labels::new(WIDTH, HEIGHT);
    html! {
        figure.map {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(frame.text(&about)) {
                @match tiles {
                    Some(tiles) => { (tiles.under(plane)) }
                    None => { (grid(plane)) }
                }
                @for cluster in &clusters { (circle(frame, cluster)) }
                (alert_marks(frame, plane, alerts, &mut labels))
                (unit_names(plane, placed, &mut labels))
                (scale(plane))
            }
            @if outside > 0 || tiles.is_some_and(|tiles| !tiles.attribution.is_empty()) {
                figcaption.quiet {
                    @if outside > 0 { (frame.text(&text!("page-positions-outside", count = outside))) " " }
                    @if let Some(tiles) = tiles { (tiles.attribution) }
                }
            }
        }
    }
}

/// Lines at distances of the scale.
fn grid(plane: &Plane) -> Markup {
    let step = plane.scale() * plane.per_metre;
    let lines = |length: f64| {
        std::iter::successors(Some(step / 2.0), move |at| Some(at + step)).take_while(move |at| *at < length)
    };
    html! {
        @for x in lines(WIDTH) { path.grid d={ "M" (tenths(x)) " 0V" (HEIGHT) } {} }
        @for y in lines(HEIGHT) { path.grid d={ "M0 " (tenths(y)) "H" (WIDTH) } {} }
    }
}

fn circle(frame: &Frame, cluster: &Cluster) -> Markup {
    let radius = cluster.radius();
    html! {
        g.cluster.is-offline[cluster.online == 0] {
            circle cx=(tenths(cluster.place.x)) cy=(tenths(cluster.place.y)) r=(tenths(radius)) {
                title { (frame.text(&text!("page-cluster", count = cluster.people, online = cluster.online))) }
            }
            @if cluster.people > 1 {
                text x=(tenths(cluster.place.x)) y=(tenths(cluster.place.y + 4.5)) text-anchor="middle" { (cluster.people) }
            }
        }
    }
}

/// People with an open alert, the gravest drawn last and so on top. Who is outside of the drawing stands at its edge.
fn alert_marks(frame: &Frame, plane: &Plane, mut alerts: Vec<&Placed<'_>>, labels: &mut Labels) -> Markup {
    // The gravest gets the first label.
    alerts.sort_by_key(|placed| placed.position.severity.map(|severity| severity as u8));
    let edge = |place: MapPoint| MapPoint {
        x: place.x.clamp(12.0, WIDTH - 12.0),
        y: place.y.clamp(12.0, HEIGHT - 12.0),
    };
    let marks: Vec<Markup> = alerts.into_iter().filter_map(|placed| {
        let severity = placed.position.severity?;
        let (position, place) = (placed.position, edge(placed.place));
        let name = person(frame, position.user_name.as_deref(), &position.device_sn);
        let away = if plane.holds(placed.place) { "" } else { " ↗" };
        let words = format!("{} {name}{away}", severity_mark(severity));
        let label = labels.next_to(place, &words);
        Some(html! {
            g class={ "alert-mark " (severity.name()) } {
                title { (frame.text(&text!("severity", severity = severity.name()))) ": " (name) }
                circle class=(severity.name()) cx=(tenths(place.x)) cy=(tenths(place.y)) r="8" {}
                @if severity_mark(severity) == "***" { circle.ring cx=(tenths(place.x)) cy=(tenths(place.y)) r="17" {} }
                @if let Some(at) = label {
                    text.label x=(tenths(at.x)) y=(tenths(at.y)) { (words) }
                }
            }
        })
    }).collect();
    html! { @for mark in marks.iter().rev() { (mark) } }
}

/// The name of each unit near the middle of its people, as long as there is room.
fn unit_names(plane: &Plane, placed: &[Placed<'_>], labels: &mut Labels) -> Markup {
    let names = cluster::units(placed.iter().filter(|placed| plane.holds(placed.place)));
    html! {
        @for (name, place) in &names {
            @if let Some(at) = labels.above(*place, name) {
                text.unit-name x=(tenths(at.x)) y=(tenths(at.y)) { (name) }
            }
        }
    }
}

fn scale(plane: &Plane) -> Markup {
    let length = plane.scale() * plane.per_metre;
    let (right, y) = (WIDTH - 24.0, HEIGHT - 18.0);
    html! {
        g.scale {
            path d={ "M" (tenths(right - length)) " " (y) "H" (right) "M" (tenths(right - length)) " " (y - 5.0) "v10M" (right) " " (y - 5.0) "v10" } {}
            text x=(tenths(right - length / 2.0)) y=(y - 8.0) text-anchor="middle" { (distance(plane.scale())) }
        }
    }
}

fn distance(metres: f64) -> String {
    if metres < 1_000.0 {
        format!("{} m", format::decimal(metres, 0))
    } else {
        format!("{} km", format::decimal(metres / 1_000.0, 1))
    }
}

fn tenths(units: f64) -> String {
    format::decimal(units, 1)
}
