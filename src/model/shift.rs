//! A shift: who is on duty when, by hours that recur each week or in a single period; or an absence.
//!
//! Before: `http::api::shift` and `vitals alerts shift` make one, `store::shift` keeps it. After: the database reads it when a message of a
//! route with the audience `on_duty` is due.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Id64;
use crate::language::{Text, text};

/// What a row of shifts says about a contact
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShiftKind {
    /// On duty.
    #[default]
    Duty,
    /// Not on duty (leave, illness), whatever other rows say.
    Absence,
}

/// A shift
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shift {
    /// Number of the shift
    pub shift_id: Id64,
    /// Tenant for whose alerts the contact is on duty; null: those of a unit, or an absence
    pub customer_id: Option<Id64>,
    /// Organisation unit for whose alerts the contact is on duty; null: those of a tenant, or an absence
    pub org_id: Option<Id64>,
    /// Who
    pub contact_id: Id64,
    /// Name of the contact
    pub contact: String,
    /// duty, or absence
    pub kind: ShiftKind,
    /// Start of the period, or of the weeks in which the hours recur
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// End, exclusive; null: the hours recur until further notice
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// Days on which the hours begin, 1 Monday to 7 Sunday; null: every day, or a single period
    pub weekly_days: Option<Vec<i16>>,
    /// Local time at which the hours begin; null: a single period
    pub from_time: Option<String>,
    /// Local time at which they end; before from_time: on the next day; null: a single period
    pub until_time: Option<String>,
    /// Zone of the hours; null: that of the rollups
    pub time_zone: Option<String>,
    /// For people; null: none
    pub note: Option<String>,
    /// Whether the contact is on duty by it now, or at the time asked for; null: it was just added
    pub on_duty: Option<bool>,
}

/// A shift that is asked for: hours that recur (`from_time` and `until_time`), or a single period (`ends_at`)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftDraft {
    /// Tenant; instead of `org_id`
    pub customer_id: Option<Id64>,
    /// Organisation unit; sub-units without shifts of their own included
    pub org_id: Option<Id64>,
    /// Who
    pub contact_id: Id64,
    /// duty; or absence, which names neither tenant nor unit
    #[serde(default)]
    pub kind: ShiftKind,
    /// Start; missing: now
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Timestamp>,
    /// End, exclusive; missing: the hours recur until further notice
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// Days on which the hours begin, 1 Monday to 7 Sunday; missing: every day
    #[schema(min_items = 1, max_items = 7)]
    pub weekly_days: Option<Vec<i16>>,
    /// Local time at which the hours begin, such as 07:00
    #[schema(max_length = 20)]
    pub from_time: Option<String>,
    /// Local time at which they end; before from_time: on the next day
    #[schema(max_length = 20)]
    pub until_time: Option<String>,
    /// Zone of the hours (IANA name); missing: that of the rollups
    #[schema(max_length = 100)]
    pub time_zone: Option<String>,
    /// For people
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

/// Whether a text is a time of day with minutes, such as 07:00.
pub(super) fn is_time_of_day(text: &str) -> bool {
    text.contains(':') && text.parse::<Time>().is_ok()
}

impl ShiftDraft {
    /// Why it is none, in words; `None`: it is one. What the database alone can know it says itself.
    pub fn refusal(&self) -> Option<Text> {
        let scopes = usize::from(self.customer_id.is_some()) + usize::from(self.org_id.is_some());
        let hours = [&self.from_time, &self.until_time];
        let recurs = hours.iter().all(|time| time.is_some());
        let begins = self.starts_at.unwrap_or_else(Timestamp::now);
        if scopes != usize::from(self.kind == ShiftKind::Duty) {
            return Some(text!("shift-scope"));
        }
        if let Some(time) = hours.into_iter().flatten().find(|time| !is_time_of_day(time)) {
            return Some(text!("time-of-day-invalid", time = time.as_str()));
        }
        let days_are_invalid = self.weekly_days.as_ref().is_some_and(|days| {
            !recurs || days.is_empty() || days.len() > 7 || !days.iter().all(|day| (1..=7).contains(day))
        });
        if recurs != hours.iter().any(|time| time.is_some())
            || days_are_invalid
            || recurs && (self.from_time == self.until_time || self.kind == ShiftKind::Absence)
        {
            Some(text!("shift-hours"))
        } else if self.ends_at.is_none() && !recurs {
            Some(text!("shift-end-missing"))
        } else if self.ends_at.is_some_and(|ends_at| ends_at <= begins) {
            Some(text!("shift-backwards"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(draft: serde_json::Value) -> Option<String> {
        let draft: ShiftDraft = serde_json::from_value(draft).expect("a draft");
        draft.refusal().map(|text| text.in_language(crate::language::Language::En))
    }

    #[test]
    fn hours_that_recur_and_a_single_period_are_shifts_and_half_of_either_is_none() {
        use serde_json::json;
        let end = "2100-01-01T00:00:00Z";
        for draft in [
            json!({ "contact_id": 5, "org_id": 300, "from_time": "19:00", "until_time": "07:00" }),
            json!({ "contact_id": 5, "customer_id": 7, "from_time": "07:00", "until_time": "19:00", "weekly_days": [1, 5] }),
            json!({ "contact_id": 5, "org_id": 300, "ends_at": end }),
            json!({ "contact_id": 5, "kind": "absence", "ends_at": end }),
        ] {
            assert_eq!(refusal(draft.clone()), None, "{draft}");
        }
        for draft in [
            json!({ "contact_id": 5, "ends_at": end }),
            json!({ "contact_id": 5, "org_id": 300, "customer_id": 7, "ends_at": end }),
            json!({ "contact_id": 5, "org_id": 300 }),
            json!({ "contact_id": 5, "org_id": 300, "ends_at": "2001-01-01T00:00:00Z" }),
            json!({ "contact_id": 5, "org_id": 300, "from_time": "19:00" }),
            json!({ "contact_id": 5, "org_id": 300, "from_time": "19:00", "until_time": "19:00" }),
            json!({ "contact_id": 5, "org_id": 300, "from_time": "25:00", "until_time": "19:00" }),
            json!({ "contact_id": 5, "org_id": 300, "from_time": "07", "until_time": "19:00" }),
            json!({ "contact_id": 5, "org_id": 300, "from_time": "07:00", "until_time": "19:00", "weekly_days": [0] }),
            json!({ "contact_id": 5, "org_id": 300, "weekly_days": [1], "ends_at": end }),
            json!({ "contact_id": 5, "kind": "absence", "org_id": 300, "ends_at": end }),
            json!({ "contact_id": 5, "kind": "absence" }),
        ] {
            assert!(refusal(draft.clone()).is_some(), "{draft}");
        }
    }
}
