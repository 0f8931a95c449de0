//! The state of an alert at one moment, for dashboards and notifications.
//!
//! Before: `store` reads it as the database has it. After: `cache` publishes it, `notify` sends it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{Severity, Translations, Wording};
use crate::language::Language;

/// A row of `alert`, with the name of its rule. Columns and units as commented there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AlertState {
    /// Number of the alert.
    pub alert_id: i64,
    /// Serial of the device.
    pub device_sn: String,
    /// The rule that raised it.
    pub rule_id: i64,
    /// Its name.
    #[serde(default)]
    pub rule: String,
    /// threshold, composite, event or silence.
    pub kind: String,
    /// critical, major, minor or info: now, or when it ended.
    pub severity: String,
    /// The gravest severity that it has had.
    pub peak_severity: String,
    /// Vital sign that the rule evaluates.
    pub metric: Option<String>,
    /// Type of the event.
    pub event_type: Option<String>,
    /// Tenant.
    pub customer_id: Option<i64>,
    /// Organisation unit.
    pub org_id: Option<i64>,
    /// Wearer.
    pub user_id: Option<i64>,
    /// Name of the wearer; `None`: the directory has none, or was not asked.
    #[serde(default)]
    pub user_name: Option<String>,
    /// firing, acknowledged or resolved.
    pub status: String,
    /// All its breaches came late.
    pub historical: bool,
    /// Event time of the first reading that led to it.
    #[serde(deserialize_with = "finite")]
    pub started_ts: Option<Timestamp>,
    /// Event time of the reading that raised it.
    #[serde(deserialize_with = "finite")]
    pub fired_ts: Option<Timestamp>,
    /// Event time of the newest breach.
    #[serde(deserialize_with = "finite")]
    pub last_ts: Option<Timestamp>,
    /// Event time of its end.
    #[serde(deserialize_with = "finite")]
    pub ended_ts: Option<Timestamp>,
    /// Readings (events) that breached.
    pub breach_count: i32,
    /// Newest breaching reading.
    pub last_value: Option<f64>,
    /// Breaching reading farthest from the bounds.
    pub peak_value: Option<f64>,
    /// Value of the newest event.
    pub last_text: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
    /// Text of the notification.
    pub message: String,
    /// The same in other languages; `None`: the rule has no translation.
    #[serde(default)]
    pub translations: Option<Translations>,
    /// When anything of it last changed: of two states the later one is newer.
    #[serde(deserialize_with = "finite")]
    pub updated_at: Option<Timestamp>,
    /// When a person took it on.
    #[serde(deserialize_with = "finite")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who did.
    pub acknowledged_by: Option<String>,
    /// Contact to whom it is assigned.
    #[serde(default)]
    pub assigned_to: Option<i64>,
    /// Who assigned it.
    #[serde(default)]
    pub assigned_by: Option<String>,
    /// When it was resolved.
    #[serde(deserialize_with = "finite")]
    pub resolved_at: Option<Timestamp>,
    /// Who resolved it; `None`: it resolved by itself, or is open.
    pub resolved_by: Option<String>,
    /// Why it ended.
    pub resolution: Option<String>,
}

impl AlertState {
    /// It is firing or acknowledged.
    pub fn is_open(&self) -> bool {
        self.status != "resolved"
    }

    /// Its place among others: the gravest first.
    pub fn gravity(&self) -> usize {
        let place = Severity::ALL.iter().position(|severity| severity.name() == self.severity);
        place.unwrap_or(Severity::ALL.len())
    }

    /// Its texts in a language: translated, or as the rule has them.
    pub fn wording(&self, language: Language) -> Wording {
        let translated = self.translations.as_ref().and_then(|translations| translations.get(language));
        translated
            .cloned()
            .unwrap_or_else(|| Wording { rule: self.rule.clone(), message: self.message.clone() })
    }
}

/// A changed alert, for dashboards.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertUpdate {
    /// Its number.
    pub alert_id: i64,
    /// The device under which dashboards show it.
    pub device_sn: String,
    /// The alert as it is now; `None`: it was deleted.
    pub state: Option<AlertState>,
}

/// A time in range. A row written by hand may hold 'infinity', which is read as `None`.
fn finite<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An alert of a given number and severity.
    pub(crate) fn alert(alert_id: i64, severity: &str) -> AlertState {
        let row = serde_json::json!({
            "alert_id": alert_id, "device_sn": "SN-1", "rule_id": 1, "rule": "Heart rate", "kind": "threshold",
            "severity": severity, "peak_severity": severity, "metric": "heart_rate", "event_type": null, "customer_id": 7, "org_id": 8,
            "user_id": 9_007_199_254_740_993_i64, "user_name": "Li Wei", "status": "firing", "historical": false,
            "started_ts": "2026-01-05T10:00:00+00:00", "fired_ts": "2026-01-05T10:00:00+00:00",
            "last_ts": "2026-01-05T10:00:00+00:00", "ended_ts": null, "breach_count": 1, "last_value": 150,
            "peak_value": 150, "last_text": null, "latitude": null, "longitude": null, "altitude": null,
            "message": "SN-1: heart rate 150/min", "updated_at": "2026-01-05T10:00:00.000001+00:00",
            "acknowledged_at": null, "acknowledged_by": null, "resolved_at": null, "resolved_by": null,
            "resolution": null,
        });
        serde_json::from_value(row).expect("a row")
    }

    #[test]
    fn a_time_out_of_range_is_left_out() {
        let mut row = serde_json::json!(null);
        assert_eq!(finite(row.take()).expect("nothing"), None);
        assert_eq!(finite(serde_json::json!("infinity")).expect("text"), None);
        assert!(finite(serde_json::json!("2026-01-05T10:00:00.5+00:00")).expect("text").is_some());
    }
}
