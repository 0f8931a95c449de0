//! `/wall`: what a ward or a control room looks at, on a screen across the room or on a telephone.
//!
//! Before: `http::page::wall` has read the [`Wall`]. After: the browser; each part is also sent alone when something of it has changed.
//! Promise: a private frame gets no name beyond initials, no serial, no number and no position. What can be opened or changed is what the
//! reader may open or change.

mod alerts;
mod counters;
mod hours;
mod latest;
mod map;
mod project;
mod units;
mod watches;

use maud::{Markup, Render, html};

use super::{Frame, format, link};
use crate::language::{Text, initials, text};
use crate::model::{Id64, Wall};
pub use alerts::{ALERTS, render as open_alerts};
pub use map::Tiles;

/// A part of the wall besides [`ALERTS`]: what `data-live` names, and what `/fragments/{part}` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Counters against yesterday.
    Counters,
    /// People online by unit, and people in need.
    Units,
    /// Positions.
    Map,
    /// Alerts by hour, level and type.
    AlertHours,
    /// Batteries and wear.
    Watches,
    /// Newest values.
    Latest,
}

impl Part {
    /// Every one, in the order of reading.
    pub const ALL: [Self; 6] =
        [Self::Counters, Self::Units, Self::Map, Self::AlertHours, Self::Watches, Self::Latest];

    /// Its name in attributes and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counters => "counters",
            Self::Units => "units",
            Self::Map => "map",
            Self::AlertHours => "alert-hours",
            Self::Watches => "watches",
            Self::Latest => "latest",
        }
    }

    /// The part of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Its HTML.
    pub fn render(self, frame: &Frame, wall: &Wall, tiles: Option<&Tiles>) -> Markup {
        match self {
            Self::Counters => counters::render(frame, wall),
            Self::Units => units::render(frame, wall),
            Self::Map => map::render(frame, wall, tiles),
            Self::AlertHours => hours::render(frame, &wall.overview),
            Self::Watches => watches::render(frame, &wall.overview),
            Self::Latest => latest::render(frame, &wall.overview),
        }
    }
}

/// The title of the page.
pub fn title() -> Text {
    text!("page-wall")
}

/// All parts: what a page puts into its shell.
pub fn body<T: Render>(frame: &Frame, alerts: &T, part: impl Fn(Part) -> T) -> Markup {
    let [counters, others @ ..] = Part::ALL;
    html! {
        h1.visually-hidden { (frame.text(&title())) }
        div.wall {
            (part(counters))
            (alerts)
            @for other in others { (part(other)) }
        }
    }
}

/// A panel with its heading; `note` stands at the end of the heading's line.
fn panel(frame: &Frame, name: &str, heading: &Text, note: &Markup, content: &Markup) -> Markup {
    html! {
        section class={ "panel part-" (name) } data-live=(name) aria-labelledby={ (name) "-heading" } {
            h2 id={ (name) "-heading" } {
                span { (frame.text(heading)) }
                span.note { (note) }
            }
            (content)
        }
    }
}

/// What a person is called on this screen: the name, else the serial of the watch; initials where the screen is private.
fn person(frame: &Frame, name: Option<&str>, device_sn: &str) -> String {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    match (frame.is_private(), name) {
        (true, Some(name)) => initials(name),
        (true, None) => "–".to_owned(),
        (false, name) => name.unwrap_or(device_sn).to_owned(),
    }
}

/// The person, as a link to their page where the reader may open it; a device that nobody wears leads to its own page.
fn person_link(frame: &Frame, user_id: Option<Id64>, name: Option<&str>, device_sn: &str) -> Markup {
    let shown = person(frame, name, device_sn);
    if frame.is_kiosk() || frame.is_private() {
        return html! { (shown) };
    }
    let address = user_id.map_or_else(|| link::device(device_sn), link::person);
    html! { a.subject href=(address) { (shown) } }
}

/// Unit and room, as far as they are known and may be shown.
fn place(frame: &Frame, unit: Option<&str>, room: Option<&str>) -> Option<String> {
    let room =
        room.filter(|_| !frame.is_private()).map(|room| frame.text(&text!("details-room", room = room)));
    let known: Vec<String> = unit.map(str::to_owned).into_iter().chain(room).collect();
    (!known.is_empty()).then(|| known.join(" · "))
}

/// A bar of a share of a whole, drawn; the numbers stand beside it.
fn bar(share: f64, class: &str) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track width="100" height="4" {}
            rect class=(class) width=(format::decimal(share.clamp(0.0, 100.0), 1)) height="4" {}
        }
    }
}

#[cfg(test)]
mod tests;
