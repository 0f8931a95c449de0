//! The watches by the charge of their batteries, and by whether they are worn.

use maud::{Markup, html};

use super::{Part, bar, panel};
use crate::language::{Text, text};
use crate::model::Overview;
use crate::page::{Frame, format};

/// The part.
pub(super) fn render(frame: &Frame, overview: &Overview) -> Markup {
    let note = html! { (frame.text(&text!("page-battery-and-wear"))) };
    panel(
        frame,
        Part::Watches.name(),
        &text!("page-watches"),
        &note,
        &html! {
            (bars(frame, &batteries(overview)))
            (bars(frame, &wear(overview)))
        },
    )
}

/// A row of bars: what it counts, how many, its class.
type CountedBar = (Text, i64, &'static str);

fn batteries(overview: &Overview) -> [CountedBar; 4] {
    let from = |low: i32, high: i32| {
        let steps = overview.batteries.iter().filter(move |step| (low..high).contains(&step.from_percent));
        steps.map(|step| step.devices).sum()
    };
    [
        (text!("page-battery-from", percent = 50_i64), from(50, i32::MAX), "ok"),
        (text!("page-battery-between", low = 20_i64, high = 49_i64), from(20, 50), "accent"),
        (text!("page-battery-between", low = 10_i64, high = 19_i64), from(10, 20), "major"),
        (text!("page-battery-below", percent = 10_i64), from(i32::MIN, 10), "critical"),
    ]
}

fn wear(overview: &Overview) -> [CountedBar; 3] {
    let wear = &overview.wear;
    [
        (text!("page-worn"), wear.worn, "info"),
        (text!("page-not-worn"), wear.not_worn, "major"),
        (text!("page-wear-unknown"), wear.unknown, "info"),
    ]
}

fn bars(frame: &Frame, counted: &[CountedBar]) -> Markup {
    let whole: i64 = counted.iter().map(|(_, count, _)| count).sum();
    html! {
        ul.bars {
            @for (title, count, class) in counted {
                li.bar-row {
                    span { (frame.text(title)) }
                    (bar(format::percent(*count, whole).unwrap_or_default(), class))
                    span.number { (format::count(*count)) }
                }
            }
        }
    }
}
