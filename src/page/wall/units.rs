//! People online by organisation unit, and the people whose watch needs somebody.

use maud::{Markup, html};

use super::{Part, bar, panel, person_link, place};
use crate::language::text;
use crate::model::Wall;
use crate::model::wall::{Need, PersonInNeed};
use crate::page::{Frame, format};

/// The part.
pub(super) fn render(frame: &Frame, wall: &Wall) -> Markup {
    let note = html! { (frame.text(&text!("page-online-of-people"))) };
    panel(
        frame,
        Part::Units.name(),
        &text!("page-online-by-unit"),
        &note,
        &html! {
            @if wall.overview.units.is_empty() {
                p.empty { (frame.text(&text!("page-no-people"))) }
            } @else {
                ul.bars.scrolls tabindex="0" aria-labelledby="units-heading" {
                    @for unit in &wall.overview.units {
                        li.bar-row {
                            span { (unit.org_name.clone().unwrap_or_else(|| frame.text(&text!("page-no-unit")))) }
                            (bar(format::percent(unit.online, unit.people).unwrap_or_default(), "accent"))
                            span.number { (format::count(unit.online)) " / " (format::count(unit.people)) }
                        }
                    }
                }
            }
            h3.in-need-heading #in-need {
                span { (frame.text(&text!("page-in-need"))) }
                @if wall.in_need_total > 0 { span.note { (format::count(wall.in_need_total)) } }
            }
            @if wall.in_need.is_empty() {
                p.empty { (frame.text(&text!("page-nobody-in-need"))) }
            } @else {
                ul.in-need.scrolls tabindex="0" aria-labelledby="in-need" {
                    @for person in &wall.in_need { (row(frame, person)) }
                }
            }
        },
    )
}

fn row(frame: &Frame, person: &PersonInNeed) -> Markup {
    html! {
        li {
            span {
                (person_link(frame, Some(person.user_id), person.user_name.as_deref(), &person.device_sn))
                @if let Some(place) = place(frame, person.org_name.as_deref(), person.room.as_deref()) {
                    " " span.quiet { (place) }
                }
            }
            span.need { (need(frame, person.need)) }
        }
    }
}

fn need(frame: &Frame, need: Need) -> Markup {
    match need {
        Need::Silent { since: Some(since) } => html! {
            (frame.text(&text!("page-silent"))) " " (format::since(since, frame.now))
        },
        Need::Silent { since: None } => html! { (frame.text(&text!("page-silent-long"))) },
        Need::LowBattery { percent } => {
            html! { (frame.text(&text!("page-battery", percent = i64::from(percent)))) }
        }
        Need::NotWorn => html! { (frame.text(&text!("page-not-worn"))) },
    }
}
