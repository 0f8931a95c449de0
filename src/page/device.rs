//! `/devices/{sn}`: a device now, over a day, a week or a month; its state, its wearers, the rules that hold for it.
//!
//! Before: `http::page::device` has read it. After: the browser.

use maud::{Markup, html};

use super::record::{self, HealthRecord};
use super::{Frame, limits, link, state, when};
use crate::language::{Text, text};
use crate::model::{Device, DeviceState};

/// A device with everything that the page shows.
#[derive(Debug)]
pub struct DeviceView {
    /// The device.
    pub device: Device,
    /// What is recorded.
    pub record: HealthRecord,
}

/// The title of the page.
pub fn title(device_sn: &str) -> Text {
    Text::Verbatim(device_sn.to_owned())
}

/// The page.
pub fn body(frame: &Frame, page: &DeviceView) -> Markup {
    let DeviceView { device, record } = page;
    let DeviceState { device_sn, online, last_ts, .. } = &device.state;
    html! {
        h1 { (device_sn) }
        p.under-title { (wearer(frame, &device.state)) " · " (state::online(frame, *online, *last_ts)) }
        div.columns {
            (record::now(frame, &record.newest, &record.rules, &now_query(device_sn)))
            (record::part(frame, "device", &state::facts(frame, &device.state)))
            (record::charts(frame, record))
            (record::details(frame, record))
            (record::part(frame, "worn", &bindings(frame, device)))
            (record::part(frame, "limits", &limits::of_device(frame, &record.rules)))
        }
    }
}

/// What names the device to the part `person-now`.
pub fn now_query(device_sn: &str) -> String {
    link::with("", &[("device_sn", Some(device_sn))]).trim_start_matches('?').to_owned()
}

/// Who wears it, with a link.
pub fn wearer(frame: &Frame, device: &DeviceState) -> Markup {
    html! {
        @match device.user_id {
            Some(user_id) => {
                @let number = user_id.to_string();
                a href=(link::person(user_id)) { (device.user_name.as_deref().unwrap_or(&number)) }
                @if let Some(unit) = &device.org_name { " · " (unit) }
            }
            None => { (frame.text(&text!("page-nobody-wears-it"))) }
        }
    }
}

fn bindings(frame: &Frame, device: &Device) -> Markup {
    html! {
        ul.rows {
            @for binding in &device.bindings {
                li {
                    @match (binding.user_id, &binding.user_name) {
                        (Some(user_id), Some(name)) => { a href=(link::person(user_id)) { (name) } }
                        (Some(user_id), None) => { a href=(link::person(user_id)) { (user_id) } }
                        (None, _) => { (frame.text(&text!("page-nobody"))) }
                    }
                    " · " (when::span(binding.valid_from, binding.valid_until, &frame.zone, frame.language))
                }
            }
        }
    }
}
