//! `/people` and `/devices`: lists to search, with state, battery and open alerts.
//!
//! Before: `http::page::people` has read a page of them. After: the browser.

use maud::{Markup, html};

use super::alerts::severity;
use super::record_tables::table;
use super::{Frame, device, format, link, person, state};
use crate::language::{Text, text};
use crate::model::{DeviceState, Id64, PersonSummary, ReadState, Severity};

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchChoice {
    /// Part of a name, a room or a serial.
    pub search: Option<String>,
    /// Of this unit and its sub-units.
    pub org_id: Option<Id64>,
    /// In this state.
    pub state: Option<ReadState>,
    /// Units that can be chosen, with their names.
    pub units: Vec<(Id64, String)>,
    /// Where the next page begins; `None`: this is the last.
    pub cursor: Option<String>,
}

/// The title of the list of people.
pub fn people_title() -> Text {
    text!("page-people")
}

/// The title of the list of devices.
pub fn devices_title() -> Text {
    text!("page-devices")
}

/// The list of people.
pub fn people(frame: &Frame, choice: &SearchChoice, people: &[PersonSummary]) -> Markup {
    let rows: Vec<Markup> = people.iter().map(|person| person_row(frame, person)).collect();
    let columns = ["person", "unit", "room", "state", "battery", "alerts"];
    listing(frame, &people_title(), "/people", choice, &table(frame, &columns, &rows))
}

/// The list of devices.
pub fn devices(frame: &Frame, choice: &SearchChoice, devices: &[DeviceState]) -> Markup {
    let rows: Vec<Markup> = devices.iter().map(|device| device_row(frame, device)).collect();
    let columns = ["device", "person", "state", "battery", "alerts"];
    listing(frame, &devices_title(), "/devices", choice, &table(frame, &columns, &rows))
}

fn listing(frame: &Frame, title: &Text, route: &str, choice: &SearchChoice, rows: &Markup) -> Markup {
    html! {
        h1 { (frame.text(title)) }
        nav.tabs { ul {
            @for (path, title) in [("/people", people_title()), ("/devices", devices_title())] {
                li { a href=(path) aria-current=[(path == route).then_some("page")] { (frame.text(&title)) } }
            }
        } }
        (search_form(frame, route, choice))
        (rows)
        @if let Some(cursor) = &choice.cursor {
            p { a rel="next" href=(link::with(&frame.path, &[("cursor", Some(cursor))])) { (frame.text(&text!("page-next"))) } }
        }
    }
}

fn search_form(frame: &Frame, route: &str, choice: &SearchChoice) -> Markup {
    let label = |name: &str| frame.text(&text!("page-filter", name = name));
    html! {
        form.filters method="get" action=(route) role="search" {
            label { (label("search")) input type="search" name="search" value=[choice.search.as_deref()] maxlength="200"; }
            @if !choice.units.is_empty() {
                label { (label("unit"))
                    select name="org_id" {
                        option value="" { (label("any")) }
                        @for (org_id, name) in &choice.units {
                            option value=(org_id) selected[choice.org_id == Some(*org_id)] { (name) }
                        }
                    }
                }
            }
            label { (label("state"))
                select name="state" {
                    option value="" { (label("any")) }
                    @for state in ReadState::ALL {
                        option value=(state.name()) selected[choice.state == Some(*state)] {
                            (frame.text(&text!("page-read-state", state = state.name())))
                        }
                    }
                }
            }
            button type="submit" { (label("show")) }
        }
    }
}

fn person_row(frame: &Frame, person: &PersonSummary) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(link::person(person.user_id)) { (person::name(person)) } }
            td { (person.org_name.as_deref().unwrap_or_default()) }
            td { (person.room.as_deref().unwrap_or_default()) }
            td { (state::online(frame, person.online, person.last_ts)) }
            td { (state::battery(frame, person.battery_level)) }
            td { (open_alerts(frame, person.open_alerts, person.severity, &format!("user_id={}", person.user_id))) }
        }
    }
}

fn device_row(frame: &Frame, device: &DeviceState) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(link::device(&device.device_sn)) { (device.device_sn) } }
            td { (device::wearer(frame, device)) }
            td { (state::online(frame, device.online, device.last_ts)) }
            td { (state::battery(frame, device.battery_level)) }
            td { (open_alerts(frame, device.open_alerts, device.severity, &device::now_query(&device.device_sn))) }
        }
    }
}

/// How many alerts are open, with the gravest; a link to them. `query` says of whom.
fn open_alerts(frame: &Frame, count: i64, gravest: Option<Severity>, query: &str) -> Markup {
    html! {
        @if count > 0 {
            @if let Some(gravest) = gravest { (severity(frame, gravest)) " " }
            a href={ "/alerts?" (query) } { (frame.text(&text!("page-open-count", count = count))) }
        } @else {
            (format::count(0))
        }
    }
}
