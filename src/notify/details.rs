//! The line below an alert: who and where, the value and its bounds, since when, and the last vital signs. Pure.
//!
//! Before: `text` has the message of the rule. After: a channel shows both. Promise: what the message of the rule has said already is not
//! repeated; text from the directory is shown as plain text.

use jiff::Timestamp;

use super::text::Markup;
use crate::language::{Locale, Text, text};
use crate::model::{LastReading, Message, MessageAlert, NotificationKind};

/// Between two parts of the line.
const SEPARATOR: &str = "; ";

/// Minutes from which on a message says how long ago it happened: less is usual for a watch that sends what it has collected.
const LATE_MINUTES: i64 = 2;

/// The parts of the line, the most important first; none: there is nothing to add.
pub(super) fn parts(markup: Markup, message: &Message, alert: &MessageAlert) -> Vec<String> {
    let locale = &message.locale;
    let rule_text = alert.state.wording(locale.language).message;
    let who = who(markup, locale, alert, &rule_text);
    let value = value(locale, alert, &rule_text);
    let parts = [late(locale, alert), who, value, since(locale, alert), readings(locale, alert)];
    parts.into_iter().flatten().collect()
}

/// The line of as many parts as fit into `max_bytes`; `None`: not one does.
pub(super) fn line(parts: &[String], max_bytes: usize) -> Option<String> {
    let fitting = (1..=parts.len()).rev().map(|count| parts[..count].join(SEPARATOR));
    fitting.into_iter().find(|line| line.len() <= max_bytes)
}

/// Names that the text of the rule lacks, and the room.
fn who(markup: Markup, locale: &Locale, alert: &MessageAlert, rule_text: &str) -> Option<String> {
    let context = &alert.context;
    let names = [context.person.as_deref(), context.unit.as_deref()];
    let mut parts: Vec<String> = names
        .into_iter()
        .flatten()
        .filter(|name| !rule_text.contains(name))
        .map(|name| markup.line(name))
        .collect();
    if let Some(room) = &context.room {
        parts.push(locale.text(&text!("details-room", room = markup.line(room))));
    }
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

/// The newest breaching value with the bounds of the present severity. When an alert fires, the text of its rule may have it.
fn value(locale: &Locale, alert: &MessageAlert, rule_text: &str) -> Option<String> {
    let (metric, value) = (alert.state.metric.as_deref()?, alert.state.last_value?);
    if alert.kind == NotificationKind::Fired && has_number(rule_text, &alert.state.device_sn, value) {
        return None;
    }
    let (min, max) = (alert.context.min_value, alert.context.max_value);
    let which = match (min, max) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "min",
        (None, Some(_)) => "max",
        (None, None) => "none",
    };
    let shown = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
    let value = reading(metric, &value.to_string());
    let bounds = text!("details-value", which = which, value = value, min = shown(min), max = shown(max));
    Some(locale.text(&bounds))
}

/// Whether a text has a number besides those of a serial.
fn has_number(text: &str, device_sn: &str, number: f64) -> bool {
    let number = number.to_string();
    let text = text.replace(device_sn, " ");
    text.split(|sign: char| !sign.is_ascii_digit() && sign != '.')
        .any(|part| part.trim_end_matches('.') == number)
}

/// How long after it happened the alert fired: the watch was out of reach, or the upload waited in the buffer.
fn late(locale: &Locale, alert: &MessageAlert) -> Option<String> {
    let minutes = alert.due_at.duration_since(alert.state.fired_ts?).as_secs() / 60;
    let is_late = alert.kind == NotificationKind::Fired && minutes >= LATE_MINUTES;
    is_late.then(|| locale.text(&text!("details-late", minutes = minutes)))
}

/// Since when; when an alert fires at its first reading, its text has the time.
fn since(locale: &Locale, alert: &MessageAlert) -> Option<String> {
    let state = &alert.state;
    let started = state.started_ts?;
    if alert.kind == NotificationKind::Fired && state.started_ts == state.fired_ts && state.breach_count <= 1
    {
        return None;
    }
    Some(locale.text(&text!("details-since", since = locale.time(started))))
}

fn readings(locale: &Locale, alert: &MessageAlert) -> Option<String> {
    let all = &alert.context.readings;
    let pressure_low = all.iter().find(|reading| reading.metric == "pressure_low");
    let shown: Vec<String> = all
        .iter()
        .filter(|reading| reading.metric != "pressure_low")
        .map(|last| format!("{} {}", locale.text(&last_reading(last, pressure_low)), hour(locale, last.ts)))
        .collect();
    if shown.is_empty() {
        None
    } else {
        Some(locale.text(&text!("details-readings", readings = shown.join(", "))))
    }
}

/// A reading with its unit; the two pressures of one time are one.
fn last_reading(last: &LastReading, pressure_low: Option<&LastReading>) -> Text {
    match pressure_low {
        Some(low) if last.metric == "pressure_high" && low.ts == last.ts => {
            reading("pressure", &format!("{}/{}", last.value, low.value))
        }
        _ => reading(&last.metric, &last.value.to_string()),
    }
}

fn reading(metric: &str, value: &str) -> Text {
    text!("reading", metric = metric, value = value)
}

fn hour(locale: &Locale, instant: Timestamp) -> String {
    instant.to_zoned(locale.zone.clone()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::{first, message};
    use super::*;
    use crate::language::Language;
    use crate::model::AlertContext;

    fn at(time: &str) -> Timestamp {
        format!("2026-01-05T{time}:00Z").parse().expect("a time")
    }

    fn context() -> AlertContext {
        let reading =
            |metric: &str, value: f64, time: &str| LastReading { metric: metric.into(), value, ts: at(time) };
        AlertContext {
            person: Some("Li Wei".into()),
            unit: Some("3 North".into()),
            room: Some("12".into()),
            min_value: Some(40.0),
            max_value: Some(140.0),
            readings: vec![
                reading("heart_rate", 150.0, "10:00"),
                reading("blood_oxygen", 96.0, "09:58"),
                reading("pressure_high", 135.0, "09:40"),
                reading("pressure_low", 85.0, "09:40"),
                reading("temperature", 36.8, "09:30"),
            ],
        }
    }

    fn whole(markup: Markup, message: &Message, alert: &MessageAlert) -> Option<String> {
        line(&parts(markup, message, alert), usize::MAX)
    }

    fn told(kind: NotificationKind, text: &str, language: Language) -> Option<String> {
        let mut message = message(1, "major", "");
        message.locale.language = language;
        let alert = first(&mut message);
        (alert.kind, alert.context, alert.state.message) = (kind, context(), text.into());
        (alert.state.metric, alert.state.started_ts) = (Some("heart_rate".into()), alert.state.fired_ts);
        let alert = alert.clone();
        whole(Markup::Plain, &message, &alert)
    }

    #[test]
    fn what_the_text_of_the_rule_has_is_not_repeated() {
        let fired = told(NotificationKind::Fired, "Li Wei, 3 North (SN-1): heart rate 150/min", Language::En);
        let last = "last values: heart rate 150/min 10:00, oxygen saturation 96 % 09:58, \
                    blood pressure 135/85 mmHg 09:40, body temperature 36.8 °C 09:30";
        assert_eq!(fired.as_deref(), Some(format!("room 12; {last}").as_str()));
    }

    #[test]
    fn what_it_lacks_is_added_in_the_language_of_the_reader() {
        let repeated =
            told(NotificationKind::Repeated, "SN-1: heart rate 130/min", Language::En).expect("a line");
        let start = "Li Wei, 3 North, room 12; heart rate 150/min (40 to 140); since 2026-01-05 10:00:00; last values: ";
        assert!(repeated.starts_with(start), "{repeated}");
        let zh = told(NotificationKind::Repeated, "SN-1:心率 130 次/分", Language::Zh).expect("a line");
        let start = "Li Wei, 3 North, 房间 12; 心率 150 次/分(正常 40~140); 自 2026-01-05 10:00:00 起; 最近数值:心率 150 次/分 10:00, ";
        assert!(zh.starts_with(start), "{zh}");
    }

    #[test]
    fn one_bound_is_named_as_such_and_nothing_known_adds_nothing() {
        let mut message = message(1, "major", "heart rate 150");
        assert_eq!(whole(Markup::Plain, &message, &first(&mut message.clone()).clone()), None);
        let alert = first(&mut message);
        (alert.kind, alert.context.min_value) = (NotificationKind::Raised, Some(90.0));
        alert.state.started_ts = alert.state.fired_ts;
        (alert.state.metric, alert.state.last_value) = (Some("blood_oxygen".into()), Some(83.0));
        let alert = alert.clone();
        let told = whole(Markup::Plain, &message, &alert).expect("a line");
        assert_eq!(told, "oxygen saturation 83 % (below 90); since 2026-01-05 10:00:00");
    }

    #[test]
    fn an_alert_that_fires_late_says_how_late() {
        let late_by = |minutes: i64, kind| {
            let mut message = message(1, "critical", "SN-1: SOS");
            let alert = first(&mut message);
            alert.kind = kind;
            alert.state.started_ts = alert.state.fired_ts;
            alert.due_at = alert.state.fired_ts.expect("a time") + jiff::SignedDuration::from_mins(minutes);
            late(&message.locale.clone(), first(&mut message))
        };
        assert_eq!(late_by(14, NotificationKind::Fired).as_deref(), Some("14 min after it happened"));
        assert_eq!(late_by(1, NotificationKind::Fired), None);
        assert_eq!(late_by(14, NotificationKind::Escalated), None, "its first message has it");
    }

    #[test]
    fn a_number_in_a_serial_or_in_another_number_is_not_the_value() {
        assert!(has_number("SN-150: heart rate 150/min", "SN-150", 150.0));
        assert!(has_number("心率150次/分", "SN-1", 150.0) && has_number("37.8.", "SN-1", 37.8));
        assert!(!has_number("SN-150: heart rate high", "SN-150", 150.0));
        assert!(!has_number("at 1500 m", "SN-1", 150.0));
    }

    #[test]
    fn the_last_parts_are_left_out_first() {
        let parts = ["room 12", "since 10:00", "last values"].map(str::to_owned);
        for (max_bytes, expected) in [
            (33, Some("room 12; since 10:00; last values")),
            (32, Some("room 12; since 10:00")),
            (7, Some("room 12")),
            (6, None),
        ] {
            assert_eq!(line(&parts, max_bytes).as_deref(), expected);
        }
        assert_eq!(line(&[], 100), None);
    }

    #[test]
    fn a_name_is_no_markup() {
        let mut message = message(1, "major", "x");
        let alert = first(&mut message);
        alert.context = AlertContext {
            person: Some("[tap](http://e)".into()),
            room: Some("<@all>".into()),
            ..AlertContext::default()
        };
        let alert = alert.clone();
        let told = whole(Markup::Markdown, &message, &alert).expect("a line");
        assert_eq!(told, "［tap］(http://e), room ＜@all＞");
    }
}
