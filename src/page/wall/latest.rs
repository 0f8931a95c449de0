//! The newest values, one line that ticks.
//!
//! Promise: the first state comes with the page. The module puts newer ones before it: it copies the `template`, fills the elements whose
//! `data-field` names a field of the event `latest`, and takes away those without a value.

use maud::{Markup, html};

use super::{Part, person_link};
use crate::language::text;
use crate::metric::{Metric, Value};
use crate::model::{Latest, Overview};
use crate::page::{Frame, format};

/// Samples that a page begins with: as many as a wide screen shows.
const SHOWN: usize = 12;

/// What is shown of a sample: the metric, and a sign before its value.
const VALUES: [(Metric, &str); 4] = [
    (Metric::HeartRate, "♥"),
    (Metric::BloodOxygen, "SpO₂"),
    (Metric::Temperature, ""),
    (Metric::RespiratoryRate, "RR"),
];

/// The part.
pub(super) fn render(frame: &Frame, overview: &Overview) -> Markup {
    html! {
        section.part-latest data-live=(Part::Latest.name()) aria-labelledby="latest-heading" {
            h2 #latest-heading .visually-hidden { (frame.text(&text!("page-newest-values"))) }
            @if overview.latest.is_empty() {
                p.empty { (frame.text(&text!("page-no-values"))) }
            }
            ul #ticker .ticker {
                @for sample in overview.latest.iter().take(SHOWN) { (row(frame, sample)) }
            }
            template #ticker-row { (blank(frame)) }
        }
    }
}

fn row(frame: &Frame, sample: &Latest) -> Markup {
    let device = (!frame.is_private()).then_some(sample.device_sn.as_str());
    html! {
        li data-device=[device] {
            (format::time_of_day(sample.ts, &frame.zone)) " "
            span data-field="user_name" {
                (person_link(frame, sample.user_id, sample.user_name.as_deref(), &sample.device_sn))
            }
            @for (metric, sign) in VALUES {
                @if let Some(value) = sample.values.get(metric) { (measured(frame, metric, sign, &number(&value))) }
            }
        }
    }
}

/// A row without values, with a place for each.
fn blank(frame: &Frame) -> Markup {
    html! {
        li {
            time data-field="ts" {} " "
            span data-field="user_name" {}
            @for (metric, sign) in VALUES { (measured(frame, metric, sign, "")) }
        }
    }
}

fn measured(frame: &Frame, metric: Metric, sign: &str, value: &str) -> Markup {
    let unit = match metric {
        Metric::BloodOxygen => " %",
        Metric::Temperature => " °C",
        _ => "",
    };
    let name = frame.text(&text!("page-alert-type", type = metric.column()));
    html! {
        span.measured title=(name) data-metric=(metric.column()) {
            " "
            span.visually-hidden { (name) " " }
            @if !sign.is_empty() { span.sign aria-hidden="true" { (sign) } " " }
            b data-field=(metric.column()) { (value) }
            (unit)
        }
    }
}

fn number(value: &Value) -> String {
    let text = value.to_string();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
