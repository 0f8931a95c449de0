//! Fields of forms: what they hold, as it is stored or as it was typed, and how they are drawn with their labels.
//!
//! Before: a page has what is stored, `http::page` what was typed. After: the browser; `http::page::form` reads what is typed.
//! Promise: a field is named as the column that it sets. A duration is a number and its unit, exact to the second. What a field holds is shown,
//! also where it is none of those to choose from.

use std::fmt::Display;

use maud::{Markup, html};

use super::{Frame, vital};
use crate::language::text;
use crate::metric::{Kind, Metric};
use crate::model::Severity;

/// Units of a duration, in seconds, and their names in texts; the longest first.
const UNITS: [(i64, &str); 4] = [(86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds")];

/// What to choose from: value and title.
pub type Options = Vec<(String, String)>;

/// What the fields of a form hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldValues(Vec<(String, String)>);

impl From<Vec<(String, String)>> for FieldValues {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl FieldValues {
    /// Fills a field, if there is a value.
    pub fn put(&mut self, name: &str, value: Option<impl Display>) {
        self.0.extend(value.map(|value| (name.to_owned(), value.to_string())));
    }

    /// Fills a field with a duration, in the longest unit that it is whole in.
    pub fn put_seconds(&mut self, name: &str, seconds: Option<i32>) {
        let amount = seconds.map(|seconds| amount(i64::from(seconds)));
        self.put(name, amount.map(|(count, ..)| count));
        self.put(&unit_field(name), amount.map(|(_, unit, _)| unit));
    }

    /// Ticks a box, if it is to be.
    pub fn tick(&mut self, name: &str, is_ticked: bool) {
        self.put(name, is_ticked.then_some("true"));
    }

    /// What a field holds; empty: nothing.
    pub fn get(&self, name: &str) -> &str {
        let mut values = self.0.iter().rev().filter(|(each, _)| each == name);
        values.next().map_or("", |(_, value)| value)
    }

    /// Whether one of the fields of this name holds a value.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(each, held)| each == name && held == value)
    }
}

/// Name of the field with the unit of a duration.
pub fn unit_field(name: &str) -> String {
    format!("{name}_unit")
}

/// A number of the longest unit that a duration is whole in, the seconds of that unit and its name.
fn amount(seconds: i64) -> (i64, i64, &'static str) {
    let fits = |unit: &&(i64, &str)| seconds != 0 && seconds % unit.0 == 0;
    let (unit, name) = UNITS.iter().find(fits).copied().unwrap_or((1, "seconds"));
    (seconds / unit, unit, name)
}

/// A duration in words.
pub fn duration(frame: &Frame, seconds: i32) -> String {
    let (count, _, unit) = amount(i64::from(seconds));
    frame.text(&text!("page-duration", unit = unit, count = count))
}

/// A time of day, without seconds where there are none.
pub fn hour(time: &str) -> &str {
    time.strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(time)
}

/// The severities to choose from.
pub fn severities(frame: &Frame) -> Options {
    let title = |severity: &Severity| frame.text(&text!("severity", severity = severity.name()));
    Severity::ALL.iter().map(|severity| (severity.name().to_owned(), title(severity))).collect()
}

/// The vital signs to choose from.
pub fn vital_signs(frame: &Frame) -> Options {
    let all = Metric::ALL.into_iter().filter(|metric| metric.kind() == Kind::VitalSign);
    let title = |metric| format!("{} ({})", vital::name(frame, metric), vital::unit(frame, metric));
    all.map(|metric| (metric.column().to_owned(), title(metric))).collect()
}

/// The options of a list to choose one from, with what is chosen.
pub fn options(options: &[(String, String)], chosen: &str) -> Markup {
    let is_known = chosen.is_empty() || options.iter().any(|(value, _)| value == chosen);
    html! {
        @for (value, title) in options { option value=(value) selected[value == chosen] { (title) } }
        @if !is_known { option value=(chosen) selected { (chosen) } }
    }
}

/// Draws the fields of a form, each below its label.
#[derive(Debug, Clone, Copy)]
pub struct FieldPen<'a> {
    /// The page.
    pub frame: &'a Frame,
    /// What the fields hold.
    pub values: &'a FieldValues,
    /// Of the form, so that no two fields of a page have the same id.
    pub form: &'a str,
}

impl FieldPen<'_> {
    fn id(self, name: &str) -> String {
        format!("{}-{name}", self.form)
    }

    fn label(self, name: &str) -> Markup {
        html! { label for=(self.id(name)) { (self.title(name)) } }
    }

    fn title(self, name: &str) -> String {
        self.frame.text(&text!("page-field", name = name))
    }

    /// A line of text.
    pub fn line(self, name: &str, most: u32, is_required: bool) -> Markup {
        html! {
            (self.label(name))
            input id=(self.id(name)) type="text" name=(name) value=(self.values.get(name)) maxlength=(most) required[is_required] autocomplete="off";
        }
    }

    /// Several lines of text.
    pub fn lines(self, name: &str, rows: u8) -> Markup {
        html! {
            (self.label(name))
            textarea id=(self.id(name)) name=(name) rows=(rows) { (self.values.get(name)) }
        }
    }

    /// A number as it is measured.
    pub fn number(self, name: &str) -> Markup {
        html! {
            (self.label(name))
            input id=(self.id(name)) type="number" step="any" name=(name) value=(self.values.get(name));
        }
    }

    /// A number that counts.
    pub fn count(self, name: &str, (least, most): (u32, u32)) -> Markup {
        html! {
            (self.label(name))
            input id=(self.id(name)) type="number" min=(least) max=(most) name=(name) value=(self.values.get(name));
        }
    }

    /// The number of a tenant, a unit, a person.
    pub fn id_number(self, name: &str) -> Markup {
        html! {
            (self.label(name))
            input id=(self.id(name)) type="text" inputmode="numeric" pattern="[0-9]*" name=(name) value=(self.values.get(name));
        }
    }

    /// A time of day.
    pub fn time(self, name: &str) -> Markup {
        let shown = hour(self.values.get(name));
        // What no clock of a browser shows (24:00, or seconds) is a text.
        let kind = if shown.len() > 5 || shown.starts_with("24") { "text" } else { "time" };
        html! {
            (self.label(name))
            input id=(self.id(name)) type=(kind) name=(name) value=(shown);
        }
    }

    /// A duration: a number and its unit.
    pub fn seconds(self, name: &str) -> Markup {
        let unit_name = unit_field(name);
        let chosen = self.values.get(&unit_name);
        let unit = |name: &str| self.frame.text(&text!("page-time-unit", unit = name));
        let units: Options =
            UNITS.iter().rev().map(|(unit_s, name)| (unit_s.to_string(), unit(name))).collect();
        html! {
            (self.label(name))
            span.amount {
                input id=(self.id(name)) type="number" min="0" name=(name) value=(self.values.get(name));
                select name=(unit_name) aria-label=(unit("unit")) { (options(&units, if chosen.is_empty() { "60" } else { chosen })) }
            }
        }
    }

    /// One of several.
    pub fn choice(self, name: &str, all: &[(String, String)]) -> Markup {
        html! {
            (self.label(name))
            select id=(self.id(name)) name=(name) { (options(all, self.values.get(name))) }
        }
    }

    /// One of several, or none.
    pub fn choice_or_none(self, name: &str, all: &[(String, String)], none: &str) -> Markup {
        let none = (String::new(), none.to_owned());
        self.choice(name, &[&[none], all].concat())
    }

    /// Yes or no.
    pub fn tick_box(self, name: &str) -> Markup {
        html! {
            label { input type="checkbox" name=(name) value="true" checked[!self.values.get(name).is_empty()]; " " (self.title(name)) }
        }
    }

    /// Any of several.
    pub fn tick_boxes(self, name: &str, all: &[(String, String)]) -> Markup {
        html! {
            fieldset.filters {
                legend { (self.title(name)) }
                @for (value, title) in all {
                    label { input type="checkbox" name=(name) value=(value) checked[self.values.has(name, value)]; (title) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::frame;
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_duration_has_the_longest_unit_that_it_is_whole_in() {
        for (seconds, words, chinese) in [
            (0, "0 seconds", "0 秒"),
            (1, "1 second", "1 秒"),
            (90, "90 seconds", "90 秒"),
            (300, "5 minutes", "5 分钟"),
            (3_600, "1 hour", "1 小时"),
            (172_800, "2 days", "2 天"),
        ] {
            assert_eq!(duration(&frame(Language::En), seconds), words);
            assert_eq!(duration(&frame(Language::Zh), seconds), chinese);
            let mut values = FieldValues::default();
            values.put_seconds("x", Some(seconds));
            let held = |name: &str| -> i32 { values.get(name).parse().expect("a number") };
            assert_eq!(held("x") * held("x_unit"), seconds);
        }
    }

    #[test]
    fn what_is_none_of_those_to_choose_from_is_shown_all_the_same() {
        let all = [("1".to_owned(), "<one>".to_owned())];
        assert_eq!(
            options(&all, "2").into_string(),
            "<option value=\"1\">&lt;one&gt;</option><option value=\"2\" selected>2</option>"
        );
        assert_eq!(options(&all, "1").into_string(), "<option value=\"1\" selected>&lt;one&gt;</option>");
    }
}
