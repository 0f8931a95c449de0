//! What a person can do about alerts: the fields and the buttons of a form.
//!
//! Before: the pages `/alerts` and `/alerts/{id}`. After: `http::page::alert_steps` reads the form.

use maud::{Markup, html};

use super::{Frame, link};
use crate::language::text;
use crate::model::{Alert, AlertStatus, ContactSummary};
use crate::page::when;

/// For how long alerts can be silenced, seconds.
pub const SILENCES: [i32; 5] = [900, 3_600, 14_400, 43_200, 86_400];

/// The steps, as in addresses and in the field `action`, in the order of their buttons.
pub const STEPS: [&str; 5] = ["acknowledge", "note", "assign", "silence", "resolve"];

/// The fields that the steps read.
pub fn fields(frame: &Frame, contacts: &[ContactSummary]) -> Markup {
    html! {
        label { (frame.text(&text!("page-note")))
            input type="text" name="note" maxlength="2000" autocomplete="off";
        }
        label { (frame.text(&text!("page-assign-to")))
            select name="contact_id" {
                option value="" { (frame.text(&text!("page-nobody"))) }
                @for contact in contacts { option value=(contact.contact_id) { (contact.name) } }
            }
        }
        label { (frame.text(&text!("page-silence-for")))
            select name="for_seconds" {
                @for seconds in SILENCES {
                    option value=(seconds) { (frame.text(&when::duration(i64::from(seconds)))) }
                }
            }
        }
    }
}

/// A button for each step with the alerts that are chosen.
pub fn buttons(frame: &Frame) -> Markup {
    html! {
        @for step in STEPS {
            button type="submit" name="action" value=(step) { (frame.text(&text!("page-step", step = step))) }
        }
    }
}

/// A form for one alert; `None`: there is nothing to do but to note.
pub fn form(frame: &Frame, alert: &Alert, contacts: &[ContactSummary]) -> Markup {
    let is_offered = |step: &str| match step {
        "note" => true,
        "acknowledge" => alert.status == AlertStatus::Firing,
        _ => alert.status != AlertStatus::Resolved,
    };
    html! {
        form.alert-actions method="post" action=(link::alert_step(alert.alert_id, "note")) {
            input type="hidden" name="back" value=(frame.path);
            (fields(frame, contacts))
            p.buttons {
                @for step in STEPS.into_iter().filter(|step| is_offered(step)) {
                    button type="submit" formaction=(link::alert_step(alert.alert_id, step)) {
                        (frame.text(&text!("page-step", step = step)))
                    }
                }
            }
        }
    }
}
