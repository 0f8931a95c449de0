//! The text of a message: one alert, or several. Pure.
//!
//! Before: a channel has a message to send. After: it formats the text for its provider. Promise: the text names every alert of the
//! message; if the provider allows too little room, each alert is cut and none is left out. The text of an alert is the message of its
//! rule; only the words around it are fixed. Text from devices and people is shown as plain text: [`Markup`] has the characters to
//! escape.

use super::details;
use crate::language::text;
use crate::model::{Content, Message, MessageAlert, NotificationKind, SystemAlert};

const ELLIPSIS: &str = "…";

/// Digits of its id that people see of a message.
const NUMBER_DIGITS: usize = 8;

/// What a provider makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// Shows it as it is.
    Plain,
    /// Makes links of `<a href>`: application messages of WeCom.
    Anchors,
    /// Markdown of WeCom group robots: links, mentions (`<@user>`), colours (`<font>`), emphasis, quotes.
    Markdown,
}

impl Markup {
    /// `text` with nothing in it but text. What would be markup becomes the full-width form of the same sign, for neither format
    /// has an escape that its documentation names.
    fn escape(self, text: &str) -> String {
        let special: &str = match self {
            Self::Plain => return text.to_owned(),
            Self::Anchors => "<>&",
            Self::Markdown => "<>&[]*_`~#|\\!",
        };
        // U+FF01 to U+FF5E are the full-width forms of the printable signs of ASCII.
        let full_width = |sign: char| char::from_u32(u32::from(sign) + 0xFEE0).unwrap_or(sign);
        text.chars().map(|sign| if special.contains(sign) { full_width(sign) } else { sign }).collect()
    }

    /// The same in one line.
    pub(super) fn line(self, text: &str) -> String {
        self.escape(&one_line(text))
    }
}

/// What it is about, in one line.
pub(super) fn title(message: &Message) -> String {
    title_in(Markup::Plain, message)
}

fn title_in(markup: Markup, message: &Message) -> String {
    let language = message.locale.language;
    let critical =
        |severities: &[&str]| severities.iter().filter(|severity| **severity == "critical").count();
    let title = match &message.content {
        Content::Alerts(alerts) => match alerts.as_slice() {
            [one] => {
                let rule = markup.line(&one.state.wording(language).rule);
                let (kind, severity) = (one.kind.name(), one.state.severity.as_str());
                text!("notice-title", kind = kind, severity = severity, rule = rule)
            }
            several => {
                let severities: Vec<&str> =
                    several.iter().map(|alert| alert.state.severity.as_str()).collect();
                text!("alerts-title", count = several.len(), critical = critical(&severities))
            }
        },
        Content::System(alerts) => match alerts.as_slice() {
            [one] => text!(
                "system-title",
                kind = system_kind(one),
                severity = one.condition.severity(),
                condition = one.condition.name()
            ),
            several => {
                let severities: Vec<&str> = several.iter().map(|alert| alert.condition.severity()).collect();
                text!("system-alerts-title", count = several.len(), critical = critical(&severities))
            }
        },
        Content::Test(_) => text!("test-title"),
    };
    one_line(&title.in_language(language))
}

/// All of it: the only alert, or a title and each alert; at most `max_bytes`. Below an alert are its details, as far as there is room: the
/// gravest alerts have them first, and no line of an alert is cut for details.
pub(super) fn body(markup: Markup, message: &Message, max_bytes: usize) -> String {
    let entries: Vec<(String, Vec<String>)> = match &message.content {
        Content::Alerts(alerts) => alerts
            .iter()
            .map(|alert| (line(markup, message, alert), details::parts(markup, message, alert)))
            .collect(),
        Content::System(alerts) => {
            alerts.iter().map(|alert| (system_line(markup, message, alert), Vec::new())).collect()
        }
        Content::Test(at) => {
            let line = text!("test-line", at = message.locale.time_with_offset(*at));
            vec![(message.locale.text(&line), Vec::new())]
        }
    };
    let title = if entries.len() == 1 { String::new() } else { title_in(markup, message) + "\n" };
    let whole = title.len() + entries.iter().map(|(line, _)| line.len() + 1).sum::<usize>() - 1;
    let line_room = match whole > max_bytes {
        true => ((max_bytes.saturating_sub(title.len()) + 1) / entries.len()).saturating_sub(1),
        false => usize::MAX,
    };
    let mut room = max_bytes.saturating_sub(whole);
    let mut lines = Vec::with_capacity(entries.len() * 2);
    for (line, details) in &entries {
        lines.push(cut(line, line_room));
        if let Some(details) = details::line(details, room.saturating_sub(1)) {
            room -= details.len() + 1;
            lines.push(details);
        }
    }
    title + &lines.join("\n")
}

/// The same, with the number of the message at its end: where a provider does not recognise a repeated message, its readers do.
pub(super) fn numbered_body(markup: Markup, message: &Message, max_bytes: usize) -> String {
    let number: String = message.id.simple().to_string().chars().take(NUMBER_DIGITS).collect();
    let number = text!("message-number", number = number).in_language(message.locale.language);
    format!("{}\n{number}", body(markup, message, max_bytes.saturating_sub(number.len() + 1)))
}

fn line(markup: Markup, message: &Message, alert: &MessageAlert) -> String {
    let language = message.locale.language;
    let resolution = alert.state.resolution.as_deref().unwrap_or("over");
    text!(
        "notice-line",
        kind = alert.kind.name(),
        severity = alert.state.severity.as_str(),
        by = markup.line(who(alert)),
        resolution = resolution,
        words = markup.line(resolution),
        message = markup.line(&alert.state.wording(language).message)
    )
    .in_language(language)
}

/// Who acknowledged or assigned the alert.
fn who(alert: &MessageAlert) -> &str {
    let by = match alert.kind {
        NotificationKind::Assigned => &alert.state.assigned_by,
        _ => &alert.state.acknowledged_by,
    };
    by.as_deref().unwrap_or("?")
}

fn system_line(markup: Markup, message: &Message, alert: &SystemAlert) -> String {
    let language = message.locale.language;
    let until = alert.ended_at.map(|ended_at| message.locale.time_with_offset(ended_at));
    text!(
        "system-line",
        kind = system_kind(alert),
        severity = alert.condition.severity(),
        instance = markup.line(&alert.instance),
        message = markup.line(&alert.message.in_language(language)),
        since = message.locale.time_with_offset(alert.started_at),
        until = until.unwrap_or_default()
    )
    .in_language(language)
}

/// The kind of notice that a change of the service is.
pub(super) fn system_kind(alert: &SystemAlert) -> &'static str {
    if alert.ended_at.is_none() { NotificationKind::Fired.name() } else { NotificationKind::Resolved.name() }
}

/// Providers read a line break as the end of the entry, mail servers as that of the subject; signs that turn the direction of
/// writing would show something else than what stands there.
pub(super) fn one_line(text: &str) -> String {
    let steers = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(steers, " ")
}

/// `pattern` with each `{name}` filled in once, by what `value` knows; what is filled in stays as it is.
pub(super) fn fill(pattern: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        text.push_str(before);
        let name = from[1..].split_once('}').map(|(name, _)| name);
        match name.and_then(|name| Some((name, value(name)?))) {
            Some((name, value)) => {
                text.push_str(&value);
                rest = &from[name.len() + 2..];
            }
            None => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// `text`, or as much of its beginning as fits into `max_bytes` with a sign that it was cut.
pub(super) fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max_bytes.saturating_sub(ELLIPSIS.len()));
    format!("{}{ELLIPSIS}", &text[..end])
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::language::{Language, Locale, Text};
    use crate::model::AlertContext;
    use crate::model::alert_state::tests::alert;

    pub(crate) fn message(alerts: usize, severity: &str, text: &str) -> Message {
        let alert = |number| {
            let mut state = alert(number, severity);
            state.message = format!("{number}: {text}");
            // Without anything that is not in the text.
            (state.metric, state.started_ts) = (None, None);
            MessageAlert {
                kind: NotificationKind::Fired,
                state,
                context: AlertContext::default(),
                due_at: Timestamp::UNIX_EPOCH,
                age: Duration::ZERO,
                trace: None,
            }
        };
        Message {
            id: uuid::uuid!("8f7c1c1e-7a0e-4c5e-9b3a-0d9f3f1f2a11"),
            address: "somebody".into(),
            secret: None,
            attempts: 0,
            locale: Locale { language: Language::En, zone: jiff::tz::TimeZone::UTC },
            content: Content::Alerts((1..=i64::try_from(alerts).expect("few")).map(alert).collect()),
        }
    }

    pub(crate) fn first(message: &mut Message) -> &mut MessageAlert {
        let Content::Alerts(alerts) = &mut message.content else { panic!("alerts") };
        &mut alerts[0]
    }

    #[test]
    fn one_alert_is_one_line() {
        let message = message(1, "critical", "heart rate 150");
        assert_eq!(title(&message), "[critical] Heart rate");
        assert_eq!(body(Markup::Plain, &message, 4096), "[critical] 1: heart rate 150");
    }

    #[test]
    fn several_alerts_are_counted_and_listed() {
        assert_eq!(
            body(Markup::Plain, &message(2, "critical", "low"), 4096),
            "2 alerts, 2 critical\n[critical] 1: low\n[critical] 2: low"
        );
        assert_eq!(title(&message(3, "minor", "low")), "3 alerts");
    }

    #[test]
    fn details_are_left_out_before_a_line_is_cut_and_the_last_to_lose_them_is_the_gravest() {
        let mut message = message(3, "major", "low");
        let Content::Alerts(alerts) = &mut message.content else { panic!("alerts") };
        for alert in alerts {
            alert.context.room = Some("12".into());
        }
        let whole = "3 alerts\n[major] 1: low\nroom 12\n[major] 2: low\nroom 12\n[major] 3: low\nroom 12";
        assert_eq!(body(Markup::Plain, &message, whole.len()), whole);
        let first = "3 alerts\n[major] 1: low\nroom 12\n[major] 2: low\n[major] 3: low";
        assert_eq!(body(Markup::Plain, &message, first.len() + 1), first);
        assert_eq!(
            body(Markup::Plain, &message, 53),
            "3 alerts\n[major] 1: low\n[major] 2: low\n[major] 3: low"
        );
    }

    /// What a device can send as its serial, or as the value of an event.
    const HOSTILE: &str =
        "[tap](http://evil.example) **x** `y` <a href=\"http://e\">z</a> <@all> &lt; {rule} # > \\!";

    #[test]
    fn what_a_device_wrote_is_no_markup_and_what_a_person_reads_is_the_same() {
        let message = message(1, "major", HOSTILE);
        let markdown = body(Markup::Markdown, &message, 4096);
        let rest = markdown.strip_prefix("[major] ").expect("our own sign");
        assert!(!rest.contains(['[', ']', '<', '>', '*', '`', '#', '&', '_', '~', '|', '\\', '!']), "{rest}");
        assert!(rest.contains("［tap］(http://evil.example)") && rest.contains("{rule}"), "{rest}");
        let anchors = body(Markup::Anchors, &message, 4096);
        assert!(!anchors.contains(['<', '>', '&']), "{anchors}");
        assert_eq!(body(Markup::Plain, &message, 4096), format!("[major] 1: {HOSTILE}"));
    }

    #[test]
    fn the_name_of_a_rule_and_why_an_alert_ended_are_no_markup_either() {
        let mut message = message(1, "major", "low");
        first(&mut message).state.rule = "[a](b)".into();
        assert!(title_in(Markup::Markdown, &message).contains("［a］"));
        first(&mut message).kind = NotificationKind::Resolved;
        first(&mut message).state.resolution = Some("[tap](http://e)".into());
        assert_eq!(body(Markup::Markdown, &message, 4096), "[resolved] (［tap］(http://e)) 1: low");
    }

    #[test]
    fn what_the_service_tells_operators_is_no_markup_either() {
        let mut message = message(1, "minor", "");
        message.content = Content::System(vec![SystemAlert {
            condition: crate::model::SystemCondition::PostgresAway,
            instance: "<@all>".into(),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            fired_at: jiff::Timestamp::UNIX_EPOCH,
            ended_at: None,
            value: 1.0,
            threshold: 1.0,
            message: Text::Verbatim("the server says: [tap](http://e)\n# now".into()),
        }]);
        let told = body(Markup::Markdown, &message, 4096);
        assert!(
            told.starts_with("[critical] vitals ＜@all＞: the server says: ［tap］(http://e) ＃ now"),
            "{told}"
        );
    }

    #[test]
    fn a_text_cannot_break_its_line_nor_turn_it_round() {
        for sign in ["\r\n", "\u{2028}", "\u{202E}", "\u{2067}", "\u{0085}", "\0"] {
            let text = body(Markup::Plain, &message(1, "major", &format!("a{sign}b")), 4096);
            assert!(text.starts_with("[major] 1: a ") && text.ends_with('b'), "{text:?}");
        }
    }

    #[test]
    fn a_placeholder_is_filled_in_once() {
        let value = |name: &str| match name {
            "a" => Some("{b}".to_owned()),
            "b" => Some("B".to_owned()),
            _ => None,
        };
        for (pattern, text) in [
            ("{a} {b}", "{b} B"),
            ("{{a}}", "{{b}}"),
            ("{c} {a", "{c} {a"),
            ("x}{b}", "x}B"),
            ("心{b}率", "心B率"),
            ("", ""),
        ] {
            assert_eq!(fill(pattern, value), text, "{pattern}");
        }
    }

    #[test]
    fn an_end_and_an_escalation_are_told_as_such() {
        let mut message = message(1, "major", "low");
        first(&mut message).kind = NotificationKind::Escalated;
        assert_eq!(body(Markup::Plain, &message, 100), "[major] not acknowledged: 1: low");
        first(&mut message).kind = NotificationKind::Resolved;
        first(&mut message).state.resolution = Some("recovered".into());
        assert_eq!(body(Markup::Plain, &message, 100), "[resolved] (recovered) 1: low");
    }

    #[test]
    fn what_the_service_tells_of_itself_says_which_since_when_and_that_it_is_over() {
        let mut message = message(1, "minor", "");
        let mut alert = SystemAlert {
            condition: crate::model::SystemCondition::PostgresAway,
            instance: "a".into(),
            started_at: jiff::Timestamp::from_second(1_000_000_000).expect("a time"),
            fired_at: jiff::Timestamp::from_second(1_000_000_060).expect("a time"),
            ended_at: None,
            value: 1.0,
            threshold: 1.0,
            message: Text::Verbatim("PostgreSQL does not answer".into()),
        };
        message.content = Content::System(vec![alert.clone()]);
        assert_eq!(title(&message), "[critical] vitals: PostgreSQL does not answer");
        let line = "vitals a: PostgreSQL does not answer";
        let since = "2001-09-09 01:46:40 +00:00";
        assert_eq!(body(Markup::Plain, &message, 4096), format!("[critical] {line}, since {since}"));
        let fired = alert.clone();
        alert.ended_at = jiff::Timestamp::from_second(1_000_000_100).ok();
        message.content = Content::System(vec![fired, alert]);
        assert_eq!(
            body(Markup::Plain, &message, 4096),
            format!(
                "2 changes of vitals, 2 critical\n[critical] {line}, since {since}\n\
                 [resolved] {line}, from {since} to 2001-09-09 01:48:20 +00:00"
            )
        );
    }

    proptest! {
        #[test]
        fn however_long_the_messages_are_every_alert_is_named_and_the_limit_kept(
            alerts in 1usize..=20, text in "[a-z心率 \n]{0,3000}",
        ) {
            let mut message = message(alerts, "critical", &text);
            for (language, tag) in [(Language::En, "[critical] "), (Language::Zh, "【危急】")] {
                message.locale.language = language;
                let body = body(Markup::Plain, &message, 4096);
                prop_assert!(body.len() <= 4096, "{}", body.len());
                for number in 1..=alerts {
                    let named = body.contains(&format!("{tag}{number}:"));
                    prop_assert!(named, "{} {}", number, body);
                }
            }
        }
    }
}
