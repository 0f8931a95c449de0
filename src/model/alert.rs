//! An alert: what a rule found, what happened to it, and who was notified.
//!
//! Before: the database raises it (`sql/functions`), `store::alert` reads it. After: `http::alert`, `vitals alerts`.
//! Promise: its JSON is the same in every answer. A field is the column of its name, see the comments of table `alert`.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use super::{AlertAction, AlertNotification, Id64, Translations};
use crate::language::Language;

/// An enumeration whose words are the same in the database, in JSON and on the command line.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$meaning])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All there are, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|each| each.name() == word);
                found.ok_or_else(|| {
                    let words: Vec<&str> = Self::ALL.iter().map(|each| each.name()).collect();
                    format!("one of: {}", words.join(", "))
                })
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Where an alert is in its life
    AlertStatus {
        /// Nobody has taken it on.
        Firing = "firing",
        /// A person has taken it on.
        Acknowledged = "acknowledged",
        /// Over.
        Resolved = "resolved",
    }
}

words! {
    /// How severe it is, the most severe first
    Severity {
        /// A life may be in danger.
        Critical = "critical",
        /// Somebody has to look soon.
        Major = "major",
        /// Somebody should look.
        Minor = "minor",
        /// Good to know.
        Info = "info",
    }
}

words! {
    /// What a rule evaluates
    AlertKind {
        /// A vital sign outside its bounds.
        Threshold = "threshold",
        /// Several conditions.
        Composite = "composite",
        /// A device reported an event.
        Event = "event",
        /// A device has sent nothing.
        Silence = "silence",
    }
}

impl Severity {
    /// This one and all that are more severe.
    pub fn and_above(self) -> &'static [Self] {
        let index = Self::ALL.iter().position(|each| *each == self);
        &Self::ALL[..=index.unwrap_or(0)]
    }
}

/// An alert
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Number of the alert
    pub alert_id: Id64,
    /// Serial number of the device
    pub device_sn: String,
    /// The rule that raised it
    pub rule_id: Id64,
    /// Version of the rule at that time
    pub rule_version: i32,
    /// What the rule is called now
    pub rule_name: String,
    /// Kind of the rule
    pub kind: AlertKind,
    /// How severe it is now, or was when it ended; a rule with levels raises and lowers it
    pub severity: Severity,
    /// The gravest severity that it has had
    pub peak_severity: Severity,
    /// Vital sign that the rule evaluates; null: the kind is not threshold
    pub metric: Option<String>,
    /// Type of the event; null: the kind is not event
    pub event_type: Option<String>,
    /// Tenant; null: not known
    pub customer_id: Option<Id64>,
    /// Organisation unit; null: not known
    pub org_id: Option<Id64>,
    /// Wearer; null: not known
    pub user_id: Option<Id64>,
    /// Name of the wearer; null: the directory has none
    pub user_name: Option<String>,
    /// Name of the organisation unit; null: the directory has none
    pub org_name: Option<String>,
    /// Room of the wearer; null: the directory has none
    pub room: Option<String>,
    /// Where it is in its life
    pub status: AlertStatus,
    /// All its breaches came late: nobody was notified
    pub historical: bool,
    /// Event time of the first of the readings in a row that raised it
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub started_ts: Timestamp,
    /// Event time of the reading that raised it
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub fired_ts: Timestamp,
    /// Event time of the newest breach in it
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub last_ts: Timestamp,
    /// Event time at which the device had recovered, or the alert expired; null: not so far
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub ended_ts: Option<Timestamp>,
    /// Readings or events that breached
    pub breach_count: i32,
    /// Newest breaching reading, in the unit of the metric; null: the kind is not threshold
    #[schema(value_type = Option<f64>)]
    pub last_value: Option<Number>,
    /// Breaching reading farthest from the bounds; null: the kind is not threshold
    #[schema(value_type = Option<f64>)]
    pub peak_value: Option<Number>,
    /// Value of the newest event; null: the kind is not event, or it had none
    pub last_text: Option<String>,
    /// Where the device was when it fired, degrees north; null: not known
    pub latitude: Option<f64>,
    /// Degrees east; null: not known
    pub longitude: Option<f64>,
    /// Metres; null: not known
    pub altitude: Option<f64>,
    /// Text of the notification when it fired; in the language asked for, if the rule has it in that language
    pub message: String,
    /// Name of the rule and message in further languages.
    #[schema(ignore)]
    #[serde(default, skip_serializing)]
    pub translations: Option<Translations>,
    /// When the service raised it
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub fired_at: Timestamp,
    /// When anything of it last changed
    #[schema(value_type = String, format = DateTime)]
    #[serde(deserialize_with = "in_range")]
    pub updated_at: Timestamp,
    /// When a person took it on; null: nobody has
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who did; null: nobody has
    pub acknowledged_by: Option<String>,
    /// Contact to whom it is assigned; null: to nobody
    pub assigned_to: Option<Id64>,
    /// Name of that contact
    #[serde(default)]
    pub assigned_name: Option<String>,
    /// When it was last assigned; null: never
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub assigned_at: Option<Timestamp>,
    /// Who assigned it; null: nobody
    pub assigned_by: Option<String>,
    /// When it was resolved; null: it is open
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub resolved_at: Option<Timestamp>,
    /// Who resolved it; null: it is open, or resolved by itself
    pub resolved_by: Option<String>,
    /// recovered, expired, manual, rule_disabled or retracted; null: it is open
    pub resolution: Option<String>,
    /// Until when the rule does not evaluate the device after a person resolved the alert; null: no person did
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "in_range_if_any")]
    pub muted_until: Option<Timestamp>,
}

impl Alert {
    /// With its texts in a language, where the rule has them.
    pub fn in_language(mut self, language: Language) -> Self {
        let translated =
            self.translations.as_ref().and_then(|translations| translations.get(language)).cloned();
        if let Some(wording) = translated {
            (self.rule_name, self.message) = (wording.rule, wording.message);
        }
        self
    }
}

/// An alert with everything known of it
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertDetail {
    /// The alert
    pub alert: Alert,
    /// What happened to it, in order
    pub actions: Vec<AlertAction>,
    /// Who was notified, in order
    pub notifications: Vec<AlertNotification>,
}

/// How many alerts there are of a status and a severity
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertTally {
    /// Where they are in their life
    pub status: AlertStatus,
    /// How severe they are
    pub severity: Severity,
    /// How many
    pub alerts: i64,
}

/// A time of the database. A row that was written by hand may hold one outside the range of [`Timestamp`]: it is read as the nearest
/// one in range, because one such alert must not hide the others.
pub(super) fn in_range<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    String::deserialize(from).map(|text| nearest(&text))
}

pub(super) fn in_range_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(|text| nearest(&text)))
}

fn nearest(text: &str) -> Timestamp {
    let is_before_all = text.starts_with('-') || text.ends_with("BC");
    text.parse().unwrap_or(if is_before_all { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_of_range_is_read_as_the_nearest_in_range() {
        assert_eq!(nearest("2026-01-05T10:00:00.5+00:00").to_string(), "2026-01-05T10:00:00.5Z");
        for text in ["infinity", "294276-01-05T10:00:00+00:00"] {
            assert_eq!(nearest(text), Timestamp::MAX);
        }
        for text in ["-infinity", "0044-03-15T10:00:00+00:00 BC"] {
            assert_eq!(nearest(text), Timestamp::MIN);
        }
    }

    #[test]
    fn a_word_is_read_as_it_is_written() {
        fn check<
            T: Copy + Serialize + PartialEq + std::fmt::Debug + std::str::FromStr + utoipa::PartialSchema,
        >(
            all: &[T],
            name: fn(T) -> &'static str,
        ) {
            for each in all {
                let word = name(*each);
                assert_eq!(word.parse().ok(), Some(*each));
                assert_eq!(serde_json::to_value(each).expect("JSON"), word);
            }
            let names: Vec<&str> = all.iter().map(|each| name(*each)).collect();
            assert_eq!(serde_json::to_value(T::schema()).expect("JSON")["enum"], serde_json::json!(names));
        }
        check(AlertStatus::ALL, AlertStatus::name);
        check(Severity::ALL, Severity::name);
        check(AlertKind::ALL, AlertKind::name);
        assert_eq!("high".parse::<Severity>(), Err("one of: critical, major, minor, info".to_owned()));
    }
}
