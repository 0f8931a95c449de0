//! `/admin/shifts`: who is on duty when.
//!
//! Before: `store::shift` has read them. After: `http::page::admin::shifts` reads the forms.

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::{ContactSummary, Id64, Shift};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// The section: the shifts that are not over, and a form for a new one.
pub fn body(
    frame: &Frame,
    shifts: &[Shift],
    contacts: &[ContactSummary],
    units: &[(Id64, String)],
) -> Markup {
    let rows: Vec<Markup> = shifts.iter().map(|shift| row(frame, shift)).collect();
    html! {
        section.panel { (table(frame, &["contact", "unit", "when", "state", "note", "action"], &rows)) }
        section.panel { h2 { (words(frame, "new-shift")) } (form(frame, contacts, units)) }
    }
}

fn row(frame: &Frame, shift: &Shift) -> Markup {
    let scope = shift.org_id.or(shift.customer_id).map(|id| id.to_string()).unwrap_or_default();
    html! {
        tr {
            th scope="row" { (shift.contact) }
            td { (scope) }
            td { (hours(frame, shift)) }
            td { @if let Some(on_duty) = shift.on_duty { (frame.text(&text!("page-on-duty", on_duty = if on_duty { "yes" } else { "no" }))) } }
            td { (shift.note.as_deref().unwrap_or_default()) }
            td {
                form.inline method="post" action={ "/admin/shifts/" (shift.shift_id) } {
                    button type="submit" { (words(frame, "end")) }
                }
            }
        }
    }
}

/// The hours that recur, with their days; else the period.
fn hours(frame: &Frame, shift: &Shift) -> String {
    let Some((from, until)) = shift.from_time.as_ref().zip(shift.until_time.as_ref()) else {
        return when::span(Some(shift.starts_at), shift.ends_at, &frame.zone, frame.language);
    };
    let days = shift.weekly_days.iter().flatten();
    let days: Vec<String> =
        days.map(|day| frame.text(&text!("page-day-of-week", day = i64::from(*day)))).collect();
    format!("{} {from}–{until}", days.join(" ")).trim().to_owned()
}

fn form(frame: &Frame, contacts: &[ContactSummary], units: &[(Id64, String)]) -> Markup {
    html! {
        form.stacked method="post" action="/admin/shifts" {
            label for="contact" { (words(frame, "contact")) }
            select #contact name="contact_id" {
                @for contact in contacts { option value=(contact.contact_id) { (contact.name) } }
            }
            label for="unit" { (words(frame, "unit")) }
            select #unit name="org_id" {
                @for (org_id, name) in units { option value=(org_id) { (name) } }
            }
            fieldset.filters {
                legend { (words(frame, "days-of-week")) }
                @for day in 1..=7_i64 {
                    label { input type="checkbox" name="day" value=(day); (frame.text(&text!("page-day-of-week", day = day))) }
                }
            }
            label for="from" { (words(frame, "from-time")) }
            input #from type="time" name="from_time" required;
            label for="until" { (words(frame, "until-time")) }
            input #until type="time" name="until_time" required;
            label for="note" { (frame.text(&text!("page-note"))) }
            input #note type="text" name="note" maxlength="2000";
            button.primary type="submit" { (words(frame, "save")) }
        }
    }
}
