//! What people read: one alert, or several in one message. Pure.
//!
//! Before: a channel has a message to send. After: it packs the text as its provider wants it. Promise: every alert of a
//! message is named in it; where the provider allows too little room, each is cut, none is left out. What is said of an
//! alert is its rule's message; only the words around it are ours.

use crate::model::{Content, Message, Notice, NoticeKind, SystemAlert};

const ELLIPSIS: &str = "…";

/// What it is about, in one line.
pub(super) fn title(message: &Message) -> String {
    let (what, severities): (_, Vec<&str>) = match &message.content {
        Content::Alerts(notices) => match notices.as_slice() {
            [one] => return one_line(&format!("{} {}", tag(one), one.alert.rule)),
            several => ("alerts", several.iter().map(|notice| notice.alert.severity.as_str()).collect()),
        },
        Content::System(alerts) => match alerts.as_slice() {
            [one] => return one_line(&format!("{} vitals: {}", system_tag(one), one.condition.name())),
            several => {
                ("changes of vitals", several.iter().map(|alert| alert.condition.severity()).collect())
            }
        },
    };
    let critical = severities.iter().filter(|severity| **severity == "critical").count();
    let rest = if critical > 0 { format!(", {critical} critical") } else { String::new() };
    format!("{} {what}{rest}", severities.len())
}

/// All of it: the line of the only alert, or a title and a line each; at most `max_bytes`.
pub(super) fn body(message: &Message, max_bytes: usize) -> String {
    let lines: Vec<String> = match &message.content {
        Content::Alerts(notices) => notices.iter().map(line).collect(),
        Content::System(alerts) => alerts.iter().map(system_line).collect(),
    };
    if let [line] = lines.as_slice() {
        return cut(line, max_bytes);
    }
    let title = title(message);
    let whole = title.len() + lines.iter().map(|line| line.len() + 1).sum::<usize>();
    let room = match whole > max_bytes {
        true => (max_bytes.saturating_sub(title.len()) / lines.len()).saturating_sub(1),
        false => usize::MAX,
    };
    let lines = lines.iter().map(|line| cut(line, room));
    std::iter::once(title).chain(lines).collect::<Vec<_>>().join("\n")
}

fn line(notice: &Notice) -> String {
    let message = one_line(&notice.alert.message);
    match notice.kind {
        NoticeKind::Fired => format!("{} {message}", tag(notice)),
        NoticeKind::Escalated => format!("{} not acknowledged: {message}", tag(notice)),
        NoticeKind::Resolved => {
            let why = notice.alert.resolution.as_deref().unwrap_or("over");
            format!("{} ({why}) {message}", tag(notice))
        }
    }
}

fn system_line(alert: &SystemAlert) -> String {
    let since = alert.started_at.strftime("%F %T UTC");
    let text = format!("{} vitals {}: {}, since {since}", system_tag(alert), alert.instance, alert.message);
    match alert.ended_at {
        Some(ended_at) => one_line(&format!("{text} until {}", ended_at.strftime("%T"))),
        None => one_line(&text),
    }
}

fn system_tag(alert: &SystemAlert) -> String {
    match alert.ended_at {
        None => format!("[{}]", alert.condition.severity()),
        Some(_) => "[resolved]".to_owned(),
    }
}

/// Providers read a line break as the end of the entry, mail servers as that of the subject.
pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn tag(notice: &Notice) -> String {
    match notice.kind {
        NoticeKind::Fired | NoticeKind::Escalated => format!("[{}]", notice.alert.severity),
        NoticeKind::Resolved => "[resolved]".to_owned(),
    }
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

    use proptest::prelude::*;

    use super::*;
    use crate::model::alert_state::tests::alert;

    pub(crate) fn message(notices: usize, severity: &str, text: &str) -> Message {
        let notice = |number| {
            let mut alert = alert(number, severity);
            alert.message = format!("{number}: {text}");
            Notice { kind: NoticeKind::Fired, alert, age: Duration::ZERO, trace: None }
        };
        Message {
            id: "8f7c1c1e-7a0e-4c5e-9b3a-0d9f3f1f2a11".into(),
            address: "somebody".into(),
            secret: None,
            attempts: 0,
            content: Content::Alerts((1..=i64::try_from(notices).expect("few")).map(notice).collect()),
        }
    }

    pub(crate) fn first(message: &mut Message) -> &mut Notice {
        let Content::Alerts(notices) = &mut message.content else { panic!("alerts") };
        &mut notices[0]
    }

    #[test]
    fn one_alert_is_one_line() {
        let message = message(1, "critical", "heart rate 150");
        assert_eq!(title(&message), "[critical] Heart rate");
        assert_eq!(body(&message, 4096), "[critical] 1: heart rate 150");
    }

    #[test]
    fn several_alerts_are_counted_and_listed() {
        assert_eq!(
            body(&message(2, "critical", "low"), 4096),
            "2 alerts, 2 critical\n[critical] 1: low\n[critical] 2: low"
        );
        assert_eq!(title(&message(3, "minor", "low")), "3 alerts");
    }

    #[test]
    fn an_end_and_an_escalation_are_told_as_such() {
        let mut message = message(1, "major", "low");
        first(&mut message).kind = NoticeKind::Escalated;
        assert_eq!(body(&message, 100), "[major] not acknowledged: 1: low");
        first(&mut message).kind = NoticeKind::Resolved;
        first(&mut message).alert.resolution = Some("recovered".into());
        assert_eq!(body(&message, 100), "[resolved] (recovered) 1: low");
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
            message: "PostgreSQL does not answer".into(),
        };
        message.content = Content::System(vec![alert.clone()]);
        assert_eq!(title(&message), "[critical] vitals: postgres_away");
        let line = "vitals a: PostgreSQL does not answer, since 2001-09-09 01:46:40 UTC";
        assert_eq!(body(&message, 4096), format!("[critical] {line}"));
        let fired = alert.clone();
        alert.ended_at = jiff::Timestamp::from_second(1_000_000_100).ok();
        message.content = Content::System(vec![fired, alert]);
        assert_eq!(
            body(&message, 4096),
            format!("2 changes of vitals, 2 critical\n[critical] {line}\n[resolved] {line} until 01:48:20")
        );
    }

    proptest! {
        #[test]
        fn however_long_the_messages_are_every_alert_is_named_and_the_limit_kept(
            notices in 1usize..=20, text in "[a-z心率 \n]{0,3000}",
        ) {
            let message = message(notices, "critical", &text);
            let told = body(&message, 4096);
            prop_assert!(told.len() <= 4096, "{}", told.len());
            for number in 1..=notices {
                let named = told.contains(&format!("[critical] {number}:"));
                prop_assert!(named, "{} {}", number, told);
            }
        }
    }
}
