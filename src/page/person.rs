//! `/people/{id}`: a person now, over a day, a week or a month; nights, exercise, events, devices, limits.
//!
//! Before: `http::page::person` has read it. After: the browser.

use maud::{Markup, html};

use super::alerts::flash;
use super::record::{self, HealthRecord};
use super::{Frame, limits, link, state, when};
use crate::language::{Text, text};
use crate::model::{DeviceState, Person, PersonSummary};

/// A person with everything that the page shows.
#[derive(Debug)]
pub struct PersonView {
    /// The person.
    pub person: Person,
    /// The devices that the person wears.
    pub devices: Vec<DeviceState>,
    /// What is recorded.
    pub record: HealthRecord,
    /// What became of the last action; shown once.
    pub flash: Option<String>,
}

/// The title of the page.
pub fn title(person: &PersonSummary) -> Text {
    Text::Verbatim(name(person))
}

/// The name, else the number.
pub fn name(person: &PersonSummary) -> String {
    let named = person.name.clone().filter(|name| !name.trim().is_empty());
    named.unwrap_or_else(|| person.user_id.to_string())
}

/// The page.
pub fn body(frame: &Frame, page: &PersonView) -> Markup {
    let PersonView { person, devices, record, flash: notice } = page;
    let summary = &person.summary;
    html! {
        h1 { (name(summary)) }
        p.under-title { (place(frame, summary)) " · " (state::online(frame, summary.online, summary.last_ts)) }
        (flash(notice.as_deref()))
        div.columns {
            (record::now(frame, &record.newest, &record.rules, &now_query(person)))
            (record::charts(frame, record))
            (record::details(frame, record))
            (record::part(frame, "devices", &worn(frame, devices)))
            (record::part(frame, "worn", &bindings(frame, person)))
            (record::part(frame, "limits", &limits::of_person(frame, summary.user_id, &record.rules)))
        }
    }
}

/// What names the person to the part `person-now`.
pub fn now_query(person: &Person) -> String {
    format!("user_id={}", person.summary.user_id)
}

fn place(frame: &Frame, person: &PersonSummary) -> String {
    let room = person.room.as_deref().map(|room| frame.text(&text!("details-room", room = room)));
    let known: Vec<String> =
        person.customer_name.clone().into_iter().chain(person.org_name.clone()).chain(room).collect();
    known.join(" · ")
}

fn worn(frame: &Frame, devices: &[DeviceState]) -> Markup {
    html! {
        @if devices.is_empty() { p.empty { (frame.text(&text!("page-wears-nothing"))) } }
        @for device in devices {
            h3 { a href=(link::device(&device.device_sn)) { (device.device_sn) } }
            (state::facts(frame, device))
        }
    }
}

/// Which device was worn when.
fn bindings(frame: &Frame, person: &Person) -> Markup {
    html! {
        ul.rows {
            @for binding in &person.bindings {
                li {
                    a href=(link::device(&binding.device_sn)) { (binding.device_sn) } " · "
                    (when::span(binding.valid_from, binding.valid_until, &frame.zone, frame.language))
                }
            }
        }
    }
}
