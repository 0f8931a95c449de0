//! The result of a replay: alerts per day, devices, the longest, and how that compares with what is stored.
//!
//! Before: `replay` adds page by page; its memory does not grow with the devices. After: text, or a JSON object.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::command::alerts::{duration, header, json_line, severity};
use crate::command::text::{aligned, escape_control, grouped};
use crate::language::{Locale, Text, text};
use crate::store::alert_replay::{Episode, NotificationCounts, Receiver};

/// What was replayed.
pub(super) struct ReplayOptions<'a> {
    /// The rule, with all its columns.
    pub(super) rule: &'a Value,
    /// The changes of it.
    pub(super) set: &'a [String],
    /// It is stored, so its alerts can be compared.
    pub(super) is_kept: bool,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) locale: &'a Locale,
}

/// Alerts of a day.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Day {
    paged: u64,
    historical: u64,
}

/// The result so far.
#[derive(Debug)]
pub(super) struct ReplaySummary {
    zone: TimeZone,
    devices: u64,
    affected: u64,
    days: BTreeMap<Date, Day>,
    /// Alerts by the gravest severity that they had.
    severities: BTreeMap<String, u64>,
    notified: BTreeMap<Receiver, NotificationCounts>,
    longest: Option<Episode>,
    stored: u64,
    /// Stored alerts that the replay raises too.
    common: u64,
    /// Alerts of the replay that are not stored.
    new: u64,
}

impl ReplaySummary {
    pub(super) fn new(zone: TimeZone) -> Self {
        let (days, severities, notified) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let longest = None;
        Self {
            zone,
            devices: 0,
            affected: 0,
            days,
            severities,
            notified,
            longest,
            stored: 0,
            common: 0,
            new: 0,
        }
    }

    /// Adds a page of devices: alerts of the replay, and stored ones.
    pub(super) fn add(&mut self, devices: usize, replayed: &[Episode], stored: &[Episode]) {
        self.devices += devices as u64;
        let affected: BTreeSet<&str> = replayed.iter().map(|episode| episode.device_sn.as_str()).collect();
        self.affected += affected.len() as u64;
        for episode in replayed {
            let day = self.days.entry(episode.fired_ts.to_zoned(self.zone.clone()).date()).or_default();
            if episode.historical {
                day.historical += 1
            } else {
                day.paged += 1
            }
            *self.severities.entry(episode.peak_severity.clone()).or_default() += 1;
            if self.longest.as_ref().is_none_or(|longest| length(episode) > length(longest)) {
                self.longest = Some(episode.clone());
            }
        }
        let mut of_device: BTreeMap<&str, Vec<&Episode>> = BTreeMap::new();
        for episode in stored {
            of_device.entry(&episode.device_sn).or_default().push(episode);
        }
        let mut met = BTreeSet::new();
        for episode in replayed {
            let same = of_device.get(episode.device_sn.as_str()).into_iter().flatten();
            let same: Vec<Timestamp> =
                same.filter(|other| overlap(episode, other)).map(|other| other.fired_ts).collect();
            self.new += u64::from(same.is_empty());
            met.extend(same.into_iter().map(|fired_ts| (episode.device_sn.as_str(), fired_ts)));
        }
        self.stored += stored.len() as u64;
        self.common += met.len() as u64;
    }

    /// Adds who would have been notified of the alerts of a page.
    pub(super) fn add_notifications(&mut self, notified: Vec<(Receiver, NotificationCounts)>) {
        for (receiver, counts) in notified {
            let sum = self.notified.entry(receiver).or_default();
            sum.fired += counts.fired;
            sum.raised += counts.raised;
            sum.escalated += counts.escalated;
            sum.resolved += counts.resolved;
        }
    }

    fn total(&self) -> Day {
        self.days.values().fold(Day::default(), |sum, day| Day {
            paged: sum.paged + day.paged,
            historical: sum.historical + day.historical,
        })
    }

    /// For people.
    pub(super) fn text(&self, ran: &ReplayOptions<'_>) -> String {
        let mut text = heading(ran);
        let total = self.total();
        let line = |name: String, day: Day| {
            [name, grouped(day.paged + day.historical), grouped(day.paged), grouped(day.historical)]
        };
        let locale = ran.locale;
        let mut lines = vec![header(locale, ["day", "alerts", "paged", "historical"])];
        lines.extend(self.days.iter().map(|(date, day)| line(date.to_string(), *day)));
        lines.push(line(locale.text(&text!("replay-all")), total));
        text.push_str(&aligned(&lines));
        let mut more = vec![text!("replay-devices", affected = self.affected, all = self.devices)];
        if let Some(longest) = &self.longest {
            more.push(text!(
                "replay-longest",
                device = escape_control(&longest.device_sn),
                from = locale.time(longest.started_ts),
                duration = length_text(length(longest)),
                has_end = if longest.ended_ts.is_some() { "yes" } else { "no" },
                breaches = i64::from(longest.breach_count)
            ));
        }
        if ran.is_kept {
            let (stored, both, gone) = (self.stored, self.common, self.stored - self.common);
            more.push(text!("replay-stored", stored = stored, again = both, gone = gone, new = self.new));
        }
        text.push('\n');
        text.extend(more.iter().map(|line| locale.text(line) + "\n"));
        text.push_str(&self.notified_text(locale));
        text
    }

    /// Who would have been notified, and how often of what.
    fn notified_text(&self, locale: &Locale) -> String {
        if self.notified.is_empty() {
            return locale.text(&text!("replay-nobody")) + "\n";
        }
        let kind = |kind: &str| locale.text(&text!("alert-action", action = kind));
        let kinds = ["fired", "raised", "escalated", "resolved"].map(kind);
        let [fired, raised, escalated, resolved] = kinds;
        let [contact, channel, to] = header(locale, ["contact", "channel", "to"]);
        let mut lines = vec![[contact, channel, to, fired, raised, escalated, resolved]];
        lines.extend(self.notified.iter().map(|(receiver, counts)| {
            [
                escape_control(&receiver.contact),
                receiver.channel.clone(),
                escape_control(&receiver.address),
                counts.fired.to_string(),
                counts.raised.to_string(),
                counts.escalated.to_string(),
                counts.resolved.to_string(),
            ]
        }));
        format!("\n{}\n{}", locale.text(&text!("replay-notified")), aligned(&lines))
    }

    /// For programs.
    pub(super) fn json(&self, ran: &ReplayOptions<'_>) -> String {
        let account = |day: Day| {
            let alerts = day.paged + day.historical;
            json!({ "alerts": alerts, "paged": day.paged, "historical": day.historical })
        };
        let days: Vec<Value> = self
            .days
            .iter()
            .map(|(date, day)| {
                let mut line = account(*day);
                line["day"] = date.to_string().into();
                line
            })
            .collect();
        let longest = self.longest.as_ref().map(|longest| {
            json!({
                "device_sn": longest.device_sn,
                "started_ts": longest.started_ts,
                "fired_ts": longest.fired_ts,
                "last_ts": longest.last_ts,
                "ended_ts": longest.ended_ts,
                "breach_count": longest.breach_count,
                "historical": longest.historical,
            })
        });
        let stored = ran.is_kept.then(|| {
            let gone = self.stored - self.common;
            json!({ "alerts": self.stored, "again": self.common, "gone": gone, "new": self.new })
        });
        let notified: Vec<Value> = self
            .notified
            .iter()
            .map(|(receiver, counts)| {
                json!({
                    "contact": receiver.contact, "channel": receiver.channel, "address": receiver.address,
                    "fired": counts.fired, "raised": counts.raised, "escalated": counts.escalated,
                    "resolved": counts.resolved,
                })
            })
            .collect();
        json_line(&json!({
            "severity": ran.rule["severity"],
            "from": ran.from,
            "to": ran.to,
            "devices": self.devices,
            "devices_affected": self.affected,
            "total": account(self.total()),
            "days": days,
            "peak_severities": self.severities,
            "notified": notified,
            "longest": longest,
            "stored": stored,
        }))
    }
}

fn heading(ran: &ReplayOptions<'_>) -> String {
    let locale = ran.locale;
    let text = |column: &str| escape_control(ran.rule[column].as_str().unwrap_or("?"));
    let rule = match ran.rule["rule_id"].as_i64() {
        Some(id) => text!("rule-heading", id = id.to_string(), name = text("name")),
        None => text!("rule-draft-heading", name = text("name")),
    };
    let changes = escape_control(&ran.set.join(", "));
    let heading = text!(
        "replay-heading",
        rule = rule,
        severity = severity(locale, ran.rule["severity"].as_str().unwrap_or("?")),
        changed = if ran.set.is_empty() { "no" } else { "yes" },
        changes = changes,
        from = locale.time(ran.from),
        to = locale.time(ran.to)
    );
    locale.text(&heading) + "\n\n"
}

/// From the first reading to the end, or as far as it is known.
fn length(episode: &Episode) -> SignedDuration {
    let end = episode.ended_ts.unwrap_or(episode.last_ts);
    end.duration_since(episode.started_ts)
}

fn overlap(one: &Episode, other: &Episode) -> bool {
    let end = |episode: &Episode| episode.ended_ts.unwrap_or(episode.last_ts);
    one.started_ts <= end(other) && other.started_ts <= end(one)
}

fn length_text(length: SignedDuration) -> Text {
    let minutes = length.as_secs() / 60;
    match minutes {
        0..=119 => duration(length),
        _ => text!("hours-and-minutes", hours = minutes / 60, minutes = minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(device_sn: &str, from: i64, to: Option<i64>, historical: bool) -> Episode {
        let at = |minutes: i64| Timestamp::from_second(1_767_571_200 + minutes * 60).expect("a time");
        Episode {
            device_sn: device_sn.to_owned(),
            started_ts: at(from),
            fired_ts: at(from + 1),
            last_ts: at(from + 2),
            ended_ts: to.map(at),
            breach_count: 2,
            historical,
            peak_severity: "minor".to_owned(),
        }
    }

    #[test]
    fn what_is_stored_is_found_again_by_its_time() {
        let mut summary = ReplaySummary::new(TimeZone::UTC);
        let replayed =
            [episode("A", 0, Some(10), false), episode("A", 60, None, false), episode("B", 0, Some(5), true)];
        let stored =
            [episode("A", 5, Some(12), false), episode("A", 6, Some(9), false), episode("C", 0, None, false)];
        summary.add(3, &replayed, &stored);
        summary.add(300, &[episode("D", 1_440, Some(1_500), false)], &[]);
        assert_eq!((summary.devices, summary.affected), (303, 3));
        assert_eq!((summary.stored, summary.common, summary.new), (3, 2, 3));
        assert_eq!(summary.total(), Day { paged: 3, historical: 1 });
        assert_eq!(summary.days.len(), 2);
        assert_eq!(summary.longest.as_ref().map(|longest| longest.device_sn.as_str()), Some("D"));
    }
}
