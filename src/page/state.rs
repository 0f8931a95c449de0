//! The state of a device: online, battery, wear, network, clock.
//!
//! Before: `store::dashboard::device` has read it. After: the pages of people and devices, and their lists.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{Frame, when};
use crate::language::text;
use crate::model::DeviceState;

/// A battery with less than this is marked, percent.
const LOW_BATTERY: i16 = 20;

/// Whether it is online, and when it last sent anything.
pub fn online(frame: &Frame, is_online: bool, last_ts: Option<Timestamp>) -> Markup {
    let word = frame.text(&text!("page-online", online = if is_online { "yes" } else { "no" }));
    html! {
        span class={ "online " (if is_online { "yes" } else { "no" }) } {
            span aria-hidden="true" { (if is_online { "●" } else { "○" }) } " " (word)
        }
        @if let Some(at) = last_ts {
            " · " time datetime=(at) { (when::age(at, frame.now, frame.language)) }
        }
    }
}

/// The charge of a battery as a bar and a number; `None`: not sent.
pub fn battery(frame: &Frame, percent: Option<i16>) -> Markup {
    html! {
        @if let Some(percent) = percent {
            @let is_low = percent < LOW_BATTERY;
            span.battery.low[is_low] {
                meter min="0" max="100" low=(LOW_BATTERY) value=(percent) { (percent) " %" } " "
                (percent) " %"
                @if is_low { " " span.chip { (frame.text(&text!("page-battery-low"))) } }
            }
        }
    }
}

/// Everything that a device reports of itself.
pub fn facts(frame: &Frame, device: &DeviceState) -> Markup {
    let label = |name: &str| frame.text(&text!("page-fact", name = name));
    // Fluent compares numbers with numbers only, and the state may be any word.
    let worn = device.wear_state.as_deref().map(|state| match state {
        "1" => frame.text(&text!("page-worn")),
        "0" => frame.text(&text!("page-not-worn")),
        words => words.to_owned(),
    });
    let charging =
        device.charging_status.as_deref().map(|state| frame.text(&text!("page-charging", state = state)));
    let clock = device.clock_offset_seconds.map(|seconds| {
        let amount = when::duration(i64::from(seconds).abs());
        let direction = if seconds < 0 { "ahead" } else { "behind" };
        frame.text(&text!("page-clock-off", direction = direction, amount = amount))
    });
    let words = [
        ("charging", charging),
        ("wear", worn),
        ("model", device.model.clone()),
        ("firmware", device.system_version.clone()),
        ("network", device.network_mode.clone()),
        ("voltage", device.voltage.map(|millivolts| format!("{millivolts} mV"))),
        ("reported", device.status.clone()),
        ("clock", clock),
    ];
    html! {
        dl.facts {
            @if device.battery_level.is_some() { dt { (label("battery")) } dd { (battery(frame, device.battery_level)) } }
            @for (name, value) in words {
                @if let Some(value) = value { dt { (label(name)) } dd { (value) } }
            }
            @if let Some(at) = device.info_ts {
                dt { (label("info")) } dd { (when::at(at, &frame.zone, frame.language)) }
            }
            dt { (label("first-seen")) } dd { (when::at(device.first_seen_at, &frame.zone, frame.language)) }
        }
    }
}
