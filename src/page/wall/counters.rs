//! The counters of the day, each against the same time yesterday.

use maud::{Markup, html};

use super::Part;
use crate::language::{Text, text};
use crate::model::{Severity, Wall};
use crate::page::{Frame, format};

/// Whether more of something is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Good,
    Bad,
}

/// The part.
pub(super) fn render(frame: &Frame, wall: &Wall) -> Markup {
    let counters = &wall.overview.counters;
    let (open, unclaimed, critical) = open_alerts(wall);
    html! {
        section.part-counters data-live=(Part::Counters.name()) aria-labelledby="counters-heading" {
            h2 #counters-heading .visually-hidden { (frame.text(&text!("page-counters"))) }
            dl.counters {
                (counter(frame, &text!("page-samples-today"), &html! { (format::count(counters.samples_today)) },
                    &difference(frame, counters.samples_today, counters.samples_yesterday, More::Good)))
                (counter(frame, &text!("page-open-alerts"), &html! {
                    span class=[(critical > 0).then_some("critical")] { (format::count(open)) }
                }, &html! {
                    @if critical > 0 {
                        span.critical { "*** " (frame.text(&text!("page-critical-count", count = critical))) }
                        " · "
                    }
                    (frame.text(&text!("page-unclaimed-count", count = unclaimed)))
                }))
                (counter(frame, &text!("page-watches-online"), &html! {
                    (format::count(counters.devices_online))
                    small { " / " (format::count(counters.devices)) }
                }, &online(frame, wall)))
                (counter(frame, &text!("page-alerts-today"), &html! { (format::count(counters.alerts_today)) },
                    &difference(frame, counters.alerts_today, counters.alerts_yesterday, More::Bad)))
            }
        }
    }
}

fn counter(frame: &Frame, title: &Text, value: &Markup, note: &Markup) -> Markup {
    html! {
        div.panel.counter {
            dt { (frame.text(title)) }
            dd.value { (value) }
            dd.note { (note) }
        }
    }
}

/// Open alerts, those that nobody has taken on, and those that are critical.
fn open_alerts(wall: &Wall) -> (i64, i64, i64) {
    wall.overview.open_alerts.iter().fold((0, 0, 0), |(open, unclaimed, critical), of_severity| {
        let both = of_severity.firing + of_severity.acknowledged;
        let grave = if of_severity.severity == Severity::Critical { both } else { 0 };
        (open + both, unclaimed + of_severity.firing, critical + grave)
    })
}

/// How much more or less than yesterday, with an arrow that says the direction without a colour.
fn difference(frame: &Frame, today: i64, yesterday: i64, more: More) -> Markup {
    let (arrow, class) = match today.cmp(&yesterday) {
        std::cmp::Ordering::Equal => ("=", "quiet"),
        std::cmp::Ordering::Greater => ("▲", if more == More::Good { "ok" } else { "critical" }),
        std::cmp::Ordering::Less => ("▼", if more == More::Good { "major" } else { "ok" }),
    };
    let amount = match format::percent((today - yesterday).abs(), yesterday) {
        // A share of a few is noise, and so is one of a day on which hardly anything was sent.
        Some(percent) if yesterday >= 100 && percent < 1_000.0 => {
            format!("{} %", format::decimal(percent, 1))
        }
        _ => format::count((today - yesterday).abs()),
    };
    html! {
        span class=(class) { (arrow) " " (amount) }
        " " span.quiet { (frame.text(&text!("page-against-yesterday"))) }
    }
}

fn online(frame: &Frame, wall: &Wall) -> Markup {
    let counters = &wall.overview.counters;
    html! {
        @if let Some(percent) = format::percent(counters.devices_online, counters.devices) {
            span.ok { (format::decimal(percent, 1)) " %" }
            " · "
        }
        (frame.text(&text!("page-not-worn-count", count = wall.overview.wear.not_worn)))
    }
}
